import { connect } from 'node:net';

/** What a server on a port says about itself. */
export interface RedisIdentity {
  /** False while it still loads its files. */
  readonly ready: boolean;
  readonly pid: number;
  readonly version: string;
}

const ANSWER_TIMEOUT_MS = 1_000;

/**
 * Asks the server on a loopback port who it is, over a bare socket: a client that reconnects by itself is
 * the wrong tool for one question.
 *
 * @returns undefined where nothing answers, or something that is not Redis.
 */
export function inspectRedis(port: number): Promise<RedisIdentity | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setEncoding('latin1');
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
    socket.on('connect', () => socket.write('PING\r\nINFO server\r\nQUIT\r\n'));
    socket.on('data', (text) => {
      answer += text;
    });
    // The outcome of an error is told by 'close', which always follows.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(parseIdentity(answer)));
  });
}

function parseIdentity(answer: string): RedisIdentity | undefined {
  const pid = /^process_id:(\d+)/m.exec(answer)?.[1];
  // Valkey also prints a redis_version, the one it is compatible with.
  const version = (/^valkey_version:(\S+)/m.exec(answer) ?? /^redis_version:(\S+)/m.exec(answer))?.[1];
  if (pid === undefined || version === undefined) return undefined;
  return { ready: answer.startsWith('+PONG'), pid: Number(pid), version };
}
