import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';
import { readBody } from './read-body.ts';

/**
 * The value in a request's body.
 *
 * @throws {Problem} where it is none
 */
export async function readJson(
  request: FastifyRequest,
  maxBytes: number,
  timeoutMs: number,
): Promise<unknown> {
  const received = await readBody(request.raw, { maxBytes, timeoutMs });
  switch (received.kind) {
    case 'whole':
      if (!isUtf8(received.bytes)) throw new Problem('bad_request', { detail: 'The body is not UTF-8.' });
      return parseJson(received.bytes.toString('utf8'));
    case 'too-large':
      throw new Problem('too_large', { detail: `A body holds at most ${maxBytes} bytes.` });
    case 'broken':
      throw new Problem('bad_request', { detail: 'The body is not packed as its Content-Encoding says.' });
    case 'unknown-encoding':
      throw unknownEncoding();
    case 'slow':
    case 'aborted':
      throw new Problem('timeout');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message repeats what was sent.
    throw new Problem('bad_request', { detail: 'The body is not JSON.' });
  }
}

/** For a body that is packed in a way nobody knows here. */
export const unknownEncoding = (): Problem =>
  new Problem('unsupported_media_type', { detail: 'Content-Encoding has to be gzip, deflate or none.' });
