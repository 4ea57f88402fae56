import { propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { Queue, type QueueOptions } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startStandIn } from '../../src/stand-in/index.ts';
import { type RunningCli, runCli, startCli } from '../support/built-cli.ts';
import { keyPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { type ReceivedSpan, startTraceReceiver, type TraceReceiver } from '../support/trace-receiver.ts';

const TEXT = 'TimeoutError: the quarterly figures of ACME did not come';
const SECRET = 'key-id:key-secret-part';
const ROUTE = '/_connector/_sync_job/{connector_sync_job_id}/_error';
const idsOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `job-${index}`);

interface Setup {
  readonly receiver: TraceReceiver;
  readonly standIn: Awaited<ReturnType<typeof startStandIn>>;
  readonly env: Readonly<Record<string, string>>;
  startWorker(more?: Readonly<Record<string, string>>): Promise<RunningCli>;
}

async function setup(count: number): Promise<Setup> {
  const receiver = await startTraceReceiver();
  const standIn = await startStandIn({
    syncJobs: idsOf(count).map((id) => ({ id, connector_id: 'c', status: 'in_progress' })),
  });
  onTestFinished(() => standIn.stop());
  const env = {
    REDIS_URL: redisUrl(),
    KEY_PREFIX: keyPrefix(),
    ELASTICSEARCH_URL: standIn.url,
    ELASTICSEARCH_API_KEY: btoa(SECRET),
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
  return {
    receiver,
    standIn,
    env,
    async startWorker(more = {}) {
      const worker = startCli(['work'], { ...env, ...more });
      await worker.line('worker started');
      return worker;
    },
  };
}

const byName = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] =>
  spans.filter((span) => span.name === name);

/** The one span of this name; none or several fail. */
function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const [first, ...others] = byName(spans, name);
  if (first === undefined || others.length > 0) {
    throw new Error(`${others.length + 1} of "${name}" among ${spans.map((span) => span.name).join(', ')}`);
  }
  return first;
}

function expectNoSecrets({ text }: TraceReceiver): void {
  for (const secret of [TEXT, 'ACME', 'key-secret-part', btoa(SECRET)]) expect(text()).not.toContain(secret);
}

