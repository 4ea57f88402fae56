/** What is answered where something is wrong: the path, the method, the request, or we. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { answerFailure } from './elasticsearch/answer-error-call.ts';
import { type EsAnswerer, isEsUrl, sendEs } from './elasticsearch/es-answerer.ts';
import { failureOfError } from './elasticsearch/failure-of-problem.ts';
import { logFault } from './log-fault.ts';
import type { DoorContext } from './ports.ts';
import { Problem } from './problem.ts';
import { problemOfError } from './problem-of-error.ts';

/** Every path of the API with the methods it knows. */
const API_PATHS: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/reports$/, 'POST'],
  [/^\/v1\/reports\/[^/]+$/, 'GET,HEAD'],
  [/^\/v1\/dead-letters\/redrive$/, 'POST'],
  [/^\/v1\/dead-letters$/, 'GET,HEAD,DELETE'],
  [/^\/v1\/dead-letters\/[^/]+$/, 'GET,HEAD,PATCH,DELETE'],
  [/^\/v1\/dead-letters\/[^/]+\/redrive$/, 'POST'],
  [/^\/v1\/redrives$/, 'GET,HEAD'],
  [/^\/v1\/redrives\/[^/]+$/, 'GET,HEAD,DELETE'],
  [/^\/v1\/queue$/, 'GET,HEAD'],
  [/^\/v1\/queue\/(pause|resume)$/, 'POST'],
  [/^\/console\/session$/, 'GET,HEAD,POST,DELETE'],
  [/^\/(console\/(events|words))?$/, 'GET,HEAD'],
  [/^\/(openapi\.json|docs|docs\.css)$/, 'GET,HEAD'],
];
const HEALTH_PATHS: typeof API_PATHS = [[/^\/(livez|readyz|metrics)$/, 'GET,HEAD']];

/** Sets both handlers; what is under Elasticsearch's path is answered in its words. */
export function answerFailures(
  server: FastifyInstance,
  { log, queue }: DoorContext,
  answerEs: EsAnswerer,
): void {
  server.setNotFoundHandler(async (request, reply) => {
    if (isEsUrl(request) && queue !== undefined) return sendEs(reply, await answerEs(request));
    const path = (request.raw.url ?? '').split('?', 1)[0] ?? '';
    const known = queue === undefined ? HEALTH_PATHS : [...API_PATHS, ...HEALTH_PATHS];
    const allowed = known.find(([pattern]) => pattern.test(path))?.[1];
    if (allowed === undefined) throw new Problem('not_found');
    if (request.method === 'OPTIONS') return reply.status(204).header('allow', allowed).send();
    throw new Problem('method_not_allowed', { headers: { allow: allowed } });
  });
  server.setErrorHandler(async (error, request, reply) => {
    if (isEsUrl(request) && queue !== undefined) {
      // Fastify looks at media types first; Elasticsearch has its own opinion of them.
      const isMediaType = (error as { code?: string }).code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
      return sendEs(reply, isMediaType ? await answerEs(request) : answerFailure(failureOfError(error)));
    }
    logFault(log, error);
    return sendProblem(reply, problemOfError(error));
  });
}

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .status(problem.status)
    .headers(problem.headers)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(problem)));
}
