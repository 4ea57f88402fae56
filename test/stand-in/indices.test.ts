import { describe, expect, it } from 'vitest';
import { failure, setup } from './setup.ts';

const index = '/.elastic-connectors-sync-jobs';

describe('the connector indices', () => {
  it('are written directly, as services do that predate the API', async () => {
    const { standIn, send, fail } = await setup({
      syncJobs: [{ id: 'a', connector_id: 'c', status: 'in_progress' }],
    });
    const written = await send('POST', `${index}/_update/a?refresh=true`, {
      body: { doc: { status: 'completed', connector: { sync_cursor: 1 } } },
    });
    expect(written).toMatchObject({
      status: 200,
      body: { _index: '.elastic-connectors-sync-jobs-v1', _id: 'a', result: 'updated', _version: 2 },
    });
    expect(standIn.syncJob('a')).toMatchObject({
      status: 'completed',
      connector: { id: 'c', sync_cursor: 1 },
    });
    expect((await fail('a')).text).toContain('from [completed] to [error]');
    const conflict = await send('POST', `${index}/_update/a?if_seq_no=0&if_primary_term=1`, {
      body: { doc: { status: 'x' } },
    });
    expect([conflict.status, failure(conflict).reason]).toEqual([
      409,
      '[a]: version conflict, required seqNo [0], primary term [1]. current document has seqNo [1] and primary term [1]',
    ]);
    expect((await send('POST', `${index}/_update/none`, { body: { doc: {} } })).status).toBe(404);
  });

  it('are read, searched and emptied', async () => {
    const { send } = await setup();
    expect((await send('GET', `${index}/_doc/a`)).status).toBe(404);
    expect(
      (await send('PUT', `${index}/_doc/a`, { body: { status: 'pending', connector: { id: 'c' } } })).status,
    ).toBe(201);
    expect((await send('POST', `${index}/_doc`, { body: { status: 'error' } })).status).toBe(201);
    expect((await send('PUT', `${index}/_doc/a?op_type=create`, { body: {} })).status).toBe(409);
    expect((await send('GET', `${index}/_doc/a`)).body).toMatchObject({
      found: true,
      _source: { status: 'pending' },
    });
    expect((await send('HEAD', `${index}/_doc/a`)).status).toBe(200);
    expect((await send('POST', `${index}/_refresh`)).status).toBe(200);
    const search = async (query: unknown): Promise<unknown> =>
      (
        (await send('POST', `${index}/_search`, { body: { query } })).body as {
          hits: { total: { value: number } };
        }
      ).hits.total.value;
    expect(await search({ match_all: {} })).toBe(2);
    expect(await search({ term: { 'connector.id': 'c' } })).toBe(1);
    expect(await search({ terms: { status: ['pending', 'error'] } })).toBe(2);
    expect(await search({ ids: { values: ['a'] } })).toBe(1);
    expect(
      await search({
        bool: { filter: [{ exists: { field: 'connector' } }], must_not: { term: { status: 'pending' } } },
      }),
    ).toBe(0);
    expect((await send('POST', `${index}/_search`, { body: { query: { fuzzy: {} } } })).status).toBe(400);
    expect((await send('DELETE', `${index}/_doc/a`)).body).toMatchObject({ result: 'deleted' });
    expect((await send('DELETE', `${index}/_doc/a`)).status).toBe(404);
  });

  it('are the only ones', async () => {
    const { send } = await setup();
    const reply = await send('GET', '/other/_search');
    expect([reply.status, failure(reply).reason]).toEqual([404, 'no such index [other]']);
  });

  it('hold no keyword that is too long', async () => {
    const { send } = await setup();
    const reply = await send('PUT', `${index}/_doc/a`, { body: { error: 'x'.repeat(40_000) } });
    expect([reply.status, failure(reply).type]).toEqual([400, 'document_parsing_exception']);
  });
});
