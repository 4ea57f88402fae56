import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Evidence } from '../judge/evidence.ts';
import { type Finding, finding, round, seconds } from '../judge/finding.ts';
import { honestHealth } from '../judge/health.ts';
import { commonFindings } from '../judge/invariants.ts';
import { boundedLoad } from '../judge/outage.ts';
import { shuffled } from '../seeded.ts';
import type { OracleReport } from '../stage/producer.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { timeToApply } from '../stage/time-to-apply.ts';
import { watchHealth } from '../stage/watch-health.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';
import { SOAK_FAULTS } from './soak-faults.ts';

const MINUTE_MS = 60_000;
const SETTLE_MS = 180_000;
/** How long the circuit may take to open. */
const OPENING_MS = 3_000;
const MOST_TO_FRESH_MS = 5_000;
/** What a process may hold on to for good, beside what it held when it had worked for a while. */
const MOST_MORE_MIB = 64;
const MOST_MORE_FILES = 60;
/** How long a worker keeps an idle connection, and somewhat more. */
const KEPT_ALIVE_MS = 25_000;

/** R19: one fault after the other, as chance has it. */
export const soak: Row = defineRow({
  id: 'R19',
  fault: 'a random fault every few seconds, under inflow',
  sizes: {
    full: { minutes: 10, everyMs: 10_000, faultMs: 7_000, workers: 3, perSecond: 100 },
    short: { minutes: 0.75, everyMs: 7_000, faultMs: 5_000, workers: 3, perSecond: 60 },
  },
  async run(context, sizes) {
    const { everyMs, faultMs, workers, perSecond } = sizes;
    const forMs = (context.minutes ?? sizes.minutes) * MINUTE_MS;
    await using stage = await openStage(context, { workers });
    const random = stage.random('soak');
    stage.standIn.faults.add({
      kind: 'latency',
      latency: { distribution: 'log-normal', medianMs: 20, sigma: 0.8, maxMs: 1_000 },
    });
    const count = Math.round((forMs / 1_000) * perSecond);
    const gone = makeReports('gone', Math.ceil(count / 50), { dead: 'sync_job_not_found' });
    const running = makeReports('running', count - gone.length);
    stage.putSyncJobsOf(running);
    await stage.fleet.start();
    const [first] = stage.fleet.slots;
    if (first === undefined) throw new Error('a fleet of none');
    const health = await watchHealth(first);
    const inflow = stage.producer.inflow(shuffled([...running, ...gone], random), perSecond);

    const outages: { readonly name: string; readonly fromMs: number; readonly toMs: number }[] = [];
    const endsAtMs = performance.now() + forMs;
    const rounds = Math.floor(forMs / everyMs);
    let before: Held | undefined;
    const order = Array.from({ length: Math.ceil(rounds / SOAK_FAULTS.length) }, () =>
      shuffled(SOAK_FAULTS, random),
    ).flat();
    for (const fault of order.slice(0, rounds)) {
      const nextAtMs = performance.now() + everyMs;
      context.say(fault.name);
      const fromMs = Date.now();
      await fault.strike({ stage, forMs: faultMs, random });
      if (fault.isOutage) outages.push({ name: fault.name, fromMs, toMs: Date.now() });
      await sleep(nextAtMs - performance.now());
      // What a process fills once, buffers and pools, is not what it loses.
      if (performance.now() > endsAtMs - forMs / 2) before ??= held(stage);
    }
    const fresh = makeReports('fresh', 1);
    const freshFromMs = Date.now();
    const freshMs = await timeToApply(stage, fresh);
    await inflow;
    const hasSettled = await stage.settle(SETTLE_MS);
    await sleep(500);
    const after = await heldAtRest(stage, before);
    await health.stop();
    const evidence = await stage.evidence();
    const dead = health.looks.filter(({ path, status }) => path === '/livez' && status !== 200).length;
    return [
      ...commonFindings(evidence),
      burned(evidence),
      ...outages.map(({ name, fromMs, toMs }) => {
        const { figure, ...rest } = boundedLoad(evidence, { fromMs: fromMs + OPENING_MS, toMs }, first.index);
        return { ...rest, figure: `${figure} (${name})` };
      }),
      finding(
        'I7 liveness',
        hasSettled && freshMs !== undefined && freshMs <= MOST_TO_FRESH_MS,
        `${rounds} faults; a fresh report after the last of them applied after ${freshMs === undefined ? 'no time' : seconds(freshMs)} (${storyOf(fresh, evidence, freshFromMs)})`,
        `at most ${seconds(MOST_TO_FRESH_MS)}`,
      ),
      ...flat(before, after),
      ...outages.map((outage) => {
        const { figure, ...rest } = honestHealth(health.looks, outage);
        return { ...rest, figure: `${figure} (${outage.name})` };
      }),
      finding('I11 alive', dead === 0, `not alive ${dead} times of ${health.looks.length / 2}`, '0'),
    ];
  },
});

