/** Working with dead letters, put together over one connection to Redis; `relay.deadLetters` is this. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnedRedis } from './adapters/bullmq/connect-redis.ts';
import { openRedrives } from './adapters/bullmq/dead-letter-redrives.ts';
import { openDeadLetters } from './adapters/bullmq/dead-letter-store.ts';
import type { QueueNames } from './adapters/bullmq/names.ts';
import type { DeadLetter } from './domain/dead-letter.ts';
import type { DeadLetterFilter } from './domain/dead-letter-filter.ts';
import type { ParseErrorReport } from './domain/error-report.ts';
import { MAX_REDRIVES } from './domain/lineage.ts';
import { type AuditEntry, eachLetter, type LetterTotals } from './pipeline/dead-letter-ports.ts';
import { type EditResult, editDeadLetter } from './pipeline/edit-dead-letter.ts';
import type { JsonPatch } from './pipeline/patch-report.ts';
import type { DeadLetterQueue } from './pipeline/ports.ts';
import { previewRedrive, type RedrivePreview } from './pipeline/preview-redrive.ts';
import { purgeDeadLetters } from './pipeline/purge-dead-letters.ts';
import { type RedriveContext, redriveDeadLetters } from './pipeline/redrive-dead-letters.ts';
import {
  MAX_REDRIVE_RATE,
  REDRIVE_DEFAULTS,
  type RedriveOptions,
  type RedriveRun,
  type RedriveWork,
} from './pipeline/redrive-ports.ts';

/** A redrive that cannot begin or go on; `run` names the one that is at it, where there is one. */
export class RedriveRefused extends Error {
  override readonly name = 'RedriveRefused';
  readonly run: string | undefined;

  constructor(message: string, run?: string) {
    super(message);
    this.run = run;
  }
}

/** How a run is watched and ended by whoever carries it out. */
export interface RedriveHooks {
  /** Ends this process' part in the run: what is under way is finished, and the run can be resumed. */
  readonly signal?: AbortSignal | undefined;
  /** Is told of the run as soon as its record is there. */
  readonly onBegin?: ((run: RedriveRun) => void) | undefined;
  /** Is told how many letters are settled, in all, each time some are. */
  readonly onProgress?: ((settled: number) => void) | undefined;
}

/**
 * The reports that are not tried again by themselves, and all that people do with them.
 *
 * Every method rejects with `RedisUnavailable` where Redis does not answer in time. Whatever was begun then can be
 * repeated without harm.
 */
export interface DeadLetters extends Pick<DeadLetterQueue, 'list' | 'get' | 'counts'> {
  /** How many letters match, exactly. With several conditions, or a text, it looks at many letters: seconds at a million. */
  count(filter: DeadLetterFilter): Promise<number>;
  /** Every letter that matches, oldest first, in bounded memory; those that come or go meanwhile may or may not be met. */
  each(filter: DeadLetterFilter): AsyncGenerator<DeadLetter, void, undefined>;
  /**
   * Puts letters back into the queue, oldest first, and resolves when the run has ended, however it did: see its
   * `state` and `reason`. An empty filter means every letter. Only one run is carried out at a time.
   *
   * @throws {RedriveRefused} where another run is being carried out
   * @throws {RangeError} where an option is out of bounds
   */
  redrive(filter: DeadLetterFilter, options: RedriveOptions, hooks?: RedriveHooks): Promise<RedriveRun>;
  /** What `redrive` would do now; changes nothing. */
  previewRedrive(
    filter: DeadLetterFilter,
    options: Pick<RedriveOptions, 'limit' | 'maxRedrives'>,
  ): Promise<RedrivePreview>;
  /**
   * Goes on with a run whose process died or was interrupted, or that stopped itself, from its own record.
   *
   * A process that was killed holds its run for up to 10 s more; that is waited for.
   *
   * @throws {RedriveRefused} where there is no such run, it is over, or a run is being carried out
   */
  resumeRedrive(id: string, by: string, hooks?: RedriveHooks): Promise<RedriveRun>;
  /** Makes a run end for good, wherever it is carried out. Repeating it changes nothing and says so. */
  cancelRedrive(id: string, by: string): Promise<'cancelled' | 'unknown' | 'over'>;
  /** One run, or undefined where there is none, or too many were made since. */
  redriveRun(id: string): Promise<RedriveRun | undefined>;
  /** The last 100 runs, newest first. */
  redriveRuns(): Promise<readonly RedriveRun[]>;
  /**
   * Changes the report in a letter, by a JSON patch (RFC 6902) of the report. What it becomes has to be a report;
   * what was accepted is kept in the letter's `original`, and the letter keeps its id.
   */
  edit(id: string, patch: JsonPatch, by: string): Promise<EditResult>;
  /** A filter that means the letters that are there now, and none that dies later; for what is asked about first. */
  upToNow(filter: DeadLetterFilter): Promise<DeadLetterFilter>;
  /**
   * Takes away for good every letter that matches, and resolves with how many went. An empty filter means every
   * letter.
   */
  purge(
    filter: DeadLetterFilter,
    by: string,
    hooks?: { readonly signal?: AbortSignal | undefined; readonly onProgress?: (purged: number) => void },
  ): Promise<number>;
  /** Keeps a letter that was exported, unless it is here or its job is on its way. Repeating it changes nothing. */
  restore(letter: DeadLetter): Promise<'added' | 'present' | 'on_its_way'>;
  /** Writes down that letters were restored. */
  noteRestored(count: number, by: string): Promise<void>;
  /** What was done with letters, by whom, newest first; about 10,000 entries are kept. */
  audit(limit: number): Promise<readonly AuditEntry[]>;
  /** How many letters have been redriven, purged and expired, ever. */
  totals(): Promise<LetterTotals>;
}

