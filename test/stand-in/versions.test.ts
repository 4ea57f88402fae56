import { describe, expect, it } from 'vitest';
import { startStandIn } from '../../src/stand-in/index.ts';
import { setup } from './setup.ts';

describe('versions', () => {
  it('before the state guard let a job fail from any status, and again', async () => {
    const { standIn, fail } = await setup({
      elasticsearchVersion: '8.12.0',
      syncJobs: [{ id: 'a', status: 'pending' }],
    });
    expect((await fail('a', 'first')).body).toEqual({ result: 'updated' });
    expect((await fail('a', 'second')).body).toEqual({ result: 'updated' });
    expect(standIn.syncJob('a')).toMatchObject({ status: 'error', error: 'second' });
  });

  it('8.12 repeats a body it cannot parse', async () => {
    const { send } = await setup({ elasticsearchVersion: '8.12.0' });
    expect((await send('PUT', '/_connector/_sync_job/a/_error', { body: '{"error":' })).text).toContain(
      '"type":"parse_exception","reason":"Failed to parse: {\\"error\\":"',
    );
  });

  it('before claims have no such endpoint', async () => {
    const { send } = await setup({ elasticsearchVersion: '8.14.3' });
    expect(
      (await send('PUT', '/_connector/_sync_job/a/_claim', { body: { worker_hostname: 'h' } })).status,
    ).toBe(400);
  });

  it('before soft deletes delete for good and know no parameter for it', async () => {
    const { send } = await setup({ elasticsearchVersion: '8.17.0' });
    await send('PUT', '/_connector/c');
    expect((await send('DELETE', '/_connector/c?hard=true')).text).toContain(
      'unrecognized parameter: [hard]',
    );
    expect((await send('DELETE', '/_connector/c')).body).toEqual({ acknowledged: true });
    expect((await send('GET', '/_connector/c?include_deleted=true')).status).toBe(400);
    expect((await send('GET', '/_connector/c')).status).toBe(404);
  });

  it('are told by the cluster, x standing for the newest', async () => {
    const { standIn, send } = await setup({ elasticsearchVersion: '8.x' });
    expect(standIn.elasticsearchVersion).toBe('8.19.0');
    expect((await send('GET', '/')).body).toMatchObject({ version: { number: '8.19.0' } });
  });

  it.each(['8.11.0', '7.17.0', 'latest', ''])('refuse %s', async (elasticsearchVersion) => {
    await expect(startStandIn({ elasticsearchVersion })).rejects.toThrow(RangeError);
  });
});
