/** Sends the same report over and over on many raw sockets, until it is ended: `node raw-load-process.ts URL`. */
import { connect } from 'node:net';
import { reportOf } from './reports.ts';

const CONNECTIONS = 64;

const port = Number(new URL(process.argv[2] ?? '').port);
const { connector_sync_job_id, error } = reportOf(1);
const body = JSON.stringify({ error });
const request = Buffer.from(
  `PUT /_connector/_sync_job/${connector_sync_job_id}/_error HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n` +
    `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
);

for (let each = 0; each < CONNECTIONS; each += 1) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => socket.write(request));
  // An answer is far smaller than a segment, so that it arrives in one piece.
  socket.on('data', () => socket.write(request));
}