/** How Redis is asked: with its failures told in words, see `openRelay`. */
export type Asking = <T>(work: () => Promise<T>) => Promise<T>;

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/** Clocks of workers may be ahead of ours; a letter that has just died must not be left out for that. */
const CLOCK_SKEW_MS = 60_000;

/** How long a run of a process that was killed is waited for, beyond its lease, and how often is looked. */
const LEASE_MS = 10_000;
const LEASE_LOOK_MS = 200;

/**
 * Puts it together; `close` lets go of the queue and not of the connection.
 *
 * @param leaseMs how long a process may be silent before another one may take its run over
 */
export function openDeadLetterDesk(
  redis: OwnedRedis,
  names: QueueNames,
  parse: ParseErrorReport,
  asking: Asking,
  leaseMs: number = LEASE_MS,
): { readonly deadLetters: DeadLetters; close(): Promise<void> } {
  const letters = openDeadLetters(redis, names);
  const redrives = openRedrives(redis, names, leaseMs);
  const isoNow = (): string => new Date().toISOString();

  /** A moment after the death of every letter that is there now. */
  async function afterNewest(atMs: number): Promise<number> {
    const [newest] = (await letters.list({ limit: 1 })).letters;
    return Math.max(atMs, newest === undefined ? 0 : Date.parse(newest.dead_at) + 1);
  }

  async function carryOut(
    work: RedriveWork,
    action: 'redrive-begun' | 'redrive-resumed',
    by: string,
    hooks: RedriveHooks,
  ): Promise<RedriveRun> {
    const { id, filter, matched } = work.run;
    await letters.audit({ at: isoNow(), by, action, run: id, filter, count: matched });
    hooks.onBegin?.(work.run);
    const context: RedriveContext = {
      letters,
      redrives,
      parse,
      now: Date.now,
      pause,
      onProgress: hooks.onProgress,
    };
    await redriveDeadLetters(work, context, hooks.signal ?? new AbortController().signal);
    const run = (await redrives.get(id)) ?? work.run;
    const note = [run.state, run.reason].filter((part) => part !== null).join(': ');
    await letters.audit({
      at: isoNow(),
      by,
      action: 'redrive-ended',
      run: id,
      count: run.counts.redriven,
      note,
    });
    return run;
  }

  async function resumable(id: string, by: string): Promise<RedriveWork> {
    const deadline = Date.now() + leaseMs + 2 * LEASE_LOOK_MS;
    for (;;) {
      const work = await redrives.resume(id, by, Date.now());
      if (work === 'unknown') throw new RedriveRefused(`there is no redrive run ${id}`);
      if (work === 'over') throw new RedriveRefused(`the redrive run ${id} is over`);
      if (!('busy' in work)) return work;
      if (work.busy !== id || Date.now() > deadline) throw busyWith(work.busy);
      await sleep(LEASE_LOOK_MS);
    }
  }

  const deadLetters: DeadLetters = {
    list: (query) => asking(() => letters.list(query)),
    get: (id) => asking(() => letters.get(id)),
    counts: () => asking(() => letters.counts()),
    count: (filter) => asking(() => letters.count(filter)),
    async *each(filter) {
      const asked = {
        find: (...args: Parameters<typeof letters.find>) => asking(() => letters.find(...args)),
        read: (ids: readonly string[]) => asking(() => letters.read(ids)),
      };
      yield* eachLetter(asked, filter);
    },
    redrive: (filter, options, hooks = {}) =>
      asking(async () => {
        const plan = checked(options);
        const startedAtMs = Date.now();
        const matched = await letters.count(filter);
        const work = await redrives.begin({
          ...plan,
          phase: plan.canary > 0 ? 'canary' : 'rest',
          filter,
          matched,
          dead_before_ms: await afterNewest(startedAtMs + CLOCK_SKEW_MS),
          started_at: new Date(startedAtMs).toISOString(),
        });
        if ('busy' in work) throw busyWith(work.busy);
        return carryOut(work, 'redrive-begun', options.by, hooks);
      }),
    previewRedrive: (filter, options) => asking(() => previewRedrive(filter, options, letters, parse)),
    resumeRedrive: (id, by, hooks = {}) =>
      asking(async () => carryOut(await resumable(id, by), 'redrive-resumed', by, hooks)),
    cancelRedrive: (id, by) =>
      asking(async () => {
        const result = await redrives.cancel(id, by, Date.now());
        if (result === 'cancelled') {
          await letters.audit({ at: isoNow(), by, action: 'redrive-cancelled', run: id });
        }
        return result;
      }),
    redriveRun: (id) => asking(() => redrives.get(id)),
    redriveRuns: () => asking(() => redrives.list()),
    edit: (id, patch, by) =>
      asking(() => editDeadLetter(letterIdOf(id), patch, { letters, parse, now: Date.now, by })),
    upToNow: (filter) =>
      asking(async () => {
        const nowMs = await afterNewest(Date.now());
        return { ...filter, deadBeforeMs: Math.min(filter.deadBeforeMs ?? nowMs, nowMs) };
      }),
    purge: (filter, by, hooks = {}) =>
      asking(() => purgeDeadLetters(filter, { letters, now: Date.now, by, ...hooks })),
    restore: (letter) => asking(() => letters.restore(letter)),
    noteRestored: (count, by) => asking(() => letters.audit({ at: isoNow(), by, action: 'import', count })),
    audit: (limit) => asking(() => letters.audited(limit)),
    totals: () => asking(() => letters.totals()),
  };
  return { deadLetters, close: redrives.close };
}

