/** Request bodies: taken in whole up to a limit, or piece by piece, and unpacked where they are packed. */
import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, createInflate, gunzip, inflate } from 'node:zlib';

/** A whole body, or why there is none. */
export type ReceivedBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  /** It is not packed in the way it says. */
  | { readonly kind: 'broken' }
  /** Packed in a way that is not known here. */
  | { readonly kind: 'unknown-encoding' }
  | { readonly kind: 'slow' }
  /** The client has gone. */
  | { readonly kind: 'aborted' };

export interface BodyLimits {
  /** Longest body, packed as well as unpacked. */
  readonly maxBytes: number;
  /** How long it may take to arrive, in milliseconds. */
  readonly timeoutMs: number;
}

type Packing = 'none' | 'gzip' | 'deflate';

const EMPTY = Buffer.alloc(0);

/** Takes a body in. Never rejects. */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<ReceivedBody> {
  const packing = packingOf(request);
  if (packing === undefined) return { kind: 'unknown-encoding' };
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) return { kind: 'too-large' };
  const received = await collect(request, limits);
  if (received.kind !== 'whole' || packing === 'none' || received.bytes.length === 0) return received;
  return await unpack(received.bytes, packing, limits.maxBytes);
}

/**
 * The body as it arrives, unpacked; undefined where it is packed in an unknown way. Faults of packing end it
 * with an error.
 */
export function streamBody(request: IncomingMessage): Readable | undefined {
  const packing = packingOf(request);
  if (packing === undefined) return undefined;
  if (packing === 'none') return request;
  const unpacked = packing === 'gzip' ? createGunzip() : createInflate();
  request.on('error', (error) => unpacked.destroy(error));
  return request.pipe(unpacked);
}

function packingOf(request: IncomingMessage): Packing | undefined {
  switch (request.headers['content-encoding']?.trim().toLowerCase() ?? '') {
    case '':
    case 'identity':
      return 'none';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      return 'deflate';
    default:
      return undefined;
  }
}

function collect(request: IncomingMessage, { maxBytes, timeoutMs }: BodyLimits): Promise<ReceivedBody> {
  const { promise, resolve } = Promise.withResolvers<ReceivedBody>();
  let pieces: Buffer[] = [];
  let bytes = 0;
  // A body that never ends must not hold its connection, answered or not.
  const deadline = setTimeout(() => {
    resolve({ kind: 'slow' });
    setImmediate(() => request.socket.destroySoon());
  }, timeoutMs);
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= maxBytes) {
      pieces.push(piece);
    } else {
      // The rest is read and dropped: a client that is still sending would not see an answer otherwise.
      pieces = [];
      resolve({ kind: 'too-large' });
    }
  });
  request.on('end', () => {
    clearTimeout(deadline);
    const [first = EMPTY] = pieces;
    resolve({ kind: 'whole', bytes: pieces.length <= 1 ? first : Buffer.concat(pieces) });
  });
  request.on('error', () => {
    clearTimeout(deadline);
    resolve({ kind: 'aborted' });
  });
  request.on('close', () => {
    clearTimeout(deadline);
    resolve({ kind: 'aborted' });
  });
  return promise;
}

const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate) };

async function unpack(bytes: Buffer, packing: 'gzip' | 'deflate', maxBytes: number): Promise<ReceivedBody> {
  try {
    return { kind: 'whole', bytes: await unpackers[packing](bytes, { maxOutputLength: maxBytes }) };
  } catch (error) {
    return { kind: error instanceof RangeError ? 'too-large' : 'broken' };
  }
}