test('a report is one trace from the command line over the queue to its PUT, and the log names it', async () => {
  const { receiver, standIn, env, startWorker } = await setup(1);
  const worker = await startWorker({ OTEL_SERVICE_NAME: 'relay-worker' });
  expect(await runCli(['report', 'job-0', TEXT], env)).toMatchObject({ code: 0 });
  const line = await worker.line('report applied');
  const spans = await receiver.received(3);

  const [send, process] = [only(spans, 'send reports'), only(spans, 'process reports')];
  const put = only(spans, `PUT ${ROUTE}`);
  expect([send.kind, process.kind, put.kind]).toEqual(['producer', 'consumer', 'client']);
  expect([send.service, process.service, put.service]).toEqual([
    'sync-error-relay',
    'relay-worker',
    'relay-worker',
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([send.traceId]));
  expect([send.parentId, process.parentId, put.parentId]).toEqual(['', send.spanId, process.spanId]);
  const { id } = line as { readonly id: string };
  expect(send.attributes).toMatchObject({
    'messaging.system': 'bullmq',
    'messaging.destination.name': 'reports',
    'messaging.operation.type': 'send',
    'messaging.message.id': id,
    'sync_error_relay.result': 'queued',
    'sync_error_relay.connector_sync_job_id': 'job-0',
  });
  expect(process.attributes).toMatchObject({
    'messaging.message.id': id,
    'messaging.operation.type': 'process',
    'sync_error_relay.attempt': 1,
    'sync_error_relay.outcome': 'applied',
  });
  expect(put.attributes).toMatchObject({
    'http.request.method': 'PUT',
    'http.response.status_code': 200,
    'server.address': '127.0.0.1',
    'server.port': standIn.port,
  });
  expect(line).toMatchObject({ trace_id: process.traceId, span_id: process.spanId });
  expect(spans.filter(({ isError }) => isError)).toEqual([]);
  expectNoSecrets(receiver);
  expect(await worker.end('SIGTERM')).toBe(0);
});

test('requests bring their traces with them, and reports that go to the queue together keep them apart', async () => {
  const { receiver, env, startWorker } = await setup(8);
  const door = startCli(['serve'], { ...env, HTTP_PORT: '0' });
  const { address } = (await door.line('front door open')) as { readonly address: string };
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const answers = await Promise.all(
    idsOf(8).map((id, index) =>
      fetch(`${address}/_connector/_sync_job/${id}/_error`, {
        method: 'PUT',
        headers: {
          'content-type': 'application/json',
          traceparent: `00-${hex(index + 1, 32)}-${hex(index + 1, 16)}-01`,
        },
        body: JSON.stringify({ error: TEXT }),
      }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(202));
  const worker = await startWorker();
  const spans = await receiver.received(8 * 4);
  expect(spans).toHaveLength(8 * 4);
  for (const [index, id] of idsOf(8).entries()) {
    const own = spans.filter(({ traceId }) => traceId === hex(index + 1, 32));
    const served = only(own, 'PUT /_connector/_sync_job/:connector_sync_job_id/_error');
    const [send, process] = [only(own, 'send reports'), only(own, 'process reports')];
    const put = only(own, `PUT ${ROUTE}`);
    expect([served.parentId, send.parentId, process.parentId, put.parentId]).toEqual([
      hex(index + 1, 16),
      served.spanId,
      send.spanId,
      process.spanId,
    ]);
    expect(served).toMatchObject({ kind: 'server', attributes: { 'http.response.status_code': 202 } });
    expect(process.attributes['sync_error_relay.connector_sync_job_id']).toBe(id);
  }
  expectNoSecrets(receiver);
  await Promise.all([worker.end('SIGTERM'), door.end('SIGTERM')]);
});

test('each report of a file has its own trace, although many are one job of the queue and one leaves it to wait', async () => {
  const { receiver, standIn, env, startWorker } = await setup(30);
  const lines = idsOf(30).map((id) => JSON.stringify({ connector_sync_job_id: id, error: TEXT }));
  const file = await runCli(['report', '--file', '-'], env, `${lines.join('\n')}\n`);
  expect(file).toMatchObject({ code: 0 });
  standIn.faults.add({ kind: 'status', status: 503, count: 1, path: '/job-7/' });
  const worker = await startWorker({ BACKOFF_BASE_MS: '1', BACKOFF_CAP_MS: '1' });
  const spans = await receiver.received(30 * 3 + 2);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(30);
  for (const send of byName(spans, 'send reports')) {
    const own = spans.filter(({ traceId }) => traceId === send.traceId);
    const attempts = byName(own, 'process reports');
    const tries = send.attributes['sync_error_relay.connector_sync_job_id'] === 'job-7' ? 2 : 1;
    expect(attempts).toHaveLength(tries);
    expect(
      byName(own, `PUT ${ROUTE}`)
        .map(({ parentId }) => parentId)
        .toSorted(),
    ).toEqual(attempts.map(({ spanId }) => spanId).toSorted());
    for (const { parentId, attributes } of attempts) {
      expect(parentId).toBe(send.spanId);
      expect(attributes['messaging.message.id']).toBe(send.attributes['messaging.message.id']);
    }
  }
  await worker.end('SIGTERM');
});

describe('what goes wrong', () => {
  test('is told by its code, every attempt beneath the same report, and never by a text', async () => {
    const { receiver, standIn, env, startWorker } = await setup(1);
    standIn.faults.add({ kind: 'status', status: 503, count: 1 });
    const worker = await startWorker({ BACKOFF_BASE_MS: '1', BACKOFF_CAP_MS: '1' });
    await runCli(['report', 'job-0', TEXT], env);
    await runCli(['report', 'no-such-job', TEXT], env);
    await worker.line('report applied');
    const dead = await worker.line('report is a dead letter');
    const spans = await receiver.received(8);
    const failed = byName(spans, 'process reports').filter(({ isError }) => isError);
    expect(failed.map(({ attributes }) => attributes['error.type']).toSorted()).toEqual([
      'server_error',
      'sync_job_not_found',
    ]);
    const letter = failed.find(({ attributes }) => attributes['sync_error_relay.outcome'] === 'dead-letter');
    expect(dead).toMatchObject({ trace_id: letter?.traceId, span_id: letter?.spanId });
    const retried = failed.find(({ attributes }) => attributes['sync_error_relay.outcome'] === 'retry');
    const siblings = byName(spans, 'process reports').filter(
      ({ parentId }) => parentId === retried?.parentId,
    );
    expect(siblings.map(({ attributes }) => attributes['sync_error_relay.attempt']).toSorted()).toEqual([
      1, 2,
    ]);
    const statuses = byName(spans, `PUT ${ROUTE}`).map(
      ({ attributes }) => attributes['http.response.status_code'],
    );
    expect(statuses.toSorted()).toEqual([200, 404, 503]);
    expect(spans.flatMap(({ events, statusMessage }) => [...events, statusMessage]).join('')).toBe('');
    expectNoSecrets(receiver);
    await worker.end('SIGTERM');
  });

  test('with the receiver is told once, costs no report, and holds no end up', async () => {
    const { receiver, standIn, env, startWorker } = await setup(2);
    const away = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    const worker = await startWorker(away);
    for (const id of idsOf(2)) {
      expect(await runCli(['report', id, TEXT], { ...env, ...away })).toMatchObject({ code: 0 });
    }
    await worker.line('receiver of traces is away');
    const startedAtMs = performance.now();
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    expect(worker.lines.filter(({ msg }) => msg === 'receiver of traces is away')).toHaveLength(1);
    expect(idsOf(2).map((id) => standIn.syncJob(id)?.status)).toEqual(['error', 'error']);
    expect(receiver.spans).toEqual([]);
  });

  test('with what the variables ask for is said, and the work goes on', async () => {
    const { receiver, env, startWorker } = await setup(1);
    const worker = await startWorker({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    expect(worker.lines).toContainEqual(
      expect.objectContaining({
        variable: 'OTEL_EXPORTER_OTLP_PROTOCOL',
        expected: 'http/protobuf',
        got: 'grpc',
      }),
    );
    await runCli(['report', 'job-0', TEXT], { ...env, OTEL_SDK_DISABLED: 'true' });
    expect(await worker.line('report applied')).not.toHaveProperty('trace_id');
    expect(receiver.spans).toEqual([]);
    await worker.end('SIGTERM');
  });
});

test('TRACEPARENT makes the command a part of what called it', async () => {
  const { receiver, env } = await setup(1);
  const [traceId, spanId] = ['1'.repeat(32), '2'.repeat(16)];
  await runCli(['report', 'job-0', TEXT], { ...env, TRACEPARENT: `00-${traceId}-${spanId}-01` });
  const [send] = await receiver.received(1);
  expect(send).toMatchObject({ name: 'send reports', traceId, parentId: spanId });
});

test('what was not sampled is not followed further', async () => {
  const { receiver, standIn, env, startWorker } = await setup(1);
  const worker = await startWorker();
  await runCli(['report', 'job-0', TEXT], { ...env, OTEL_TRACES_SAMPLER: 'always_off' });
  await worker.line('report applied');
  await worker.end('SIGTERM');
  expect(standIn.syncJob('job-0')?.status).toBe('error');
  expect(receiver.spans).toEqual([]);
});

test("a producer of BullMQ's own, with bullmq-otel, is followed to the PUT", async () => {
  const { receiver, env, startWorker } = await setup(1);
  const sent = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(sent)] });
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  onTestFinished(() => {
    trace.disable();
    propagation.disable();
  });
  const queue = openForeignQueue(env, { telemetry: new BullMQOtel({ tracerName: 'foreign' }) });
  await queue.add('report', { connector_sync_job_id: 'job-0', error: TEXT });
  const { traceId, spanId } = sent.getFinishedSpans()[0]?.spanContext() ?? {};
  const worker = await startWorker();
  const spans = await receiver.received(2);
  const process = only(spans, 'process reports');
  expect(process).toMatchObject({ traceId, parentId: spanId });
  expect(only(spans, `PUT ${ROUTE}`)).toMatchObject({ traceId, parentId: process.spanId });
  await worker.end('SIGTERM');
});

test.each([
  ['cut', '{"traceparent":'],
  ['a list', '["x"]'],
  ['of another form', '{"traceparent":"00-x-y-01"}'],
  ['a number', '7'],
  ['endless', 'x'.repeat(10_000)],
])('a context that is %s is none, and the report is applied', async (_what, metadata) => {
  const { receiver, env, startWorker } = await setup(1);
  const queue = openForeignQueue(env);
  const data = { connector_sync_job_id: 'job-0', error: TEXT };
  const job = await queue.add('report', data, { telemetry: { metadata } });
  if (metadata === '7') {
    // What a client in another language may write.
    await redisClient().hset(queue.toKey(job.id ?? ''), 'opts', '{"tm":7}');
  }
  const worker = await startWorker();
  await worker.line('report applied');
  expect(only(await receiver.received(2), 'process reports').parentId).toBe('');
  await worker.end('SIGTERM');
});

function openForeignQueue(env: Readonly<Record<string, string>>, options: Partial<QueueOptions> = {}): Queue {
  const [connection, prefix] = [{ url: env['REDIS_URL'] ?? '' }, env['KEY_PREFIX'] ?? ''];
  const queue = new Queue('reports', { connection, prefix, ...options });
  onTestFinished(() => queue.close());
  return queue;
}