/** Codes that say that Elasticsearch is not well. */
const OF_AN_OUTAGE: ReadonlySet<string> = new Set(['server_error', 'ambiguous', 'misrouted']);

/** The failures that opened it are logged after it, once the queue has taken note of them. */
const NOTED_MS = 1_000;

/** I5: by its own log, no worker used an attempt for an outage while its circuit was open. */
function burned({ lines }: Evidence): Finding {
  const open = new Map<string, number>();
  let used = 0;
  let openings = 0;
  for (const { slot, incarnation, msg, fields, atMs } of lines) {
    const worker = `${slot}/${incarnation}`;
    if (msg.startsWith('circuit open')) {
      open.set(worker, atMs);
      openings += 1;
    } else if (msg.startsWith('circuit closed')) open.delete(worker);
    else if (msg === 'attempt failed' && OF_AN_OUTAGE.has(String(fields['code']))) {
      if (atMs - (open.get(worker) ?? atMs) > NOTED_MS) used += 1;
    }
  }
  return finding(
    'I5 no attempt burned',
    used === 0,
    `${used} attempts used while a worker’s circuit was open, which was ${openings} times`,
    '0',
  );
}

/** What the worker that lives through everything holds. */
interface Held {
  readonly rssMiB: number;
  readonly files: number;
}

/** What workers said of these, and how long after a moment. */
function storyOf(reports: readonly OracleReport[], { lines }: Evidence, sinceMs: number): string {
  const ids = new Set<unknown>(reports.map(({ syncJobId }) => syncJobId));
  const said = lines.filter(({ fields }) => ids.has(fields['connector_sync_job_id']));
  return said
    .map(({ slot, msg, atMs, fields }) => {
      const code = fields['code'] === undefined ? '' : ` ${fields['code']}`;
      return `worker ${slot}: ${msg}${code} after ${seconds(atMs - sinceMs)}`;
    })
    .join(', ');
}

/** Connections that a rush has opened are kept for a while when it is over; what is lost stays for ever. */
async function heldAtRest(stage: Stage, before: Held | undefined): Promise<Held | undefined> {
  const untilMs = performance.now() + KEPT_ALIVE_MS;
  let after = held(stage);
  while (performance.now() < untilMs && flat(before, after).some(({ holds }) => !holds)) {
    await sleep(500);
    after = held(stage);
  }
  return after;
}

/** Linux only; elsewhere it is not judged. */
function held({ fleet }: Stage): Held | undefined {
  const pid = fleet.slots[0]?.worker?.pid;
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { rssMiB: Number(kib) / 1_024, files: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

function flat(before: Held | undefined, after: Held | undefined): Finding[] {
  if (before === undefined || after === undefined) return [];
  const more = after.rssMiB - before.rssMiB;
  const files = after.files - before.files;
  return [
    finding(
      'I8 flat',
      more <= MOST_MORE_MIB && files <= MOST_MORE_FILES,
      `${round(after.rssMiB)} MiB and ${after.files} open files at the end, ${round(before.rssMiB)} and ${before.files} half-way`,
      `at most ${MOST_MORE_MIB} MiB and ${MOST_MORE_FILES} files more`,
    ),
  ];
}
