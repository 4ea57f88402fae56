/** What the bench is held to: one entry a goal, made of figures alone. */
import type { FigureSet } from './figure.ts';
import { pairwise } from './statistics.ts';

export type Demand = { readonly atLeast: number } | { readonly atMost: number };

export interface Goal {
  readonly key: string;
  /** The measure whose figures it is made of. */
  readonly measure: MeasureId;
  readonly text: string;
  readonly demand: Demand;
  /** Absent for a ratio. */
  readonly unit?: 'ms' | 's';
  /** Its value in each round; undefined where a figure is missing. */
  readonly samples: (figures: FigureSet) => readonly number[] | undefined;
}

export const MEASURE_IDS = [
  'throughput_0',
  'throughput_5',
  'throughput_20',
  'throughput_100',
  'enqueue',
  'delay',
  'memory',
  'bytes',
  'backlog',
  'workers',
  'outage',
  'start_up',
  'batch',
] as const;

export type MeasureId = (typeof MEASURE_IDS)[number];

type Samples = Goal['samples'];

const alone =
  (key: string): Samples =>
  (figures) =>
    figures.get(key)?.samples;

const combined =
  (left: Samples, right: Samples, combine: (left: number, right: number) => number): Samples =>
  (figures) => {
    const [first, second] = [left(figures), right(figures)];
    return first === undefined || second === undefined ? undefined : pairwise(first, second, combine);
  };

const ratio = (left: string, right: string): Samples => combined(alone(left), alone(right), (a, b) => a / b);

const difference = (left: string, right: string): Samples =>
  combined(alone(left), alone(right), (a, b) => a - b);

const sum = (left: string, right: string): Samples => combined(alone(left), alone(right), (a, b) => a + b);

const cpu = (contender: string): Samples =>
  sum(`throughput_0.worker_cpu.${contender}`, `throughput_0.redis_cpu.${contender}`);

const cpuRatio = (left: string, right: string): Samples => combined(cpu(left), cpu(right), (a, b) => a / b);

const settled = (contender: string, latencyMs = 0): string => `throughput_${latencyMs}.rate.${contender}`;

