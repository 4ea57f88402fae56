import { describe, expect, it } from 'vitest';
import { failure, setup } from './setup.ts';

const basic = (name: string, password: string): Readonly<Record<string, string>> => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});
const key = (encoded: string): Readonly<Record<string, string>> => ({ authorization: `ApiKey ${encoded}` });
const encode = (id: string, secret: string): string => Buffer.from(`${id}:${secret}`).toString('base64');

const users = [
  { name: 'elastic', password: 'changeme' },
  { name: 'writer', password: 'w', cluster: ['manage_connector'] },
  { name: 'reader', password: 'r', cluster: ['monitor_connector'] },
  { name: 'nobody', password: 'n', cluster: [] },
];
const path = '/_connector/_sync_job/a/_error';
const syncJobs = [{ id: 'a', status: 'in_progress' }];

describe('security', () => {
  it('asks for credentials, with its challenges in header and body', async () => {
    const { send } = await setup({ security: {} });
    const reply = await send('PUT', path, { body: { error: 'x' } });
    const challenges = ['Basic realm="security", charset="UTF-8"', 'Bearer realm="security"', 'ApiKey'];
    const reason = `missing authentication credentials for REST request [${path}]`;
    const cause = { type: 'security_exception', reason, header: { 'WWW-Authenticate': challenges } };
    expect(reply.body).toEqual({ error: { root_cause: [cause], ...cause }, status: 401 });
    expect(reply.headers.get('www-authenticate')).toBe(challenges.join(', '));
    expect(reply.headers.get('x-elastic-product')).toBe('Elasticsearch');
  });

  it('tells a wrong password from an unknown key', async () => {
    const { send } = await setup({ security: { users } });
    const wrong = await send('GET', '/?human', { headers: basic('writer', 'x') });
    expect([wrong.status, failure(wrong).reason]).toEqual([
      401,
      'unable to authenticate user [writer] for REST request [/?human]',
    ]);
    for (const headers of [key(encode('none', 'x')), { authorization: 'Bearer x' }]) {
      const reply = await send('GET', '/', { headers });
      expect(failure(reply).reason).toBe(
        'unable to authenticate with provided credentials and anonymous access is not allowed for this request',
      );
    }
  });

  it('checks the type of a body first, credentials next, the body then, and privileges last', async () => {
    const { send } = await setup({ security: { users }, syncJobs });
    const ask = async (body: string, headers: Readonly<Record<string, string>>): Promise<number> =>
      (await send('PUT', path, { body, headers })).status;
    expect(await ask('{', { 'content-type': 'text/plain' })).toBe(406);
    expect(await ask('{', {})).toBe(401);
    expect(await ask('{', basic('nobody', 'n'))).toBe(400);
    expect(await ask('{"error":""}', basic('nobody', 'n'))).toBe(400);
    expect(await ask('{"error":"x"}', basic('nobody', 'n'))).toBe(403);
    expect(await ask('{"error":"x"}', basic('writer', 'w'))).toBe(200);
  });

  it('lets those who may read do only that', async () => {
    const { send } = await setup({ security: { users }, syncJobs });
    const headers = basic('reader', 'r');
    for (const readable of ['/_connector', '/_connector/_sync_job', '/_connector/_sync_job/a']) {
      expect((await send('GET', readable, { headers })).status).toBe(200);
    }
    const refused = await send('PUT', path, { body: { error: 'x' }, headers });
    expect(refused.status).toBe(403);
    expect(failure(refused)).toMatchObject({
      type: 'security_exception',
      reason:
        'action [cluster:admin/xpack/connector/sync_job/update_error] is unauthorized for user [reader] with ' +
        'effective roles [reader], this action is granted by the cluster privileges [manage_connector,manage,all]',
    });
  });

  it.each([
    [
      '8.12.2',
      'action [cluster:admin/xpack/connector/sync_job/update_error] is unauthorized for user [nobody] with effective roles [nobody], this action is granted by the cluster privileges [manage,all]',
    ],
    [
      '8.15.0',
      'action [indices:data/write/xpack/connector/sync_job/update_error] is unauthorized for user [nobody] with effective roles [nobody] on indices [.elastic-connectors-sync-jobs-v1], this action is granted by the index privileges [write,all]',
    ],
  ])('of %s asks for other privileges', async (elasticsearchVersion, reason) => {
    const { send } = await setup({ security: { users }, syncJobs, elasticsearchVersion });
    expect(
      failure(await send('PUT', path, { body: { error: 'x' }, headers: basic('nobody', 'n') })).reason,
    ).toBe(reason);
    expect(
      (await send('PUT', path, { body: { error: 'x' }, headers: basic('elastic', 'changeme') })).status,
    ).toBe(200);
  });

  it('makes API keys that can do what they were made for, and takes them back', async () => {
    const { send } = await setup({ security: { users }, syncJobs });
    const headers = basic('elastic', 'changeme');
    const made = await send('POST', '/_security/api_key', {
      headers,
      body: {
        name: 'relay',
        expiration: '1d',
        role_descriptors: { relay: { cluster: ['manage_connector'] } },
      },
    });
    const { id, api_key, encoded, expiration } = made.body as {
      id: string;
      api_key: string;
      encoded: string;
      expiration: number;
    };
    expect(encoded).toBe(encode(id, api_key));
    expect(expiration).toBeGreaterThan(Date.now());
    expect((await send('GET', '/_security/_authenticate', { headers: key(encoded) })).body).toMatchObject({
      username: 'elastic',
      authentication_type: 'api_key',
      api_key: { id, name: 'relay' },
    });
    expect((await send('PUT', path, { body: { error: 'x' }, headers: key(encoded) })).status).toBe(200);
    const refused = await send('GET', '/', { headers: key(encoded) });
    expect(failure(refused).reason).toBe(
      `action [cluster:monitor/main] is unauthorized for API key id [${id}] of user [elastic], ` +
        'this action is granted by the cluster privileges [monitor,manage,all]',
    );
    expect((await send('GET', `/_security/api_key?id=${id}`, { headers })).body).toMatchObject({
      api_keys: [{ id, name: 'relay', invalidated: false, username: 'elastic' }],
    });
    expect((await send('DELETE', '/_security/api_key', { headers, body: { ids: [id] } })).body).toEqual({
      invalidated_api_keys: [id],
      previously_invalidated_api_keys: [],
      error_count: 0,
    });
    expect((await send('GET', '/_security/_authenticate', { headers: key(encoded) })).status).toBe(401);
  });

  it('gives a key no more than its owner has', async () => {
    const { send } = await setup({
      security: { users: [{ name: 'u', password: 'p', cluster: ['manage_api_key', 'monitor_connector'] }] },
    });
    const made = await send('POST', '/_security/api_key', {
      headers: basic('u', 'p'),
      body: { name: 'k', role_descriptors: { r: { cluster: ['manage_connector', 'monitor_connector'] } } },
    });
    const { encoded } = made.body as { encoded: string };
    expect((await send('GET', '/_connector', { headers: key(encoded) })).status).toBe(200);
    expect((await send('POST', '/_connector', { headers: key(encoded), body: {} })).status).toBe(403);
  });

  it('says what somebody may do', async () => {
    const { send } = await setup({ security: { users } });
    const ask = {
      cluster: ['manage_connector', 'monitor_connector', 'monitor'],
      index: [{ names: ['x'], privileges: ['read'] }],
    };
    const reply = await send('POST', '/_security/user/_has_privileges', {
      headers: basic('writer', 'w'),
      body: ask,
    });
    expect(reply.body).toEqual({
      username: 'writer',
      has_all_requested: false,
      cluster: { manage_connector: true, monitor_connector: true, monitor: false },
      index: { x: { read: false } },
      application: {},
    });
    const unknown = await send('POST', '/_security/user/_has_privileges', {
      headers: basic('writer', 'w'),
      body: { cluster: ['fly'] },
    });
    expect(failure(unknown).reason).toContain('unknown cluster privilege [fly]');
  });

  it('has no endpoints while it is off', async () => {
    const { send } = await setup();
    expect((await send('GET', '/_security/_authenticate')).body).toEqual({
      error: 'no handler found for uri [/_security/_authenticate] and method [GET]',
    });
  });

  it('takes keys that exist from the start', async () => {
    const { send } = await setup({
      syncJobs,
      security: { apiKeys: [{ id: 'i', key: 'k', cluster: ['manage_connector'] }] },
    });
    expect((await send('PUT', path, { body: { error: 'x' }, headers: key(encode('i', 'k')) })).status).toBe(
      200,
    );
  });
});
