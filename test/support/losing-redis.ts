/** A way to Redis that loses an answer, for what a client does when it does not know what became of a command. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * Listens on a port of its own until the test is over, and passes everything on, but for the first answer to a
 * transaction: Redis has carried it out, the connection ends, and nothing has come back.
 *
 * @param meanwhile what happens between the transaction and the end of the connection
 * @returns the address
 */
export async function redisThatLosesAnAnswer(url: string, meanwhile?: () => Promise<void>): Promise<string> {
  const { hostname, port } = new URL(url);
  let wasLost = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    let isLosing = false;
    const end = (): void => {
      client.destroy();
      redis.destroy();
    };
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (sent) => {
      if (!wasLost && /\r\nexec\r\n/i.test(sent.toString('latin1'))) {
        wasLost = true;
        isLosing = true;
      }
      redis.write(sent);
    });
    redis.on('data', (answer) => {
      if (!isLosing) client.write(answer);
      else void (meanwhile?.() ?? Promise.resolve()).finally(end);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
