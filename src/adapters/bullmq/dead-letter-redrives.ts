import { randomUUID } from 'node:crypto';
import { Job, Queue, type RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { sameCodeTag } from '../../domain/dead-letter-filter.ts';
import {
  type CanaryOutcome,
  type LetterMove,
  type MoveAnswer,
  type MoveNote,
  REDRIVE_VERDICTS,
  type RedriveRun,
  type RedriveStanding,
  type RedriveStop,
  type Redrives,
  type RedriveVerdict,
  type RedriveWork,
} from '../../pipeline/redrive-ports.ts';
import { letterKeys } from './dead-letter-keys.ts';
import { BEGIN_MOVE, END_MOVE } from './dead-letter-scripts.ts';
import { ensureScripts } from './load-scripts.ts';
import { type QueueNames, REPORT_JOB_NAME } from './names.ts';
import { MAX_EVENTS } from './report-queue.ts';
import { runScript } from './run-script.ts';

/** Runs whose records are kept. */
const MAX_RUNS = 100;

/** The redrives of one relay, over a connection that its owner closes. */
export interface OpenRedrives extends Redrives {
  /** Lets go of the queue; the connection stays its owner's. */
  close(): Promise<void>;
}

/**
 * KEYS: lease, run, all runs. ARGV: lease, its length, the run's id, its time, then what to write into its record.
 * Takes the lease and writes in one step, so that no run is without a lease that is being carried out.
 */
const TAKE_LEASE = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) == false then return redis.call('GET', KEYS[1]) end
redis.call('HSET', KEYS[2], unpack(ARGV, 5))
redis.call('HDEL', KEYS[2], 'ended_at', 'reason')
redis.call('ZADD', KEYS[3], 'NX', ARGV[4], ARGV[3])
return false`;

/** KEYS: lease, run. ARGV: lease, its length. */
const KEEP_LEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
if redis.call('HGET', KEYS[2], 'state') ~= 'running' then return 'cancelled' end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'go'`;

