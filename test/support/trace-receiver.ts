/** A receiver of traces: OTLP over HTTP, as far as spans go, read from protobuf by the numbers of its fields. */
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { until } from './wait.ts';

export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Names of events; an exception would be one. */
  readonly events: readonly string[];
  readonly isError: boolean;
  readonly statusMessage: string;
}

export interface TraceReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Every byte that came, as text. */
  text(): string;
  /** Resolves with the spans once so many are there. */
  received(count: number): Promise<readonly ReceivedSpan[]>;
}

/** Starts one, on a free port; it ends with the test. */
export async function startTraceReceiver(): Promise<TraceReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    bodies.push(body);
    const isOtlp = request.method === 'POST' && request.url === '/v1/traces';
    if (isOtlp && request.headers['content-type'] === 'application/x-protobuf')
      spans.push(...readSpans(body));
    else response.statusCode = 404;
    response.setHeader('content-type', 'application/x-protobuf').end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    text: () => Buffer.concat(bodies).toString('latin1'),
    async received(count) {
      await until(`${count} spans are there`, async () => spans.length >= count, 20_000);
      return spans;
    },
  };
}

const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

function readSpans(request: Buffer): ReceivedSpan[] {
  return messages(fields(request), 1).flatMap((ofResource) => {
    const service = String(attributesOf(messages(ofResource, 1)[0] ?? [], 1)['service.name']);
    return messages(ofResource, 2).flatMap((ofScope) =>
      messages(ofScope, 2).map((span): ReceivedSpan => {
        const status = messages(span, 15)[0] ?? [];
        return {
          service,
          traceId: bytes(span, 1).toString('hex'),
          spanId: bytes(span, 2).toString('hex'),
          parentId: bytes(span, 4).toString('hex'),
          name: bytes(span, 5).toString(),
          kind: KINDS[number(span, 6)] ?? 'internal',
          attributes: attributesOf(span, 9),
          events: messages(span, 11).map((event) => bytes(event, 2).toString()),
          isError: number(status, 3) === 2,
          statusMessage: bytes(status, 2).toString(),
        };
      }),
    );
  });
}

function attributesOf(message: Fields, at: number): Record<string, string | number | boolean> {
  return Object.fromEntries(
    messages(message, at).map((pair) => {
      const value = messages(pair, 2)[0] ?? [];
      const [first] = value;
      const isText = first?.at === 1;
      return [bytes(pair, 1).toString(), isText ? bytes(value, 1).toString() : number(value, first?.at ?? 3)];
    }),
  );
}

/** The fields of a message, each with its number. */
type Fields = readonly { readonly at: number; readonly value: number | Buffer }[];

function fields(message: Buffer): Fields {
  const found: { at: number; value: number | Buffer }[] = [];
  let place = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[place++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => {
    place += length;
    return message.subarray(place - length, place);
  };
  while (place < message.length) {
    const tag = varint();
    const at = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        found.push({ at, value: varint() });
        break;
      case 1:
        found.push({ at, value: take(8) });
        break;
      case 2:
        found.push({ at, value: take(varint()) });
        break;
      case 5:
        found.push({ at, value: take(4) });
        break;
      default:
        throw new Error(`no wire type of protobuf: ${tag % 8}`);
    }
  }
  return found;
}

const messages = (message: Fields, at: number): Fields[] =>
  message.flatMap((field) =>
    field.at === at && typeof field.value !== 'number' ? [fields(field.value)] : [],
  );

function bytes(message: Fields, at: number): Buffer {
  const value = message.find((field) => field.at === at)?.value;
  return typeof value === 'object' ? value : Buffer.alloc(0);
}

function number(message: Fields, at: number): number {
  const value = message.find((field) => field.at === at)?.value;
  return typeof value === 'number' ? value : 0;
}
