/** The whole relay in one process, on a real Redis and on whatever Elasticsearch the run has. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { createApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { MAX_STORED_ERROR_BYTES, shortenError } from '../../src/domain/shorten-error.ts';
import type { AttemptEvent } from '../../src/pipeline/ports.ts';
import { openRelay, type Relay } from '../../src/relay.ts';
import { type IntegrationElasticsearch, integrationElasticsearch } from '../support/elasticsearch.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

let elasticsearch: IntegrationElasticsearch;

beforeAll(async () => {
  elasticsearch = await integrationElasticsearch();
}, 60_000);

afterAll(() => elasticsearch[Symbol.asyncDispose]());

interface Setup {
  readonly relay: Relay;
  readonly events: AttemptEvent[];
  readonly config: Config;
  /** Reports, waits until all of it is settled, and returns the outcomes, sorted. */
  settle(...reports: readonly { readonly id: string; readonly error: string }[]): Promise<readonly string[]>;
}

async function setup(settings: Readonly<Record<string, string>> = {}): Promise<Setup> {
  const config = readConfig({
    REDIS_URL: redisUrl(),
    KEY_PREFIX: keyPrefix(),
    ELASTICSEARCH_URL: elasticsearch.url,
    ELASTICSEARCH_API_KEY: elasticsearch.apiKey,
    NOT_RUNNING_DELAY_MS: '50',
    ...settings,
  });
  const events: AttemptEvent[] = [];
  const app = createApp(config, { log: silentLog, observe: (event) => events.push(event) });
  const relay = openRelay(config);
  onTestFinished(() => relay.close());
  onTestFinished(async () => {
    await app.stop();
  });
  await app.start();
  return {
    relay,
    events,
    config,
    async settle(...reports) {
      const before = settled(events).length;
      const results = await relay.reportMany(
        reports.map(({ id, error }) => ({ connector_sync_job_id: id, error })),
      );
      const queued = results.filter(({ status }) => status === 'queued').length;
      await until('every report is settled', () => settled(events).length >= before + queued, 20_000);
      return settled(events).slice(before).sort();
    },
  };
}

/** What the settled reports came to, a dead letter by its code. */
function settled(events: readonly AttemptEvent[]): string[] {
  return events.map(({ result }) => endingOf(result.outcome)).filter((ending) => ending !== undefined);
}

function endingOf(outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case 'applied':
    case 'already-applied':
      return outcome.kind;
    case 'dead-letter':
      return outcome.code;
    case 'retry':
    case 'snooze':
    case 'hand-back':
      return undefined;
  }
}