export const GOALS: readonly Goal[] = [
  {
    key: 'p1',
    measure: 'throughput_0',
    text: 'worker, one report a job, against the straightforward worker at its best concurrency',
    demand: { atLeast: 1.3 },
    samples: ratio(settled('ours'), settled('straightforward')),
  },
  {
    key: 'p1_bee',
    measure: 'throughput_0',
    text: 'the same against bee-queue',
    demand: { atLeast: 1.1 },
    samples: ratio(settled('ours'), settled('bee')),
  },
  {
    key: 'p1_bare',
    measure: 'throughput_0',
    text: 'the same against the bare limit',
    demand: { atLeast: 0.65 },
    samples: ratio(settled('ours'), settled('bare')),
  },
  {
    key: 'p1b',
    measure: 'throughput_0',
    text: 'worker, reports that came in batches, against the straightforward worker',
    demand: { atLeast: 2.5 },
    samples: ratio(settled('ours_batch'), settled('straightforward')),
  },
  {
    key: 'p1b_direct',
    measure: 'throughput_0',
    text: 'the same against the direct call without a queue',
    demand: { atLeast: 1 },
    samples: ratio(settled('ours_batch'), settled('direct')),
  },
  ...([5, 20, 100] as const).map(
    (latencyMs): Goal => ({
      key: `p2_${latencyMs}`,
      measure: `throughput_${latencyMs}`,
      text: `Elasticsearch at ${latencyMs} ms, no setting touched, against the hand-tuned straightforward worker`,
      demand: { atLeast: 0.9 },
      samples: ratio(settled('ours', latencyMs), settled('straightforward', latencyMs)),
    }),
  ),
  {
    key: 'p3_library',
    measure: 'enqueue',
    text: 'enqueue 10,000 by the library, against addBulk of 500 with 4 in flight',
    demand: { atLeast: 0.9 },
    samples: ratio('enqueue.library_each', 'enqueue.add_bulk'),
  },
  {
    key: 'p3_cli',
    measure: 'enqueue',
    text: 'by the command line from an NDJSON file, start to end, against a script of addBulk, start to end',
    demand: { atLeast: 0.7 },
    samples: ratio('enqueue.cli', 'enqueue.script'),
  },
  {
    key: 'p3_http',
    measure: 'enqueue',
    text: 'by HTTP as NDJSON, against addBulk',
    demand: { atLeast: 0.5 },
    samples: ratio('enqueue.http', 'enqueue.add_bulk'),
  },
  {
    key: 'p4_p50',
    measure: 'delay',
    text: 'enqueue to applied at 50/s, median, beyond the direct call',
    demand: { atMost: 3 },
    unit: 'ms',
    samples: difference('delay.p50.ours', 'delay.p50.direct'),
  },
  {
    key: 'p4_p99',
    measure: 'delay',
    text: 'enqueue to applied at 50/s, 99th percentile, beyond the direct call',
    demand: { atMost: 10 },
    unit: 'ms',
    samples: difference('delay.p99.ours', 'delay.p99.direct'),
  },
  {
    key: 'p5',
    measure: 'throughput_0',
    text: 'CPU a report, worker and Redis together, one by one, against the straightforward worker',
    demand: { atMost: 0.8 },
    samples: cpuRatio('ours', 'straightforward'),
  },
  {
    key: 'p5_batch',
    measure: 'throughput_0',
    text: 'the same in batches',
    demand: { atMost: 0.4 },
    samples: cpuRatio('ours_batch', 'straightforward'),
  },
  {
    key: 'p6',
    measure: 'throughput_0',
    text: 'peak RSS at full load, against the straightforward worker',
    demand: { atMost: 0.75 },
    samples: ratio('throughput_0.rss.ours', 'throughput_0.rss.straightforward'),
  },
  {
    key: 'p6_flat',
    measure: 'memory',
    text: 'RSS over 500,000 reports, last tenth against first tenth',
    demand: { atMost: 1.05 },
    samples: ratio('memory.last_tenth', 'memory.first_tenth'),
  },
  {
    key: 'p7',
    measure: 'bytes',
    text: 'Redis bytes a waiting report, one by one, against plain BullMQ with attempts and backoff',
    demand: { atMost: 1 },
    samples: ratio('bytes.ours', 'bytes.straightforward'),
  },
  {
    key: 'p7_batch',
    measure: 'bytes',
    text: 'the same in batches',
    demand: { atMost: 0.45 },
    samples: ratio('bytes.ours_batch', 'bytes.straightforward'),
  },
  {
    key: 'p7_dead_letter',
    measure: 'bytes',
    text: 'Redis bytes a dead letter, against a waiting report of plain BullMQ',
    demand: { atMost: 2 },
    samples: ratio('bytes.dead_letter', 'bytes.straightforward'),
  },
  {
    key: 'p8',
    measure: 'backlog',
    text: 'worker with 1,000,000 waiting, against 1,000 waiting',
    demand: { atLeast: 0.9 },
    samples: ratio('backlog.rate.large', 'backlog.rate.small'),
  },
  {
    key: 'p8_enqueue',
    measure: 'backlog',
    text: 'enqueue with 1,000,000 waiting, against 1,000 waiting',
    demand: { atLeast: 0.9 },
    samples: ratio('backlog.enqueue.large', 'backlog.enqueue.small'),
  },
  {
    key: 'p9_drain',
    measure: 'outage',
    text: 'backlog of an outage of 60 s at 200/s, drained against the same backlog without a fault',
    demand: { atLeast: 0.8 },
    samples: ratio('outage.drain', 'outage.fault_free'),
  },
  {
    key: 'p9_first_success',
    measure: 'outage',
    text: 'first success after Elasticsearch is back',
    demand: { atMost: 2.5 },
    unit: 's',
    samples: alone('outage.first_success'),
  },
  {
    key: 'p10_help',
    measure: 'start_up',
    text: '--help against node -e 0',
    demand: { atMost: 2 },
    samples: ratio('start_up.help', 'start_up.node'),
  },
  {
    key: 'p10_ready',
    measure: 'start_up',
    text: 'worker from its start to /readyz',
    demand: { atMost: 1 },
    unit: 's',
    samples: alone('start_up.ready'),
  },
  {
    key: 'p11',
    measure: 'batch',
    text: '10,000 reports by `report --file` to the last one applied, Elasticsearch at 20 ms',
    demand: { atMost: 5 },
    unit: 's',
    samples: alone('batch.applied'),
  },
];
