import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { atExit } from '../../battery/stage/at-exit.ts';
import type { SinkAnswer, SinkAsk, SinkReply } from './sink-messages.ts';

/** The server that load runs against, in a process of its own. */
export interface Sink extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Begins to count anew, and answers like this from now on. */
  reset(options?: {
    /** From the end of a request to its answer. */
    readonly latencyMs?: number;
    readonly answer?: SinkAnswer;
    /** So many reports, numbered from 0, have the time of their answer recorded. */
    readonly recorded?: number;
  }): Promise<void>;
  /** Resolves when so many reports are answered, counted since `reset`. Ask for smaller counts first. */
  reach(count: number): Promise<Reached>;
  /** How many are answered by now. */
  count(): Promise<Reached>;
  /** When each was answered, by its number; 0 where it was not. */
  times(): Promise<Float64Array>;
  /** Refuses connections from now on, and drops those there are. */
  away(): Promise<number>;
  /** Listens again on the same port; resolves with the moment of it. */
  back(): Promise<number>;
}

export interface Reached {
  /** On the clock of `nowMs`. */
  readonly atMs: number;
  readonly count: number;
}

/** Starts it. */
export async function startSink(): Promise<Sink> {
  const child = fork(fileURLToPath(new URL('sink-process.ts', import.meta.url)), {
    serialization: 'advanced',
  });
  const forget = atExit(() => child.kill('SIGKILL'));
  const waiting = new Map<number, (reply: SinkReply) => void>();
  let asked = 0;
  child.on('message', (message) => {
    const reply = message as SinkReply;
    waiting.get(reply.ask)?.(reply);
    waiting.delete(reply.ask);
  });
  const replyTo = (ask: number): Promise<SinkReply> =>
    new Promise((resolve) => {
      waiting.set(ask, resolve);
    });
  const send = (message: Omit<SinkAsk, 'ask'>): Promise<SinkReply> => {
    asked += 1;
    const reply = replyTo(asked);
    child.send({ ...message, ask: asked } satisfies SinkAsk);
    return reply;
  };
  const reached = ({ atMs = 0, count = 0 }: SinkReply): Reached => ({ atMs, count });
  const { port } = await replyTo(0);

  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async reset({ latencyMs = 0, answer = 'applied', recorded = 0 } = {}) {
      await send({ task: 'reset', latencyMs, answer, count: recorded });
    },
    reach: async (count) => reached(await send({ task: 'reach', count })),
    count: async () => reached(await send({ task: 'count' })),
    times: async () => (await send({ task: 'times' })).times ?? new Float64Array(),
    away: async () => (await send({ task: 'away' })).atMs ?? 0,
    back: async () => (await send({ task: 'back' })).atMs ?? 0,
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      forget();
    },
  };
}
