import { applyPatch, type Operation } from 'rfc6902';
import type { DeadLetter } from '../domain/dead-letter.ts';
import type { ParsedReport, ParseErrorReport } from '../domain/error-report.ts';

/** A JSON patch, RFC 6902: its operations, in their order. Anything may be passed; what is none is refused. */
export type JsonPatch = readonly object[];

export type PatchedReport =
  | ParsedReport
  /** The patch is none, or does not fit the report. */
  | { readonly kind: 'no-patch'; readonly reason: string };

/** The library cannot replace a whole document, so that the report is a member of one. */
const ROOT = '/report';

/**
 * The report of a letter with a patch applied to it, read like any new report. Where the letter holds none, the
 * patch is applied to its payload, or to `null` where that is not JSON.
 */
export function patchReport(letter: DeadLetter, patch: unknown, parse: ParseErrorReport): PatchedReport {
  const operations = readOperations(patch);
  if (typeof operations === 'string') return { kind: 'no-patch', reason: operations };
  const document = { report: structuredClone(letter.report ?? jsonOf(letter.payload)) };
  const reason = apply(document, operations);
  return reason === undefined ? parse(document.report) : { kind: 'no-patch', reason };
}

function apply(document: object, operations: readonly Operation[]): string | undefined {
  try {
    const results = applyPatch(document, [...operations]);
    const failed = results.findIndex((result) => result !== null);
    // The library's own words repeat the texts that it compares.
    return failed < 0 ? undefined : `operation ${failed + 1} of the patch does not fit the report`;
  } catch (error) {
    return `the patch cannot be applied: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const NO_PATCH = 'expected a JSON patch (RFC 6902): an array of objects, each with op and path';

function readOperations(patch: unknown): readonly Operation[] | string {
  if (!Array.isArray(patch) || patch.length === 0) return NO_PATCH;
  const operations = patch.map(withRoot);
  return operations.includes(undefined) ? NO_PATCH : (operations as Operation[]);
}

function withRoot(operation: unknown): object | undefined {
  if (typeof operation !== 'object' || operation === null) return undefined;
  const { op, path, from } = operation as Readonly<Record<string, unknown>>;
  if (typeof op !== 'string' || !isPointer(path)) return undefined;
  if (from !== undefined && !isPointer(from)) return undefined;
  return { ...operation, path: ROOT + path, ...(from === undefined ? {} : { from: ROOT + from }) };
}

function isPointer(value: unknown): value is string {
  if (typeof value !== 'string' || (value !== '' && !value.startsWith('/'))) return false;
  // The library would set the report's prototype.
  return !value.split('/').includes('__proto__');
}

function jsonOf(payload: string | undefined): unknown {
  try {
    return JSON.parse(payload ?? '');
  } catch {
    return null;
  }
}
