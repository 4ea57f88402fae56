import { once } from 'node:events';
import { fork } from '../seeded.ts';
import type { Exchange } from './fault.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type LogLine, startWorkerProcess, type WorkerProcess } from './worker-process.ts';

/** A place for a worker, with proxies of its own to Redis and to Elasticsearch. */
export interface Slot {
  readonly index: number;
  readonly redis: FaultProxy;
  readonly elasticsearch: FaultProxy;
  /** The process that is, or was last, in this place. */
  readonly worker: WorkerProcess | undefined;
  /** Starts a process here, with further settings where they are given; resolves once it works. */
  start(env?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  /** Starts one and does not wait. */
  launch(env?: Readonly<Record<string, string>>): WorkerProcess;
}

/** Workers, and what they said and did. */
export interface Fleet extends AsyncDisposable {
  readonly slots: readonly Slot[];
  /** Every line of every worker. */
  readonly lines: readonly LogLine[];
  /** Every process that ever was. */
  readonly workers: readonly WorkerProcess[];
  /** How often a planted secret was printed. */
  readonly secretsPrinted: number;
  start(): Promise<void>;
  /** SIGTERM to all; resolves with their exit codes. */
  stop(): Promise<readonly (number | null)[]>;
  /** Kills what runs in a slot, and starts another in its place. */
  killAndRestart(slot: Slot): Promise<void>;
  /** Starts another process wherever one ends, as an operator's supervisor does; returns what ends that. */
  supervise(): () => Promise<void>;
  /** Everything that Elasticsearch was asked, by all slots. */
  exchanges(): { readonly slot: number; readonly exchange: Exchange }[];
}

/** What a fleet is made with. */
export interface FleetOptions {
  readonly size: number;
  readonly seed: number;
  readonly redis: { readonly socketPath: string; readonly password: string };
  readonly elasticsearch: { readonly socketPath: string };
  readonly env: Readonly<Record<string, string>>;
  /** Texts that must never be printed. */
  readonly secrets: readonly string[];
  /** Is given every line that workers print. */
  readonly log: (line: string) => void;
}

/** How long a worker may take to begin, in milliseconds. */
const START_DEADLINE_MS = 30_000;

/** Makes the places; nothing runs before `start`. */
export async function openFleet(options: FleetOptions): Promise<Fleet> {
  const lines: LogLine[] = [];
  const workers: WorkerProcess[] = [];
  let secretsPrinted = 0;
  const onText = (text: string): void => {
    options.log(text);
    if (options.secrets.some((secret) => text.includes(secret))) secretsPrinted += 1;
  };

  async function openSlot(index: number): Promise<Slot> {
    const host = '127.0.0.1';
    const redis = await startFaultProxy({
      upstream: { path: options.redis.socketPath },
      random: fork(options.seed, `redis-${index}`),
      protocol: 'redis',
    });
    const elasticsearch = await startFaultProxy({
      upstream: { path: options.elasticsearch.socketPath },
      random: fork(options.seed, `elasticsearch-${index}`),
      protocol: 'http',
    });
    let worker: WorkerProcess | undefined;
    let incarnation = 0;
    const launch = (env: Readonly<Record<string, string>> = {}): WorkerProcess => {
      worker = startWorkerProcess({
        slot: index,
        incarnation: incarnation++,
        env: {
          ...options.env,
          REDIS_URL: `redis://:${options.redis.password}@${host}:${redis.port}`,
          ELASTICSEARCH_URL: `http://${host}:${elasticsearch.port}`,
          WORKER_NAME: `worker-${index}`,
          ...env,
        },
        onLine: (line) => lines.push(line),
        onText,
      });
      workers.push(worker);
      return worker;
    };
    return {
      index,
      redis,
      elasticsearch,
      get worker() {
        return worker;
      },
      launch,
      async start(env) {
        const started = launch(env);
        const timer = setTimeout(() => started.signal('SIGKILL'), START_DEADLINE_MS);
        const line = await started.line('worker started');
        clearTimeout(timer);
        if (line === undefined) {
          const words = lines.filter(({ slot }) => slot === index).slice(-5);
          throw new Error(`worker ${index} did not start: ${JSON.stringify(words)}`);
        }
        return started;
      },
    };
  }

  const slots = await Promise.all(Array.from({ length: options.size }, (_, index) => openSlot(index)));
  return {
    slots,
    lines,
    workers,
    get secretsPrinted() {
      return secretsPrinted;
    },
    start: async () => void (await Promise.all(slots.map((slot) => slot.start()))),
    async stop() {
      const running = slots.flatMap(({ worker }) => (worker?.exit === undefined ? (worker ?? []) : []));
      for (const worker of running) worker.signal('SIGTERM');
      return Promise.all(running.map(async ({ exited }) => (await exited).code));
    },
    async killAndRestart(slot) {
      slot.worker?.signal('SIGKILL');
      await slot.worker?.exited;
      await slot.start();
    },
    supervise() {
      const ended = new AbortController();
      const loops = slots.map(async (slot) => {
        while (!ended.signal.aborted) {
          const { worker: current } = slot;
          if (current === undefined) return;
          await Promise.race([current.exited, once(ended.signal, 'abort')]);
          // A process may be killed again before it has begun to work.
          if (!ended.signal.aborted) await slot.start().catch(() => undefined);
        }
      });
      return async () => {
        ended.abort();
        await Promise.all(loops);
      };
    },
    exchanges: () =>
      slots.flatMap(({ index, elasticsearch }) =>
        elasticsearch.exchanges.map((exchange) => ({ slot: index, exchange })),
      ),
    async [Symbol.asyncDispose]() {
      for (const worker of workers) if (worker.exit === undefined) worker.signal('SIGKILL');
      await Promise.all(workers.map(({ exited }) => exited));
      await Promise.all(
        slots.flatMap((slot) =>
          [slot.redis, slot.elasticsearch].map((proxy) => proxy[Symbol.asyncDispose]()),
        ),
      );
    },
  };
}