/** KEYS: lease, run. ARGV: lease, then what to write into the record; nothing where the run is not ours any more. */
const END_RUN = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[2], 'state') == 'running' and #ARGV > 1 then redis.call('HSET', KEYS[2], unpack(ARGV, 2)) end
redis.call('DEL', KEYS[1])
return 1`;

/** KEYS: run. ARGV: what to write into the record. */
const CANCEL_RUN = `
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'unknown' end
if state == 'done' or state == 'cancelled' then return 'over' end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 'cancelled'`;

/**
 * Opens the redrives.
 *
 * @param leaseMs how long a process may be silent before another one may take its run over
 */
export function openRedrives(redis: Redis, names: QueueNames, leaseMs = 10_000): OpenRedrives {
  const keys = letterKeys(names);
  const leaseKey = `${keys.root}:redrive-lease`;
  const runsKey = `${keys.root}:runs`;
  const runKey = (id: string): string => `${keys.root}:run:${id}`;
  let opening: Promise<Queue> | undefined;

  return { begin, resume, cancel, get, list, move, pass, keep, setPhase, canaries, end, close };

  async function begin(run: Parameters<Redrives['begin']>[0]): ReturnType<Redrives['begin']> {
    const id = `run-${randomUUID().slice(0, 8)}`;
    const { phase, started_at, ...plan } = run;
    const record = {
      plan: JSON.stringify(plan),
      started_at,
      updated_at: started_at,
      state: 'running',
      phase,
    };
    const lease = await takeLease(id, Date.parse(started_at), record);
    if ('busy' in lease) return lease;
    await forgetOldRuns();
    return { ...lease, run: await known(id), stopAt: run.stop_after, isSecondTry: false };
  }

  async function resume(id: string, _by: string, atMs: number): ReturnType<Redrives['resume']> {
    const record = await redis.hgetall(runKey(id));
    const { state } = record;
    if (state === undefined) return 'unknown';
    if (state === 'done' || state === 'cancelled') return 'over';
    const lease = await takeLease(id, atMs, { state: 'running', updated_at: new Date(atMs).toISOString() });
    if ('busy' in lease) return lease;
    const run = await known(id);
    const stopAt = run.stop_after === 0 ? 0 : run.again_same_code + run.stop_after;
    const { after_ms: afterMs, after_id: afterId } = await redis.hgetall(runKey(id));
    const after =
      afterMs === undefined || afterId === undefined ? undefined : { atMs: Number(afterMs), id: afterId };
    return { ...lease, run, after, stopAt, isSecondTry: state === 'stopped' };
  }

  async function takeLease(
    id: string,
    atMs: number,
    record: Readonly<Record<string, string>>,
  ): Promise<{ readonly lease: string } | { readonly busy: string }> {
    const lease = `${id}:${randomUUID()}`;
    const holder = await runScript(
      redis,
      TAKE_LEASE,
      [leaseKey, runKey(id), runsKey],
      [lease, leaseMs, id, atMs, ...Object.entries(record).flat()],
    );
    return holder === null ? { lease } : { busy: String(holder).split(':', 1)[0] ?? '' };
  }

  async function forgetOldRuns(): Promise<void> {
    const old = await redis.zrange(runsKey, 0, String(-MAX_RUNS - 1));
    for (const id of old) {
      await redis
        .multi()
        .unlink(runKey(id), `${runKey(id)}:canaries`)
        .zrem(runsKey, id)
        .exec();
    }
  }

  async function cancel(id: string, by: string, atMs: number): ReturnType<Redrives['cancel']> {
    const at = new Date(atMs).toISOString();
    const record = ['state', 'cancelled', 'ended_at', at, 'updated_at', at, 'reason', `cancelled by ${by}`];
    return (await runScript(redis, CANCEL_RUN, [runKey(id)], record)) as 'cancelled' | 'unknown' | 'over';
  }

  async function get(id: string): Promise<RedriveRun | undefined> {
    const [record, holder, again, same] = await Promise.all([
      redis.hgetall(runKey(id)),
      redis.get(leaseKey),
      redis.zcard(keys.index(`again:${id}`)),
      redis.zcard(keys.index(sameCodeTag(id))),
    ]);
    const { plan, state, phase } = record;
    if (plan === undefined || state === undefined || phase === undefined) return undefined;
    const isLeft = state === 'running' && holder?.startsWith(`${id}:`) !== true;
    const counts = REDRIVE_VERDICTS.map((verdict) => [verdict, Number(record[verdict] ?? 0)] as const);
    return {
      id,
      state: isLeft ? 'interrupted' : (state as RedriveRun['state']),
      phase: phase as RedriveRun['phase'],
      ...(JSON.parse(plan) as Omit<Parameters<Redrives['begin']>[0], 'phase' | 'started_at'>),
      counts: Object.fromEntries(counts) as RedriveRun['counts'],
      again,
      again_same_code: same,
      started_at: record['started_at'] ?? '',
      updated_at: record['updated_at'] ?? '',
      ended_at: record['ended_at'] ?? null,
      reason: record['reason'] ?? null,
    };
  }

  async function known(id: string): Promise<RedriveRun> {
    const run = await get(id);
    if (run === undefined) throw new Error(`the record of ${id} is gone`);
    return run;
  }

  async function list(): Promise<readonly RedriveRun[]> {
    const ids = await redis.zrevrange(runsKey, 0, MAX_RUNS - 1);
    const runs = await Promise.all(ids.map(get));
    return runs.filter((run) => run !== undefined);
  }

  async function move(work: RedriveWork, letters: readonly LetterMove[], at: MoveNote): Promise<MoveAnswer> {
    const queue = await opened();
    const backend = queue.getBackend() as RedisQueueBackend;
    const client = await backend.client;
    await ensureScripts(client);
    const transaction = client.multi();
    const { id } = work.run;
    const scripted = (script: string, args: readonly (string | number)[]): void => {
      transaction.runCommand('eval', [script, 3, keys.root, keys.jobs, keys.bundled, ...args]);
    };
    // A plain write: where Redis has no memory left it refuses the transaction as a whole for this one's sake.
    transaction.runCommand('set', [`${keys.root}:redrive-step`, '']);
    scripted(BEGIN_MOVE, [
      id,
      work.lease,
      work.stopAt,
      leaseMs,
      ...letters.flatMap((letter) => [letter.id, letter.version, letter.jobId]),
    ]);
    for (const { jobId, report } of letters) {
      const job = new Job(queue, REPORT_JOB_NAME, report, { jobId }, jobId);
      job.timestamp = at.atMs;
      await backend.addJobToTransaction(transaction, job.asJSON(), jobId);
    }
    scripted(END_MOVE, [
      id,
      new Date(at.atMs).toISOString(),
      at.after.atMs,
      at.after.id,
      at.isCanary ? 1 : 0,
      ...letters.flatMap((letter) => [letter.id, letter.jobId, JSON.stringify(letter.history)]),
    ]);
    const replies = (await transaction.exec()) as readonly (readonly [Error | null, unknown])[] | null;
    if (replies === null) throw new Error('Redis dropped the transaction');
    const [[failure] = [null], [, standing] = [null, null]] = [replies.at(-1), replies[1]];
    if (failure !== null) throw failure;
    if (standing !== 'go') return { kind: 'stopped', by: standing as RedriveStop };
    return { kind: 'moved', verdicts: replies.at(-1)?.[1] as readonly RedriveVerdict[] };
  }

  async function pass(
    { run }: RedriveWork,
    counts: Readonly<Partial<Record<RedriveVerdict, number>>>,
    { atMs, after }: MoveNote,
  ): Promise<void> {
    const transaction = redis.multi();
    for (const [verdict, count] of Object.entries(counts))
      transaction.hincrby(runKey(run.id), verdict, count);
    const at = new Date(atMs).toISOString();
    transaction.hset(runKey(run.id), 'after_ms', after.atMs, 'after_id', after.id, 'updated_at', at);
    await transaction.exec();
  }

  async function keep({ run, lease }: RedriveWork): Promise<RedriveStanding> {
    return (await runScript(
      redis,
      KEEP_LEASE,
      [leaseKey, runKey(run.id)],
      [lease, leaseMs],
    )) as RedriveStanding;
  }

  async function setPhase({ run }: RedriveWork, phase: RedriveRun['phase']): Promise<void> {
    await redis.hset(runKey(run.id), 'phase', phase);
  }

  async function canaries({ run }: RedriveWork): Promise<readonly CanaryOutcome[]> {
    const flat = await redis.lrange(`${runKey(run.id)}:canaries`, 0, -1);
    const asked = redis.pipeline();
    for (let index = 0; index < flat.length; index += 2) {
      // The job first: where it is gone, its letter was written before.
      asked.exists(`${keys.jobs}${flat[index + 1]}`).exists(keys.letter(flat[index] ?? ''));
    }
    const replies = ((await asked.exec()) ?? []).map(([, count]) => count === 1);
    return Array.from({ length: flat.length / 2 }, (_, index) => {
      if (replies[index * 2] === true) return 'pending';
      return replies[index * 2 + 1] === true ? 'dead' : 'passed';
    });
  }

  async function end(
    { run, lease }: RedriveWork,
    state: 'done' | 'stopped' | 'interrupted',
    reason: string | null,
    atMs: number,
  ): Promise<void> {
    const at = new Date(atMs).toISOString();
    const record = [
      'state',
      state,
      'ended_at',
      at,
      'updated_at',
      at,
      ...(reason === null ? [] : ['reason', reason]),
    ];
    const args = state === 'interrupted' ? [lease] : [lease, ...record];
    await runScript(redis, END_RUN, [leaseKey, runKey(run.id)], args);
  }

  /** Opened when it is first needed, and anew where Redis was away then: BullMQ would remember that for ever. */
  function opened(): Promise<Queue> {
    opening ??= (async () => {
      await redis.ping();
      const queue = new Queue(names.queue, {
        connection: redis,
        prefix: names.prefix,
        streams: { events: { maxLen: MAX_EVENTS } },
        skipWaitingForReady: true,
      });
      // The connection's owner hears of its faults already.
      queue.on('error', () => undefined);
      return queue;
    })().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }

  async function close(): Promise<void> {
    await opening?.then((queue) => queue.close()).catch(() => undefined);
  }
}
