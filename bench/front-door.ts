/**
 * How many single reports a second the HTTP door accepts, with how much memory, and how much CPU each takes of the
 * server, which is what can be compared where other work shares the machine. The server is a process of its own, as
 * `serve` runs; the load comes from here, over as many kept connections as producers would have.
 *
 * `node bench/front-door.ts [seconds] [connections]`; with NODE_OPTIONS=--cpu-prof the server leaves a profile.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { provideRedis } from '../src/adapters/redis-embedded/provide-redis.ts';

const [seconds, connections] = [Number(process.argv[2] ?? 8), Number(process.argv[3] ?? 64)];
await using redis = await provideRedis({
  givenUrl: undefined,
  appendOnly: true,
  mayInstall: false,
  say: (line) => console.error(line),
});
const server = spawn(
  process.execPath,
  [fileURLToPath(new URL('../src/cli/main.ts', import.meta.url)), 'serve'],
  {
    env: { ...process.env, REDIS_URL: redis.url, HTTP_PORT: '0', HTTP_REQUESTS_PER_SECOND: '1000000' },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
const { port } = new URL((JSON.parse(line) as { readonly address: string }).address);

let sent = 0;
let accepted = 0;
let refused = 0;
const latencies: number[] = [];
const endAt = performance.now() + seconds * 1_000;

const CLOCK_TICKS_A_SECOND = 100;

/** CPU that the server has used so far, in microseconds: fields 14 and 15 of its `stat`, in ticks of the clock. */
async function cpuUs(): Promise<number> {
  const stat = await readFile(`/proc/${server.pid}/stat`, 'utf8');
  // The second field is a name in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_A_SECOND) * 1_000_000;
}

/** One producer: the next request goes out when the answer to the last one is there. */
async function produce(): Promise<void> {
  const socket = connect(Number(port), '127.0.0.1').setNoDelay().setEncoding('latin1');
  await once(socket, 'connect');
  while (performance.now() < endAt) {
    const body = JSON.stringify({ error: `TimeoutError: attempt ${sent}` });
    const startedAt = performance.now();
    socket.write(
      `PUT /_connector/_sync_job/job-${sent++}/_error HTTP/1.1\r\nhost: localhost\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    const [answer] = (await once(socket, 'data')) as [string];
    if (answer.startsWith('HTTP/1.1 202')) accepted++;
    else refused++;
    latencies.push(performance.now() - startedAt);
  }
  socket.destroy();
}

const cpuAtStartUs = await cpuUs();
await Promise.all(Array.from({ length: connections }, produce));
const cpuPerRequestUs = ((await cpuUs()) - cpuAtStartUs) / (accepted + refused);
latencies.sort((a, b) => a - b);
const status = await readFile(`/proc/${server.pid}/status`, 'utf8').catch(() => '');
const mebibytes = (name: string): number =>
  Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024);
console.log(
  JSON.stringify({
    connections,
    seconds,
    accepted_per_second: Math.round(accepted / seconds),
    refused,
    server_cpu_us_per_request: Math.round(cpuPerRequestUs),
    p50_ms: Math.round((latencies[Math.floor(latencies.length * 0.5)] ?? 0) * 10) / 10,
    p99_ms: Math.round((latencies[Math.floor(latencies.length * 0.99)] ?? 0) * 10) / 10,
    rss_mib: mebibytes('VmRSS'),
    rss_peak_mib: mebibytes('VmHWM'),
  }),
);
server.kill('SIGTERM');
await once(server, 'close');
