/** Connectors: their life and the endpoints that set a scene. */
import {
  any,
  type ConformanceCase,
  connector,
  exception,
  has,
  matches,
  pendingJob,
  type SceneStep,
} from '../case.ts';

const one = '/_connector/c-{unique}';
const missing = '/_connector/no-{unique}';
const updated = { status: 200, body: { result: 'updated' } };
const instant = matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/);
const notFound: ConformanceCase['answer'] = {
  status: 404,
  body: exception(404, 'resource_not_found_exception', 'connector [no-{unique}] not found'),
};
const gone: ConformanceCase['answer'] = {
  status: 404,
  body: exception(404, 'resource_not_found_exception', 'connector [c-{unique}] not found'),
};
const invalid = (reason: unknown): ConformanceCase['answer'] => ({
  status: 400,
  body: exception(400, 'action_request_validation_exception', reason),
});
const refused = (reason: string): ConformanceCase['answer'] => ({
  status: 400,
  body: exception(400, 'status_exception', reason),
});
const put = (path: string, body: unknown): SceneStep => ({ method: 'PUT', path, body });
const read = (
  scene: readonly SceneStep[],
  members: Readonly<Record<string, unknown>>,
  name: string,
): ConformanceCase => ({
  name,
  scene: [connector, ...scene],
  request: { method: 'GET', path: one },
  answer: { status: 200, body: has(members) },
});

const rule = {
  created_at: '2023-05-25T12:30:00.000Z',
  field: '_',
  id: 'RULE',
  order: 0,
  policy: 'include',
  rule: 'regex',
  updated_at: '2023-05-25T12:30:00.000Z',
  value: '.*',
};
const rules = {
  advanced_snippet: {
    created_at: '2023-05-25T12:30:00.000Z',
    updated_at: '2023-05-25T12:30:00.000Z',
    value: {},
  },
  rules: [rule],
  validation: { errors: [], state: 'valid' },
};
const field = { default_value: null, label: 'Host', required: true, sensitive: false, value: 'here' };
const schedules = (interval: string): unknown => ({ scheduling: { full: { enabled: true, interval } } });
const pipeline = {
  extract_binary_content: true,
  name: 'p',
  reduce_whitespace: true,
  run_ml_inference: false,
};
const draftRules = (order: number): SceneStep =>
  put(`${one}/_filtering`, { rules: [{ ...rule, id: 'A', order }] });

/** Every endpoint that updates a property, with a body it accepts. */
const updates: readonly (readonly [endpoint: string, body: unknown])[] = [
  ['_name', { name: 'n' }],
  ['_index_name', { index_name: 'search-other-{unique}' }],
  ['_service_type', { service_type: 's3' }],
  ['_scheduling', schedules('0 0 0 * * ?')],
  ['_status', { status: 'needs_configuration' }],
  ['_error', { error: 'x' }],
  ['_pipeline', { pipeline }],
  ['_filtering', { rules: [rule] }],
  ['_filtering/_validation', { validation: { errors: [{ ids: ['a'], messages: ['b'] }], state: 'invalid' } }],
  ['_features', { features: { document_level_security: { enabled: true } } }],
  ['_configuration', { configuration: { host: field } }],
  ['_last_sync', { last_sync_error: 'x' }],
  ['_native', { is_native: false }],
  ['_api_key_id', { api_key_id: 'x' }],
];

