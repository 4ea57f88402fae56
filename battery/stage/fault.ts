/** What a fault proxy can do to what passes through it. */

/** A fault of the whole way: it holds for every connection, those that are open included. */
export type WayFault =
  /** Nobody listens; open connections are reset. */
  | { readonly kind: 'refuse' }
  /** Nothing passes in either direction. What is held comes through late, as after a partition, where its
   * connection is still open. */
  | { readonly kind: 'blackhole' };

/** A fault of one exchange: a request and its response. */
export type ExchangeFault =
  /** The connection is reset before the request is passed on. */
  | { readonly kind: 'reset' }
  /** The request is swallowed, and no answer ever comes. */
  | { readonly kind: 'swallow' }
  /** The response comes later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The response comes in small pieces. */
  | { readonly kind: 'dribble'; readonly pieceBytes: number; readonly everyMs: number }
  /** The request is carried out; the connection is closed after so many bytes of the response. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The request is carried out; the connection is reset in place of the response. */
  | { readonly kind: 'drop-response' }
  /** The request is not passed on; these bytes are the answer, and the connection is closed after them. */
  | { readonly kind: 'answer'; readonly bytes: string };

export type Fault = WayFault | ExchangeFault;

/** When a fault is in force; what is left out does not restrict it. */
export interface FaultScope {
  /** Begins so many milliseconds from now. */
  readonly afterMs?: number;
  /** Ends so many milliseconds after it began. */
  readonly forMs?: number;
  /** Share of the exchanges that it strikes, 0 to 1. Not for faults of the whole way. */
  readonly probability?: number;
  /** Which exchanges it may strike. Not for faults of the whole way. */
  readonly matches?: (exchange: Exchange) => boolean;
}

/** One request that came to the proxy, and what became of it. */
export interface Exchange {
  /** When it came, in milliseconds since 1970. */
  readonly atMs: number;
  /** For HTTP, as sent; otherwise empty. */
  readonly method: string;
  readonly path: string;
  /** When the first byte of a response, or the end of the connection, came back. */
  endedAtMs?: number;
  /** For HTTP, the status that was passed on to the client. */
  status?: number;
  /** The fault that struck it. */
  fault?: ExchangeFault['kind'];
  /** Bytes of the response that were passed on. */
  bytesBack: number;
}

/** Bytes on their way, as a watcher sees them. */
export interface Passing {
  readonly from: 'client' | 'server';
  /** What passes now, after the end of what passed before in this direction: a text is found also where it
   * came in two pieces. Latin-1. */
  readonly text: string;
  readonly exchange: Exchange | undefined;
}

/** Sees everything that passes; `stop` drops it and resets both ends. */
export type Watcher = (passing: Passing) => 'pass' | 'stop';

export const isWayFault = (fault: Fault): fault is WayFault =>
  fault.kind === 'refuse' || fault.kind === 'blackhole';
