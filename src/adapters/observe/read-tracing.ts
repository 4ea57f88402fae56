/** Whether, and how, traces are asked for: OpenTelemetry's own variables, as its specification has them. */

export type TracingWish =
  | { readonly kind: 'off' }
  | { readonly kind: 'on' }
  /** Asked for in a way that is not known here. */
  | { readonly kind: 'unknown'; readonly variable: string; readonly expected: string; readonly got: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the wish. Nothing is on unless somewhere to send traces to is named, or `otlp` is asked for by name. */
export function readTracing(env: Environment): TracingWish {
  const said = (variable: string): string => env[variable]?.trim() ?? '';
  if (said('OTEL_SDK_DISABLED').toLowerCase() === 'true') return { kind: 'off' };
  const exporter = said('OTEL_TRACES_EXPORTER').toLowerCase();
  if (exporter === 'none') return { kind: 'off' };
  const endpoint = said('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') || said('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (endpoint === '' && exporter === '') return { kind: 'off' };
  if (exporter !== '' && exporter !== 'otlp') {
    return { kind: 'unknown', variable: 'OTEL_TRACES_EXPORTER', expected: 'otlp or none', got: exporter };
  }
  const variable = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'].find(
    (name) => said(name) !== '',
  );
  const protocol = variable === undefined ? '' : said(variable).toLowerCase();
  if (variable !== undefined && protocol !== 'http/protobuf') {
    return { kind: 'unknown', variable, expected: 'http/protobuf', got: protocol };
  }
  return { kind: 'on' };
}
