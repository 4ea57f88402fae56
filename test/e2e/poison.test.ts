/** A report that kills every worker that sends it, among others that kill none. */
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type StandIn, startStandIn } from '../../src/stand-in/index.ts';
import { type Environment, type RunningCli, runCli, startCli } from '../support/built-cli.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

const WORKERS = 3;
const MAX_CRASHES = 3;
const POISON = 'poison-job';

interface Worker {
  /** Resolves when it has died and its successor has started. */
  restarted: Promise<void>;
  process: RunningCli;
}

/** A way to the stand-in that is one worker's own, so that it is known whose request came. */
async function openWay(standIn: StandIn, onPoison: () => void): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    if (incoming.method === 'PUT' && incoming.url?.includes(POISON)) {
      onPoison();
      return;
    }
    const { method, url, headers } = incoming;
    const onward = send(new URL(url ?? '/', standIn.url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

async function startWorker(env: Environment): Promise<RunningCli> {
  const worker = startCli(['work'], env);
  await worker.line('worker started');
  return worker;
}

test('a report that kills its worker every time is given up after so many crashes, and no other one is', async () => {
  const prefix = keyPrefix();
  const standIn = await startStandIn();
  onTestFinished(() => standIn.stop());
  const env = {
    REDIS_URL: redisUrl(),
    ELASTICSEARCH_URL: standIn.url,
    KEY_PREFIX: prefix,
    MAX_CRASHES: String(MAX_CRASHES),
    LOCK_DURATION_MS: '1000',
    STALLED_INTERVAL_MS: '300',
    CONCURRENCY: '20',
  };
  const healthy = Array.from({ length: 300 }, (_, n) => `job-${n}`);
  const all = [...healthy.slice(0, 100), POISON, ...healthy.slice(100)];
  for (const id of all) standIn.putSyncJob({ id, connector_id: 'c', status: 'in_progress' });
  const lines = all.map((id) => JSON.stringify({ connector_sync_job_id: id, error: `Error of ${id}` }));
  await runCli(['report', '--file', '-', '--json'], env, `${lines.join('\n')}\n`);

  let kills = 0;
  const workers = await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      const ways: { kill?: () => void } = {};
      const workerEnv = { ...env, ELASTICSEARCH_URL: await openWay(standIn, () => ways.kill?.()) };
      const worker: Worker = { restarted: Promise.resolve(), process: await startWorker(workerEnv) };
      ways.kill = () => {
        kills += 1;
        worker.restarted = worker.process.end('SIGKILL').then(async () => {
          worker.process = await startWorker(workerEnv);
        });
      };
      return worker;
    }),
  );

  const status = async (): Promise<Readonly<Record<string, number>>> =>
    JSON.parse((await runCli(['status', '--json'], env)).stdout) as Record<string, number>;
  await until(
    'all is quiet',
    async () => {
      const { waiting = 1, active = 1, delayed = 1 } = await status();
      return waiting + active + delayed === 0;
    },
    40_000,
  );
  await Promise.all(workers.map(({ restarted }) => restarted));

  expect(kills).toBe(MAX_CRASHES);
  expect(healthy.filter((id) => standIn.syncJob(id)?.error !== `Error of ${id}`)).toEqual([]);
  expect(await status()).toMatchObject({ dead_letters: { poison: 1 } });
  const list = JSON.parse((await runCli(['dead-letters', 'list', '--json'], env)).stdout) as {
    readonly total: number;
    readonly dead_letters: readonly unknown[];
  };
  expect(list.total).toBe(1);
  expect(list.dead_letters[0]).toMatchObject({
    code: 'poison',
    report: { connector_sync_job_id: POISON, error: `Error of ${POISON}` },
  });
  expect(standIn.syncJob(POISON)).toMatchObject({ status: 'in_progress' });
  expect(await Promise.all(workers.map(({ process }) => process.end('SIGTERM')))).toEqual([0, 0, 0]);
}, 60_000);
