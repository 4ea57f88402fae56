import { Job, type JobsOptions, type Queue, type RedisQueueBackend } from 'bullmq';
import { type Bundled, writeBundle } from '../../domain/bundle.ts';
import type { BundleKeys } from './bundle-scripts.ts';
import { isUnknownScript, loadScripts } from './load-scripts.ts';
import { BUNDLE_JOB_NAME, REPORT_JOB_NAME } from './names.ts';

/** A job to be added: a report, or a bundle of them. */
export interface NewJob {
  readonly id: string;
  readonly reports: readonly Bundled[];
  readonly options?: Pick<JobsOptions, 'lifo' | 'delay'>;
}

/** A script with what it is given, to be run in a transaction. */
export interface Step {
  readonly script: string;
  readonly args: readonly (string | number)[];
}

/** What Redis said to one command of a transaction. */
export type Reply = readonly [error: Error | null, value: unknown];

/**
 * Adds jobs in one transaction, between a script that judges them and one that sees to what came of it. Where Redis
 * has forgotten BullMQ's script nothing was added, and the transaction is repeated.
 *
 * @param onSent is told when the transaction is on its way: what is sent after it comes after it
 * @returns what Redis said to each: the first script, the jobs in their order, the last script
 * @throws {Error} where Redis cannot be reached, or refuses the transaction as a whole
 */
export async function addJobs(
  queue: Queue,
  keys: BundleKeys,
  before: Step,
  jobs: readonly NewJob[],
  after: Step,
  onSent: () => void = () => undefined,
): Promise<readonly Reply[]> {
  const replies = await send(queue, keys, before, jobs, after, onSent);
  if (!replies.some(([error]) => isUnknownScript(error))) return replies;
  await loadScripts(await (queue.getBackend() as RedisQueueBackend).client);
  return send(queue, keys, before, jobs, after, onSent);
}

async function send(
  queue: Queue,
  keys: BundleKeys,
  before: Step,
  jobs: readonly NewJob[],
  after: Step,
  onSent: () => void,
): Promise<readonly Reply[]> {
  const backend = queue.getBackend() as RedisQueueBackend;
  const transaction = (await backend.client).multi();
  const run = ({ script, args }: Step): void => {
    transaction.runCommand('eval', [script, 4, keys.jobs, keys.bundled, keys.bundles, keys.account, ...args]);
  };
  run(before);
  // Not one after the other: it stands in the transaction when the call returns, and a transaction that is put
  // together while another one is must not be sent before it because it is smaller.
  const added = jobs.map((job) =>
    backend.addJobToTransaction(transaction, toJob(queue, job).asJSON(), job.id),
  );
  run(after);
  const sending = transaction.exec();
  onSent();
  await Promise.all(added);
  const replies = (await sending) as readonly Reply[] | null;
  if (replies === null || replies.length !== jobs.length + 2) throw new Error('it dropped the transaction');
  return replies;
}

function toJob(queue: Queue, { id, reports, options = {} }: NewJob): Job {
  const [first] = reports;
  if (first === undefined) throw new Error('a job without reports cannot be added');
  const isBundle = first.id !== id;
  const name = isBundle ? BUNDLE_JOB_NAME : REPORT_JOB_NAME;
  const data = isBundle ? writeBundle(reports) : first.report;
  const telemetry = isBundle || first.trace === undefined ? {} : { telemetry: { metadata: first.trace } };
  const job = new Job(queue, name, data, { jobId: id, ...options, ...telemetry }, id);
  job.timestamp = first.enqueuedAtMs;
  return job;
}

/** The arguments by which the scripts know the jobs. */
export function namesOf(jobs: readonly NewJob[]): readonly (string | number)[] {
  return jobs.flatMap(({ id, reports }) => [id, reports.length, ...reports.map((report) => report.id)]);
}