export const connectorCases: readonly ConformanceCase[] = [
  {
    name: 'a connector is created',
    request: put(one, connector.body),
    answer: { status: 201, body: { id: 'c-{unique}', result: 'created' } },
  },
  {
    name: 'a connector is set back',
    scene: [connector],
    request: put(one, connector.body),
    answer: { status: 200, body: { id: 'c-{unique}', result: 'updated' } },
  },
  {
    name: 'a connector needs no body',
    request: { method: 'PUT', path: one },
    answer: { status: 201, body: { id: 'c-{unique}', result: 'created' } },
  },
  {
    name: 'a connector gets an id',
    request: { method: 'POST', path: '/_connector', body: {} },
    answer: { status: 201, body: { id: any, result: 'created' } },
  },
  {
    name: 'a new connector has its defaults',
    scene: [{ method: 'PUT', path: one }],
    request: { method: 'GET', path: one },
    answer: {
      status: 200,
      body: has({
        id: 'c-{unique}',
        configuration: {},
        custom_scheduling: {},
        filtering: [has({ domain: 'DEFAULT', active: any, draft: any })],
        is_native: false,
        last_sync_error: null,
        last_sync_status: null,
        last_synced: null,
        name: '',
        scheduling: {
          access_control: { enabled: false, interval: '0 0 0 * * ?' },
          full: { enabled: false, interval: '0 0 0 * * ?' },
          incremental: { enabled: false, interval: '0 0 0 * * ?' },
        },
        status: 'created',
        sync_now: false,
      }),
    },
  },
  {
    name: 'an unknown field of a connector is refused',
    request: put(one, '{"indexname":"x"}'),
    answer: {
      status: 400,
      body: exception(
        400,
        'x_content_parse_exception',
        '[1:2] [connector_put_request] unknown field [indexname] did you mean [index_name]?',
      ),
    },
  },
  {
    name: 'an index has one connector',
    scene: [connector],
    request: put('/_connector/d-{unique}', { index_name: 'search-{unique}' }),
    answer: refused('Index name [search-{unique}] is used by another connector.'),
  },
  {
    name: 'an index name must be possible',
    request: put(one, { index_name: '_x' }),
    answer: invalid(matches(/Invalid index name \[_x\], must not start with '_', '-', or '\+';$/)),
  },
  {
    name: 'an id has at most 512 bytes',
    request: put(`/_connector/${'ü'.repeat(257)}`, {}),
    answer: invalid(
      matches(
        /^Validation Failed: 1: id \[ü{257}\] is too long, must be no longer than 512 bytes but was: 514;$/,
      ),
    ),
  },
  {
    name: 'an unknown connector cannot be read',
    scene: [connector],
    request: { method: 'GET', path: missing },
    answer: notFound,
  },
  {
    name: 'an unknown connector cannot be deleted',
    scene: [connector],
    request: { method: 'DELETE', path: missing },
    answer: notFound,
  },
  {
    name: 'a connector is deleted',
    scene: [connector],
    request: { method: 'DELETE', path: one },
    answer: { status: 200, body: { acknowledged: true } },
  },
  {
    name: 'a deleted connector is gone',
    scene: [connector, { method: 'DELETE', path: one }],
    request: { method: 'GET', path: one },
    answer: gone,
  },
  {
    name: 'a deleted connector cannot be deleted',
    scene: [connector, { method: 'DELETE', path: one }],
    request: { method: 'DELETE', path: one },
    answer: gone,
  },
  {
    name: 'a deleted connector is still there to those who ask for it',
    scene: [connector, { method: 'DELETE', path: one }],
    request: { method: 'GET', path: `${one}?include_deleted=true` },
    answer: { status: 200, body: has({ deleted: true }) },
  },
  {
    name: 'a connector can be deleted for good',
    scene: [connector, { method: 'DELETE', path: `${one}?hard=true` }],
    request: { method: 'GET', path: `${one}?include_deleted=true` },
    answer: gone,
  },
  {
    name: 'a deleted connector keeps its sync jobs',
    scene: [...pendingJob, { method: 'DELETE', path: one }],
    request: { method: 'GET', path: '/_connector/_sync_job?connector_id=c-{unique}' },
    answer: { status: 200, body: has({ count: 1 }) },
  },
  {
    name: 'a connector can be deleted with its sync jobs',
    scene: [...pendingJob, { method: 'DELETE', path: `${one}?delete_sync_jobs=true` }],
    request: { method: 'GET', path: '/_connector/_sync_job?connector_id=c-{unique}' },
    answer: { status: 200, body: { count: 0, results: [] } },
  },
  {
    name: 'connectors are listed by index name',
    scene: [
      put('/_connector/b-{unique}', { index_name: 'b-{unique}', service_type: 't-{unique}' }),
      put('/_connector/a-{unique}', { index_name: 'a-{unique}', service_type: 't-{unique}' }),
    ],
    request: { method: 'GET', path: '/_connector?service_type=t-{unique}' },
    answer: {
      status: 200,
      body: { count: 2, results: [has({ id: 'a-{unique}' }), has({ id: 'b-{unique}' })] },
    },
  },
  {
    name: 'connectors are found by a part of their name',
    scene: [put(one, { name: 'name-{unique}' })],
    request: { method: 'GET', path: '/_connector?query=me-{unique}' },
    answer: { status: 200, body: has({ count: 1 }) },
  },
  {
    name: 'connectors cannot be listed by an impossible index name',
    request: { method: 'GET', path: '/_connector?index_name=_x' },
    answer: { status: 400, body: has({ status: 400 }) },
  },
  ...updates.map(
    ([endpoint, body]): ConformanceCase => ({
      name: `${endpoint} is updated`,
      scene: [connector],
      request: put(`${one}/${endpoint}`, body),
      answer: endpoint === '_native' ? { status: 200, body: { result: 'noop' } } : updated,
    }),
  ),
  ...updates.map(
    ([endpoint, body]): ConformanceCase => ({
      name: `${endpoint} of an unknown connector is not found`,
      scene: [connector],
      request: put(`${missing}/${endpoint}`, body),
      answer: notFound,
    }),
  ),
  ...updates.map(
    ([endpoint, body]): ConformanceCase => ({
      name: `${endpoint} wants a connector id`,
      request: put(`/_connector//${endpoint}`, body),
      answer: {
        status: 400,
        body: has({ status: 400, error: has({ type: 'action_request_validation_exception' }) }),
      },
    }),
  ),
  {
    name: 'an update that changes nothing says so',
    scene: [connector],
    request: put(`${one}/_index_name`, { index_name: 'search-{unique}' }),
    answer: { status: 200, body: { result: 'noop' } },
  },
  {
    name: 'a name or a description is needed',
    scene: [connector],
    request: put(`${one}/_name`, {}),
    answer: invalid(
      'Validation Failed: 1: [name] and [description] cannot both be [null]. Please provide a value for at least one of them.;',
    ),
  },
  read([put(`${one}/_index_name`, { index_name: null })], { index_name: null }, 'an index can be detached'),
  {
    name: 'an index of another connector cannot be attached',
    scene: [connector, put('/_connector/d-{unique}', { index_name: 'search-d-{unique}' })],
    request: put(`${one}/_index_name`, { index_name: 'search-d-{unique}' }),
    answer: refused('Index name [search-d-{unique}] is used by another connector.'),
  },
  read(
    [put(`${one}/_service_type`, { service_type: 's3' })],
    { service_type: 's3', status: 'created' },
    'a service type leaves a new connector new',
  ),
  read(
    [
      put(`${one}/_configuration`, { configuration: {} }),
      put(`${one}/_service_type`, { service_type: 's3' }),
    ],
    { status: 'needs_configuration' },
    'a new service type must be configured',
  ),
  {
    name: 'an unknown status is refused',
    scene: [connector],
    request: put(`${one}/_status`, '{"status":"some"}'),
    answer: { status: 400, body: has({ status: 400, error: has({ type: 'x_content_parse_exception' }) }) },
  },
  {
    name: 'a status cannot be skipped',
    scene: [connector],
    request: put(`${one}/_status`, { status: 'connected' }),
    answer: {
      status: 400,
      body: has({
        error: has({
          type: 'status_exception',
          reason:
            'Invalid transition attempt from [created] to [connected]. Such a status transition is not supported by the Connector Protocol.',
        }),
      }),
    },
  },
  read([put(`${one}/_error`, { error: 'x' })], { error: 'x', status: 'error' }, 'an error sets the status'),
  read(
    [put(`${one}/_error`, { error: 'x' }), put(`${one}/_error`, { error: null })],
    { error: null, status: 'connected' },
    'an error can be cleared',
  ),
  read(
    [put(`${one}/_scheduling`, schedules('1 0 0 * * ?'))],
    {
      scheduling: has({
        full: { enabled: true, interval: '1 0 0 * * ?' },
        incremental: { enabled: false, interval: '0 0 0 * * ?' },
      }),
    },
    'one schedule leaves the others',
  ),
  {
    name: 'a schedule must be possible',
    scene: [connector],
    request: put(`${one}/_scheduling`, schedules('61 0 0 * * ?')),
    answer: { status: 400, body: has({ status: 400 }) },
  },
  {
    name: 'a schedule for access control alone is not enough',
    scene: [connector],
    request: put(`${one}/_scheduling`, {
      scheduling: { access_control: { enabled: true, interval: '0 0 0 * * ?' } },
    }),
    answer: invalid(
      'Validation Failed: 1: [scheduling] object needs to define at least one schedule type: ' +
        '[full | incremental | access_control];',
    ),
  },
  {
    name: 'a schedule is needed',
    scene: [connector],
    request: put(`${one}/_scheduling`, { scheduling: {} }),
    answer: {
      status: 400,
      body: has({ status: 400, error: has({ type: 'action_request_validation_exception' }) }),
    },
  },
  {
    name: 'a pipeline is whole',
    scene: [connector],
    request: put(`${one}/_pipeline`, '{"pipeline":{"name":"x"}}'),
    answer: { status: 400, body: has({ status: 400 }) },
  },
  read(
    [
      put(`${one}/_features`, { features: { sync_rules: { basic: { enabled: true } } } }),
      put(`${one}/_features`, { features: { sync_rules: { advanced: { enabled: false } } } }),
    ],
    { features: { sync_rules: { basic: { enabled: true }, advanced: { enabled: false } } } },
    'features add up',
  ),
  read(
    [put(`${one}/_filtering`, { filtering: [{ active: rules, draft: rules }] })],
    { filtering: [{ active: rules, domain: 'DEFAULT', draft: rules }] },
    'a whole filtering is kept as sent',
  ),
  read(
    [draftRules(3)],
    {
      filtering: [
        has({
          draft: has({
            rules: [has({ id: 'A', order: 3 }), has({ id: 'DEFAULT', order: 4 })],
            validation: { errors: [], state: 'edited' },
          }),
        }),
      ],
    },
    'draft rules end with the one that includes all',
  ),
  {
    name: 'a draft must be valid to become active',
    scene: [connector, draftRules(0)],
    request: { method: 'PUT', path: `${one}/_filtering/_activate` },
    answer: refused(
      'Filtering draft needs to be validated by the connector service before activation. Current filtering draft validation state [edited] is not equal to [valid].',
    ),
  },
  read(
    [
      draftRules(0),
      put(`${one}/_filtering/_validation`, { validation: { errors: [], state: 'valid' } }),
      { method: 'PUT', path: `${one}/_filtering/_activate` },
    ],
    { filtering: [has({ active: has({ rules: [has({ id: 'A' }), has({ id: 'DEFAULT' })] }) })] },
    'a valid draft becomes active',
  ),
  {
    name: 'filtering is whole or in parts',
    scene: [connector],
    request: put(`${one}/_filtering`, { filtering: [{ active: rules, draft: rules }], rules: [rule] }),
    answer: invalid(
      'Validation Failed: 1: If [filtering] is specified, [rules] and [advanced_snippet] should not be present in the request body.;',
    ),
  },
  {
    name: 'filtering needs something',
    scene: [connector],
    request: put(`${one}/_filtering`, {}),
    answer: invalid('Validation Failed: 1: [advanced_snippet] and [rules] cannot be both [null].;'),
  },
  {
    name: 'an instant must be one',
    scene: [connector],
    request: put(`${one}/_last_sync`, { last_synced: 'yesterday' }),
    answer: { status: 400, body: has({ status: 400, error: has({ type: 'x_content_parse_exception' }) }) },
  },
  {
    name: 'a sync status must be one',
    scene: [connector],
    request: put(`${one}/_last_sync`, { last_sync_status: 'some' }),
    answer: { status: 400, body: has({ status: 400 }) },
  },
  read(
    [
      put(`${one}/_last_sync`, {
        last_sync_error: 'x',
        last_indexed_document_count: 4,
        last_sync_scheduled_at: '2023-05-25T12:30:00.000Z',
        sync_cursor: { at: 1 },
      }),
    ],
    {
      last_sync_error: 'x',
      last_indexed_document_count: 4,
      last_sync_scheduled_at: '2023-05-25T12:30:00.000Z',
      sync_cursor: { at: 1 },
    },
    'a last sync is kept',
  ),
  read([{ method: 'PUT', path: `${one}/_check_in` }], { last_seen: instant }, 'a connector checks in'),
  read(
    [put(`${one}/_api_key_id`, { api_key_id: 'a', api_key_secret_id: 'b' })],
    { api_key_id: 'a', api_key_secret_id: 'b' },
    'a key and its secret are kept',
  ),
  read(
    [
      put(`${one}/_configuration`, { configuration: { host: field, port: { ...field, label: 'Port' } } }),
      put(`${one}/_configuration`, { values: { host: 'there' } }),
    ],
    {
      status: 'configured',
      configuration: { host: { ...field, value: 'there' }, port: has({ label: 'Port', value: 'here' }) },
    },
    'values are set one by one',
  ),
  read(
    [
      put(`${one}/_configuration`, { configuration: { host: field } }),
      put(`${one}/_configuration`, { configuration: {} }),
    ],
    { configuration: {} },
    'a configuration is replaced whole',
  ),
  {
    name: 'values need their fields',
    scene: [connector],
    request: put(`${one}/_configuration`, { values: { host: 'x' } }),
    answer: refused(
      'Unknown [configuration] fields in the request payload: [host]. Remove them from request or register their schema first.',
    ),
  },
  {
    name: 'a configuration or values are needed',
    scene: [connector],
    request: put(`${one}/_configuration`, {}),
    answer: invalid('Validation Failed: 1: [configuration] and [values] cannot both be null.;'),
  },
  {
    name: 'a configuration and values are too much',
    scene: [connector],
    request: put(`${one}/_configuration`, { configuration: {}, values: {} }),
    answer: invalid(
      'Validation Failed: 1: [configuration] and [values] cannot both be provided in the same request.;',
    ),
  },
  {
    name: 'a configuration field has a label',
    scene: [connector],
    request: put(`${one}/_configuration`, { configuration: { host: { value: 1 } } }),
    answer: { status: 400, body: has({ status: 400 }) },
  },
  {
    name: 'a configuration field has a known display',
    scene: [connector],
    request: put(`${one}/_configuration`, { configuration: { host: { ...field, display: 'hologram' } } }),
    answer: { status: 400, body: has({ status: 400 }) },
  },
];
