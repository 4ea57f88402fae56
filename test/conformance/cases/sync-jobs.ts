/** The other endpoints of sync jobs. */
import {
  any,
  type ConformanceCase,
  canceledJob,
  cancelingJob,
  connector,
  exception,
  failedJob,
  has,
  matches,
  pendingJob,
  runningJob,
} from '../case.ts';

const job = '/_connector/_sync_job/{job}';
const updated = { status: 200, body: { result: 'updated' } };
const instant = matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/);
const illegal = (reason: string): ConformanceCase['answer'] => ({
  status: 400,
  body: exception(400, 'illegal_argument_exception', reason),
});
const invalid = (reason: string): ConformanceCase['answer'] => ({
  status: 400,
  body: exception(400, 'action_request_validation_exception', `Validation Failed: ${reason}`),
});
const notFound = (reason: string): ConformanceCase['answer'] => ({
  status: 404,
  body: exception(404, 'resource_not_found_exception', reason),
});
const transition = (from: string): ConformanceCase['answer'] => {
  const reason =
    `Invalid transition attempt from [${from}] to [canceling]. ` +
    'Such a ConnectorSyncStatus transition is not supported by the Connector Protocol.';
  return {
    status: 400,
    body: exception(400, 'status_exception', reason, {
      type: 'connector_sync_job_invalid_status_transition_exception',
      reason,
    }),
  };
};
const post = (body: unknown): ConformanceCase['request'] => ({
  method: 'POST',
  path: '/_connector/_sync_job',
  body,
});
const stats = { deleted_document_count: 1, indexed_document_count: 2, indexed_document_volume: 3 };
const failedBuild = (field: string, position: string, reason: string): ConformanceCase['answer'] => {
  const built = {
    type: 'x_content_parse_exception',
    reason: 'Failed to build [connector_sync_job_post_request] after last required field arrived',
  };
  return {
    status: 400,
    body: {
      error: {
        root_cause: [built],
        type: 'x_content_parse_exception',
        reason: matches(
          new RegExp(
            `^\\[${position}\\] \\[connector_sync_job_post_request\\] failed to parse field \\[${field}\\]$`,
          ),
        ),
        caused_by: { ...built, caused_by: { type: 'illegal_argument_exception', reason } },
      },
      status: 400,
    },
  };
};

