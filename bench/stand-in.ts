/**
 * Measures that the stand-in is never the bottleneck: `_error` requests a second in a process of its
 * own, and the memory a million sync jobs take.
 *
 *     node bench/stand-in.ts [--seconds 3] [--jobs 1000000]
 */
import { fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { startStandIn } from '../src/stand-in/index.ts';

const wantedPerSecond = 15_000;
const wantedMebibytes = 1536;

interface Ready {
  readonly port: number;
  readonly loadedMs: number;
  readonly rssMebibytes: number;
}

const isServer = process.send !== undefined && process.env['STAND_IN_BENCH'] === 'server';
if (isServer) await serve(Number(process.argv[2]));
else await measure();

/** The server's process: loads the jobs, says so, and answers until it is told to go. */
async function serve(jobs: number): Promise<void> {
  const standIn = await startStandIn();
  const before = performance.now();
  await standIn.loadSyncJobs(lines(jobs));
  const ready: Ready = {
    port: standIn.port,
    loadedMs: performance.now() - before,
    rssMebibytes: process.memoryUsage().rss / 2 ** 20,
  };
  process.send?.(ready);
  let cpu = process.cpuUsage();
  process.on('message', async (message) => {
    if (message === 'cpu') {
      const used = process.cpuUsage(cpu);
      cpu = process.cpuUsage();
      process.send?.({
        cpuMs: (used.user + used.system) / 1000,
        rssMebibytes: process.memoryUsage().rss / 2 ** 20,
      });
    } else {
      await standIn.stop();
      process.disconnect();
    }
  });
}

async function* lines(jobs: number): AsyncGenerator<string> {
  for (let at = 0; at < jobs; at++) {
    yield `{"id":"job-${at}","connector_id":"postgresql-${at % 40}","status":"in_progress"}`;
  }
}

async function measure(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '3' }, jobs: { type: 'string', default: '1000000' } },
  });
  const server = fork(import.meta.filename, [values.jobs], {
    env: { ...process.env, STAND_IN_BENCH: 'server' },
  });
  const hear = <T>(): Promise<T> =>
    new Promise((resolve) => server.once('message', (message) => resolve(message as T)));
  const ready = await hear<Ready>();
  const jobs = Number(values.jobs);
  console.log(
    `loaded ${jobs.toLocaleString('en')} sync jobs in ${(ready.loadedMs / 1000).toFixed(1)} s: ` +
      `${ready.rssMebibytes.toFixed(0)} MiB resident (wanted: below ${wantedMebibytes})`,
  );
  const traceback = `Traceback (most recent call last):\n${'  File "/app/sync.py", line 31, in run\n    raise\n'.repeat(40)}`;
  let next = 0;
  let isGood = ready.rssMebibytes < wantedMebibytes;
  for (const [name, error] of [
    ['short text', 'ConnectionError: connection refused'],
    ['traceback of 2 KB', traceback],
  ] as const) {
    const reply = hear<{ cpuMs: number }>();
    server.send('cpu');
    await reply;
    const started = performance.now();
    const { answers, wrong } = await load(
      ready.port,
      Number(values.seconds) * 1000,
      () => `job-${next++ % jobs}`,
      error,
    );
    const seconds = (performance.now() - started) / 1000;
    const usage = hear<{ cpuMs: number; rssMebibytes: number }>();
    server.send('cpu');
    const { cpuMs, rssMebibytes } = await usage;
    const perSecond = answers / seconds;
    isGood &&= perSecond >= wantedPerSecond && wrong === 0;
    console.log(
      `${name}: ${perSecond.toFixed(0)} _error requests a second (wanted: ${wantedPerSecond}), ${wrong} not 200, ` +
        `server at ${((100 * cpuMs) / 1000 / seconds).toFixed(0)} % of a core, ${rssMebibytes.toFixed(0)} MiB`,
    );
  }
  server.send('stop');
  process.exitCode = isGood ? 0 : 1;
}

/** Keeps 32 connections busy, each with one request at a time, over bare sockets so that the client stays cheap. */
async function load(
  port: number,
  forMs: number,
  nextId: () => string,
  error: string,
): Promise<{ answers: number; wrong: number }> {
  const body = JSON.stringify({ error });
  const head =
    'host: stand-in\r\ncontent-type: application/vnd.elasticsearch+json; compatible-with=9\r\n' +
    'accept: application/vnd.elasticsearch+json; compatible-with=9\r\n' +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const request = (): string => `PUT /_connector/_sync_job/${nextId()}/_error HTTP/1.1\r\n${head}`;
  const deadline = performance.now() + forMs;
  let answers = 0;
  let wrong = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket: Socket = connect(port, '127.0.0.1', () => socket.write(request()));
      socket.setNoDelay(true);
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (data) => {
        // Answers are far smaller than a segment, so one arrives whole in one piece.
        answers++;
        if (data.toString('latin1', 9, 12) !== '200') wrong++;
        if (performance.now() < deadline) socket.write(request());
        else socket.end();
      });
    });
  await Promise.all(Array.from({ length: 32 }, one));
  return { answers, wrong };
}