/** A letter may be named by its job's id, as logs have it. */
const letterIdOf = (id: string): string => (id.startsWith('r-') ? `d-${id}` : id);

function busyWith(run: string): RedriveRefused {
  return new RedriveRefused(
    `the redrive run ${run} is being carried out, and there is one at a time; wait for it, or cancel it`,
    run,
  );
}

type Plan = Pick<
  RedriveRun,
  'by' | 'rate' | 'limit' | 'canary' | 'canary_timeout_ms' | 'stop_after' | 'max_redrives'
>;

function checked(options: RedriveOptions): Plan {
  const { rate, canary, canaryTimeoutMs, stopAfter, maxRedrives } = {
    ...REDRIVE_DEFAULTS,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
  const most = Number.MAX_SAFE_INTEGER;
  return {
    by: options.by,
    rate: whole('rate', rate, 1, MAX_REDRIVE_RATE),
    limit: options.limit === undefined ? null : whole('limit', options.limit, 1, most),
    canary: whole('canary', canary, 0, 10_000),
    canary_timeout_ms: whole('canaryTimeoutMs', canaryTimeoutMs, 1, most),
    stop_after: whole('stopAfter', stopAfter, 0, most),
    max_redrives: whole('maxRedrives', maxRedrives, 1, MAX_REDRIVES),
  };
}

function whole(name: string, value: number, from: number, to: number): number {
  if (Number.isSafeInteger(value) && value >= from && value <= to) return value;
  throw new RangeError(`${name}: expected a whole number from ${from} to ${to}, got ${value}`);
}
