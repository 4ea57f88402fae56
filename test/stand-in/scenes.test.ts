import { describe, expect, it } from 'vitest';
import { SyncJobLoadError } from '../../src/stand-in/index.ts';
import { setup } from './setup.ts';

const oddIds = [
  '__proto__',
  'constructor',
  'a/b/c',
  'with space',
  'ünï©ode 🎉',
  '%2e%2e',
  '..%2f',
  'a+b',
  '_error',
  'quote\'"',
  '#?&=',
];

describe('setting scenes', () => {
  it.each(oddIds)('takes the id %s as data', async (id) => {
    const { standIn, fail } = await setup({ syncJobs: [{ id, connector_id: 'c', status: 'in_progress' }] });
    expect((await fail(id)).body).toEqual({ result: 'updated' });
    expect(standIn.syncJob(id)).toMatchObject({ id, status: 'error', error: 'boom' });
    expect([...standIn.syncJobs()].map((job) => job.id)).toEqual([id]);
  });

  it('loads records, text and lines alike', async () => {
    const { standIn } = await setup();
    async function* lines(): AsyncGenerator<string> {
      yield '{"id":"d","connector_id":"c","status":"error","error":"old"}';
    }
    expect(
      await standIn.loadSyncJobs([{ id: 'a', connector_id: null, status: 'pending', error: null }]),
    ).toBe(1);
    expect(
      await standIn.loadSyncJobs(
        '\uFEFF{"id":"b","status":"pending"}\r\n\n{"id":"c","status":"x","job_type":"incremental"}',
      ),
    ).toBe(2);
    expect(await standIn.loadSyncJobs(lines())).toBe(1);
    expect(
      [...standIn.syncJobs()].map(({ id, status, job_type, error }) => [id, status, job_type, error]),
    ).toEqual([
      ['a', 'pending', 'full', undefined],
      ['b', 'pending', 'full', undefined],
      ['c', 'x', 'incremental', undefined],
      ['d', 'error', 'full', 'old'],
    ]);
  });

  it('names every line that is no sync job', async () => {
    const { standIn } = await setup();
    const text =
      '{"id":"a","status":"pending"}\n\nnot json\n{"status":1}\n[]\n{"id":"","status":"x","error":7}\n';
    const failure = await standIn.loadSyncJobs(text).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SyncJobLoadError);
    expect((failure as SyncJobLoadError).problems.map(({ line }) => line)).toEqual([3, 4, 5, 6]);
    expect((failure as SyncJobLoadError).message).toContain(
      'line 4: id: expected a string, got nothing; status: expected a string, got number',
    );
    expect((failure as SyncJobLoadError).message).toContain(
      'line 6: id: expected a non-empty string; error: expected a string, got number',
    );
    expect(standIn.syncJob('a')).toBeDefined();
  });

  it('stops looking after twenty bad lines', async () => {
    const { standIn } = await setup();
    const failure = (await standIn
      .loadSyncJobs('x\n'.repeat(100))
      .catch((error: unknown) => error)) as SyncJobLoadError;
    expect(failure.problems).toHaveLength(20);
  });

  it('changes one sync job without touching those that share its connector', async () => {
    const { standIn, send } = await setup({
      syncJobs: [
        { id: 'a', connector_id: 'c', status: 'pending' },
        { id: 'b', connector_id: 'c', status: 'pending' },
      ],
    });
    const before = JSON.stringify(standIn.syncJob('b'));
    await send('PUT', '/_connector/_sync_job/a/_claim', {
      body: { worker_hostname: 'h', sync_cursor: { at: 1 } },
    });
    await send('PUT', '/_connector/_sync_job/a/_stats', {
      body:
        '{"deleted_document_count":0,"indexed_document_count":0,"indexed_document_volume":0,' +
        '"metadata":{"__proto__":{"polluted":true},"a":1}}',
    });
    expect(Object.hasOwn({}, 'polluted')).toBe(false);
    expect(JSON.stringify(standIn.syncJob('a'))).toContain(
      '"metadata":{"__proto__":{"polluted":true},"a":1}',
    );
    expect(standIn.syncJob('a')).toMatchObject({ metadata: { a: 1 }, connector: { sync_cursor: { at: 1 } } });
    expect(JSON.stringify(standIn.syncJob('b'))).toBe(before);
  });

  it('puts a job in place of another, and forgets all on reset', async () => {
    const { standIn, send } = await setup();
    standIn.putSyncJob({ id: 'a', status: 'in_progress' });
    standIn.putSyncJob({
      id: 'a',
      status: 'completed',
      error: 'old',
      completed_at: '2026-01-01T00:00:00.000Z',
    });
    expect(standIn.syncJob('a')).toMatchObject({
      status: 'completed',
      error: 'old',
      completed_at: '2026-01-01T00:00:00.000Z',
    });
    expect(() => standIn.putSyncJob({ id: '', status: 'x' })).toThrow('id: expected a non-empty string');
    standIn.reset();
    expect(standIn.syncJob('a')).toBeUndefined();
    expect((await send('GET', '/_connector/_sync_job')).body).toEqual({ count: 0, results: [] });
  });

  it('tells an index that was never written from one that is empty', async () => {
    const { standIn, fail, send } = await setup();
    expect((await fail('a')).text).toContain('"reason":"connector sync job [a] not found"');
    standIn.putSyncJob({ id: 'b', status: 'pending' });
    await send('DELETE', '/_connector/_sync_job/b');
    expect((await fail('a')).text).toContain('"reason":"a"');
    expect((await send('POST', '/_connector/_sync_job', { body: { id: 'c' } })).text).toContain(
      'no such index [.elastic-connectors-v1]',
    );
  });

  it('meets a stored status that is none with the refusal of it', async () => {
    const { fail } = await setup({ syncJobs: [{ id: 'a', status: 'odd' }] });
    expect((await fail('a')).text).toContain('Unknown ConnectorSyncStatus [odd].');
  });

  it('counts at most ten thousand hits and pages no deeper', async () => {
    const syncJobs = Array.from({ length: 10_050 }, (_, at) => ({ id: `j${at}`, status: 'pending' }));
    const { send } = await setup({ syncJobs });
    expect((await send('GET', '/_connector/_sync_job?size=1')).body).toMatchObject({ count: 10_000 });
    const deep = await send('GET', '/_connector/_sync_job?from=9990&size=100');
    expect(deep.status).toBe(400);
    expect(deep.text).toContain(
      'Result window is too large, from + size must be less than or equal to: [10000] but was [10090].',
    );
  });
});
