import { describe, expect, it } from 'vitest';
import { setup } from './setup.ts';

describe('the admin endpoints', () => {
  it('add, list and remove faults', async () => {
    const { send } = await setup();
    const added = await send('POST', '/__stand-in/faults', {
      body: [
        { kind: 'status', status: 503 },
        { kind: 'reset', path: '_none' },
      ],
    });
    expect(added).toMatchObject({ status: 201, body: { ids: ['1', '2'] } });
    expect((await send('GET', '/')).status).toBe(503);
    expect((await send('GET', '/__stand-in/faults')).body).toMatchObject([
      { id: '1', struck: 1 },
      { id: '2', struck: 0 },
    ]);
    expect((await send('DELETE', '/__stand-in/faults/1')).status).toBe(200);
    expect((await send('DELETE', '/__stand-in/faults/1')).status).toBe(404);
    expect((await send('GET', '/')).status).toBe(200);
    await send('DELETE', '/__stand-in/faults');
    expect((await send('GET', '/__stand-in/faults')).body).toEqual([]);
  });

  it('refuse a fault that is none, and add none of its company', async () => {
    const { standIn, send } = await setup();
    const refused = await send('POST', '/__stand-in/faults', {
      body: [{ kind: 'reset' }, { kind: 'quake' }],
    });
    expect(refused).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('kind must be one of') },
    });
    expect(standIn.faults.list()).toEqual([]);
  });

  it('read and clear the ledger, in which they do not appear', async () => {
    const { send } = await setup();
    await send('GET', '/');
    await send('GET', '/_connector/none');
    expect((await send('GET', '/__stand-in/ledger?path=none&method=GET&status=404')).body).toMatchObject({
      total: 2,
      dropped: 0,
      count: 1,
      entries: [{ path: '/_connector/none', status: 404 }],
    });
    expect((await send('GET', '/__stand-in/ledger?limit=0')).body).toMatchObject({ count: 2, entries: [] });
    await send('DELETE', '/__stand-in/ledger');
    expect((await send('GET', '/__stand-in/ledger')).body).toMatchObject({ total: 0 });
  });

  it('load, read, put and list sync jobs', async () => {
    const { send } = await setup();
    const loaded = await send('POST', '/__stand-in/sync-jobs', {
      body: '{"id":"a/b","status":"pending"}\n{"id":"c","status":"pending"}\n',
    });
    expect(loaded.body).toEqual({ loaded: 2 });
    const bad = await send('POST', '/__stand-in/sync-jobs', { body: '{"id":"d","status":"pending"}\n{}' });
    expect(bad).toMatchObject({ status: 400, body: { problems: [{ line: 2 }] } });
    expect((await send('GET', '/__stand-in/sync-jobs/a%2Fb')).body).toMatchObject({
      id: 'a/b',
      status: 'pending',
    });
    expect((await send('GET', '/__stand-in/sync-jobs/none')).status).toBe(404);
    await send('PUT', '/__stand-in/sync-jobs/c', { body: { status: 'completed' } });
    const lines = (await send('GET', '/__stand-in/sync-jobs')).text.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: string; status: string }).status)).toEqual([
      'pending',
      'completed',
      'pending',
    ]);
    await send('POST', '/__stand-in/reset');
    expect((await send('GET', '/__stand-in/')).body).toEqual({
      elasticsearch_version: '9.5.1',
      sync_jobs: 0,
      faults: 0,
      requests: 0,
    });
  });

  it('are subject to no fault and ask for no credentials', async () => {
    const { send } = await setup({ security: {}, faults: [{ kind: 'status', status: 503 }] });
    expect((await send('GET', '/__stand-in')).status).toBe(200);
    expect((await send('GET', '/__stand-in/none')).status).toBe(404);
    expect((await send('GET', '/__stand-inside')).status).toBe(503);
  });
});
