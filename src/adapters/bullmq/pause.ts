import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { PauseNote, PauseResult, ResumeResult } from '../../pipeline/ports.ts';
import type { QueueNames } from './names.ts';

/**
 * Sets BullMQ's own mark and the note in one step, so that of two people who pause at once exactly one does, and
 * the note is theirs. A note that is left from a pause that other tools ended is written over.
 *
 * KEYS: the queue's meta, the note. ARGV: the note. Returns the note of the pause that was there, '' where it has
 * none, or nil where there was no pause.
 */
const CLAIM_PAUSE = `
if redis.call('HSETNX', KEYS[1], 'paused', 1) == 0 then return redis.call('GET', KEYS[2]) or '' end
redis.call('SET', KEYS[2], ARGV[1])
return false`;

/** Where the note lives: beside the queue's keys and not among them, where any job id may turn up. */
function noteKey(names: QueueNames): string {
  return `${names.prefix}:paused:${names.queue}`;
}

/** Keeps workers from fetching until `resumeQueue`; the first note stays. */
export async function pauseQueue(
  queue: Queue,
  redis: Redis,
  names: QueueNames,
  note: PauseNote,
): Promise<PauseResult> {
  const keys = [queue.toKey('meta'), noteKey(names)];
  const before = await redis.eval(CLAIM_PAUSE, keys.length, ...keys, JSON.stringify(note));
  if (typeof before === 'string') return { status: 'already-paused', ...withNote(parseNote(before)) };
  // The rest of BullMQ's pause: workers are no longer woken, and those who listen are told.
  await queue.pause();
  return { status: 'paused' };
}

/** Lets workers fetch again. */
export async function resumeQueue(queue: Queue, redis: Redis, names: QueueNames): Promise<ResumeResult> {
  const [isPaused, note] = await Promise.all([queue.isPaused(), redis.get(noteKey(names))]);
  // The note first: a pause without a note is better than the note of another pause.
  await redis.del(noteKey(names));
  if (!isPaused) return { status: 'not-paused' };
  await queue.resume();
  return { status: 'resumed', ...withNote(parseNote(note)) };
}

/** Who paused the queue, or undefined where nobody has left a note. */
export async function readPauseNote(redis: Redis, names: QueueNames): Promise<PauseNote | undefined> {
  return parseNote(await redis.get(noteKey(names)));
}

function withNote(note: PauseNote | undefined): { readonly note?: PauseNote } {
  return note === undefined ? {} : { note };
}

/** Anybody may write to Redis, and a note that cannot be read must not hide that the queue is paused. */
function parseNote(text: string | null): PauseNote | undefined {
  try {
    const { by, at, reason } = JSON.parse(text ?? '') as Readonly<Record<string, unknown>>;
    if (typeof by !== 'string' || typeof at !== 'string') return undefined;
    return { by, at, ...(typeof reason === 'string' ? { reason } : {}) };
  } catch {
    return undefined;
  }
}
