import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { describeProblems, errorReportParser } from '../../domain/error-report.ts';
import type { EditResult } from '../../pipeline/edit-dead-letter.ts';
import { type JsonPatch, patchReport } from '../../pipeline/patch-report.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { CliFailure } from '../failure.ts';
import { escapeControl, print, printJson, say } from '../output.ts';
import { withRelay } from '../with-relay.ts';

/** The ways to say what is to be changed; they are applied one after the other. */
export interface EditFlags {
  /** A JSON patch. */
  readonly patch?: string;
  /** A file that holds one. */
  readonly patchFile?: string;
  /** Fields with their new values. */
  readonly set: readonly (readonly [field: string, value: string])[];
  /** Fields to take away. */
  readonly unset: readonly string[];
}

/** How an edit behaves and speaks. */
export interface EditOutput {
  readonly by: string;
  readonly isDryRun: boolean;
  readonly isJson: boolean;
}

/**
 * Edits the report in a letter, and prints what it is now.
 *
 * @throws {CliFailure} where the patch cannot be read
 */
export async function editDeadLetter(id: string, flags: EditFlags, output: EditOutput): Promise<ExitCode> {
  const patch = await readPatch(flags);
  const result = await withRelay(async ({ deadLetters }, { reports }) => {
    if (!output.isDryRun) return deadLetters.edit(id, patch, output.by);
    const letter = await deadLetters.get(id.startsWith('r-') ? `d-${id}` : id);
    if (letter === undefined) return { status: 'unknown' } as const;
    const patched = patchReport(letter, patch, errorReportParser(reports));
    if (patched.kind === 'valid')
      return { status: 'edited', letter: { ...letter, report: patched.report } } as const;
    return patched.kind === 'invalid'
      ? ({ status: 'invalid', problems: patched.problems } as const)
      : ({ status: 'no-patch', reason: patched.reason } as const);
  });
  if (output.isJson) printJson(output.isDryRun ? { ...result, dry_run: true } : result);
  else tell(id, result, output.isDryRun);
  return result.status === 'edited' || result.status === 'unchanged' ? EXIT.done : EXIT.someFailed;
}

type Told = EditResult | { readonly status: 'edited'; readonly letter: { readonly report: unknown } };

function tell(id: string, result: Told, isDryRun: boolean): void {
  const name = escapeControl(id);
  switch (result.status) {
    case 'edited':
      print(
        `${name} ${isDryRun ? 'would be edited (dry run: nothing was changed)' : 'edited'}; its report is now`,
      );
      printJson(result.letter.report);
      break;
    case 'unchanged':
      print(`${name} is so already; nothing was changed`);
      break;
    case 'unknown':
      say(`error: there is no dead letter ${name}`);
      break;
    case 'invalid':
      say('error: that would be no report; nothing was changed');
      for (const problem of result.problems) say(`  ${escapeControl(describeProblems([problem]))}`);
      break;
    case 'no-patch':
      say(`error: ${escapeControl(result.reason)}; nothing was changed`);
      break;
  }
}

async function readPatch({ patch, patchFile, set, unset }: EditFlags): Promise<JsonPatch> {
  const given = patch ?? (patchFile === undefined ? undefined : await readPatchFile(patchFile));
  return [
    ...(given === undefined ? [] : parsePatch(given)),
    ...set.map(([field, value]) => ({ op: 'add', path: pointerTo(field), value })),
    ...unset.map((field) => ({ op: 'remove', path: pointerTo(field) })),
  ];
}

const pointerTo = (field: string): string => `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;

async function readPatchFile(path: string): Promise<string> {
  try {
    return await (path === '-' ? text(process.stdin) : readFile(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliFailure(`--patch-file cannot be read: ${reason}`, EXIT.usage, { cause });
  }
}

function parsePatch(given: string): readonly object[] {
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch (cause) {
    throw new CliFailure('the patch is not JSON', EXIT.usage, { cause });
  }
  if (Array.isArray(value)) return value as object[];
  throw new CliFailure('the patch: expected an array of operations, as RFC 6902 has it', EXIT.usage);
}
