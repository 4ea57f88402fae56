/**
 * A report's trace:
 *
 * 1. `send`: it is handed to the queue, as part of whatever handed it in: an HTTP request, a caller of the library.
 *    Its context goes along with the report, in the form that `bullmq-otel` gives it.
 * 2. `process`: one attempt, in a worker; every attempt of a report is a child of its `send`.
 * 3. `PUT`, and `GET` where it is read back: a request to Elasticsearch, which is sent the context in turn.
 *
 * Attributes are names, numbers and ids. Error texts, a report's as well as an answer's, are never among them.
 */
import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { ErrorReport } from '../../domain/error-report.ts';
import type { AttemptResult, IdentifiedReport, QueuedJob } from '../../pipeline/ports.ts';
import type { RequestEnding, TraceIds, Tracing } from '../../pipeline/tracing.ts';

const tracer = trace.getTracer('sync-error-relay');

/** What reports came with. Beside the reports: on their way they are gathered with those of others. */
const origins = new WeakMap<ErrorReport, Context>();

export const tracing: Tracing = {
  additions: (queueName, add) => async (reports) => {
    const spans = reports.map((report) => startSend(queueName, report));
    try {
      const results = await add(reports.map((report, index) => withContext(report, spans[index])));
      for (const [index, result] of results.entries())
        spans[index]?.setAttribute('sync_error_relay.result', result);
      return results;
    } catch (error) {
      for (const span of spans) fail(span, nameOf(error));
      throw error;
    } finally {
      for (const span of spans) span.end();
    }
  },

  adopt(report) {
    origins.set(report, context.active());
  },

  attempts: (queueName, settle) => async (job, signal) => {
    const origin = originOf(job);
    const attributes = {
      ...messagingAttributes(queueName, 'process', job.id),
      ...syncJobAttribute(job.payload.kind === 'json' ? job.payload.value : undefined),
      'sync_error_relay.attempt': job.attempt,
    };
    const span = tracer.startSpan(`process ${queueName}`, { kind: SpanKind.CONSUMER, attributes }, origin);
    try {
      const result = await context.with(trace.setSpan(origin, span), () => settle(job, signal));
      describeResult(span, result);
      const ids = idsOf(span);
      return ids === undefined ? result : { ...result, trace: ids };
    } catch (error) {
      fail(span, nameOf(error));
      throw error;
    } finally {
      span.end();
    }
  },

  beginRequest(method, route) {
    // What is asked for no report, the health of a node for instance, would be a trace of its own each time.
    if (trace.getActiveSpan() === undefined) return undefined;
    const attributes = { 'http.request.method': method, 'url.template': route };
    const span = tracer.startSpan(`${method} ${route}`, { kind: SpanKind.CLIENT, attributes });
    const headers: Record<string, string> = {};
    propagation.inject(trace.setSpan(context.active(), span), headers);
    return { headers, end: (ending) => endRequest(span, ending) };
  },

  serve({ method, route, headers }, answer) {
    const origin = propagation.extract(ROOT_CONTEXT, headers);
    const attributes = { 'http.request.method': method, 'http.route': route };
    const span = tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, origin);
    context.with(trace.setSpan(origin, span), answer);
    return {
      ids: idsOf(span),
      end(status) {
        span.setAttribute('http.response.status_code', status);
        if (status >= 500) fail(span, String(status));
        span.end();
      },
    };
  },
};

function startSend(queueName: string, { id, report }: IdentifiedReport): Span {
  const attributes = { ...messagingAttributes(queueName, 'send', id), ...syncJobAttribute(report) };
  const origin = origins.get(report) ?? context.active();
  return tracer.startSpan(`send ${queueName}`, { kind: SpanKind.PRODUCER, attributes }, origin);
}

function messagingAttributes(queueName: string, operation: 'send' | 'process', id: string): Attributes {
  return {
    'messaging.system': 'bullmq',
    'messaging.destination.name': queueName,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.message.id': id,
  };
}

function syncJobAttribute(report: unknown): Attributes {
  if (typeof report !== 'object' || report === null || !('connector_sync_job_id' in report)) return {};
  const { connector_sync_job_id: id } = report;
  return typeof id === 'string' ? { 'sync_error_relay.connector_sync_job_id': id } : {};
}

function withContext(report: IdentifiedReport, span: Span | undefined): IdentifiedReport {
  if (span === undefined) return report;
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(ROOT_CONTEXT, span), carrier);
  return Object.keys(carrier).length === 0 ? report : { ...report, trace: JSON.stringify(carrier) };
}

/** What the queue holds comes from outside: whatever is no context is none. */
function originOf({ trace: written }: QueuedJob): Context {
  if (written === undefined) return ROOT_CONTEXT;
  try {
    const carrier: unknown = JSON.parse(written);
    return typeof carrier === 'object' && carrier !== null
      ? propagation.extract(ROOT_CONTEXT, carrier)
      : ROOT_CONTEXT;
  } catch {
    return ROOT_CONTEXT;
  }
}

function describeResult(span: Span, { outcome }: AttemptResult): void {
  span.setAttribute('sync_error_relay.outcome', outcome.kind);
  if ('code' in outcome) {
    span.setAttribute('sync_error_relay.code', outcome.code);
    fail(span, outcome.code);
  }
}

function endRequest(span: Span, { status, node, errorType }: RequestEnding): void {
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  if (node !== undefined) {
    span.setAttribute('server.address', node.hostname);
    span.setAttribute('server.port', Number(node.port) || (node.protocol === 'https:' ? 443 : 80));
  }
  if (errorType !== undefined) fail(span, errorType);
  else if (status !== undefined && status >= 400) fail(span, String(status));
  span.end();
}

function fail(span: Span, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

function idsOf(span: Span): TraceIds | undefined {
  const { traceId, spanId } = span.spanContext();
  return trace.isSpanContextValid(span.spanContext()) ? { trace_id: traceId, span_id: spanId } : undefined;
}
