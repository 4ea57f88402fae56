/** Elasticsearch's call, between Fastify and what answers it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorReportParser } from '../../domain/error-report.ts';
import type { Backlog } from '../backlog.ts';
import { logFault } from '../log-fault.ts';
import type { DoorContext, DoorOptions } from '../ports.ts';
import { Problem } from '../problem.ts';
import { readBody } from '../read-body.ts';
import { answerErrorCall, type EsAnswer, type EsContext } from './answer-error-call.ts';
import { failureOfError } from './failure-of-problem.ts';

/** Answers a request under Elasticsearch's path. */
export type EsAnswerer = (request: FastifyRequest) => Promise<EsAnswer>;

/** Paths of Elasticsearch's begin with an underscore; what is wrong with them is said in its words. */
export const isEsUrl = ({ raw }: FastifyRequest): boolean => /^\/?_/.test(raw.url ?? '');

/** Makes it; what is taken in goes through the backlog. */
export function esAnswerer(
  options: DoorOptions,
  context: DoorContext,
  backlog: Backlog | undefined,
): EsAnswerer {
  const { queue, metrics, log } = context;
  const esContext: EsContext = {
    parse: errorReportParser(options.reports),
    async accept(report) {
      if (queue === undefined || backlog === undefined) throw new Problem('not_found');
      await backlog.admit();
      const result = await queue.accept(report);
      metrics.counted('elasticsearch', result.status);
      return result;
    },
    failureOf(error) {
      logFault(log, error);
      return failureOfError(error);
    },
  };
  const { maxBodyBytes, bodyTimeoutMs } = options.limits;
  return (request) =>
    answerErrorCall(
      {
        method: request.method,
        url: request.raw.url ?? '/',
        headers: request.raw.headers,
        access: request.access,
        readBody: () => readBody(request.raw, { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs }),
      },
      esContext,
    );
}

/** As bytes: to a text Fastify would add a charset, which Elasticsearch does not send. */
export function sendEs(reply: FastifyReply, { status, headers, body }: EsAnswer): FastifyReply {
  return reply
    .status(status)
    .headers(headers as Record<string, string>)
    .send(body === '' ? undefined : Buffer.from(body));
}
