/** Redrives many letters while the processes that do it, and the workers, are killed; and counts what came of each. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectRedis } from '../../src/adapters/bullmq/connect-redis.ts';
import { openDeadLetters } from '../../src/adapters/bullmq/dead-letter-store.ts';
import { openReportQueue } from '../../src/adapters/bullmq/report-queue.ts';
import type { DeadLetter } from '../../src/domain/dead-letter.ts';
import { deadLetterId } from '../../src/domain/dead-letter.ts';
import { reportJobId } from '../../src/domain/job.ts';
import { eachLetter } from '../../src/pipeline/dead-letter-ports.ts';
import { startStandIn } from '../../src/stand-in/index.ts';

export interface KillPlan {
  readonly url: string;
  readonly prefix: string;
  readonly letters: number;
  /** Reports a second. */
  readonly rate: number;
  /** How often the redriving process is killed. */
  readonly kills: number;
  /** How often a worker is killed, one of two. */
  readonly workerKills: number;
  /** A number from 0 to 1, decided by a seed. */
  readonly random: () => number;
  readonly say?: (line: string) => void;
}

export interface KillResult {
  /** Sync jobs that hold their report's text, with no letter left. */
  readonly applied: number;
  /** Letters that are dead again, once, with their earlier life. */
  readonly deadOnce: number;
  /** What is neither, in words. */
  readonly wrong: readonly string[];
  /** What the run's own record says it put back. */
  readonly redriven: number;
  /** Reports a second, over the time that processes were at it. */
  readonly observedRate: number;
  readonly kills: number;
}

const PROCESS = fileURLToPath(new URL('./redrive-process.ts', import.meta.url));
const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const LEASE_MS = 500;

/** Every tenth sync job does not exist, so that its report dies again. */
const exists = (n: number): boolean => n % 10 !== 0;

const reportOf = (n: number) => ({ connector_sync_job_id: `job-${n}`, error: `Error ${n}` });

export async function redriveWithKills(plan: KillPlan): Promise<KillResult> {
  const { url, prefix, say = () => undefined } = plan;
  await using stack = new AsyncDisposableStack();
  const standIn = await startStandIn();
  stack.defer(() => standIn.stop());
  const redis = connectRedis(url, 'worker', () => undefined);
  stack.defer(() => redis.release());
  const names = { prefix, queue: 'reports' };
  const letters = openDeadLetters(redis, names);
  const queue = openReportQueue(redis, names);
  stack.defer(() => queue.close());

  for (let n = 0; n < plan.letters; n += 1000) {
    const batch = Array.from({ length: Math.min(1000, plan.letters - n) }, (_, index) => n + index);
    await Promise.all(batch.map((each) => letters.add(letterOf(each))));
    for (const each of batch) {
      if (exists(each)) standIn.putSyncJob({ id: `job-${each}`, connector_id: 'c', status: 'in_progress' });
    }
  }
  say(`${plan.letters} letters are there`);

  const workers = new Workers(url, prefix, standIn.url);
  stack.defer(() => workers.end());
  await workers.start();
  await workers.start();

  const startedAt = performance.now();
  let restingMs = 0;
  let run = '';
  let killed = 0;
  // Kills are spread over the time that the whole takes at its rate.
  const apartMs = (plan.letters / plan.rate) * (1_000 / (plan.kills + 1));
  for (;;) {
    const begun = performance.now();
    const child = new RedriveProcess([
      url,
      prefix,
      String(LEASE_MS),
      ...(run === '' ? ['begin', String(plan.rate)] : ['resume', run]),
    ]);
    stack.defer(() => child.end());
    run = await child.id;
    // From the start of the process until its run goes on, its predecessor's lease included, nothing is sent.
    restingMs += performance.now() - begun;
    const isLast = killed === plan.kills;
    await (isLast ? child.state : Promise.race([sleep(apartMs * (0.5 + plan.random())), child.state]));
    if (child.isOver) {
      const state = await child.state;
      if (state === 'done') break;
      // A machine that is busy elsewhere may keep a process from renewing its lease in time.
      if (state !== 'interrupted') throw new Error(`the run ended as ${state}`);
      continue;
    }
    await child.end();
    killed += 1;
    if (killed <= plan.workerKills) await workers.replaceOne();
    say(`killed ${killed} times; ${(await letters.list({ limit: 0 })).total} letters left`);
  }
  const sendingMs = performance.now() - startedAt - restingMs;

  for (;;) {
    const { waiting, active, delayed } = await queue.depth();
    if (waiting + active + delayed === 0) break;
    await sleep(50);
  }
  const dead = new Map<string, DeadLetter>();
  for await (const letter of eachLetter(letters, {}))
    dead.set(letter.report?.connector_sync_job_id ?? '', letter);
  let applied = 0;
  let deadOnce = 0;
  const wrong: string[] = [];
  for (let n = 0; n < plan.letters; n += 1) {
    const { connector_sync_job_id: id, error } = reportOf(n);
    const letter = dead.get(id);
    const isApplied = standIn.syncJob(id)?.error === error;
    if (isApplied && letter === undefined) applied += 1;
    else if (!isApplied && letter?.redrives.length === 1 && !exists(n)) deadOnce += 1;
    else wrong.push(`${id}: applied ${isApplied}, redriven ${letter?.redrives.length ?? 'no letter'}`);
  }
  const redriven = Number(await redis.hget(`${prefix}:dead-letters:run:${run}`, 'redriven'));
  return { applied, deadOnce, wrong, redriven, observedRate: (redriven * 1_000) / sendingMs, kills: killed };
}

function letterOf(n: number): DeadLetter {
  const report = reportOf(n);
  const at = new Date(Date.UTC(2026, 9, 1) + Math.floor(n / 3)).toISOString();
  return {
    id: deadLetterId(reportJobId(report)),
    code: 'sync_job_not_found',
    reason: 'No sync job has this id.',
    report,
    attempts_made: 1,
    attempts: [],
    enqueued_at: at,
    dead_at: at,
    worker: 'worker-0',
    redrives: [],
  };
}

/** One process that redrives. */
class RedriveProcess {
  readonly id: Promise<string>;
  readonly state: Promise<string | undefined>;
  isOver = false;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [PROCESS, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.#child, 'close');
    if (this.#child.stdout === null) throw new Error('no standard output');
    const lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.id = lines.next().then(({ value }) => {
      if (value === undefined) throw new Error('the process ended before its run began');
      return value;
    });
    this.state = this.id.then(async () => {
      const { value } = await lines.next();
      this.isOver = value !== undefined;
      await this.#closed;
      return value;
    });
    this.state.catch(() => undefined);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

/** Workers as processes of their own. */
class Workers {
  readonly #env: NodeJS.ProcessEnv;
  readonly #children: ChildProcess[] = [];

  constructor(url: string, prefix: string, elasticsearch: string) {
    this.#env = {
      PATH: process.env['PATH'],
      REDIS_URL: url,
      KEY_PREFIX: prefix,
      ELASTICSEARCH_URL: elasticsearch,
      LOCK_DURATION_MS: '2000',
      STALLED_INTERVAL_MS: '500',
      MAX_CRASHES: '50',
      LOG_LEVEL: 'warn',
      SWEEP_INTERVAL_MS: '1000',
    };
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [CLI, 'work'], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: this.#env,
      stdio: 'ignore',
    });
    this.#children.push(child);
    await once(child, 'spawn');
  }

  async replaceOne(): Promise<void> {
    const child = this.#children.shift();
    if (child !== undefined) await killed(child);
    await this.start();
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.map(killed));
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}
