/**
 * Conformance as data: what is asked of the connector API, and what Elasticsearch answers. The same
 * cases run on the stand-in and on a real Elasticsearch, so they set their scenes by the public API only.
 */

/** A request; texts may hold `{name}`, which stands for what a step of the scene saved, or for `{unique}`. */
export interface ConformanceRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** A step that sets the scene; it must succeed. */
export interface SceneStep extends ConformanceRequest {
  /** Members of the answer to remember, by the name to remember them under. */
  readonly save?: Readonly<Record<string, string>>;
}

/**
 * What a value must be: itself; an object with at least these members where it says `$has`; a text
 * that matches where it says `$matches`; anything that is there where it says `$any`.
 */
export type Expected = unknown;

/** What must come back. */
export interface ConformanceAnswer {
  readonly status: number;
  /** Header names in lower case; null for one that must not be there. */
  readonly headers?: Readonly<Record<string, Expected>>;
  /** The body, parsed where it is JSON. */
  readonly body?: Expected;
}

/** One case. */
export interface ConformanceCase {
  /** A sentence about behaviour. */
  readonly name: string;
  /** A cluster privilege it needs beside `manage_connector`. */
  readonly privilege?: 'monitor';
  readonly scene?: readonly SceneStep[];
  readonly request: ConformanceRequest;
  readonly answer: ConformanceAnswer;
}

/** A text that matches an expression. */
export const matches = (pattern: RegExp): Expected => ({ $matches: pattern.source });

/** Anything that is there. */
export const any: Expected = { $any: true };

/** An object with at least these members. */
export const has = (members: Readonly<Record<string, Expected>>): Expected => ({ $has: members });

/** The body of an exception. */
export function exception(
  status: number,
  type: string,
  reason: Expected,
  causedBy?: Readonly<Record<string, unknown>>,
): Expected {
  return {
    error: {
      root_cause: [{ type, reason }],
      type,
      reason,
      ...(causedBy === undefined ? {} : { caused_by: causedBy }),
    },
    status,
  };
}

/** A connector of the case's own, ready to be synced. */
export const connector: SceneStep = {
  method: 'PUT',
  path: '/_connector/c-{unique}',
  body: { index_name: 'search-{unique}', name: 'conformance', service_type: 'mysql' },
};

/** A pending sync job of that connector, its id saved as `job`. */
export const pendingJob: readonly SceneStep[] = [
  connector,
  { method: 'POST', path: '/_connector/_sync_job', body: { id: 'c-{unique}' }, save: { job: 'id' } },
];

/** The same, claimed. */
export const runningJob: readonly SceneStep[] = [
  ...pendingJob,
  { method: 'PUT', path: '/_connector/_sync_job/{job}/_claim', body: { worker_hostname: 'host' } },
];

/** The same, asked to stop. */
export const cancelingJob: readonly SceneStep[] = [
  ...runningJob,
  { method: 'PUT', path: '/_connector/_sync_job/{job}/_cancel' },
];

/** A job that was cancelled before it ran. */
export const canceledJob: readonly SceneStep[] = [
  ...pendingJob,
  { method: 'PUT', path: '/_connector/_sync_job/{job}/_cancel' },
];

/** A job that failed. */
export const failedJob: readonly SceneStep[] = [
  ...runningJob,
  { method: 'PUT', path: '/_connector/_sync_job/{job}/_error', body: { error: 'first' } },
];
