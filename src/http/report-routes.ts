/** `/v1/reports`: reports in, and where one of them is now. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorReportParser, type ParsedReport, type ParseErrorReport } from '../domain/error-report.ts';
import type { EnqueueResult } from '../pipeline/enqueue-reports.ts';
import type { Whereabouts } from '../pipeline/locate-report.ts';
import { lineParser, maxLineBytes } from '../pipeline/parse-line.ts';
import type { Backlog } from './backlog.ts';
import type { DoorMetrics, DoorOptions, DoorQueue } from './ports.ts';
import { Problem } from './problem.ts';
import { problemOfError } from './problem-of-error.ts';
import { streamBody } from './read-body.ts';
import { readJson, unknownEncoding } from './read-json.ts';
import { acceptLines, type LineResult, type ResultBatch } from './report-stream.ts';
import { locateReportSchema, sendReportsSchema } from './schemas.ts';

export interface ReportRoutesContext {
  readonly queue: DoorQueue;
  readonly backlog: Backlog;
  readonly metrics: DoorMetrics;
  readonly options: Pick<DoorOptions, 'limits' | 'reports'>;
  readonly onFailure: (error: unknown, request: FastifyRequest) => void;
}

/** A stream that begins with so much text of refusals and no report is no stream of reports. */
const MAX_HELD_RESULTS = 1_000;

/** Adds the routes. */
export function addReportRoutes(server: FastifyInstance, context: ReportRoutesContext): void {
  const { queue, backlog, metrics, options } = context;
  const { limits } = options;
  const parse = errorReportParser(options.reports);

  async function accept(report: ParsedReport): Promise<EnqueueResult> {
    const result: EnqueueResult =
      report.kind === 'invalid'
        ? { status: 'invalid', problems: report.problems }
        : await queue.accept(report);
    metrics.counted('http', result.status);
    return result;
  }

  async function sendWhole(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const value = await readJson(request, limits.maxBodyBytes, limits.bodyTimeoutMs);
    const withKey = keyedParser(parse, idempotencyKey(request));
    if (!Array.isArray(value)) {
      const result = await accept(withKey(value));
      if (result.status === 'invalid') {
        throw new Problem('invalid_report', { members: { problems: result.problems } });
      }
      reply.status(202).header('location', `/v1/reports/${result.id}`);
      return result;
    }
    if (value.length > limits.maxItems) {
      throw new Problem('too_large', {
        detail: `An array holds at most ${limits.maxItems} reports; application/x-ndjson takes any number.`,
      });
    }
    const results = await Promise.all(value.map((item, index) => accept(withKey(item, index))));
    if (!results.some(({ status }) => status !== 'invalid')) throw nothingAccepted(results);
    reply.status(202);
    return results;
  }

  async function sendStream(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const body = streamBody(request.raw);
    if (body === undefined) throw unknownEncoding();
    const key = idempotencyKey(request);
    const parseLine = lineParser((value) => parse(value));
    const withKey = keyedParser((value) => parse(value), key);
    const batches = acceptLines(
      body,
      async (line, index) => {
        if (index % 250 === 0) await backlog.admit();
        return accept(
          key === undefined ? parseLine(line) : lineParser((value) => withKey(value, index))(line),
        );
      },
      { maxLineBytes: maxLineBytes(options.reports), silenceMs: limits.bodyTimeoutMs },
      (error) => context.onFailure(error, request),
    );
    // What ended early is still being sent: the answer goes out whole, then the connection goes.
    reply.raw.once('finish', () => {
      if (!request.raw.complete) request.raw.socket.destroySoon();
    });
    const held = await holdUntilAccepted(batches);
    return reply
      .status(202)
      .type('application/x-ndjson')
      .send(Readable.from(textOf(held, batches), { objectMode: false }));
  }

  server.post(
    '/v1/reports',
    { schema: sendReportsSchema(options.reports), config: { scope: 'report' } },
    async (request, reply) => {
      await backlog.admit();
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
      switch (type) {
        case 'application/json':
          return sendWhole(request, reply);
        case 'application/x-ndjson':
        case 'application/ndjson':
        case 'application/jsonl':
          return sendStream(request, reply);
        default:
          throw new Problem('unsupported_media_type', {
            detail: 'Content-Type has to be application/json or application/x-ndjson.',
          });
      }
    },
  );

  server.get<{ Params: { id: string } }>(
    '/v1/reports/:id',
    { schema: locateReportSchema, config: { scope: 'read' } },
    async ({ params: { id } }) => {
      if (!/^r-[\w-]{24}$/.test(id)) throw new Problem('not_found', { detail: 'This is no id of a report.' });
      return describeWhereabouts(id, await queue.locate(id));
    },
  );
}

