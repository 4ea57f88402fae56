import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GuardedProcess, startGuarded } from './guarded-process.ts';
import { inspectRedis, type RedisIdentity } from './inspect-redis.ts';
import { type MaxMemoryPolicy, type RedisServer, settingsOf } from './redis-server.ts';

/** Which server to start, and how. */
export interface StartRedisServerOptions {
  /** Absolute path of a redis-server or valkey-server. */
  readonly binary: string;
  /** Port on 127.0.0.1; a free one where left out. */
  readonly port?: number | undefined;
  /** Whether each write is also appended to a file, synced every second. */
  readonly appendOnly: boolean;
  /** Where its files are kept, made where missing; a temporary folder that `stop()` removes where left out. */
  readonly dataDir?: string | undefined;
  /** `noeviction` where left out. */
  readonly maxMemoryPolicy?: MaxMemoryPolicy | undefined;
  /** Said of its origin; `server` where left out. */
  readonly origin?: 'server' | 'installed' | undefined;
  /** PATH, for the commands that clean up after it. */
  readonly path?: string | undefined;
}

/** A server process that was started here, so it has a process id. */
export interface StartedRedisServer extends RedisServer {
  readonly port: number;
  readonly pid: number;
}

const START_DEADLINE_MS = 10_000;
const STOP_GRACE_MS = 5_000;
const POLL_MS = 10;
const PORTS_TO_TRY = 20;

/**
 * Starts a Redis bound to 127.0.0.1 and waits until it answers. Given the same port and `dataDir` it may be
 * stopped, or killed, and started again. It ends with this process, however that ends.
 *
 * @throws Error with the server's own last words where it does not come up.
 */
export async function startRedisServer(options: StartRedisServerOptions): Promise<StartedRedisServer> {
  for (let portsLeft = PORTS_TO_TRY; ; portsLeft--) {
    const port = options.port ?? pickPort();
    const attempt = await tryPort(options, port);
    if (attempt.kind === 'started') return attempt.server;
    const mayTryAnother = options.port === undefined && portsLeft > 1;
    if (!mayTryAnother || !/address already in use/i.test(attempt.output)) {
      throw new Error(`${options.binary} did not start on port ${port}: ${lastWords(attempt.output)}`);
    }
  }
}

type StartAttempt =
  | { readonly kind: 'started'; readonly server: StartedRedisServer }
  | { readonly kind: 'ended'; readonly output: string };

async function tryPort(options: StartRedisServerOptions, port: number): Promise<StartAttempt> {
  const folder = await folderFor(options.dataDir);
  const guarded = await startGuarded({
    binary: options.binary,
    arguments: [
      ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--daemonize', 'no'],
      // Its output is a pipe to us: only what explains a failure goes there.
      ...['--loglevel', 'warning'],
      ...settingsOf(options.appendOnly, options.maxMemoryPolicy),
    ],
    folder,
    removeFolder: options.dataDir === undefined,
    graceMs: STOP_GRACE_MS,
    path: options.path,
  });
  const identity = await waitUntilReady(guarded, port);
  if (identity === undefined) {
    await guarded.stop();
    return { kind: 'ended', output: await guarded.ended };
  }
  return { kind: 'started', server: serverOf(options, port, guarded, identity) };
}

function serverOf(
  options: StartRedisServerOptions,
  port: number,
  guarded: GuardedProcess,
  identity: RedisIdentity,
): StartedRedisServer {
  return {
    url: `redis://127.0.0.1:${port}`,
    description: `${basename(options.binary)} ${identity.version} on port ${port}`,
    origin: options.origin ?? 'server',
    port,
    pid: guarded.pid,
    stop: () => guarded.stop(),
    [Symbol.asyncDispose]: () => guarded.stop(),
  };
}

/** The server's identity once it answers; undefined where it ended instead or the deadline passed. */
async function waitUntilReady(guarded: GuardedProcess, port: number): Promise<RedisIdentity | undefined> {
  let ended = false;
  const end = guarded.ended.then(() => {
    ended = true;
  });
  const deadline = performance.now() + START_DEADLINE_MS;
  while (!ended && performance.now() < deadline) {
    const identity = await inspectRedis(port);
    // Another server may sit on the port: ours is then about to end, and that one must not pass for it.
    if (identity?.ready === true && identity.pid === guarded.pid) return identity;
    await Promise.race([sleep(POLL_MS), end]);
  }
  return undefined;
}

async function folderFor(dataDir: string | undefined): Promise<string> {
  if (dataDir === undefined) return mkdtemp(join(tmpdir(), 'sync-error-relay-redis-'));
  await mkdir(dataDir, { recursive: true });
  return dataDir;
}

/**
 * A port that is probably free; whoever starts on it finds out. It lies below the range that systems take
 * outgoing ports from (Linux: 32768 and above): there, a client that keeps trying to reach a stopped server
 * sooner or later gets that very port for its own end, connects to itself, and the server cannot come back.
 */
function pickPort(): number {
  return randomInt(10_240, 30_000);
}

function lastWords(output: string): string {
  const words = output.trim().split('\n').slice(-3).join(' / ');
  return words === '' ? `no answer within ${START_DEADLINE_MS} ms` : words;
}
