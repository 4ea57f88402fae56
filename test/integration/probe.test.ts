import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import type { AttemptEvent } from '../../src/pipeline/ports.ts';
import { openRelay } from '../../src/relay.ts';
import { startStandIn } from '../../src/stand-in/index.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

test('after an outage the circuit closes although every report that can probe is refused', async () => {
  const standIn = await startStandIn();
  onTestFinished(() => standIn.stop());
  const config = readConfig({
    REDIS_URL: redisUrl(),
    KEY_PREFIX: keyPrefix(),
    ELASTICSEARCH_URL: standIn.url,
    PROBE_INTERVAL_MS: '200',
    OUTAGE_DELAY_MS: '50',
    OUTAGE_DELAY_CAP_MS: '100',
    NOT_RUNNING_MAX_MS: '0',
  });
  const events: AttemptEvent[] = [];
  const app = createApp(config, { log: silentLog, observe: (event) => events.push(event) });
  onTestFinished(async () => {
    await app.stop();
  });
  const relay = openRelay(config);
  onTestFinished(() => relay.close());
  const scenes = [
    { status: 'error', error: 'x' },
    { status: 'error', error: 'another' },
    { status: 'completed' },
    {},
  ];
  const reports = Array.from({ length: 20 }, (_, n) => {
    const id = `job-${n}`;
    standIn.putSyncJob({ id, connector_id: 'c', status: 'pending', ...scenes[n % scenes.length] });
    return { connector_sync_job_id: id, error: 'x' };
  });
  const fault = standIn.faults.add({ kind: 'lose-response' });
  await relay.reportMany(reports);
  await app.start();
  await until('the circuit is open', () => app.load?.circuit.kind === 'open');

  standIn.faults.remove(fault);

  await until('every report is settled', async () => {
    const { waiting, active, delayed } = await relay.depth();
    return waiting + active + delayed === 0;
  });
  expect(events.filter(({ result }) => result.outcome.kind === 'already-applied')).toHaveLength(5);
  expect(await relay.deadLetters.counts()).toEqual({ superseded: 5, terminal_state: 5, not_running: 5 });
  expect(app.load?.circuit.kind).toBe('closed');
});
