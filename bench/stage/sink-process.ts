/**
 * The server that all load runs against, as a process of its own: raw sockets, a fixed answer after a fixed time,
 * and of HTTP only what it takes to find the end of a request. It understands no sync jobs; the less it does, the
 * less of the machine it takes from what is measured.
 *
 * It is told what to do by its parent, see `sink.ts`.
 */
import { createServer, type Socket } from 'node:net';
import { nowMs } from './now.ts';
import { SINK_ANSWERS, type SinkAnswer, type SinkAsk, type SinkReply } from './sink-messages.ts';

let answer = responseOf('applied');
let latencyMs = 0;
let applied = 0;
/** When each report was answered, by its number, where that is recorded. */
let answeredAtMs: Float64Array | undefined;
/** Who wants to know when so many are answered. */
let awaited: { readonly ask: number; readonly count: number }[] = [];
let port = 0;

const sockets = new Set<Socket>();
const server = createServer({ noDelay: true }, accept);
await listen();
reply({ ask: 0, port });

process.on('message', (message) => void obey(message as SinkAsk));
process.on('disconnect', () => process.exit());

function responseOf(kind: SinkAnswer): Buffer {
  const [status, body] = SINK_ANSWERS[kind];
  return Buffer.from(
    `HTTP/1.1 ${status}\r\nX-elastic-product: Elasticsearch\r\n` +
      'content-type: application/vnd.elasticsearch+json;compatible-with=9\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

async function obey({ ask, task, count = 0, ...wanted }: SinkAsk): Promise<void> {
  switch (task) {
    case 'reset':
      answer = responseOf(wanted.answer ?? 'applied');
      latencyMs = wanted.latencyMs ?? 0;
      applied = 0;
      awaited = [];
      answeredAtMs = count > 0 ? new Float64Array(count) : undefined;
      return reply({ ask });
    case 'reach':
      if (applied >= count) return reply({ ask, atMs: nowMs(), count: applied });
      awaited.push({ ask, count });
      return;
    case 'count':
      return reply({ ask, atMs: nowMs(), count: applied });
    case 'times':
      return reply({ ask, times: answeredAtMs ?? new Float64Array() });
    case 'away':
      server.close();
      for (const socket of sockets) socket.destroy();
      return reply({ ask, atMs: nowMs() });
    case 'back':
      await listen();
      return reply({ ask, atMs: nowMs() });
  }
}

function reply(message: SinkReply): void {
  process.send?.(message);
}

async function listen(): Promise<void> {
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port, backlog: 4_096 }, resolve));
  const address = server.address();
  if (typeof address === 'object' && address !== null) port = address.port;
}

function accept(socket: Socket): void {
  sockets.add(socket);
  let pending: Buffer | undefined;
  socket.on('data', (data) => {
    let buffer = pending === undefined ? data : Buffer.concat([pending, data]);
    pending = undefined;
    while (buffer.length > 0) {
      const size = requestSize(buffer);
      if (size === undefined || size > buffer.length) {
        pending = buffer;
        return;
      }
      take(socket, buffer);
      buffer = buffer.subarray(size);
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
}

/** In bytes, head and body; undefined while the head is not all there. */
function requestSize(buffer: Buffer): number | undefined {
  const headEnd = buffer.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(buffer.toString('latin1', 0, headEnd))?.[1];
  return headEnd + 4 + (length === undefined ? 0 : Number(length));
}

const late: { readonly socket: Socket; readonly dueAtMs: number; readonly number: number }[] = [];
let isTimerSet = false;

const LETTER_P = 0x50;

function take(socket: Socket, request: Buffer): void {
  // Anything but a PUT is a look at the server's health, which is no report.
  const number = request[0] === LETTER_P ? numberOf(request) : -1;
  if (latencyMs === 0) {
    finish(socket, number);
    return;
  }
  late.push({ socket, dueAtMs: nowMs() + latencyMs, number });
  if (!isTimerSet) setTimer(latencyMs);
}

/** The report's number, which its sync job's id ends in; 0 where nobody asked for times. */
function numberOf(request: Buffer): number {
  if (answeredAtMs === undefined) return 0;
  return Number(/job-(\d+)/.exec(request.toString('latin1', 0, 120))?.[1] ?? 0);
}

/** All wait equally long, so that the first in line is the first to be answered. */
function setTimer(ms: number): void {
  isTimerSet = true;
  setTimeout(() => {
    isTimerSet = false;
    const now = nowMs();
    let done = 0;
    for (const { socket, dueAtMs, number } of late) {
      if (dueAtMs > now) break;
      done += 1;
      finish(socket, number);
    }
    late.splice(0, done);
    const next = late[0];
    if (next !== undefined) setTimer(next.dueAtMs - now);
  }, ms);
}

function finish(socket: Socket, number: number): void {
  if (socket.destroyed) return;
  socket.write(answer);
  if (number < 0) return;
  applied += 1;
  if (answeredAtMs !== undefined) answeredAtMs[number] = nowMs();
  const first = awaited[0];
  if (first === undefined || applied < first.count) return;
  awaited = awaited.slice(1);
  reply({ ask: first.ask, atMs: nowMs(), count: applied });
}