describe('a report for a sync job that', () => {
  test.each(['in_progress', 'canceling'] as const)('is %s sets its error', async (status) => {
    const { settle } = await setup();
    const id = await elasticsearch.createSyncJob(status);

    expect(await settle({ id, error: 'TimeoutError: ä 同期 🔒\n  at "line" 1' })).toEqual(['applied']);
    expect(await elasticsearch.syncJob(id)).toMatchObject({
      status: 'error',
      error: 'TimeoutError: ä 同期 🔒\n  at "line" 1',
    });
  });

  test('does not exist is a dead letter that holds it', async () => {
    const { settle, relay } = await setup();

    expect(await settle({ id: 'no-such-sync-job', error: 'x' })).toEqual(['sync_job_not_found']);
    expect(await relay.deadLetters.counts()).toEqual({ sync_job_not_found: 1 });
  });

  test('has this error already is settled, and one that has another is superseded', async () => {
    const { settle, relay } = await setup();
    const id = await elasticsearch.createSyncJob('error', 'the first');

    expect(await settle({ id, error: 'the first' })).toEqual(['already-applied']);
    expect(await settle({ id, error: 'the second' })).toEqual(['superseded']);
    const [letter] = (await relay.deadLetters.list({ offset: 0, limit: 1 })).letters;
    expect(letter).toMatchObject({
      found: { status: 'error', error: 'the first' },
      report: { error: 'the second' },
    });
    expect(await elasticsearch.syncJob(id)).toMatchObject({ error: 'the first' });
  });

  test('was canceled is a dead letter', async () => {
    const { settle } = await setup();
    const id = await elasticsearch.createSyncJob('canceled');

    expect(await settle({ id, error: 'x' })).toEqual(['terminal_state']);
    expect(await elasticsearch.syncJob(id)).toMatchObject({ status: 'canceled' });
  });

  test('has not started waits for it to start', async () => {
    const { relay, events } = await setup();
    const id = await elasticsearch.createSyncJob('pending');
    await relay.report({ connector_sync_job_id: id, error: 'x' });
    await until('it was looked at', () => events.length > 1);
    expect(events.at(-1)?.result.outcome).toMatchObject({ kind: 'snooze', code: 'not_running' });

    await elasticsearch.request('PUT', `/_connector/_sync_job/${id}/_claim`, { worker_hostname: 'host' });

    await until('it is applied', () => events.at(-1)?.result.outcome.kind === 'applied');
    expect(await elasticsearch.syncJob(id)).toMatchObject({ status: 'error', error: 'x' });
  });

  test('never starts is given up after the time for it', async () => {
    const { settle } = await setup({ NOT_RUNNING_MAX_MS: '300' });
    const id = await elasticsearch.createSyncJob('pending');

    expect(await settle({ id, error: 'x' })).toEqual(['not_running']);
  });
});

test.each([
  ['one byte below the limit', 'a'.repeat(MAX_STORED_ERROR_BYTES - 1)],
  ['at the limit', 'a'.repeat(MAX_STORED_ERROR_BYTES)],
  ['one byte above the limit', 'a'.repeat(MAX_STORED_ERROR_BYTES + 1)],
  ['with a character across the limit', `${'a'.repeat(MAX_STORED_ERROR_BYTES - 1)}ü`],
  ['of a mebibyte', '🔒'.repeat(262_144)],
])('a text %s is stored as whole as Elasticsearch takes it', async (_, error) => {
  const { settle } = await setup();
  const id = await elasticsearch.createSyncJob('in_progress');

  expect(await settle({ id, error })).toEqual(['applied']);
  const stored = (await elasticsearch.syncJob(id))?.error ?? '';
  expect(stored).toBe(shortenError(error));
  expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(MAX_STORED_ERROR_BYTES);
});

test('of two reports for one sync job the first is applied and the second keeps its text as a dead letter', async () => {
  const { settle, relay } = await setup();
  const ids = await Promise.all(Array.from({ length: 20 }, () => elasticsearch.createSyncJob('in_progress')));

  const outcomes = await settle(
    ...ids.flatMap((id) => [
      { id, error: 'first' },
      { id, error: 'second' },
    ]),
  );

  expect(outcomes).toEqual([...ids.map(() => 'applied'), ...ids.map(() => 'superseded')]);
  for (const id of ids) expect(await elasticsearch.syncJob(id)).toMatchObject({ error: 'first' });
  const { letters } = await relay.deadLetters.list({ offset: 0, limit: 100 });
  expect(letters.map((letter) => letter.report?.error)).toEqual(ids.map(() => 'second'));
});

test('the same report from ten producers at once changes the sync job once', async () => {
  const { config, events } = await setup();
  const id = await elasticsearch.createSyncJob('in_progress');
  const producers = Array.from({ length: 10 }, () => openRelay(config));

  const results = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      producers[n % 10]?.report({ connector_sync_job_id: id, error: 'x' }),
    ),
  );
  await Promise.all(producers.map((producer) => producer.close()));

  const queued = results.filter((result) => result?.status === 'queued').length;
  await until('every accepted one is settled', () => events.length === queued);
  const outcomes = events.map(({ result }) => result.outcome.kind);
  expect(outcomes.filter((kind) => kind === 'applied')).toHaveLength(1);
  expect(outcomes.filter((kind) => kind === 'already-applied')).toHaveLength(queued - 1);
});
