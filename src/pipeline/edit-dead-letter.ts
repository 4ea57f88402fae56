import type { DeadLetter } from '../domain/dead-letter.ts';
import type { ErrorReport, ParseErrorReport, ReportProblem } from '../domain/error-report.ts';
import type { DeadLetterStore } from './dead-letter-ports.ts';
import { patchReport } from './patch-report.ts';

export type EditResult =
  | { readonly status: 'edited'; readonly letter: DeadLetter; readonly fields: readonly string[] }
  /** The report is the same afterwards; nothing was written. */
  | { readonly status: 'unchanged' }
  /** There is no such letter. */
  | { readonly status: 'unknown' }
  /** It would be no report; nothing was written. */
  | { readonly status: 'invalid'; readonly problems: readonly ReportProblem[] }
  /** The patch is none, or does not fit the report; nothing was written. */
  | { readonly status: 'no-patch'; readonly reason: string };

export interface EditContext {
  readonly letters: Pick<DeadLetterStore, 'read' | 'replace'>;
  readonly parse: ParseErrorReport;
  readonly now: () => number;
  /** Who edits. */
  readonly by: string;
}

/**
 * Changes the report in a dead letter, and leaves the letter where it is, with the same id.
 *
 * The result has to be a report like any other. What was accepted is kept in `original`, every edit is noted in
 * `edits` and, in the same step as the change, in the audit log. An edit that meets another one at the same
 * moment is made on top of it.
 */
export async function editDeadLetter(id: string, patch: unknown, context: EditContext): Promise<EditResult> {
  const { letters, parse, now, by } = context;
  for (;;) {
    const [seen] = await letters.read([id]);
    if (seen === undefined) return { status: 'unknown' };
    const patched = patchReport(seen.letter, patch, parse);
    if (patched.kind === 'invalid') return { status: 'invalid', problems: patched.problems };
    if (patched.kind === 'no-patch') return { status: 'no-patch', reason: patched.reason };
    const fields = changedFields(seen.letter.report, patched.report);
    if (fields.length === 0) return { status: 'unchanged' };

    const at = new Date(now()).toISOString();
    const letter = edited(seen.letter, patched.report, { at, by, fields });
    const entry = { at, by, action: 'edit', letter: id, fields } as const;
    if ((await letters.replace(seen, letter, entry)) === 'replaced')
      return { status: 'edited', letter, fields };
  }
}

function edited(
  { payload, problems: _problems, ...letter }: DeadLetter,
  report: ErrorReport,
  edit: { readonly at: string; readonly by: string; readonly fields: readonly string[] },
): DeadLetter {
  const original = { report: letter.report, ...(payload === undefined ? {} : { payload }) };
  return {
    ...letter,
    report,
    original: letter.original ?? original,
    edits: [...(letter.edits ?? []), edit],
  };
}

function changedFields(before: ErrorReport | null, after: ErrorReport): string[] {
  const old: Readonly<Record<string, unknown>> = { ...before };
  const now: Readonly<Record<string, unknown>> = { ...after };
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (field) => old[field] !== now[field],
  );
}
