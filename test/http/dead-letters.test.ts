import { describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createApiKey } from '../../src/http/api-keys.ts';
import { startStandIn } from '../../src/stand-in/index.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

interface Letter {
  readonly id: string;
  readonly code: string;
  readonly report: { readonly connector_sync_job_id: string };
}

/** A worker with its door, and three dead letters. */
async function setup() {
  const standIn = await startStandIn({
    syncJobs: [{ id: 'running', connector_id: 'c', status: 'in_progress' }],
  });
  onTestFinished(() => standIn.stop());
  const keys = {
    report: createApiKey('producer', ['report']),
    read: createApiKey('viewer', ['read']),
    operate: createApiKey('operator', ['read', 'operate']),
  };
  const config = readConfig({
    REDIS_URL: redisUrl(),
    KEY_PREFIX: keyPrefix(),
    ELASTICSEARCH_URL: standIn.url,
    HTTP_PORT: '0',
    API_KEYS: Object.values(keys)
      .map(({ line }) => line)
      .join(' '),
  });
  const app = createApp(config, { log: silentLog });
  onTestFinished(async () => {
    await app.stop();
  });
  await app.start();

  const call = async (
    key: keyof typeof keys,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly location: string | null; readonly json: unknown }> => {
    const answer = await fetch(`${app.address}${path}`, {
      method,
      headers: { authorization: `ApiKey ${keys[key].encoded}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, location: answer.headers.get('location'), json: await answer.json() };
  };
  const letters = async (query = ''): Promise<readonly Letter[]> =>
    ((await call('read', 'GET', `/v1/dead-letters${query}`)).json as { dead_letters: Letter[] }).dead_letters;
  const reports = [1, 2, 3].map((id) => ({ connector_sync_job_id: `no-such-${id}`, error: `error ${id}` }));
  await call('report', 'POST', '/v1/reports', reports);
  await until('the letters are there', async () => (await letters()).length === 3);
  return { standIn, call, letters };
}

describe('dead letters over HTTP', () => {
  test('are found by what is known of them, page by page', async () => {
    const { call, letters } = await setup();
    const [first] = await letters('?connector_sync_job_id=no-such-2');
    expect(first).toMatchObject({ code: 'sync_job_not_found', report: { error: 'error 2' } });
    expect(await letters('?code=superseded')).toEqual([]);
    expect(await letters('?status=404&text=ERROR%203')).toHaveLength(1);
    const page = await call('read', 'GET', '/v1/dead-letters?limit=2');
    expect(page.json).toMatchObject({ total: 3 });
    const { next } = page.json as { next: string };
    expect(await letters(`?limit=2&cursor=${encodeURIComponent(next)}`)).toHaveLength(1);
    expect((await call('read', 'GET', `/v1/dead-letters/${first?.id}`)).json).toMatchObject({
      id: first?.id,
    });
    for (const wrong of ['?limit=0', '?code=nope', '?x=1', '?dead_from=yesterday', '?cursor=!']) {
      const { status, json } = await call('read', 'GET', `/v1/dead-letters${wrong}`);
      expect(status, wrong).toBe(400);
      expect(json).toMatchObject({ code: 'bad_request' });
    }
  });

  test('are edited and put back by a key that may', async () => {
    const { standIn, call, letters } = await setup();
    const [letter] = await letters('?connector_sync_job_id=no-such-1');
    const path = `/v1/dead-letters/${letter?.id}`;
    const patch = [{ op: 'replace', path: '/connector_sync_job_id', value: 'running' }];

    expect((await call('read', 'PATCH', path, patch)).status).toBe(403);
    expect((await call('operate', 'PATCH', path, { op: 'replace' })).status).toBe(400);
    expect((await call('operate', 'PATCH', path, [{ op: 'remove', path: '/error' }])).json).toMatchObject({
      code: 'invalid_report',
    });
    expect((await call('operate', 'PATCH', path, patch)).json).toMatchObject({
      report: { connector_sync_job_id: 'running' },
      edits: [{ by: 'http:operator' }],
    });
    const redrive = await call('operate', 'POST', `${path}/redrive`, undefined);
    expect(redrive.status).toBe(202);
    await until('it is applied', () => standIn.syncJob('running')?.status === 'error');
    const isDone = async (): Promise<boolean> =>
      ((await call('read', 'GET', redrive.location ?? '')).json as { state: string }).state === 'done';
    await until('the run is over', isDone);
    expect(standIn.syncJob('running')).toMatchObject({ error: 'error 1' });
    expect(await letters()).toHaveLength(2);
    expect((await call('operate', 'DELETE', redrive.location ?? '')).status).toBe(409);
    expect((await call('read', 'GET', '/v1/redrives')).json).toMatchObject({ redrives: [{ state: 'done' }] });
  });

  test('are purged one by one, by a condition, and all together only where that is said', async () => {
    const { call, letters } = await setup();
    const [letter] = await letters('?connector_sync_job_id=no-such-1');
    const path = `/v1/dead-letters/${letter?.id}`;

    expect((await call('operate', 'DELETE', '/v1/dead-letters')).status).toBe(400);
    expect((await call('operate', 'POST', '/v1/dead-letters/redrive', {})).status).toBe(400);
    expect((await call('read', 'DELETE', path)).status).toBe(403);
    expect((await call('operate', 'DELETE', path)).json).toEqual({ purged: 1 });
    expect((await call('operate', 'DELETE', path)).status).toBe(404);
    expect(
      (await call('operate', 'DELETE', '/v1/dead-letters?connector_sync_job_id=no-such-2')).json,
    ).toEqual({ purged: 1 });
    expect((await call('operate', 'DELETE', '/v1/dead-letters?all=true')).json).toEqual({ purged: 1 });
    expect(await letters()).toEqual([]);
  });
});
