/**
 * Elasticsearch away while reports keep coming:
 *
 * 1. As much as will pile up is worked off without a fault: that is the rate to compare with.
 * 2. Elasticsearch refuses connections for a while, reports come at a steady rate.
 * 3. It is back: what is measured is the time to the first success, and the rate at which so many reports as had
 *    piled up are applied, the new ones among them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTENDERS } from '../contenders/index.ts';
import { relayTo } from '../contenders/ours.ts';
import type { Figure } from '../figures/figure.ts';
import { startSteadyProducer } from '../producers/steady.ts';
import { startOurWorker } from '../stage/start-our-worker.ts';
import type { Measure, MeasureContext } from './measure.ts';

const PER_SECOND = 200;
const LATENCY_MS = 5;
/** Reports go on coming while the backlog is worked off. */
const AFTER_MS = 10_000;
const LOOK_MS = 20;

interface Outage {
  /** Reports a second, of a backlog of that size without a fault. */
  readonly faultFree: number;
  /** From its return to the first success, in milliseconds. */
  readonly firstMs: number;
  /** Reports a second, from the first success on. */
  readonly drain: number;
  /** From its return until as many are applied as had piled up, in milliseconds. */
  readonly overMs: number;
}

export const outage: Measure = {
  id: 'outage',
  title: `Elasticsearch away, ${PER_SECOND} reports a second`,
  async run(context) {
    const outages: Outage[] = [];
    for (let round = 1; round <= context.rounds; round += 1) {
      outages.push(await measureOutage(context, (line) => context.say(`round ${round}, ${line}`)));
    }
    const figure = (
      key: string,
      title: string,
      unit: Figure['unit'],
      of: (one: Outage) => number,
    ): Figure => ({ key: `outage.${key}`, title, unit, samples: outages.map(of) });
    const awayS = context.sizes.outageMs / 1_000;
    return [
      figure('fault_free', 'a backlog of that size without a fault', 'reports/s', (one) => one.faultFree),
      figure('piled_up_s', 'how long it was away', 's', () => awayS),
      figure('first_success', 'from its return to the first success', 's', (one) => one.firstMs / 1_000),
      figure(
        'drain',
        'the backlog of the outage, from the first success on',
        'reports/s',
        (one) => one.drain,
      ),
      figure(
        'over',
        'from its return until as many are applied as had piled up',
        's',
        (one) => one.overMs / 1_000,
      ),
    ];
  },
};

/** One worker through one outage. */
async function measureOutage({ stage, sizes }: MeasureContext, say: (line: string) => void): Promise<Outage> {
  const { redis, sink } = stage;
  const place = { redisUrl: redis.url, elasticsearchUrl: sink.url };
  const expected = Math.ceil((PER_SECOND * sizes.outageMs) / 1_000);
  await redis.client.flushall();
  await sink.reset({ latencyMs: LATENCY_MS });
  await using worker = await startOurWorker(stage, redis.url);
  await using relay = relayTo(place);
  let next = 0;

  await CONTENDERS.ours.fill(place, next, sizes.warmUpReports);
  next += sizes.warmUpReports;
  await worker.during(sink.reach(next));

  const faultFree = await worker.during(drainWithoutFault());
  say(`fault-free: ${expected} reports at ${Math.round(faultFree)}/s`);

  const coming = Math.ceil((PER_SECOND * (sizes.outageMs + AFTER_MS)) / 1_000);
  await using producer = startSteadyProducer({
    ...place,
    way: 'relay',
    perSecond: PER_SECOND,
    from: next,
    count: coming,
  });
  await sink.away();
  await worker.during(sleep(sizes.outageMs));
  const applied = (await sink.count()).count;
  const left = await piledUp();
  const first = sink.reach(applied + 1);
  const last = sink.reach(applied + left);
  const backAtMs = await sink.back();
  const firstAtMs = (await worker.during(first)).atMs;
  const lastAtMs = (await worker.during(last)).atMs;
  const drain = ((left - 1) * 1_000) / (lastAtMs - firstAtMs);
  say(
    `${left} piled up in ${sizes.outageMs / 1_000} s; first success after ${Math.round(firstAtMs - backAtMs)} ms, ` +
      `then ${Math.round(drain)}/s`,
  );
  await producer.child.kill();
  await worker.kill();
  await redis.client.flushall();
  return { faultFree, firstMs: firstAtMs - backAtMs, drain, overMs: lastAtMs - backAtMs };

  async function piledUp(): Promise<number> {
    const { waiting, active, delayed } = await relay.depth();
    return waiting + active + delayed;
  }

  /** As many reports as the outage will leave, handed in while the worker is held. */
  async function drainWithoutFault(): Promise<number> {
    worker.process.kill('SIGSTOP');
    await CONTENDERS.ours.fill(place, next, expected);
    const from = next;
    next += expected;
    const begun = sink.reach(from + 1);
    const ended = sink.reach(next);
    const inflow = Math.ceil((PER_SECOND * AFTER_MS) / 1_000);
    await using producer = startSteadyProducer({
      ...place,
      way: 'relay',
      perSecond: PER_SECOND,
      from: next,
      count: inflow,
    });
    next += inflow;
    worker.process.kill('SIGCONT');
    const beganAtMs = (await begun).atMs;
    const endedAtMs = (await ended).atMs;
    await producer.child.kill();
    while ((await piledUp()) > 0) await sleep(LOOK_MS);
    return ((expected - 1) * 1_000) / (endedAtMs - beganAtMs);
  }
}
