/** The schemas of requests and answers. `/openapi.json` is made of them. */
import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import { SYNC_JOB_STATUSES } from '../domain/answer.ts';
import { DEAD_LETTER_CODES } from '../domain/codes.ts';
import { type DeadLetterFilter, isStatus } from '../domain/dead-letter-filter.ts';
import { errorReportSchema, type ReportLimits } from '../domain/error-report.ts';
import { PROBLEMS } from './problem.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

function jsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}

const problem: z.ZodType = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(PROBLEMS) as [string, ...string[]]),
  detail: z.string(),
});

const reportProblem = z.object({ field: z.string(), expected: z.string(), got: z.string() });

const enqueueResult = z.union([
  z.object({ status: z.enum(['queued', 'duplicate']), id: z.string() }),
  z.object({ status: z.literal('invalid'), problems: z.array(reportProblem) }),
]);

const whereabouts = z.looseObject({
  id: z.string(),
  status: z.enum(['queued', 'active', 'delayed', 'dead', 'settled_or_unknown']),
  enqueued_at: z.iso.datetime().optional(),
  attempts_made: z.int().optional(),
  last_code: z.string().optional(),
  next_attempt_at: z.iso.datetime().optional(),
  code: z.enum(DEAD_LETTER_CODES).optional(),
  reason: z.string().optional(),
  dead_at: z.iso.datetime().optional(),
  dead_letter: z.string().optional(),
  detail: z.string().optional(),
});

const deadLetter = z.looseObject({ id: z.string(), code: z.enum(DEAD_LETTER_CODES), reason: z.string() });

const deadLetterPage = z.object({
  total: z.int(),
  total_is_at_least: z.literal(true).optional(),
  dead_letters: z.array(deadLetter),
  next: z.string().optional(),
});

const moment = z.iso.datetime({ offset: true, error: 'an ISO 8601 date and time with a zone' });

