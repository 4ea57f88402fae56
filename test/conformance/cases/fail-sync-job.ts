/** PUT `_connector/_sync_job/{id}/_error`. */
import {
  any,
  type ConformanceCase,
  canceledJob,
  cancelingJob,
  exception,
  failedJob,
  has,
  matches,
  pendingJob,
  runningJob,
} from '../case.ts';

const path = '/_connector/_sync_job/{job}/_error';
const put = (body?: unknown): ConformanceCase['request'] => ({
  method: 'PUT',
  path,
  ...(body === undefined ? {} : { body }),
});
const updated = { status: 200, body: { result: 'updated' } };
const parser = '[connector_sync_job_error_request]';
const parseFailure = (reason: string): ConformanceCase['answer'] => ({
  status: 400,
  body: exception(400, 'x_content_parse_exception', reason),
});
const transition = (from: string): ConformanceCase['answer'] => {
  const reason =
    `Invalid transition attempt from [${from}] to [error]. ` +
    'Such a ConnectorSyncStatus transition is not supported by the Connector Protocol.';
  return {
    status: 400,
    body: exception(400, 'status_exception', reason, {
      type: 'connector_sync_job_invalid_status_transition_exception',
      reason,
    }),
  };
};
const malformed = (position: string, message: RegExp): ConformanceCase['answer'] => ({
  status: 400,
  body: {
    error: has({
      type: 'x_content_parse_exception',
      reason: matches(new RegExp(`^\\[${position}\\] ${message.source}`)),
      caused_by: { type: 'json_parse_exception', reason: any },
    }),
    status: 400,
  },
});
const truncated = (position: string): ConformanceCase['answer'] => ({
  status: 400,
  body: {
    error: has({
      type: 'x_content_e_o_f_exception',
      reason: `[${position}] Unexpected end of file`,
      caused_by: { type: 'json_e_o_f_exception', reason: any },
    }),
    status: 400,
  },
});

const longest = 'x'.repeat(32_766);
const wideAtLimit = 'é'.repeat(16_383);
const wideAboveLimit = 'é'.repeat(16_384);

