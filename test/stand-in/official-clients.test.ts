import { Client, errors } from '@elastic/elasticsearch';
import { Client as Client8 } from 'elasticsearch-8';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type StandIn, startStandIn } from '../../src/stand-in/index.ts';

/** The methods of both generations that are called here have the same form. */
type Connectors = Client['connector'];

const generations: readonly (readonly [
  string,
  string,
  (node: string) => { connector: Connectors; close(): Promise<void> },
])[] = [
  ['9.5', '9.5.1', (node) => new Client({ node, maxRetries: 0 })],
  [
    '8.19',
    '8.19.2',
    (node) =>
      new Client8({ node, maxRetries: 0 }) as unknown as { connector: Connectors; close(): Promise<void> },
  ],
  [
    '8.19 against a 9.x server',
    '9.5.1',
    (node) =>
      new Client8({ node, maxRetries: 0 }) as unknown as { connector: Connectors; close(): Promise<void> },
  ],
];

describe.each(generations)('the official client %s', (_, elasticsearchVersion, connect) => {
  const start = async (): Promise<{ standIn: StandIn; connectors: Connectors }> => {
    const standIn = await startStandIn({ elasticsearchVersion });
    const client = connect(standIn.url);
    onTestFinished(async () => {
      await client.close();
      await standIn.stop();
    });
    return { standIn, connectors: client.connector };
  };

  it('takes a sync job through its whole life', async () => {
    const { standIn, connectors } = await start();
    await connectors.put({ connector_id: 'c', index_name: 'search-c', service_type: 'mysql' });
    const { id } = await connectors.syncJobPost({ id: 'c', job_type: 'full', trigger_method: 'on_demand' });
    expect((await connectors.syncJobGet({ connector_sync_job_id: id })).status).toBe('pending');
    await connectors.syncJobClaim({
      connector_sync_job_id: id,
      worker_hostname: 'h',
      sync_cursor: { at: 1 },
    });
    await connectors.syncJobCheckIn({ connector_sync_job_id: id });
    await connectors.syncJobUpdateStats({
      connector_sync_job_id: id,
      deleted_document_count: 1,
      indexed_document_count: 2,
      indexed_document_volume: 3,
    });
    expect(await connectors.syncJobError({ connector_sync_job_id: id, error: 'boom' })).toEqual({
      result: 'updated',
    });
    expect(standIn.syncJob(id)).toMatchObject({ status: 'error', error: 'boom', indexed_document_count: 2 });
    expect(
      (await connectors.syncJobList({ connector_id: 'c', status: 'error', job_type: ['full'] })).count,
    ).toBe(1);
    const { id: other } = await connectors.syncJobPost({ id: 'c' });
    expect(await connectors.syncJobCancel({ connector_sync_job_id: other })).toEqual({ result: 'updated' });
    expect(await connectors.syncJobDelete({ connector_sync_job_id: id })).toEqual({ acknowledged: true });
    expect(standIn.syncJob(id)).toBeUndefined();
  });

  it('drives every method for connectors', async () => {
    const { connectors } = await start();
    const { id } = await connectors.post({ name: 'n', index_name: 'content-a', service_type: 'mysql' });
    const connector_id = id;
    const answers = [
      await connectors.updateName({ connector_id, name: 'other' }),
      await connectors.updateIndexName({ connector_id, index_name: 'content-b' }),
      await connectors.updateServiceType({ connector_id, service_type: 's3' }),
      await connectors.updateScheduling({
        connector_id,
        scheduling: { full: { enabled: true, interval: '0 0 1 * * ?' } },
      }),
      await connectors.updatePipeline({
        connector_id,
        pipeline: {
          extract_binary_content: true,
          name: 'p',
          reduce_whitespace: true,
          run_ml_inference: false,
        },
      }),
      await connectors.updateFeatures({ connector_id, features: { incremental_sync: { enabled: true } } }),
      await connectors.updateFiltering({
        connector_id,
        rules: [{ id: 'A', field: 'f', order: 0, policy: 'exclude', rule: 'equals', value: 'x' }],
        advanced_snippet: { value: { a: 1 } },
      }),
      await connectors.updateFilteringValidation({
        connector_id,
        validation: { errors: [], state: 'valid' },
      }),
      await connectors.updateActiveFiltering({ connector_id }),
      await connectors.updateConfiguration({
        connector_id,
        configuration: {
          host: {
            default_value: 'x',
            depends_on: [],
            display: 'textbox',
            label: 'Host',
            options: [],
            required: true,
            sensitive: false,
            type: 'str',
            validations: [{ type: 'regex', constraint: '.*' }],
            value: 'here',
          },
        },
      }),
      await connectors.updateConfiguration({ connector_id, values: { host: 'there' } }),
      await connectors.updateStatus({ connector_id, status: 'connected' }),
      await connectors.updateError({ connector_id, error: 'x' }),
      await connectors.updateNative({ connector_id, is_native: true }),
      await connectors.updateApiKeyId({ connector_id, api_key_id: 'k', api_key_secret_id: 's' }),
      await connectors.lastSync({
        connector_id,
        last_sync_error: 'x',
        last_sync_status: 'error',
        last_synced: '2026-01-01T00:00:00Z',
      }),
      await connectors.checkIn({ connector_id }),
    ];
    expect(answers.map(({ result }) => result)).toEqual(answers.map(() => 'updated'));
    expect(await connectors.get({ connector_id })).toMatchObject({
      id: connector_id,
      index_name: 'content-b',
      is_native: true,
      status: 'error',
      last_synced: '2026-01-01T00:00:00.000Z',
      configuration: { host: { value: 'there', label: 'Host' } },
      scheduling: { full: { enabled: true }, incremental: { enabled: false } },
    });
    expect((await connectors.list({ service_type: 's3' })).count).toBe(1);
    expect(await connectors.delete({ connector_id })).toEqual({ acknowledged: true });
    expect((await connectors.list()).count).toBe(0);
  });

  it('keeps the secrets of connectors', async () => {
    const { connectors } = await start();
    const { id } = await connectors.secretPost({ value: 'a' });
    if (id === undefined) throw new Error('no id');
    expect(await connectors.secretGet({ id })).toEqual({ id, value: 'a' });
    expect(await connectors.secretPut({ id, value: 'b' })).toEqual({ result: 'updated' });
    expect(await connectors.secretDelete({ id })).toEqual({ deleted: true });
  });
});

