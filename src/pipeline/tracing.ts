/** Follows reports from their producer to Elasticsearch, for whoever looks at traces. */
import type { ErrorReport } from '../domain/error-report.ts';
import type { JobQueue, SettleJob } from './ports.ts';

/** The span that a line of the log belongs to. */
export interface TraceIds {
  readonly trace_id: string;
  readonly span_id: string;
}

/** A request of ours to Elasticsearch that is about to leave. */
export interface RequestTrace {
  /** To be sent with the request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Says how it ended. */
  end(ending: RequestEnding): void;
}

export interface RequestEnding {
  /** HTTP status, where there was a response. */
  readonly status?: number | undefined;
  /** The node that was asked, where one was. */
  readonly node?: URL | undefined;
  /** What went wrong, in a word; never a message. */
  readonly errorType?: string | undefined;
}

/**
 * Begins to follow a request to Elasticsearch.
 *
 * @param route its path, with names in place of ids
 * @returns undefined where it belongs to no report
 */
export type BeginRequest = (method: string, route: string) => RequestTrace | undefined;

/** A request that somebody sent to us. */
export interface ServedRequest {
  readonly method: string;
  /** The pattern of its path. */
  readonly route: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A request of somebody's that is being answered. */
export interface ServedTrace {
  readonly ids: TraceIds | undefined;
  /** Says how it was answered. */
  end(status: number): void;
}

export interface Tracing {
  /** Follows reports into the queue, and gives each its own trace to carry on. */
  additions(queueName: string, add: JobQueue['add']): JobQueue['add'];
  /** Remembers that the report came with what is being done right now, however it goes on from here. */
  adopt(report: ErrorReport): void;
  /** Follows attempts, each as a part of its report's trace. */
  attempts(queueName: string, settle: SettleJob): SettleJob;
  readonly beginRequest: BeginRequest;
  /** Follows a request to us; what `answer` begins belongs to it. */
  serve(request: ServedRequest, answer: () => void): ServedTrace;
}
