import { Client } from '@elastic/elasticsearch';
import { Client as Client8 } from 'elasticsearch-8';
import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { openRelay } from '../../src/relay.ts';
import { startStandIn } from '../../src/stand-in/index.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

const COUNT = 10_000;
/** Every tenth sync job is not there. */
const isThere = (index: number): boolean => index % 10 !== 0;
const idOf = (index: number): string => `job/${index}`;

test('10,000 errors that the official clients report are each applied or dead letters', async () => {
  const there = Array.from({ length: COUNT }, (_, index) => index).filter(isThere);
  const standIn = await startStandIn({
    syncJobs: there.map((index) => ({ id: idOf(index), connector_id: 'c', status: 'in_progress' })),
  });
  onTestFinished(() => standIn.stop());
  const config = readConfig({
    REDIS_URL: redisUrl(),
    KEY_PREFIX: keyPrefix(),
    ELASTICSEARCH_URL: standIn.url,
    HTTP_PORT: '0',
  });
  await using app = createApp(config, { log: silentLog });
  await app.start();
  const node = app.address ?? '';
  const [nine, eight] = [new Client({ node }), new Client8({ node })];
  onTestFinished(async () => {
    await Promise.all([nine.close(), eight.close()]);
  });

  let next = 0;
  const ids = new Set<string>();
  const produce = async (): Promise<void> => {
    for (let index = next++; index < COUNT; index = next++) {
      const call = { connector_sync_job_id: idOf(index), error: `error ${index}` };
      const answer = await (index % 2 === 0
        ? nine.connector.syncJobError(call)
        : eight.connector.syncJobError(call));
      ids.add((answer as unknown as { id: string }).id);
    }
  };
  await Promise.all(Array.from({ length: 50 }, produce));
  expect(ids.size).toBe(COUNT);

  await using relay = openRelay(config);
  const isQuiet = async (): Promise<boolean> => {
    const { waiting, active, delayed } = await relay.depth();
    return waiting + active + delayed === 0;
  };
  await until('the queue is empty', isQuiet, 60_000);

  const wrong = there.filter((index) => standIn.syncJob(idOf(index))?.error !== `error ${index}`);
  expect(wrong).toEqual([]);
  expect(await relay.deadLetters.counts()).toEqual({ sync_job_not_found: COUNT - there.length });
  const metrics = await (await fetch(`${node}/metrics`)).text();
  expect(metrics).toContain(
    `sync_error_relay_reports_received_total{via="elasticsearch",result="queued"} ${COUNT}`,
  );
  expect(metrics).toContain(
    `sync_error_relay_reports_settled_total{outcome="applied",code="none"} ${there.length}`,
  );
  expect(metrics).toContain(
    `sync_error_relay_reports_settled_total{outcome="dead_letter",code="sync_job_not_found"} ${COUNT - there.length}`,
  );
  expect(metrics).toContain(
    `sync_error_relay_dead_letters{code="sync_job_not_found"} ${COUNT - there.length}`,
  );
  expect(metrics).toMatch(/^sync_error_relay_circuit_open 0$/m);
}, 180_000);
