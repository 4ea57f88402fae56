/** What Elasticsearch's HTTP layer does before any endpoint. */
import { any, type ConformanceCase, exception, has, matches, runningJob } from '../case.ts';

const path = '/_connector/_sync_job/{job}/_error';
const unknownJob = '/_connector/_sync_job/x/_error';

export const httpLayerCases: readonly ConformanceCase[] = [
  {
    name: 'a wrong method is told, with those allowed',
    request: { method: 'POST', path: `${unknownJob}?a=b`, body: { error: 'x' } },
    answer: {
      status: 405,
      headers: { allow: 'PUT', 'x-elastic-product': 'Elasticsearch' },
      body: {
        error: `Incorrect HTTP method for uri [${unknownJob}?a=b] and method [POST], allowed: [PUT]`,
        status: 405,
      },
    },
  },
  {
    name: 'OPTIONS tells the methods allowed',
    request: { method: 'OPTIONS', path: unknownJob },
    answer: { status: 200, headers: { allow: 'PUT' }, body: '' },
  },
  {
    name: 'an unknown path has no handler',
    request: { method: 'PUT', path: '/_connector/a/b/c/d?e=f' },
    answer: {
      status: 400,
      headers: { 'x-elastic-product': 'Elasticsearch' },
      body: { error: 'no handler found for uri [/_connector/a/b/c/d?e=f] and method [PUT]' },
    },
  },
  {
    name: 'deleting the list of sync jobs deletes a connector of that name',
    request: { method: 'DELETE', path: '/_connector/_sync_job' },
    answer: {
      status: 404,
      body: exception(404, 'resource_not_found_exception', 'connector [_sync_job] not found'),
    },
  },
  {
    name: 'a body of an unsupported type is refused',
    request: {
      method: 'PUT',
      path: unknownJob,
      body: '{"error":"x"}',
      headers: { 'content-type': 'text/plain' },
    },
    answer: {
      status: 406,
      headers: { 'x-elastic-product': 'Elasticsearch' },
      body: { error: 'Content-Type header [text/plain] is not supported', status: 406 },
    },
  },
  {
    name: 'a body of an unsupported type is told before a missing field',
    request: {
      method: 'PUT',
      path: unknownJob,
      body: '{}',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    answer: {
      status: 406,
      body: {
        error: 'Content-Type header [application/x-www-form-urlencoded] is not supported',
        status: 406,
      },
    },
  },
  {
    name: 'a client two versions ahead is refused',
    request: {
      method: 'PUT',
      path: unknownJob,
      body: '{"error":"x"}',
      headers: {
        accept: 'application/vnd.elasticsearch+json; compatible-with=99',
        'content-type': 'application/vnd.elasticsearch+json; compatible-with=99',
      },
    },
    answer: {
      status: 400,
      body: {
        status: 400,
        error: has({
          type: 'media_type_header_exception',
          reason: 'Invalid media-type value on headers [Accept, Content-Type]',
          caused_by: {
            type: 'status_exception',
            reason: matches(
              /^Accept version must be either version \d+ or \d+, but found 99\. Accept=application\/vnd\.elasticsearch\+json; compatible-with=99$/,
            ),
          },
        }),
      },
    },
  },
  {
    name: 'the versions of body and answer must agree',
    request: {
      method: 'PUT',
      path: unknownJob,
      body: '{"error":"x"}',
      headers: {
        accept: 'application/json',
        'content-type': 'application/vnd.elasticsearch+json; compatible-with=8',
      },
    },
    answer: { status: 400, body: has({ error: has({ type: 'media_type_header_exception' }) }) },
  },
  {
    name: 'the opaque id comes back',
    request: { method: 'GET', path: '/_connector/_sync_job/x', headers: { 'x-opaque-id': 'me-{unique}' } },
    answer: { status: 404, headers: { 'x-opaque-id': 'me-{unique}' } },
  },
  {
    name: 'the type of the answer follows Accept',
    scene: runningJob,
    request: {
      method: 'GET',
      path: '/_connector/_sync_job/{job}',
      headers: { accept: 'application/vnd.elasticsearch+json; compatible-with=8' },
    },
    answer: {
      status: 200,
      headers: { 'content-type': 'application/vnd.elasticsearch+json;compatible-with=8' },
    },
  },
  {
    name: 'filter_path keeps what it names',
    scene: runningJob,
    request: {
      method: 'GET',
      path: '/_connector/_sync_job/{job}?filter_path=id,connector.filtering.rules.*d,-connector.filtering.rules.id',
    },
    answer: { status: 200, body: { id: '{job}', connector: { filtering: { rules: [{ field: '_' }] } } } },
  },
  {
    name: 'filter_path leaves errors whole',
    request: { method: 'GET', path: '/_connector/_sync_job/x?filter_path=none' },
    answer: { status: 404, body: has({ error: any, status: 404 }) },
  },
  {
    name: 'pretty is accepted',
    scene: runningJob,
    request: { method: 'PUT', path: `${path}?pretty`, body: { error: 'x' } },
    answer: { status: 200, body: { result: 'updated' } },
  },
  {
    name: 'a misspelt parameter is recognized',
    request: { method: 'GET', path: '/_connector/_sync_job?statuss=pending' },
    answer: {
      status: 400,
      body: exception(
        400,
        'illegal_argument_exception',
        'request [/_connector/_sync_job] contains unrecognized parameter: [statuss] -> did you mean [status]?',
      ),
    },
  },
  {
    name: 'a request line has a limit',
    request: { method: 'GET', path: `/_connector/_sync_job/${'x'.repeat(4200)}` },
    answer: { status: 400, body: has({ status: 400, error: has({ type: 'too_long_http_line_exception' }) }) },
  },
  {
    name: 'the cluster describes itself',
    privilege: 'monitor',
    request: { method: 'GET', path: '/' },
    answer: {
      status: 200,
      headers: { 'x-elastic-product': 'Elasticsearch' },
      body: has({
        name: any,
        cluster_name: any,
        cluster_uuid: any,
        version: has({ number: matches(/^\d+\.\d+\.\d+/), build_flavor: 'default', lucene_version: any }),
        tagline: 'You Know, for Search',
      }),
    },
  },
  {
    name: 'the cluster tells its health',
    privilege: 'monitor',
    request: { method: 'GET', path: '/_cluster/health' },
    answer: {
      status: 200,
      body: has({ status: matches(/^(green|yellow)$/), timed_out: false, number_of_nodes: any }),
    },
  },
];
