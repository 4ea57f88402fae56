/** OpenTelemetry's SDK, loaded only where traces are wanted. */
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Log } from '../../pipeline/ports.ts';
import { type ConnectionLog, logConnection } from './log-connection.ts';
import type { StartedTracing } from './start-tracing.ts';

/** How long what is left may take to be sent when the process ends, in milliseconds. */
const LAST_MS = 2_000;

/** How long one request to the receiver may take where nothing else is said, in milliseconds. */
const EXPORT_MS = 2_000;

/**
 * Sets it up for the whole process.
 *
 * `TRACEPARENT` and `TRACESTATE`, where the environment holds them, are what the process was started for.
 */
export function sendTraces(
  env: Readonly<Record<string, string | undefined>>,
  log: Pick<Log, 'info' | 'warn'>,
): StartedTracing {
  const receiver = logConnection('receiver of traces', log, Date.now);
  const said = env['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT'] ?? env['OTEL_EXPORTER_OTLP_TIMEOUT'];
  const exporter = new OTLPTraceExporter(said === undefined ? { timeoutMillis: EXPORT_MS } : {});
  const ours = resourceFromAttributes({ 'service.name': 'sync-error-relay' });
  const provider = new BasicTracerProvider({
    // What the environment says of the service comes before what we say.
    resource: ours.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(telling(exporter, receiver))],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  const origin = propagation.extract(ROOT_CONTEXT, {
    traceparent: env['TRACEPARENT'],
    tracestate: env['TRACESTATE'],
  });
  return {
    within: (work) => context.with(origin, work),
    async [Symbol.asyncDispose]() {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, LAST_MS);
      });
      await Promise.race([provider.shutdown().catch(() => undefined), patience]);
      clearTimeout(timer);
    },
  };
}

/** The exporter, which otherwise keeps to itself whether anything arrives. */
function telling(exporter: SpanExporter, { onFault, onReady }: ConnectionLog): SpanExporter {
  return {
    export(spans, tell) {
      exporter.export(spans, (result) => {
        if (result.code === ExportResultCode.SUCCESS) onReady();
        else onFault(result.error ?? new Error('no reason given'));
        tell(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
