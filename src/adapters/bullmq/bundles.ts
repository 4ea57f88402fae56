import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { readBundle } from '../../domain/bundle.ts';
import type { Bundles, QueuedBundle } from '../../pipeline/settle-bundle.ts';
import { addJobs } from './add-jobs.ts';
import {
  BEGIN_TAKE_OUT,
  bundleKeys,
  END_TAKE_OUT,
  FIND_GONE,
  FORGET_REPORTS,
  NOTE_SETTLED,
  PENDING,
} from './bundle-scripts.ts';
import { BUNDLE_JOB_NAME, type QueueNames } from './names.ts';
import { countOf } from './queued-job.ts';
import { runScript } from './run-script.ts';

/** Reports made jobs of their own in one transaction, so that Redis is not held up by a whole bundle of large ones. */
const TAKEN_OUT_AT_ONCE = 50;

/** The bundles of a queue. */
export function bundlesOf(redis: Redis, names: QueueNames, queue: Queue): Bundles {
  const keys = bundleKeys(names);
  const allKeys = [keys.jobs, keys.bundled, keys.bundles, keys.account];
  return {
    async pending(bundleId, reportIds) {
      const flags = String(await runScript(redis, PENDING, allKeys, [bundleId, ...reportIds]));
      return reportIds.map((_id, index) => flags[index] === '1');
    },

    async takeOut(bundleId, reports) {
      const nowMs = Date.now();
      // Those that go to the head of the queue are pushed there one after the other: the last one comes first.
      const ordered = reports.toReversed();
      for (let at = 0; at < ordered.length; at += TAKEN_OUT_AT_ONCE) {
        const some = ordered.slice(at, at + TAKEN_OUT_AT_ONCE);
        const replies = await addJobs(
          queue,
          keys,
          { script: BEGIN_TAKE_OUT, args: [bundleId, ...some.map(({ report }) => report.id)] },
          some.map(({ report, delayMs }) => ({
            id: report.id,
            // A producer's clock may be ahead: then it was accepted now, and waits no longer than any other.
            reports: [{ ...report, enqueuedAtMs: Math.min(report.enqueuedAtMs, nowMs) }],
            // BullMQ counts a delay from the time that the report was accepted.
            options:
              delayMs > 0 ? { delay: delayMs + Math.max(0, nowMs - report.enqueuedAtMs) } : { lifo: true },
          })),
          {
            script: END_TAKE_OUT,
            args: [
              bundleId,
              ...some.flatMap(({ report, attemptsMade, starts, crashes, history }) => [
                report.id,
                attemptsMade,
                starts,
                crashes,
                JSON.stringify(history),
              ]),
            ],
          },
        );
        const failure = replies.find(([error]) => error !== null)?.[0];
        if (failure) throw failure;
        if (replies.at(-1)?.[1] !== 0) throw new Error('reports could not be taken out of their bundle');
      }
    },

    async noteSettled(bundleId, reportIds, isLast) {
      if (reportIds.length === 0 && !isLast) return;
      await runScript(redis, NOTE_SETTLED, allKeys, [bundleId, isLast ? 1 : 0, ...reportIds]);
    },

    async forgetGone() {
      const gone: string[] = [];
      let cursor = '0';
      do {
        const reply = (await runScript(redis, FIND_GONE, allKeys, [cursor])) as string[];
        cursor = reply[0] ?? '0';
        gone.push(...reply.slice(1));
      } while (cursor !== '0');
      if (gone.length === 0) return gone;
      do {
        cursor = String(await runScript(redis, FORGET_REPORTS, allKeys, [cursor, ...gone]));
      } while (cursor !== '0');
      // Last, so that a crash before leaves something to go on by.
      await redis.srem(keys.bundles, ...gone);
      return gone;
    },
  };
}

/** Reads a bundle out of its job; undefined where it is none, and has to be dealt with like any other payload. */
export function toQueuedBundle(job: Job): QueuedBundle | undefined {
  if (job.name !== BUNDLE_JOB_NAME) return undefined;
  const id = job.id ?? '';
  const reports = readBundle(id, job.data);
  if (reports === undefined) return undefined;
  return { id, reports, crashes: countOf(job.stalledCounter) };
}
