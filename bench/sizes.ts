/** How much is measured. Only the full size says what the goals ask for; the others only show that all works. */
export interface Sizes {
  readonly name: SizeName;
  /** Rounds where none are asked for. */
  readonly rounds: number;
  /** Of a worker's run: before measuring begins, and while it measures. */
  readonly warmUpReports: number;
  readonly measuredReports: number;
  /** Of each run in search of the best concurrency; with 0 nothing is searched for. */
  readonly sweepReports: number;
  /** Handed in at once, by file, by HTTP and in bulk. */
  readonly batchReports: number;
  /** How long reports come at a steady rate. */
  readonly steadyMs: number;
  /** Shares of what a worker can settle, in percent, at which reports come then. */
  readonly loads: readonly number[];
  /** Workers side by side on this machine. */
  readonly workers: readonly number[];
  /** Processed by one worker while its memory is watched. */
  readonly memoryReports: number;
  /** Waiting while the memory that they take in Redis is measured. */
  readonly bytesReports: number;
  /** Waiting reports: few, many, very many. */
  readonly backlogs: { readonly small: number; readonly middle: number; readonly large: number };
  readonly outageMs: number;
  /** Processes started, of each kind and round. */
  readonly starts: number;
}

export type SizeName = 'full' | 'quick' | 'tiny';

export const SIZES: Readonly<Record<SizeName, Sizes>> = {
  full: {
    name: 'full',
    rounds: 5,
    warmUpReports: 5_000,
    measuredReports: 12_000,
    sweepReports: 4_000,
    batchReports: 10_000,
    steadyMs: 4_000,
    loads: [10, 50, 90],
    workers: [1, 2, 4],
    memoryReports: 500_000,
    bytesReports: 10_000,
    backlogs: { small: 1_000, middle: 100_000, large: 1_000_000 },
    outageMs: 60_000,
    starts: 5,
  },
  quick: {
    name: 'quick',
    rounds: 2,
    warmUpReports: 2_000,
    measuredReports: 4_000,
    sweepReports: 1_500,
    batchReports: 10_000,
    steadyMs: 2_000,
    loads: [10, 50, 90],
    workers: [1, 2, 4],
    memoryReports: 60_000,
    bytesReports: 5_000,
    backlogs: { small: 1_000, middle: 20_000, large: 100_000 },
    outageMs: 10_000,
    starts: 3,
  },
  tiny: {
    name: 'tiny',
    rounds: 1,
    warmUpReports: 100,
    measuredReports: 200,
    sweepReports: 0,
    batchReports: 500,
    steadyMs: 300,
    loads: [50],
    workers: [2],
    memoryReports: 2_000,
    bytesReports: 500,
    backlogs: { small: 200, middle: 500, large: 1_000 },
    outageMs: 2_000,
    starts: 1,
  },
};