const wholeNumber = (from: number, to: number): z.ZodType<number, string> => {
  const expected = `a whole number from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, expected)
    .transform(Number)
    .refine((value) => value >= from && value <= to, expected);
};

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;

const filterFields = {
  code: z.enum(DEAD_LETTER_CODES).optional(),
  connector_id: z.string().optional(),
  source: z.string().optional(),
  connector_sync_job_id: z.string().optional(),
  status: z
    .string()
    .refine(isStatus, `an HTTP status, or one of ${SYNC_JOB_STATUSES.join(', ')}`)
    .optional(),
  text: z.string().optional(),
  dead_from: moment.optional(),
  dead_before: moment.optional(),
  again_after_run: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
};

/** Which letters, in the words of HTTP. */
export interface FilterInput {
  readonly code?: (typeof DEAD_LETTER_CODES)[number] | undefined;
  readonly connector_id?: string | undefined;
  readonly source?: string | undefined;
  readonly connector_sync_job_id?: string | undefined;
  readonly status?: string | undefined;
  readonly text?: string | undefined;
  readonly dead_from?: string | undefined;
  readonly dead_before?: string | undefined;
  readonly again_after_run?: string | undefined;
}

/** The filter that is meant. */
export function filterOf(input: FilterInput): DeadLetterFilter {
  const filter: DeadLetterFilter = {
    code: input.code,
    connectorId: input.connector_id,
    source: input.source,
    syncJobId: input.connector_sync_job_id,
    status: input.status,
    text: input.text,
    deadFromMs: input.dead_from === undefined ? undefined : Date.parse(input.dead_from),
    deadBeforeMs: input.dead_before === undefined ? undefined : Date.parse(input.dead_before),
    againAfterRun: input.again_after_run,
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/** The query of `GET /v1/dead-letters`. */
export const deadLetterQuerySchema: z.ZodType<
  FilterInput & {
    readonly limit: number;
    readonly offset?: number | undefined;
    readonly cursor?: string | undefined;
  }
> = z.strictObject({
  ...filterFields,
  limit: wholeNumber(1, MAX_LIMIT).default(DEFAULT_LIMIT),
  offset: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  cursor: z.string().optional(),
});

/** The query of `DELETE /v1/dead-letters`. */
export const purgeQuerySchema: z.ZodType<FilterInput & { readonly all?: 'true' | undefined }> =
  z.strictObject({
    ...filterFields,
    all: z.literal('true').optional(),
  });

/** The body of a redrive. */
export interface RedriveInput {
  readonly filter?: FilterInput | undefined;
  readonly all?: true | undefined;
  readonly rate?: number | undefined;
  readonly limit?: number | undefined;
  readonly canary?: number | undefined;
  readonly stop_after?: number | undefined;
  readonly max_redrives?: number | undefined;
}

/** The body of `POST /v1/dead-letters/redrive`. */
export const redriveSchema: z.ZodType<RedriveInput> = z.strictObject({
  filter: z.strictObject(filterFields).optional(),
  all: z.literal(true).optional(),
  rate: z.number().positive().optional(),
  limit: z.int().min(1).optional(),
  canary: z.int().min(0).optional(),
  stop_after: z.int().min(0).optional(),
  max_redrives: z.int().min(1).optional(),
});

const run = z.looseObject({
  id: z.string(),
  state: z.enum(['running', 'interrupted', 'stopped', 'cancelled', 'done']),
  matched: z.int(),
});

/** JSON of a schema, as an answer of this kind. */
function answer(description: string, schema: z.ZodType, type = 'application/json'): JsonSchema {
  return { description, content: { [type]: { schema: jsonSchema(schema) } } };
}

const PROBLEM = 'application/problem+json';

const problems = (...statuses: readonly number[]): Readonly<Record<number, JsonSchema>> =>
  Object.fromEntries(
    statuses.map((status) => {
      const titles = Object.values(PROBLEMS).flatMap(([of, title]) => (of === status ? [title] : []));
      return [status, answer(titles.join(' '), problem, PROBLEM)];
    }),
  );

const idParameter: JsonSchema = jsonSchema(z.object({ id: z.string() }));

/** `POST /v1/reports`. */
export function sendReportsSchema(limits: ReportLimits): FastifySchema {
  const report = errorReportSchema(limits);
  return {
    tags: ['reports'],
    summary: 'Hand in reports',
    description:
      'One report, an array, or NDJSON, one report a line. The answer has a result for each, in their order; ' +
      'NDJSON is answered by NDJSON while it is still being sent, so read while you write. 202 means that ' +
      'Redis has what is called queued or duplicate. Repeating a request is harmless.',
    headers: jsonSchema(z.object({ 'idempotency-key': z.string().max(255).optional() })),
    body: {
      content: {
        'application/json': { schema: jsonSchema(z.union([report, z.array(report)])) },
        'application/x-ndjson': { schema: jsonSchema(report) },
      },
    },
    response: {
      202: {
        description: 'Accepted, all or a part of it.',
        content: {
          'application/json': { schema: jsonSchema(z.union([enqueueResult, z.array(enqueueResult)])) },
          'application/x-ndjson': {
            schema: jsonSchema(z.union([enqueueResult, problem]).and(z.object({ line: z.int().optional() }))),
          },
        },
      },
      ...problems(400, 401, 403, 408, 413, 415, 429, 503),
    },
  };
}

/** `GET /v1/reports/{id}`. */
export const locateReportSchema: FastifySchema = {
  tags: ['reports'],
  summary: 'Say where a report is',
  description: 'An applied report leaves nothing behind: it cannot be told from one that never was.',
  params: idParameter,
  response: { 200: answer('Where it is now.', whereabouts), ...problems(401, 403, 404, 429, 503) },
};

/** `GET /v1/dead-letters`. */
export const listDeadLettersSchema: FastifySchema = {
  tags: ['dead letters'],
  summary: 'List dead letters, newest first',
  querystring: jsonSchema(deadLetterQuerySchema),
  response: { 200: answer('A page of them.', deadLetterPage), ...problems(400, 401, 403, 429, 503) },
};

/** `GET /v1/dead-letters/{id}`. */
export const showDeadLetterSchema: FastifySchema = {
  tags: ['dead letters'],
  summary: 'Show a dead letter in full',
  params: idParameter,
  response: { 200: answer('The letter.', deadLetter), ...problems(401, 403, 404, 429, 503) },
};

/** `PUT /_connector/_sync_job/{connector_sync_job_id}/_error`. */
export const errorCallSchema: FastifySchema = {
  tags: ['Elasticsearch'],
  summary: 'Set a sync job’s error, as Elasticsearch takes it',
  description:
    'The call of Elasticsearch’s connector API, for its own clients. 202 and `"result": "accepted"`: the error ' +
    'is on its way, and nobody knows yet whether the sync job exists. Refusals are Elasticsearch’s.',
  params: jsonSchema(z.object({ connector_sync_job_id: z.string() })),
  body: { content: { 'application/json': { schema: jsonSchema(z.strictObject({ error: z.string() })) } } },
  response: {
    202: answer(
      'On its way.',
      z.object({ result: z.literal('accepted'), id: z.string(), duplicate: z.literal(true).optional() }),
    ),
    ...Object.fromEntries(
      [400, 401, 403, 405, 406, 429, 503].map((status) => [
        status,
        answer('Elasticsearch’s form of an error.', z.looseObject({ error: z.unknown() })),
      ]),
    ),
  },
};

const operate = (summary: string, more: FastifySchema): FastifySchema => ({
  tags: ['dead letters'],
  summary,
  ...more,
});

const refusals: Readonly<Record<number, JsonSchema>> = problems(400, 401, 403, 404, 409, 429, 503);
const purged: JsonSchema = answer('How many went.', z.object({ purged: z.int() }));
const aRun: JsonSchema = answer('The run.', run);

/** `POST /v1/dead-letters/redrive`. */
export const redriveManySchema: FastifySchema = operate('Put dead letters back into the queue', {
  description:
    'Begins a run and answers with it; look at it under its Location. An empty filter needs "all".',
  body: { content: { 'application/json': { schema: jsonSchema(redriveSchema) } } },
  response: { 202: aRun, ...refusals },
});

/** `POST /v1/dead-letters/{id}/redrive`. */
export const redriveOneSchema: FastifySchema = operate('Put one dead letter back into the queue', {
  params: idParameter,
  response: { 202: aRun, ...refusals },
});

/** `PATCH /v1/dead-letters/{id}`. */
export const editSchema: FastifySchema = operate(
  'Edit the report in a dead letter, by a JSON patch (RFC 6902)',
  {
    params: idParameter,
    body: { content: { 'application/json-patch+json': { schema: jsonSchema(z.array(z.unknown())) } } },
    response: { 200: answer('The letter as it is now.', deadLetter), ...refusals },
  },
);

/** `DELETE /v1/dead-letters/{id}`. */
export const purgeOneSchema: FastifySchema = operate('Take a dead letter away for good', {
  params: idParameter,
  response: { 200: purged, ...refusals },
});

/** `DELETE /v1/dead-letters`. */
export const purgeManySchema: FastifySchema = operate('Take dead letters away for good', {
  description: 'Those that match, and none that dies meanwhile. No condition at all needs all=true.',
  querystring: jsonSchema(purgeQuerySchema),
  response: { 200: purged, ...refusals },
});

/** `GET /v1/redrives`. */
export const listRunsSchema: FastifySchema = operate('List the last redrive runs', {
  response: { 200: answer('Newest first.', z.object({ redrives: z.array(run) })), ...refusals },
});

/** `GET` and `DELETE /v1/redrives/{id}`. */
export const runSchema: FastifySchema = operate('Look at a redrive run, or cancel it', {
  params: idParameter,
  response: { 200: aRun, ...refusals },
});

const queueRoute = (summary: string, more: FastifySchema): FastifySchema => ({
  tags: ['queue'],
  summary,
  ...more,
});

const pauseNote = z.object({ by: z.string(), at: z.string(), reason: z.string().optional() });

const overview = z.object({
  at: z.iso.datetime(),
  waiting: z.int(),
  active: z.int(),
  delayed: z.int(),
  oldest_waiting_ms: z.int(),
  paused: z.boolean(),
  pause: pauseNote.optional(),
  circuit: z.union([
    z.object({ state: z.literal('closed') }),
    z.object({ state: z.literal('open'), code: z.string(), since: z.iso.datetime() }),
  ]),
  hold_ms: z.int(),
  workers: z.array(
    z.object({
      name: z.string(),
      concurrency: z.int(),
      in_flight: z.int(),
      pace_per_second: z.number().optional(),
      circuit_open: z.boolean(),
      started_at: z.iso.datetime(),
      seen_at: z.iso.datetime(),
    }),
  ),
  dead_letters: z.partialRecord(z.enum(DEAD_LETTER_CODES), z.int()),
});

const MAX_PAUSE_REASON = 500;

/** The body of `POST /v1/queue/pause`. */
export const pauseSchema: z.ZodType<{ readonly reason?: string | undefined }> = z.strictObject({
  reason: z.string().min(1).max(MAX_PAUSE_REASON).optional(),
});

/** `GET /v1/queue`. */
export const showQueueSchema: FastifySchema = queueRoute('Say how the queue and its workers stand', {
  response: { 200: answer('All of it at one moment.', overview), ...problems(401, 403, 429, 503) },
});

/** `POST /v1/queue/pause`. */
export const pauseQueueSchema: FastifySchema = queueRoute('Keep every worker from taking reports', {
  description:
    'Until somebody resumes, whatever restarts meanwhile. Reports are accepted as before, and what is under way ' +
    'is finished. Repeating it changes nothing: the first note stays.',
  body: { content: { 'application/json': { schema: jsonSchema(pauseSchema) } } },
  response: {
    200: answer(
      'It is paused.',
      z.object({ status: z.enum(['paused', 'already-paused']), note: pauseNote.optional() }),
    ),
    ...problems(400, 401, 403, 429, 503),
  },
});

/** `POST /v1/queue/resume`. */
export const resumeQueueSchema: FastifySchema = queueRoute('Let workers take reports again', {
  response: {
    200: answer(
      'It is not paused.',
      z.object({ status: z.enum(['resumed', 'not-paused']), note: pauseNote.optional() }),
    ),
    ...problems(401, 403, 429, 503),
  },
});
