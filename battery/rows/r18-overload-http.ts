import { type Finding, finding } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { type HttpAnswers, reportOverHttp } from '../stage/over-http.ts';
import { openStage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const LATENCY_MS = 100;
/** One worker with this many attempts at once brings as many a second as the row calls sustainable. */
const attemptsFor = (perSecond: number): number => Math.ceil((perSecond * LATENCY_MS) / 1_000);
const SETTLE_MS = 240_000;
const SLOWEST_ANSWER_MS = 5_000;

/** R18 by HTTP: the door sheds what the queue is not to hold, and keeps what it has accepted. */
export const overloadByHttp: Row = defineRow({
  id: 'R18H',
  fault: 'overload: 20 times the inflow, by HTTP',
  sizes: {
    full: { sustainablePerSecond: 100, times: 20, forMs: 60_000, maxBacklog: 5_000 },
    short: { sustainablePerSecond: 40, times: 20, forMs: 4_000, maxBacklog: 200 },
  },
  async run(context, { sustainablePerSecond, times, forMs, maxBacklog }) {
    const attempts = String(attemptsFor(sustainablePerSecond));
    await using stage = await openStage(context, {
      workers: 1,
      env: { CONCURRENCY: attempts, MAX_CONCURRENCY: attempts, MAX_BACKLOG: String(maxBacklog) },
    });
    const latency = { distribution: 'fixed', ms: LATENCY_MS } as const;
    stage.standIn.faults.add({ kind: 'latency', latency });
    const flood = makeReports('flood', (sustainablePerSecond * times * forMs) / 1_000);
    stage.putSyncJobsOf(flood);
    await stage.fleet.start();
    const line = await stage.fleet.slots[0]?.worker?.line('worker started');
    const address = String(line?.fields['address']);
    const { note } = stage.producer;
    const answers = await reportOverHttp(address, flood, sustainablePerSecond * times, note);
    await stage.settle(SETTLE_MS);
    return [...commonFindings(await stage.evidence()), sheds(answers, flood.length)];
  },
});

function sheds({ accepted, shed, others, slowestMs }: HttpAnswers, sent: number): Finding {
  const strange = [...others].map(([what, count]) => `${count} × ${what}`).join('; ');
  return finding(
    'sheds with Retry-After',
    accepted > 0 &&
      shed > 0 &&
      others.size === 0 &&
      accepted + shed === sent &&
      slowestMs <= SLOWEST_ANSWER_MS,
    `of ${sent.toLocaleString('en')} requests ${accepted.toLocaleString('en')} accepted, ${shed.toLocaleString('en')} shed, ` +
      `${strange === '' ? 'nothing else' : strange}; the slowest answer after ${Math.round(slowestMs)} ms`,
    `some accepted and some shed, nothing else, each within ${SLOWEST_ANSWER_MS} ms`,
  );
}
