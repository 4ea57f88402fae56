import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type StandIn, startStandIn } from '../../src/stand-in/index.ts';
import { type Environment, type RunningCli, runCli, startCli } from '../support/built-cli.ts';
import { seeded } from '../support/fleet.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

interface Setup {
  readonly env: Environment;
  readonly standIn: StandIn;
  status(): Promise<Status>;
  startWorker(): Promise<RunningCli>;
}

interface Status {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly dead_letters: Readonly<Record<string, number>>;
}

/** Locks that expire soon, so that a test need not wait for what production waits for. */
async function setup(): Promise<Setup> {
  const prefix = keyPrefix();
  const standIn = await startStandIn();
  onTestFinished(() => standIn.stop());
  const env = {
    REDIS_URL: redisUrl(),
    ELASTICSEARCH_URL: standIn.url,
    KEY_PREFIX: prefix,
    LOCK_DURATION_MS: '1500',
    STALLED_INTERVAL_MS: '500',
    MAX_CRASHES: '50',
    CONCURRENCY: '20',
  };
  return {
    env,
    standIn,
    async status() {
      const { stdout } = await runCli(['status', '--json'], env);
      return JSON.parse(stdout) as Status;
    },
    async startWorker() {
      const worker = startCli(['work'], env);
      await worker.line('worker started');
      return worker;
    },
  };
}

const isQuiet = ({ waiting, active, delayed }: Status): boolean => waiting + active + delayed === 0;

describe('workers that are killed in mid-flight', () => {
  test('lose no report, bury none that could pass, and change no sync job twice', async () => {
    const { env, standIn, status, startWorker } = await setup();
    const random = seeded(20_261_123);
    const count = 3_000;
    const running = Array.from({ length: count }, (_, n) => `job-${n}`);
    for (const id of running) standIn.putSyncJob({ id, connector_id: 'c', status: 'in_progress' });
    const reports = [...running, ...Array.from({ length: 50 }, (_, n) => `gone-${n}`)].map((id) => ({
      connector_sync_job_id: id,
      error: `Error of ${id}`,
    }));

    const workers = await Promise.all([startWorker(), startWorker(), startWorker()]);
    const kills = (async () => {
      for (let n = 0; n < 8; n += 1) {
        await sleep(50 + random() * 150);
        const victim = Math.floor(random() * workers.length);
        await workers[victim]?.end('SIGKILL');
        workers[victim] = await startWorker();
      }
    })();
    const enqueued = await runCli(
      ['report', '--file', '-', '--json'],
      env,
      reports.map((report) => `${JSON.stringify(report)}\n`).join(''),
    );
    expect(JSON.parse(enqueued.stdout)).toMatchObject({ lines: 3_050, queued: 3_050, invalid: 0 });
    await kills;

    await until('all is quiet', async () => isQuiet(await status()), 30_000);
    const wrong = running.filter((id) => standIn.syncJob(id)?.error !== `Error of ${id}`);
    expect(wrong).toEqual([]);
    expect((await status()).dead_letters).toEqual({ sync_job_not_found: 50 });
    const codes = await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
    expect(codes).toEqual([0, 0, 0]);
  }, 60_000);

  test('leave a report whose response never came to another, which finds it applied', async () => {
    const { env, standIn, status, startWorker } = await setup();
    standIn.putSyncJob({ id: 'a', connector_id: 'c', status: 'in_progress' });
    const first = await startWorker();
    // Stopped as it is, the process cannot renew its lock nor hear the answer to what it has sent.
    first.child.kill('SIGSTOP');
    await runCli(['report', 'a', 'TimeoutError'], env);
    first.child.kill('SIGCONT');
    await until('the request has arrived', () => standIn.syncJob('a')?.status === 'error');
    await first.end('SIGKILL');
    await startWorker();

    await until('all is quiet', async () => isQuiet(await status()), 20_000);
    expect(standIn.syncJob('a')?.error).toBe('TimeoutError');
    expect((await status()).dead_letters).toEqual({});
  }, 40_000);
});
