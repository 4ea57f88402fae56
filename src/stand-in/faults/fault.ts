/** Everything that can be made to go wrong, as values. */
import type { Latency } from './random.ts';

/** When a fault strikes; what is left out does not restrict it. */
export interface FaultScope {
  /** Share of matching requests it strikes, 0..1. Default 1. */
  readonly probability?: number;
  /** Strikes at most so many times, then is gone. */
  readonly count?: number;
  /** Lets so many matching requests pass first. */
  readonly skip?: number;
  /** Begins so many milliseconds after it was added. Default 0. */
  readonly afterMs?: number;
  /** Is gone so many milliseconds after it began. */
  readonly forMs?: number;
  /** Only requests of this method. */
  readonly method?: string;
  /** Only requests whose path and query contain this text; `*` stands for anything. */
  readonly path?: string;
}

/** What goes wrong. */
export type FaultEffect =
  /** Answers with a status and the body that belongs to it, without doing anything. */
  | {
      readonly kind: 'status';
      readonly status: number;
      /** A body by name, where a status has several; see the names in docs. */
      readonly body?: string;
      /** A `Retry-After`: seconds, `date:<seconds>` for a date, or any text as it is. */
      readonly retryAfter?: number | string;
    }
  /** Answers later. */
  | { readonly kind: 'latency'; readonly latency: Latency }
  /** Answers 429 beyond so many requests a second. */
  | {
      readonly kind: 'rate-limit';
      readonly perSecond: number;
      /** Requests that may come at once. Default: one second's worth. */
      readonly burst?: number;
      readonly retryAfter?: number | string;
    }
  /** Listens no more and cuts every connection, for `forMs`. */
  | { readonly kind: 'refuse' }
  /** Resets the connection without an answer; nothing is done. */
  | { readonly kind: 'reset' }
  /** Never answers; nothing is done. */
  | { readonly kind: 'blackhole' }
  /** Does the work, then cuts the connection after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Does the work, then promises so many bytes more (or fewer) than it sends, and closes. */
  | { readonly kind: 'wrong-content-length'; readonly difference: number }
  /** Does the work, then resets the connection. */
  | { readonly kind: 'lose-response' }
  /** Answers 200 with a page of HTML, as a captive portal does; nothing is done. */
  | { readonly kind: 'html' }
  /** Does the work, then answers with a body of so many bytes. */
  | { readonly kind: 'huge-body'; readonly bytes: number }
  /** Does the work, then answers with another product header, or none (null). */
  | { readonly kind: 'product-header'; readonly value: string | null }
  /** Answers 401 as if the credentials were no good any more. */
  | { readonly kind: 'auth-loss' }
  /** Refuses writes: 403 for a read-only block, 429 for the flood-stage watermark. */
  | { readonly kind: 'read-only'; readonly floodStage?: boolean }
  /** Answers writes with 409. */
  | { readonly kind: 'version-conflict' };

/** A fault to add. */
export type Fault = FaultScope & FaultEffect;

/** A fault as it stands. */
export interface ActiveFault {
  /** By which it can be removed. */
  readonly id: string;
  readonly fault: Fault;
  /** Times it has struck. */
  readonly struck: number;
}