export const failSyncJobCases: readonly ConformanceCase[] = [
  {
    name: 'a running job fails',
    scene: runningJob,
    request: put({ error: 'boom' }),
    answer: {
      ...updated,
      headers: { 'x-elastic-product': 'Elasticsearch', 'content-type': 'application/json' },
    },
  },
  {
    name: 'a job that is being cancelled fails',
    scene: cancelingJob,
    request: put({ error: 'boom' }),
    answer: updated,
  },
  {
    name: 'a pending job cannot fail',
    scene: pendingJob,
    request: put({ error: 'boom' }),
    answer: transition('pending'),
  },
  {
    name: 'a cancelled job cannot fail',
    scene: canceledJob,
    request: put({ error: 'boom' }),
    answer: transition('canceled'),
  },
  {
    name: 'a failed job cannot fail again',
    scene: failedJob,
    request: put({ error: 'first' }),
    answer: transition('error'),
  },
  {
    name: 'failing sets the status and the text',
    scene: [...runningJob, { ...put({ error: '  two\nlines, ünï©ode 🎉 ' }) }],
    request: { method: 'GET', path: '/_connector/_sync_job/{job}' },
    answer: {
      status: 200,
      body: has({
        id: '{job}',
        status: 'error',
        error: '  two\nlines, ünï©ode 🎉 ',
        worker_hostname: 'host',
      }),
    },
  },
  { name: 'white space is a text', scene: runningJob, request: put({ error: '   ' }), answer: updated },
  {
    name: 'a text of 32,766 bytes is stored',
    scene: runningJob,
    request: put({ error: longest }),
    answer: updated,
  },
  {
    name: 'bytes are counted, not characters: at the limit',
    scene: runningJob,
    request: put({ error: wideAtLimit }),
    answer: updated,
  },
  {
    name: 'bytes are counted, not characters: above the limit',
    scene: runningJob,
    request: put({ error: wideAboveLimit }),
    answer: {
      status: 400,
      body: has({
        status: 400,
        error: has({
          type: 'document_parsing_exception',
          reason: matches(
            /^\[1:\d+\] failed to parse field \[error\] of type \[keyword\] in document with id '.+'\. Preview of field's value: 'é{16384}'$/,
          ),
          caused_by: {
            type: 'illegal_argument_exception',
            reason:
              'Document contains at least one immense term in field="error" (whose UTF8 encoding is longer than ' +
              'the max length 32766), all of which were skipped. Please correct the analyzer to not produce such ' +
              "terms. The prefix of the first immense term is: '[" +
              `${Array(15).fill('-61, -87').join(', ')}]...'`,
          },
        }),
      }),
    },
  },
  {
    name: 'a text that is too long changes nothing',
    scene: runningJob,
    request: { method: 'GET', path: '/_connector/_sync_job/{job}' },
    answer: { status: 200, body: has({ status: 'in_progress' }) },
  },
  {
    name: 'an unknown job is not found, by its bare id',
    scene: runningJob,
    request: { method: 'PUT', path: '/_connector/_sync_job/no-such-{unique}/_error', body: { error: 'x' } },
    answer: { status: 404, body: exception(404, 'resource_not_found_exception', 'no-such-{unique}') },
  },
  {
    name: 'an id is decoded once, after routing',
    scene: runningJob,
    request: {
      method: 'PUT',
      path: '/_connector/_sync_job/a%2Fb%20%C3%BC%252e/_error',
      body: { error: 'x' },
    },
    answer: { status: 404, body: exception(404, 'resource_not_found_exception', 'a/b ü%2e') },
  },
  {
    name: 'a plus sign in an id stays one',
    scene: runningJob,
    request: { method: 'PUT', path: '/_connector/_sync_job/a+b/_error', body: { error: 'x' } },
    answer: { status: 404, body: exception(404, 'resource_not_found_exception', 'a+b') },
  },
  {
    name: 'a body is required',
    scene: runningJob,
    request: put(),
    answer: { status: 400, body: exception(400, 'parse_exception', 'request body is required') },
  },
  {
    name: 'the error is required',
    scene: runningJob,
    request: put('{}'),
    answer: { status: 400, body: exception(400, 'illegal_argument_exception', 'Required [error]') },
  },
  {
    name: 'an empty error is invalid',
    scene: runningJob,
    request: put('{"error":""}'),
    answer: {
      status: 400,
      body: exception(
        400,
        'action_request_validation_exception',
        'Validation Failed: 1: [error] of the connector sync job cannot be null or empty;',
      ),
    },
  },
  {
    name: 'an empty id and an empty error are both told',
    request: { method: 'PUT', path: '/_connector/_sync_job//_error', body: '{"error":""}' },
    answer: {
      status: 400,
      body: exception(
        400,
        'action_request_validation_exception',
        'Validation Failed: 1: [connector_sync_job_id] of the connector sync job cannot be null or empty.;' +
          '2: [error] of the connector sync job cannot be null or empty;',
      ),
    },
  },
  {
    name: 'null is no error',
    scene: runningJob,
    request: put('{"error":null}'),
    answer: parseFailure(`[1:10] ${parser} error doesn't support values of type: VALUE_NULL`),
  },
  {
    name: 'a number is no error',
    scene: runningJob,
    request: put('{"error":123}'),
    answer: parseFailure(`[1:10] ${parser} error doesn't support values of type: VALUE_NUMBER`),
  },
  {
    name: 'true is no error',
    scene: runningJob,
    request: put('{"error":true}'),
    answer: parseFailure(`[1:10] ${parser} error doesn't support values of type: VALUE_BOOLEAN`),
  },
  {
    name: 'a list is no error',
    scene: runningJob,
    request: put('{"error":[]}'),
    answer: parseFailure(`[1:10] ${parser} error doesn't support values of type: START_ARRAY`),
  },
  {
    name: 'an object is no error',
    scene: runningJob,
    request: put('{"error":{}}'),
    answer: parseFailure(`[1:10] ${parser} error doesn't support values of type: START_OBJECT`),
  },
  {
    name: 'an unknown field is refused where it stands',
    scene: runningJob,
    request: put('{"error":"x","foo":1}'),
    answer: parseFailure(`[1:14] ${parser} unknown field [foo]`),
  },
  {
    name: 'a misspelt field is recognized',
    scene: runningJob,
    request: put('{"errors":"x"}'),
    answer: parseFailure(`[1:2] ${parser} unknown field [errors] did you mean [error]?`),
  },
  {
    name: 'a shortened field is recognized',
    scene: runningJob,
    request: put('{"err":"x"}'),
    answer: parseFailure(`[1:2] ${parser} unknown field [err] did you mean [error]?`),
  },
  {
    name: 'an unknown field before a good one is refused',
    scene: runningJob,
    request: put('{"foo":{"a":[1]},"error":"x"}'),
    answer: parseFailure(`[1:2] ${parser} unknown field [foo]`),
  },
  {
    name: 'a name that JavaScript knows is an unknown field',
    scene: runningJob,
    request: put('{"constructor":"x"}'),
    answer: parseFailure(`[1:2] ${parser} unknown field [constructor]`),
  },
  {
    name: 'lines and columns are counted',
    scene: runningJob,
    request: put('{\n  "error": "x",\r\n  "foo": 1\n}'),
    answer: parseFailure(`[3:3] ${parser} unknown field [foo]`),
  },
  {
    name: 'columns are counted in bytes',
    scene: runningJob,
    request: put('{"error":"üü","foo":1}'),
    answer: parseFailure(`[1:17] ${parser} unknown field [foo]`),
  },
  {
    name: 'a list is no body',
    scene: runningJob,
    request: put('[]'),
    answer: parseFailure(`[1:1] ${parser} Expected START_OBJECT but was: START_ARRAY`),
  },
  {
    name: 'a text is no body',
    scene: runningJob,
    request: put('"x"'),
    answer: parseFailure(`[1:1] ${parser} Expected START_OBJECT but was: VALUE_STRING`),
  },
  {
    name: 'a number is no body',
    scene: runningJob,
    request: put('1'),
    answer: parseFailure(`[1:1] ${parser} Expected START_OBJECT but was: VALUE_NUMBER`),
  },
  {
    name: 'an unquoted field name is malformed',
    scene: runningJob,
    request: put('{error:"x"}'),
    answer: malformed(
      '1:\\d+',
      /Unexpected character \('e' \(code 101\)\): was expecting double-quote to start field name/,
    ),
  },
  {
    name: 'a lone word is malformed',
    scene: runningJob,
    request: put('{"error":x}'),
    answer: malformed('1:\\d+', /Unrecognized token 'x'/),
  },
  {
    name: 'a duplicate field is malformed',
    scene: runningJob,
    request: put('{"error":"x","error":"y"}'),
    answer: malformed('1:\\d+', /Duplicate field 'error'/),
  },
  {
    name: 'a line end inside a text is malformed',
    scene: runningJob,
    request: put('{"error":"a\nb"}'),
    answer: malformed('\\d+:\\d+', /Illegal unquoted character \(\(CTRL-CHAR, code 10\)\)/),
  },
  {
    name: 'a body that ends inside an object is told from a malformed one',
    scene: runningJob,
    request: put('{"error":"x"'),
    answer: truncated('1:13'),
  },
  {
    name: 'a body that ends inside a text is told from a malformed one',
    scene: runningJob,
    request: put('{"error":"x'),
    answer: truncated('1:12'),
  },
  {
    name: 'what follows the object is not looked at',
    scene: runningJob,
    request: put('{"error":"x"} trailing'),
    answer: updated,
  },
  {
    name: 'escapes and white space change nothing',
    scene: runningJob,
    request: put(' { "error" : "\\u0041\\n\\"\\/" } '),
    answer: updated,
  },
  {
    name: 'a broken body is told before a missing job',
    scene: runningJob,
    request: { method: 'PUT', path: '/_connector/_sync_job/no-such-{unique}/_error', body: '{}' },
    answer: { status: 400, body: exception(400, 'illegal_argument_exception', 'Required [error]') },
  },
  {
    name: 'an unknown parameter is refused',
    scene: runningJob,
    request: { method: 'PUT', path: `${path}?refresh=true`, body: { error: 'x' } },
    answer: {
      status: 400,
      body: exception(
        400,
        'illegal_argument_exception',
        'request [/_connector/_sync_job/{job}/_error] contains unrecognized parameter: [refresh]',
      ),
    },
  },
  {
    name: 'a broken body is told before an unknown parameter',
    scene: runningJob,
    request: { method: 'PUT', path: `${path}?refresh=true`, body: '{}' },
    answer: { status: 400, body: exception(400, 'illegal_argument_exception', 'Required [error]') },
  },
  {
    name: 'common parameters are accepted',
    scene: runningJob,
    request: {
      method: 'PUT',
      path: `${path}?human=true&error_trace=false&filter_path=result`,
      body: { error: 'x' },
    },
    answer: updated,
  },
];
