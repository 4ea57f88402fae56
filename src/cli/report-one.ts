import { describeProblems, errorReportParser } from '../domain/error-report.ts';
import type { EnqueueResult } from '../pipeline/enqueue-reports.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { escapeControl, print, printJson, say } from './output.ts';
import { withEnqueue } from './with-relay.ts';

/** How a command that hands in reports behaves and speaks. */
export interface ReportOutput {
  readonly isDryRun: boolean;
  readonly isJson: boolean;
}

/** Hands in one report and prints what became of it. */
export async function reportOne(
  fields: Readonly<Record<string, string | undefined>>,
  { isDryRun, isJson }: ReportOutput,
): Promise<ExitCode> {
  // A field that was not given must not be there at all: the parser would take undefined for a mistake.
  const report = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const result = await withEnqueue(isDryRun, async (enqueue, { reports }) => {
    const [only] = await Array.fromAsync(enqueue([report], errorReportParser(reports)));
    if (only === undefined) throw new Error('one report gave no result');
    return only;
  });
  if (isJson) printJson(isDryRun ? { ...result, dry_run: true } : result);
  else tell(result, isDryRun);
  return result.status === 'invalid' ? EXIT.someFailed : EXIT.done;
}

function tell(result: EnqueueResult, isDryRun: boolean): void {
  switch (result.status) {
    case 'queued':
      print(`queued ${result.id}${isDryRun ? ' (dry run: nothing was sent)' : ''}`);
      break;
    case 'duplicate':
      print(`duplicate ${result.id}: the same report is on its way already`);
      break;
    case 'invalid':
      for (const problem of result.problems) say(escapeControl(describeProblems([problem])));
      break;
  }
}
