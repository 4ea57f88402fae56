/**
 * The exceptions Elasticsearch answers with, as one value that knows its own JSON envelope.
 *
 * Source of the envelope: `ElasticsearchException.generateFailureXContent` (general knowledge of
 * Elasticsearch): `root_cause` never carries `caused_by`, and members stand in the order written here.
 */

/** Members some exceptions add to their JSON, such as `bytes_wanted`; null-free and in order. */
export type ExceptionDetails = Readonly<Record<string, unknown>>;

/** What an exception says, before it has a status. */
export interface ExceptionShape {
  /** Snake-case type, as Elasticsearch derives it from its class name. */
  readonly type: string;
  readonly reason: string;
  readonly causedBy?: ExceptionShape;
  /** Members printed between `reason` and `caused_by`. */
  readonly details?: ExceptionDetails;
  /** Response headers that are repeated in the body under `header`. */
  readonly header?: Readonly<Record<string, readonly string[]>>;
}

/** An exception on its way out of a handler, with the HTTP status it answers with. */
export class ServerException extends Error {
  readonly status: number;
  readonly shape: ExceptionShape;
  /** The exception shown under `root_cause`; the top one unless the class says otherwise. */
  readonly rootCause: ExceptionShape;

  /**
   * @param status - HTTP status of the answer.
   * @param shape - What the body says.
   * @param rootCause - What `root_cause` shows when it is not the top exception.
   */
  constructor(status: number, shape: ExceptionShape, rootCause: ExceptionShape = shape) {
    super(`${shape.type}: ${shape.reason}`);
    this.status = status;
    this.shape = shape;
    this.rootCause = rootCause;
  }
}

/** The JSON body of an exception; with `errorTrace`, each member also carries a `stack_trace`. */
export function exceptionBody(exception: ServerException, errorTrace = false): Record<string, unknown> {
  return {
    error: {
      root_cause: [render({ ...exception.rootCause, causedBy: undefined }, errorTrace)],
      ...render(exception.shape, errorTrace),
    },
    status: exception.status,
  };
}

interface Renderable extends Omit<ExceptionShape, 'causedBy'> {
  readonly causedBy?: ExceptionShape | undefined;
}

function render(shape: Renderable, errorTrace: boolean): Record<string, unknown> {
  return {
    type: shape.type,
    reason: shape.reason,
    ...shape.details,
    ...(shape.causedBy === undefined ? {} : { caused_by: render(shape.causedBy, errorTrace) }),
    ...(shape.header === undefined ? {} : { header: unwrapSingles(shape.header) }),
    ...(errorTrace ? { stack_trace: `${shape.type}: ${shape.reason}` } : {}),
  };
}

/** A header with one value is printed as a string, one with several as an array. */
function unwrapSingles(header: Readonly<Record<string, readonly string[]>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(header).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}

/** 400 `illegal_argument_exception`. */
export function illegalArgument(reason: string): ServerException {
  return new ServerException(400, { type: 'illegal_argument_exception', reason });
}

/** 404 `resource_not_found_exception`. */
export function resourceNotFound(reason: string): ServerException {
  return new ServerException(404, { type: 'resource_not_found_exception', reason });
}

/** 400 `status_exception`. */
export function statusException(reason: string, causedBy?: ExceptionShape): ServerException {
  return new ServerException(400, {
    type: 'status_exception',
    reason,
    ...(causedBy === undefined ? {} : { causedBy }),
  });
}

/** 400 `action_request_validation_exception` listing every problem; undefined when there is none. */
export function validationFailure(problems: readonly string[]): ServerException | undefined {
  if (problems.length === 0) return undefined;
  const listed = problems.map((problem, index) => `${index + 1}: ${problem};`).join('');
  return new ServerException(400, {
    type: 'action_request_validation_exception',
    reason: `Validation Failed: ${listed}`,
  });
}

/** 400 `parse_exception`. */
export function parseFailure(reason: string): ServerException {
  return new ServerException(400, { type: 'parse_exception', reason });
}
