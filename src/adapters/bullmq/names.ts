/** Where everything of one relay lives in Redis. */
export interface QueueNames {
  /**
   * Prefix of every key. A hash tag, `{…}`, so that the queue and the dead letters share a slot on Redis
   * Cluster.
   */
  readonly prefix: string;
  /** Name of the BullMQ queue. */
  readonly queue: string;
}

/** The name under which a single report's job is stored; other names are kept for other forms. */
export const REPORT_JOB_NAME = 'report';

/** The name under which a job with several reports is stored. */
export const BUNDLE_JOB_NAME = 'bundle';
