import { connect } from 'node:net';
import { Client } from '@elastic/elasticsearch';
import { expect, onTestFinished, test } from 'vitest';
import { nowMs } from '../../bench/stage/now.ts';
import { type Sink, startSink } from '../../bench/stage/sink.ts';
import { usageOf } from '../../bench/stage/usage.ts';

async function setup(): Promise<{
  readonly sink: Sink;
  readonly report: (number: number) => Promise<unknown>;
}> {
  const sink = await startSink();
  const client = new Client({ node: sink.url, maxRetries: 0 });
  onTestFinished(async () => {
    await client.close();
    await sink[Symbol.asyncDispose]();
  });
  return {
    sink,
    report: (number) =>
      client.connector.syncJobError({ connector_sync_job_id: `job-${number}`, error: 'TimeoutError' }),
  };
}

test('the official client takes its answer for that of Elasticsearch, and each is counted', async () => {
  const { sink, report } = await setup();
  const third = sink.reach(3);
  expect(await report(0)).toEqual({ result: 'updated' });
  await Promise.all([report(1), report(2)]);
  expect((await third).count).toBe(3);
  expect((await sink.count()).count).toBe(3);
});

test('it answers after the set time, and says when it answered which report', async () => {
  const { sink, report } = await setup();
  await sink.reset({ latencyMs: 30, recorded: 3 });
  const beganAtMs = nowMs();
  await Promise.all([report(2), report(0)]);
  const times = await sink.times();
  expect(times).toHaveLength(3);
  expect(times[1]).toBe(0);
  for (const number of [0, 2]) expect(times[number]).toBeGreaterThanOrEqual(beganAtMs + 30);
});

test('it refuses where it is told to, as Elasticsearch does for a sync job that does not exist', async () => {
  const { sink, report } = await setup();
  await sink.reset({ answer: 'not-found' });
  await expect(report(0)).rejects.toMatchObject({
    statusCode: 404,
    body: { error: { type: 'resource_not_found_exception' } },
  });
});

test('while it is away connections are refused, and then it is back on the same port', async () => {
  const { sink, report } = await setup();
  await report(0);
  await sink.away();
  await expect(report(1)).rejects.toThrow();
  await sink.back();
  await report(2);
  expect((await sink.count()).count).toBe(2);
});

test('requests that arrive in pieces, or several in one, are each answered once', async () => {
  const { sink } = await setup();
  const socket = connect(Number(new URL(sink.url).port), '127.0.0.1')
    .setNoDelay()
    .setEncoding('latin1');
  let answers = '';
  socket.on('data', (text) => {
    answers += text;
  });
  const request =
    'PUT /_connector/_sync_job/job-1/_error HTTP/1.1\r\ncontent-length: 13\r\n\r\n{"error":"x"}';
  const look = 'GET / HTTP/1.1\r\n\r\n';
  const last = sink.reach(3);
  for (const piece of [
    request.slice(0, 20),
    request.slice(20, 75),
    `${request.slice(75)}${look}${request}`,
    request,
  ]) {
    await new Promise((resolve) => socket.write(piece, resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await last).count).toBe(3);
  await expect.poll(() => answers.match(/HTTP\/1\.1 200 OK/g)?.length).toBe(4);
  socket.destroy();
});

test('the CPU time and the memory of a process are those that it has used', () => {
  const before = usageOf(process.pid);
  const own = process.cpuUsage();
  while (process.cpuUsage(own).user < 100_000);
  const after = usageOf(process.pid);
  expect(after.cpuMs - before.cpuMs).toBeGreaterThanOrEqual(90);
  expect(after.rssMiB).toBeGreaterThan(20);
  expect(after.peakRssMiB).toBeGreaterThanOrEqual(after.rssMiB * 0.99);
  expect(() => usageOf(999_999_999)).toThrow();
});