describe('the official client', () => {
  it('meets every error as the class it expects', async () => {
    const standIn = await startStandIn();
    const client = new Client({ node: standIn.url, maxRetries: 0 });
    onTestFinished(async () => {
      await client.close();
      await standIn.stop();
    });
    const missing = client.connector.syncJobError({ connector_sync_job_id: 'none', error: 'x' });
    await expect(missing).rejects.toBeInstanceOf(errors.ResponseError);
    standIn.faults.add({ kind: 'product-header', value: null });
    await expect(client.info()).rejects.toBeInstanceOf(errors.ProductNotSupportedError);
    standIn.faults.clear();
    standIn.faults.add({ kind: 'reset' });
    await expect(client.info()).rejects.toBeInstanceOf(errors.ConnectionError);
  });

  it('signs in, asks what it may do, and makes itself a key, all of it packed', async () => {
    const standIn = await startStandIn({ security: {} });
    const node = standIn.url;
    const client = new Client({
      node,
      auth: { username: 'elastic', password: 'changeme' },
      compression: true,
    });
    onTestFinished(async () => {
      await client.close();
      await standIn.stop();
    });
    expect(await client.ping()).toBe(true);
    expect((await client.info()).version.number).toBe('9.5.1');
    expect((await client.cluster.health({ wait_for_status: 'yellow', timeout: '5s' })).status).toBe('green');
    expect((await client.security.authenticate()).username).toBe('elastic');
    expect((await client.security.hasPrivileges({ cluster: ['manage_connector'] })).has_all_requested).toBe(
      true,
    );
    const { id, encoded } = await client.security.createApiKey({
      name: 'relay',
      expiration: '1h',
      role_descriptors: { relay: { cluster: ['manage_connector'] } },
    });
    const keyed = new Client({ node, auth: { apiKey: encoded } });
    onTestFinished(() => keyed.close());
    expect((await keyed.connector.put({ connector_id: 'c' })).result).toBe('created');
    await expect(keyed.info()).rejects.toMatchObject({ statusCode: 403 });
    expect((await client.security.getApiKey({ id })).api_keys).toHaveLength(1);
    expect((await client.security.invalidateApiKey({ ids: [id] })).invalidated_api_keys).toEqual([id]);
    await expect(keyed.connector.list()).rejects.toMatchObject({ statusCode: 401 });
  });

  it('of a newer generation is refused by an 8.x server as there', async () => {
    const standIn = await startStandIn({ elasticsearchVersion: '8.19.2' });
    const client = new Client({ node: standIn.url, maxRetries: 0 });
    onTestFinished(async () => {
      await client.close();
      await standIn.stop();
    });
    await expect(
      client.connector.syncJobError({ connector_sync_job_id: 'a', error: 'x' }),
    ).rejects.toMatchObject({
      statusCode: 400,
      body: {
        error: {
          type: 'media_type_header_exception',
          reason: 'Invalid media-type value on headers [Accept, Content-Type]',
          caused_by: {
            type: 'status_exception',
            reason:
              'Accept version must be either version 8 or 7, but found 9. ' +
              'Accept=application/vnd.elasticsearch+json; compatible-with=9',
          },
        },
      },
    });
  });
});