/** The key of the whole request; in quotes or not, as the two habits are. */
function idempotencyKey({ headers }: FastifyRequest): string | undefined {
  const written = headers['idempotency-key'];
  if (written === undefined) return undefined;
  const key = String(written).replace(/^"(.*)"$/, '$1');
  if (key.length >= 1 && key.length <= 255) return key;
  throw new Problem('bad_request', { detail: 'Idempotency-Key has to be of 1 to 255 characters.' });
}

/**
 * Gives reports that bring none the request's key. Of several reports each gets its own, by its place, so that
 * the same request sent again is the same and no two of its reports are.
 */
function keyedParser(
  parse: ParseErrorReport,
  key: string | undefined,
): (value: unknown, index?: number) => ParsedReport {
  if (key === undefined) return parse;
  return (value, index) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || 'idempotency_key' in value) {
      return parse(value);
    }
    return parse({ ...value, idempotency_key: index === undefined ? key : `${key}/${index}` });
  };
}

function nothingAccepted(results: readonly (EnqueueResult | LineResult)[]): Problem {
  return new Problem('invalid_report', {
    detail: results.length === 0 ? 'There is no report in it.' : 'None of it is an error report.',
    members: { results },
  });
}

/**
 * The first results, up to the first report that was accepted: until then the answer may still have to be that
 * nothing was.
 */
async function holdUntilAccepted(batches: AsyncGenerator<ResultBatch>): Promise<readonly ResultBatch[]> {
  const held: ResultBatch[] = [];
  for (;;) {
    const next = await batches.next();
    const results = held.flatMap((batch) => batch.results);
    if (next.done === true) throw nothingAccepted(results);
    held.push(next.value);
    if (next.value.results.some(({ status }) => status !== 'invalid')) return held;
    if (next.value.failure !== undefined) throw next.value.failure;
    if (results.length < MAX_HELD_RESULTS) continue;
    await batches.return(undefined);
    throw nothingAccepted(results);
  }
}

async function* textOf(
  held: readonly ResultBatch[],
  rest: AsyncGenerator<ResultBatch>,
): AsyncGenerator<string, void, undefined> {
  for (const batch of held) yield textOfBatch(batch);
  for await (const batch of rest) yield textOfBatch(batch);
}

function textOfBatch({ results, failure }: ResultBatch): string {
  const lines = results.map((result) => JSON.stringify(result));
  if (failure !== undefined)
    lines.push(JSON.stringify({ ...problemOfError(failure).toJSON(), status: 'failed' }));
  return lines.map((line) => `${line}\n`).join('');
}

const APPLIED_OR_UNKNOWN =
  'It is neither in the queue nor among the dead letters. Either it was applied, which leaves nothing behind, ' +
  'or its dead letter was purged, or it was never accepted.';

function describeWhereabouts(id: string, found: Whereabouts): Readonly<Record<string, unknown>> {
  switch (found.kind) {
    case 'gone':
      return { id, status: 'settled_or_unknown', detail: APPLIED_OR_UNKNOWN };
    case 'dead': {
      const { code, reason, dead_at, enqueued_at, attempts_made } = found.letter;
      const where = `/v1/dead-letters/${found.letter.id}`;
      return { id, status: 'dead', code, reason, enqueued_at, dead_at, attempts_made, dead_letter: where };
    }
    case 'in-queue': {
      const { state, enqueuedAtMs, attemptsMade, lastCode, dueAtMs } = found.job;
      return {
        id,
        status: STATUS_OF_STATE[state],
        enqueued_at: new Date(enqueuedAtMs).toISOString(),
        attempts_made: attemptsMade,
        ...(lastCode === undefined ? {} : { last_code: lastCode }),
        ...(dueAtMs === undefined ? {} : { next_attempt_at: new Date(dueAtMs).toISOString() }),
      };
    }
  }
}

/** A job that BullMQ gave up by itself becomes a dead letter within seconds. */
const STATUS_OF_STATE = { waiting: 'queued', active: 'active', delayed: 'delayed', failed: 'dead' } as const;
