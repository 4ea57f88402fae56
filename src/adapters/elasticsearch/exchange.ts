/**
 * One HTTP exchange:
 *
 * 1. It waits for a connection. Whatever ends it here, nothing was sent.
 * 2. The request leaves (`onRequestStart`). Whatever ends it now, it may have been carried out.
 * 3. The response comes, counted as it comes. One that grows too long is not read to its end.
 *
 * One deadline covers all three, and ends the connection with the exchange: a late response must not be
 * taken for that of a later request.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { unzipSync } from 'node:zlib';
import type { UndiciConnection } from '@elastic/elasticsearch';
import type { Answer } from '../../domain/answer.ts';
import { answerHeaders, type RawResponse, unreadableResponse } from './answer-of-response.ts';
import { onInterruption } from './interruptions.ts';
import { lost, NodeFailure, notSent } from './node-failure.ts';

type Dispatch = UndiciConnection['pool']['dispatch'];
type DispatchRequest = Parameters<Dispatch>[0];
type DispatchHandler = Parameters<Dispatch>[1];
type DispatchController = Parameters<NonNullable<DispatchHandler['onRequestStart']>>[0];

/** The node's connection pool, as far as an exchange needs it. */
export interface Dispatcher {
  dispatch(request: DispatchRequest, handler: DispatchHandler): boolean;
}

/** What bounds an exchange, and who is told of its end. */
export interface ExchangeLimits {
  /** From the call to the last byte of the response, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest response body that is read, in bytes, as sent and as unpacked. */
  readonly maxResponseBytes: number;
  readonly onEnd: () => void;
}

/**
 * Sends one request and reads its response.
 *
 * @throws {NodeFailure} where no readable response came of it
 */
export function exchange(
  dispatcher: Dispatcher,
  request: DispatchRequest,
  limits: ExchangeLimits,
  signal: AbortSignal,
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const handler = new Exchange(limits, signal, resolve, reject);
    try {
      dispatcher.dispatch(request, handler);
    } catch (error) {
      handler.refuse(error);
    }
  });
}

class Exchange implements DispatchHandler {
  readonly #limits: ExchangeLimits;
  readonly #resolve: (response: RawResponse) => void;
  readonly #reject: (failure: NodeFailure) => void;
  readonly #deadline: NodeJS.Timeout;
  readonly #forgetInterruption: () => void;
  #controller: DispatchController | undefined;
  #isSettled = false;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(
    limits: ExchangeLimits,
    signal: AbortSignal,
    resolve: (response: RawResponse) => void,
    reject: (failure: NodeFailure) => void,
  ) {
    this.#limits = limits;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = setTimeout(() => this.#timeOut(), limits.timeoutMs);
    this.#forgetInterruption = onInterruption(signal, () => this.#giveUp({ kind: 'interrupted' }, false));
  }

  /** The request was not even taken. */
  refuse(error: unknown): void {
    this.#fail(notSent(error), true);
  }

  onRequestStart(controller: DispatchController): void {
    // Given up while it waited for a connection: this keeps it from being sent after all.
    if (this.#isSettled) controller.abort(new Error('given up'));
    else this.#controller = controller;
  }

  onResponseStart(_controller: DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#isSettled) return;
    // Comes once for each 1xx as well; the response's own is the last.
    this.#status = status;
    this.#headers = headers;
    if (Number(headers['content-length']) > this.#limits.maxResponseBytes) this.#tooLong();
  }

  onResponseData(_controller: DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    this.#length += chunk.length;
    if (this.#length > this.#limits.maxResponseBytes) this.#tooLong();
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#isSettled) return;
    const body = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#length);
    const text = decode(body, this.#headers['content-encoding'], this.#limits.maxResponseBytes);
    if (text === undefined) {
      this.#unreadable('a body in an encoding that cannot be undone');
      return;
    }
    this.#settle();
    this.#resolve({ status: this.#status, headers: answerHeaders(this.#headers), text });
  }

  onResponseError(_controller: DispatchController, error: Error): void {
    this.#fail(this.#controller === undefined ? notSent(error) : lost(error), true);
  }

  #timeOut(): void {
    const { timeoutMs } = this.#limits;
    const answer: Answer =
      this.#controller === undefined
        ? {
            kind: 'not-sent',
            cause: 'unreachable',
            type: 'timeout',
            reason: `no connection within ${timeoutMs} ms`,
          }
        : { kind: 'lost', type: 'timeout', reason: `no whole response within ${timeoutMs} ms` };
    this.#giveUp(answer, true);
  }

  #tooLong(): void {
    this.#unreadable(`a body of more than ${this.#limits.maxResponseBytes} bytes`);
  }

  #unreadable(reason: string): void {
    this.#giveUp(unreadableResponse(this.#status, answerHeaders(this.#headers), reason), false);
  }

  #giveUp(answer: Answer, isNodeAtFault: boolean): void {
    this.#fail(answer, isNodeAtFault);
    this.#controller?.abort(new Error('given up'));
  }

  #fail(answer: Answer, isNodeAtFault: boolean): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#reject(new NodeFailure(answer, isNodeAtFault));
  }

  #settle(): void {
    this.#isSettled = true;
    clearTimeout(this.#deadline);
    this.#forgetInterruption();
    this.#limits.onEnd();
  }
}

/** No compression is asked for, but a proxy may apply it all the same. */
function decode(
  body: Buffer | undefined,
  encoding: string | string[] | undefined,
  maxBytes: number,
): string | undefined {
  if (body === undefined || body.length === 0) return '';
  if (encoding === undefined || encoding === 'identity') return body.toString();
  if (encoding !== 'gzip' && encoding !== 'deflate') return undefined;
  try {
    return unzipSync(body, { maxOutputLength: maxBytes }).toString();
  } catch {
    return undefined;
  }
}
