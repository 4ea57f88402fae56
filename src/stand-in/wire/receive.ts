/** Reads a request's body: at most so many bytes, unpacked where it came gzipped. */
import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { illegalArgument, type ServerException } from '../errors/server-exception.ts';

/** The body, or why there is none. */
export type Received =
  | { readonly kind: 'body'; readonly body: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'broken'; readonly exception: ServerException }
  | { readonly kind: 'aborted' };

const empty = Buffer.alloc(0);

/** Calls back once, as soon as the outcome is known. */
export function receiveBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (received: Received) => void,
): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) {
    done({ kind: 'too-large' });
    return;
  }
  let chunks: Buffer[] | undefined;
  let bytes = 0;
  let settled = false;
  const settle = (received: Received): void => {
    if (settled) return;
    settled = true;
    done(received);
  };
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) settle({ kind: 'too-large' });
    else if (chunks === undefined) chunks = [chunk];
    else chunks.push(chunk);
  });
  request.on('end', () => {
    const whole =
      chunks === undefined ? empty : chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks);
    settle(unpack(whole, request.headers['content-encoding'], maxBytes));
  });
  request.on('error', () => settle({ kind: 'aborted' }));
  request.on('close', () => settle({ kind: 'aborted' }));
}

function unpack(body: Buffer, encoding: string | undefined, maxBytes: number): Received {
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return { kind: 'body', body };
  try {
    return { kind: 'body', body: gunzipSync(body, { maxOutputLength: maxBytes }) };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'too-large' };
    return { kind: 'broken', exception: illegalArgument('Input stream is not gzip compressed') };
  }
}