export const syncJobCases: readonly ConformanceCase[] = [
  {
    name: 'a sync job is created',
    scene: [connector],
    request: post({ id: 'c-{unique}', job_type: 'FULL', trigger_method: 'scheduled' }),
    answer: { status: 201, body: { id: any }, headers: { location: null } },
  },
  {
    name: 'a new sync job holds a copy of its connector',
    scene: pendingJob,
    request: { method: 'GET', path: job },
    answer: {
      status: 200,
      body: {
        id: '{job}',
        connector: {
          id: 'c-{unique}',
          filtering: {
            advanced_snippet: { created_at: instant, updated_at: instant, value: {} },
            rules: [
              {
                created_at: instant,
                field: '_',
                id: 'DEFAULT',
                order: 0,
                policy: 'include',
                rule: 'regex',
                updated_at: instant,
                value: '.*',
              },
            ],
            validation: { errors: [], state: 'valid' },
          },
          index_name: 'search-{unique}',
          service_type: 'mysql',
          configuration: {},
        },
        created_at: instant,
        deleted_document_count: 0,
        indexed_document_count: 0,
        indexed_document_volume: 0,
        job_type: 'full',
        last_seen: instant,
        metadata: {},
        status: 'pending',
        total_document_count: 0,
        trigger_method: 'on_demand',
      },
    },
  },
  {
    name: 'an access control job syncs into an index of its own',
    scene: [connector, { ...post({ id: 'c-{unique}', job_type: 'access_control' }), save: { job: 'id' } }],
    request: { method: 'GET', path: job },
    answer: {
      status: 200,
      body: has({
        job_type: 'access_control',
        connector: has({ index_name: '.search-acl-filter-search-{unique}' }),
      }),
    },
  },
  {
    name: 'a job needs a connector',
    scene: [connector],
    request: post('{}'),
    answer: illegal('Required [id]'),
  },
  {
    name: 'an empty connector id is invalid',
    scene: [connector],
    request: post({ id: '' }),
    answer: invalid('1: [id] of the connector cannot be null or empty;'),
  },
  {
    name: 'the connector must exist',
    scene: [connector],
    request: post({ id: 'no-{unique}' }),
    answer: notFound("Connector with id 'no-{unique}' does not exist."),
  },
  {
    name: 'an unknown job type is blamed on the last field when all have come',
    scene: [connector],
    request: post('{"id":"x","job_type":"some","trigger_method":"scheduled"}'),
    answer: failedBuild('trigger_method', '1:\\d+', 'Unknown ConnectorSyncJobType [some].'),
  },
  {
    name: 'an unknown trigger method without a job type fails to build',
    scene: [connector],
    request: post('{"id":"x","trigger_method":"full"}'),
    answer: {
      status: 400,
      body: exception(
        400,
        'x_content_parse_exception',
        'Failed to build [connector_sync_job_post_request] after last required field arrived',
        { type: 'illegal_argument_exception', reason: 'Unknown ConnectorSyncJobTriggerMethod [full].' },
      ),
    },
  },
  {
    name: 'a connector without an index cannot be synced',
    scene: [{ ...connector, body: { service_type: 'mysql' } }],
    request: post({ id: 'c-{unique}' }),
    answer: {
      status: 400,
      body: exception(
        400,
        'status_exception',
        'Cannot start a sync for connector [c-{unique}] with no index attached. ' +
          'Set the [index_name] property for the connector to enable syncing data.',
      ),
    },
  },
  {
    name: 'a connector without a service type cannot be synced',
    scene: [{ ...connector, body: { index_name: 'search-{unique}' } }],
    request: post({ id: 'c-{unique}' }),
    answer: {
      status: 400,
      body: exception(
        400,
        'status_exception',
        'Cannot start a sync for connector [c-{unique}] with [service_type] not defined. ' +
          'Set the service type of your connector before starting the sync.',
      ),
    },
  },
  {
    name: 'an unknown job cannot be read',
    scene: pendingJob,
    request: { method: 'GET', path: '/_connector/_sync_job/no-{unique}' },
    answer: notFound('no-{unique}'),
  },
  {
    name: 'an unknown job cannot be claimed',
    scene: pendingJob,
    request: {
      method: 'PUT',
      path: '/_connector/_sync_job/no-{unique}/_claim',
      body: { worker_hostname: 'h' },
    },
    answer: notFound('no-{unique}'),
  },
  {
    name: 'an unknown job cannot be cancelled',
    scene: pendingJob,
    request: { method: 'PUT', path: '/_connector/_sync_job/no-{unique}/_cancel' },
    answer: notFound('no-{unique}'),
  },
  {
    name: 'an unknown job cannot be deleted',
    scene: pendingJob,
    request: { method: 'DELETE', path: '/_connector/_sync_job/no-{unique}' },
    answer: notFound('no-{unique}'),
  },
  {
    name: 'an unknown job cannot check in',
    scene: pendingJob,
    request: { method: 'PUT', path: '/_connector/_sync_job/no-{unique}/_check_in' },
    answer: notFound('connector sync job [no-{unique}] not found'),
  },
  {
    name: 'an unknown job has no statistics',
    scene: pendingJob,
    request: { method: 'PUT', path: '/_connector/_sync_job/no-{unique}/_stats', body: stats },
    answer: notFound('connector sync job [no-{unique}] not found'),
  },
  {
    name: 'the list is filtered by connector, status and types',
    scene: pendingJob,
    request: {
      method: 'GET',
      path: '/_connector/_sync_job?connector_id=c-{unique}&status=pending&job_type=full,incremental',
    },
    answer: { status: 200, body: { count: 1, results: [has({ id: '{job}' })] } },
  },
  {
    name: 'the list begins with the latest job',
    scene: [...pendingJob, { ...post({ id: 'c-{unique}' }), save: { later: 'id' } }],
    request: { method: 'GET', path: '/_connector/_sync_job?connector_id=c-{unique}' },
    answer: { status: 200, body: { count: 2, results: [has({ id: '{later}' }), has({ id: '{job}' })] } },
  },
  {
    name: 'the count does not depend on the page',
    scene: [...pendingJob, post({ id: 'c-{unique}' })],
    request: { method: 'GET', path: '/_connector/_sync_job?connector_id=c-{unique}&from=1&size=1' },
    answer: { status: 200, body: { count: 2, results: [has({ id: '{job}' })] } },
  },
  {
    name: 'an unknown status cannot be listed',
    request: { method: 'GET', path: '/_connector/_sync_job?status=some' },
    answer: illegal('Unknown ConnectorSyncStatus [some].'),
  },
  {
    name: 'an unknown type cannot be listed',
    request: { method: 'GET', path: '/_connector/_sync_job?job_type=some' },
    answer: illegal('Unknown ConnectorSyncJobType [some].'),
  },
  {
    name: 'a page cannot begin before the first',
    request: { method: 'GET', path: '/_connector/_sync_job?from=-1' },
    answer: illegal('Parameter [from] cannot be < 0'),
  },
  {
    name: 'a page cannot have fewer than no entries',
    request: { method: 'GET', path: '/_connector/_sync_job?size=-1' },
    answer: illegal('Parameter [size] cannot be < 0'),
  },
  {
    name: 'a page begins at a number',
    request: { method: 'GET', path: '/_connector/_sync_job?from=x' },
    answer: {
      status: 400,
      body: {
        error: has({
          type: 'illegal_argument_exception',
          reason: 'Failed to parse int parameter [from] with value [x]',
        }),
        status: 400,
      },
    },
  },
  {
    name: 'a claim starts a job',
    scene: pendingJob,
    request: { method: 'PUT', path: `${job}/_claim`, body: { worker_hostname: 'h', sync_cursor: { at: 1 } } },
    answer: updated,
  },
  {
    name: 'a claimed job says where it runs, since when, and from which cursor',
    scene: [
      ...pendingJob,
      { method: 'PUT', path: `${job}/_claim`, body: { worker_hostname: 'h', sync_cursor: { at: 1 } } },
    ],
    request: { method: 'GET', path: job },
    answer: {
      status: 200,
      body: has({
        status: 'in_progress',
        worker_hostname: 'h',
        started_at: instant,
        connector: has({ sync_cursor: { at: 1 } }),
      }),
    },
  },
  {
    name: 'a failed job can be claimed again',
    scene: failedJob,
    request: { method: 'PUT', path: `${job}/_claim`, body: { worker_hostname: '' } },
    answer: updated,
  },
  {
    name: 'a failed job that is claimed again keeps its text',
    scene: [...failedJob, { method: 'PUT', path: `${job}/_claim`, body: { worker_hostname: 'h' } }],
    request: { method: 'GET', path: job },
    answer: { status: 200, body: has({ status: 'in_progress', error: 'first' }) },
  },
  {
    name: 'a claim needs a host',
    scene: pendingJob,
    request: { method: 'PUT', path: `${job}/_claim`, body: '{}' },
    answer: illegal('Required [worker_hostname]'),
  },
  {
    name: 'null is no host',
    scene: pendingJob,
    request: { method: 'PUT', path: `${job}/_claim`, body: '{"worker_hostname":null}' },
    answer: {
      status: 400,
      body: exception(
        400,
        'x_content_parse_exception',
        "[1:20] [claim_connector_sync_job] worker_hostname doesn't support values of type: VALUE_NULL",
      ),
    },
  },
  {
    name: 'a pending job is cancelled',
    scene: pendingJob,
    request: { method: 'PUT', path: `${job}/_cancel` },
    answer: updated,
  },
  {
    name: 'a pending job is cancelled at once',
    scene: canceledJob,
    request: { method: 'GET', path: job },
    answer: {
      status: 200,
      body: has({
        status: 'canceled',
        canceled_at: instant,
        completed_at: instant,
        cancelation_requested_at: instant,
      }),
    },
  },
  {
    name: 'a running job is cancelled by and by',
    scene: cancelingJob,
    request: { method: 'GET', path: job },
    answer: { status: 200, body: has({ status: 'canceling', cancelation_requested_at: instant }) },
  },
  {
    name: 'a cancelled job cannot be cancelled',
    scene: canceledJob,
    request: { method: 'PUT', path: `${job}/_cancel` },
    answer: transition('canceled'),
  },
  {
    name: 'a job that is being cancelled cannot be cancelled',
    scene: cancelingJob,
    request: { method: 'PUT', path: `${job}/_cancel` },
    answer: transition('canceling'),
  },
  {
    name: 'a failed job cannot be cancelled',
    scene: failedJob,
    request: { method: 'PUT', path: `${job}/_cancel` },
    answer: transition('error'),
  },
  {
    name: 'cancelling takes no body',
    scene: pendingJob,
    request: { method: 'PUT', path: `${job}/_cancel`, body: '{}' },
    answer: illegal('request [PUT /_connector/_sync_job/{job}/_cancel] does not support having a body'),
  },
  {
    name: 'a running job checks in',
    scene: runningJob,
    request: { method: 'PUT', path: `${job}/_check_in` },
    answer: updated,
  },
  {
    name: 'a failed job checks in too',
    scene: failedJob,
    request: { method: 'PUT', path: `${job}/_check_in` },
    answer: updated,
  },
  {
    name: 'statistics are stored',
    scene: runningJob,
    request: { method: 'PUT', path: `${job}/_stats`, body: stats },
    answer: updated,
  },
  {
    name: 'statistics, instants and metadata are kept as sent, metadata merged',
    scene: [
      ...runningJob,
      { method: 'PUT', path: `${job}/_stats`, body: { ...stats, metadata: { a: { b: 1 } } } },
      {
        method: 'PUT',
        path: `${job}/_stats`,
        body: {
          ...stats,
          total_document_count: 9,
          last_seen: '2023-12-04T08:45:50.567149Z',
          metadata: { a: { c: 2 } },
        },
      },
    ],
    request: { method: 'GET', path: job },
    answer: {
      status: 200,
      body: has({
        ...stats,
        total_document_count: 9,
        last_seen: '2023-12-04T08:45:50.567149Z',
        metadata: { a: { b: 1, c: 2 } },
      }),
    },
  },
  {
    name: 'statistics below zero are invalid, each told',
    scene: runningJob,
    request: {
      method: 'PUT',
      path: `${job}/_stats`,
      body: { ...stats, deleted_document_count: -1, total_document_count: -1 },
    },
    answer: invalid(
      '1: [deleted_document_count] cannot be negative.;2: [total_document_count] cannot be negative.;',
    ),
  },
  {
    name: 'missing statistics are told together',
    scene: runningJob,
    request: { method: 'PUT', path: `${job}/_stats`, body: '{"indexed_document_count":1}' },
    answer: illegal('Required [deleted_document_count, indexed_document_volume]'),
  },
  {
    name: 'metadata is an object',
    scene: runningJob,
    request: { method: 'PUT', path: `${job}/_stats`, body: '{"metadata":"x"}' },
    answer: {
      status: 400,
      body: exception(
        400,
        'x_content_parse_exception',
        "[1:13] [connector_sync_job_update_ingestion_stats] metadata doesn't support values of type: VALUE_STRING",
      ),
    },
  },
  {
    name: 'statistics beyond 32 bits do not fit the mapping',
    scene: runningJob,
    request: { method: 'PUT', path: `${job}/_stats`, body: { ...stats, indexed_document_volume: 2 ** 31 } },
    answer: { status: 400, body: has({ status: 400, error: has({ type: 'document_parsing_exception' }) }) },
  },
  {
    name: 'any job can be deleted',
    scene: failedJob,
    request: { method: 'DELETE', path: job },
    answer: { status: 200, body: { acknowledged: true } },
  },
  {
    name: 'a deleted job is gone',
    scene: [...failedJob, { method: 'DELETE', path: job }],
    request: { method: 'GET', path: job },
    answer: notFound('{job}'),
  },
];
