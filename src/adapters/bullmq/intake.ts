/** How much a worker has at hand, that is fetched and not ended, and whether it should fetch more. */
export interface Intake {
  /** A job was fetched. */
  fetched(load: Load): void;
  /** One report of a job is out of the worker's hands, before its job. */
  settled(): void;
  /** A job is out of the worker's hands, with what is left of it. */
  ended(rest: Load): void;
  setLimit(limit: number): void;
}

/** What a job weighs. */
export interface Load {
  readonly reports: number;
  /** Of its payload. */
  readonly bytes: number;
}

/** Payload that a worker may hold beyond its first job, in bytes: parsed, it takes several times as much. */
const MOST_BYTES = 4_194_304;

/**
 * Keeps count of what a worker has at hand. Jobs that are one report each are fetched up to the limit; of bundles
 * no more than it takes to keep every attempt busy until the next one has been fetched, so that a worker leaves
 * work for the others and its memory stays small.
 *
 * @param limit attempts that may be under way at once
 * @param reserve reports to have at hand beyond that
 * @param onConcurrency is told how many jobs may be at hand at once, whenever that changes
 */
export function openIntake(limit: number, reserve: number, onConcurrency: (jobs: number) => void): Intake {
  let most = limit;
  let jobs = 0;
  let reports = 0;
  let bytes = 0;
  let told = limit;

  function tell(): void {
    const hasRoom = reports < most + reserve && bytes < MOST_BYTES;
    // One less than there are: a job that ends must not be replaced by another one.
    const next = hasRoom ? most : Math.max(1, jobs - 1);
    if (next === told) return;
    told = next;
    onConcurrency(next);
  }

  return {
    fetched(load) {
      jobs += 1;
      reports += load.reports;
      bytes += load.bytes;
      tell();
    },
    settled() {
      reports -= 1;
      tell();
    },
    ended(rest) {
      jobs -= 1;
      reports -= rest.reports;
      bytes -= rest.bytes;
      tell();
    },
    setLimit(next) {
      most = next;
      tell();
    },
  };
}
