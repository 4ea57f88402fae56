/** What Elasticsearch answers when it refuses, as a value that knows its own JSON. */

/** One exception as Elasticsearch describes it. */
export interface EsException {
  /** Its class's name in snake case. */
  readonly type: string;
  readonly reason: string;
  readonly causedBy?: EsException;
  /** Response headers, which the body repeats. */
  readonly header?: Readonly<Record<string, readonly string[]>>;
}

/** Ends the reading of a request with Elasticsearch's refusal. Thrown and caught within this folder. */
export class EsFailure extends Error {
  override readonly name = 'EsFailure';
  readonly status: number;
  readonly exception: EsException;

  constructor(status: number, exception: EsException) {
    super(exception.reason);
    this.status = status;
    this.exception = exception;
  }
}

/** The failure's JSON body. */
export function bodyOfFailure({ status, exception }: EsFailure): Readonly<Record<string, unknown>> {
  const { causedBy: _, ...root } = exception;
  return { error: { root_cause: [describe(root)], ...describe(exception) }, status };
}

function describe({ type, reason, causedBy, header }: EsException): Readonly<Record<string, unknown>> {
  return {
    type,
    reason,
    ...(causedBy === undefined ? {} : { caused_by: describe(causedBy) }),
    ...(header === undefined
      ? {}
      : {
          header: Object.fromEntries(
            Object.entries(header).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
          ),
        }),
  };
}

/** 400 `illegal_argument_exception`. */
export const illegalArgument = (reason: string): EsFailure =>
  new EsFailure(400, { type: 'illegal_argument_exception', reason });
