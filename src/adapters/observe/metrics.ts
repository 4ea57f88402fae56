/** Counts what happens, for Prometheus. docs/metrics.md says what each name means. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { DEAD_LETTER_CODES } from '../../domain/codes.ts';
import type { GateSnapshot } from '../../pipeline/gate.ts';
import type {
  AttemptEvent,
  DeadLetterCounts,
  ObserveAttempt,
  QueueAccount,
  QueueDepth,
} from '../../pipeline/ports.ts';

/** What is asked when somebody looks. */
export interface MetricSources {
  depth(): Promise<QueueDepth>;
  deadLetters(): Promise<DeadLetterCounts>;
  account(): Promise<QueueAccount>;
  /** How load is kept from Elasticsearch; undefined where no worker runs here. */
  load(): GateSnapshot | undefined;
}

export interface Metrics {
  /** Counts an attempt. */
  readonly observe: ObserveAttempt;
  /** Counts what a producer was told. */
  counted(way: string, status: string): void;
  /** Counts a request that was answered. */
  answered(request: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly durationMs: number;
  }): void;
  /** Says where to ask for what is not counted but looked up. */
  look(sources: MetricSources): void;
  readonly contentType: string;
  /** Everything, as Prometheus reads it. */
  print(): Promise<string>;
}

/** From a millisecond to a minute, for requests and attempts. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** From ten milliseconds to a day, for a report's whole way. */
const DELIVERY_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];

/** Methods that are counted by name; anybody may invent others. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Makes the metrics of one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  let sources: MetricSources | undefined;
  let hasDefaults = false;

  const received = new Counter({
    name: 'sync_error_relay_reports_received_total',
    help: 'Reports that producers handed in over HTTP, by the way they came and what they were told.',
    labelNames: ['via', 'result'] as const,
    registers,
  });
  const settled = new Counter({
    name: 'sync_error_relay_reports_settled_total',
    help: 'Reports that came to their end in this process.',
    labelNames: ['outcome', 'code'] as const,
    registers,
  });
  const attempts = new Counter({
    name: 'sync_error_relay_attempts_total',
    help: 'Attempts of this process, by what they came to.',
    labelNames: ['outcome', 'code'] as const,
    registers,
  });
  const attemptSeconds = new Histogram({
    name: 'sync_error_relay_attempt_duration_seconds',
    help: 'How long attempts took.',
    labelNames: ['outcome'] as const,
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const deliverySeconds = new Histogram({
    name: 'sync_error_relay_report_delivery_seconds',
    help: 'From the acceptance of a report to its end.',
    labelNames: ['outcome'] as const,
    buckets: DELIVERY_BUCKETS,
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'sync_error_relay_http_request_duration_seconds',
    help: 'How long HTTP requests took to answer.',
    labelNames: ['route', 'method', 'status'] as const,
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `sync_error_relay_${name}`, help, registers });
  const up = gauge('queue_up', 'Whether Redis answered when this was looked up: 1 or 0.');
  const oldest = gauge('queue_oldest_waiting_seconds', 'How long the oldest waiting report has waited.');
  const paused = gauge('queue_paused', 'Whether somebody paused the queue: 1 or 0.');
  const unaccounted = gauge(
    'reports_unaccounted',
    'Accepted reports that neither wait nor have come to their end; see docs/metrics.md.',
  );
  const circuit = gauge('circuit_open', 'Whether Elasticsearch counts as away: 1 or 0.');
  const concurrency = gauge('concurrency_limit', 'Attempts that may be under way at once.');
  const inFlight = gauge('attempts_in_flight', 'Attempts under way.');
  const pace = gauge('pace_attempts_per_second', 'The pace that is kept; +Inf where none is.');
  const queued = new Gauge({
    name: 'sync_error_relay_queue_reports',
    help: 'Reports in the queue.',
    labelNames: ['state'] as const,
    registers,
  });
  const letters = new Gauge({
    name: 'sync_error_relay_dead_letters',
    help: 'Dead letters there are.',
    labelNames: ['code'] as const,
    registers,
  });

  /** Redis that is away leaves no figures: an old one would be taken for the present one. */
  async function lookUp({ depth, deadLetters, account }: MetricSources): Promise<void> {
    queued.reset();
    letters.reset();
    const [now, counts, whole] = await Promise.all([depth(), deadLetters(), account()]);
    unaccounted.set(whole.unaccounted);
    for (const state of ['waiting', 'active', 'delayed'] as const) queued.set({ state }, now[state]);
    oldest.set(now.oldestWaitingMs / 1_000);
    paused.set(now.paused ? 1 : 0);
    for (const code of DEAD_LETTER_CODES) letters.set({ code }, counts[code] ?? 0);
  }

  function showLoad(load: GateSnapshot | undefined): void {
    if (load === undefined) return;
    circuit.set(load.circuit.kind === 'open' ? 1 : 0);
    concurrency.set(load.concurrency);
    inFlight.set(load.inFlight);
    pace.set(load.pacePerSecond ?? Number.POSITIVE_INFINITY);
  }

  return {
    observe(event) {
      const labels = labelsOf(event);
      attempts.inc(labels);
      attemptSeconds.observe({ outcome: labels.outcome }, event.durationMs / 1_000);
      if (!ENDINGS.has(labels.outcome)) return;
      settled.inc(labels);
      const tookMs = Math.max(0, Date.now() - event.job.enqueuedAtMs);
      deliverySeconds.observe({ outcome: labels.outcome }, tookMs / 1_000);
    },
    counted: (via, result) => received.inc({ via, result }),
    answered({ route, method, status, durationMs }) {
      const labels = { route, method: METHODS.has(method) ? method : 'other', status };
      requestSeconds.observe(labels, durationMs / 1_000);
    },
    look(from) {
      sources = from;
    },
    contentType: registry.contentType,
    async print() {
      if (!hasDefaults) {
        hasDefaults = true;
        collectDefaultMetrics({ register: registry });
      }
      if (sources !== undefined) {
        showLoad(sources.load());
        await lookUp(sources).then(
          () => up.set(1),
          () => up.set(0),
        );
      }
      return registry.metrics();
    },
  };
}

/** Outcomes after which the report is not in the queue any more. */
const ENDINGS: ReadonlySet<string> = new Set(['applied', 'already_applied', 'dead_letter']);

function labelsOf({ result: { outcome } }: AttemptEvent): {
  readonly outcome: string;
  readonly code: string;
} {
  switch (outcome.kind) {
    case 'applied':
      return { outcome: 'applied', code: 'none' };
    case 'already-applied':
      return { outcome: 'already_applied', code: 'none' };
    case 'dead-letter':
      return { outcome: 'dead_letter', code: outcome.code };
    case 'retry':
    case 'snooze':
      return { outcome: outcome.kind, code: outcome.code };
    case 'hand-back':
      return { outcome: 'hand_back', code: 'none' };
  }
}
