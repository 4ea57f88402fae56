/**
 * The least that BullMQ and HTTP can cost: its worker, and requests written to raw sockets. It reads of an answer
 * that it came, and would call a refusal a success.
 */
import { connect, type Socket } from 'node:net';
import { Worker } from 'bullmq';
import type { ErrorReport } from '../../src/index.ts';
import { fillQueue, QUEUE } from './bullmq-producer.ts';
import type { Contender } from './contender.ts';
import { readWork, workCommand } from './work.ts';

export const bareLimit: Contender = {
  name: 'bare',
  title: 'the bare limit (BullMQ, raw sockets, no semantics)',
  isTuned: true,
  fill: ({ redisUrl }, from, count) => fillQueue(redisUrl, from, count),
  command: (work) => workCommand(import.meta.filename, work),
};

if (import.meta.main) {
  const { redisUrl, elasticsearchUrl, concurrency } = readWork();
  const put = rawClient(Number(new URL(elasticsearchUrl).port));
  const worker = new Worker<ErrorReport>(QUEUE, ({ data }) => put(data), {
    connection: { url: redisUrl },
    concurrency,
  });
  worker.on('failed', (_job, error) => console.error(error.message));
}

/** Keeps sockets open and gives each one request at a time. */
function rawClient(port: number): (report: ErrorReport) => Promise<void> {
  const idle: Socket[] = [];
  const busy = new Map<Socket, () => void>();

  function open(): Socket {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    // An answer is far smaller than a segment, so that it arrives in one piece.
    socket.on('data', () => {
      const done = busy.get(socket);
      busy.delete(socket);
      idle.push(socket);
      done?.();
    });
    return socket;
  }

  return ({ connector_sync_job_id, error }) =>
    new Promise((resolve) => {
      const socket = idle.pop() ?? open();
      busy.set(socket, resolve);
      const body = JSON.stringify({ error });
      socket.write(
        `PUT /_connector/_sync_job/${connector_sync_job_id}/_error HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n` +
          `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
}
