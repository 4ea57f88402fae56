import { deadLetterParser, type ParsedDeadLetter } from '../../domain/dead-letter-schema.ts';
import { type InputLine, readLines } from '../../pipeline/read-lines.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openInput } from '../open-input.ts';
import { escapeControl, formatCount, formatNumber, print, printJson } from '../output.ts';
import { createProgress } from '../progress.ts';
import { withRelay } from '../with-relay.ts';

/** How an import behaves and speaks. */
export interface ImportOutput {
  readonly by: string;
  readonly isDryRun: boolean;
  readonly isJson: boolean;
}

/** A letter holds its report twice where it was edited, and JSON may spell a byte with six characters. */
const LINE_BYTES_A_REPORT_BYTE = 12;

/** Room for the attempts of many lives. */
const OTHER_BYTES = 8_388_608;

/** Refused lines that are listed; a file of nothing but mistakes must not fill the memory. */
const MAX_LISTED = 1_000;

/** Letters under way to Redis at once. */
const IN_FLIGHT = 200;

type Outcome = 'added' | 'present' | 'on_its_way' | 'invalid';

/** Keeps the letters of an NDJSON file, or of standard input for `-`, and prints what became of them. */
export async function importDeadLetters(path: string, output: ImportOutput): Promise<ExitCode> {
  return await withRelay(async ({ deadLetters }, { reports }) => {
    const input = await openInput(path);
    const parse = deadLetterParser(reports);
    const maxBytes = reports.maxErrorBytes * LINE_BYTES_A_REPORT_BYTE + OTHER_BYTES;
    const counts: Record<Outcome, number> = { added: 0, present: 0, on_its_way: 0, invalid: 0 };
    const problems: { readonly line: number; readonly problem: string }[] = [];
    const bar = createProgress('Importing', output.isJson ? undefined : input.totalBytes, 'bytes');
    let bytes = 0;
    let underWay: Promise<void>[] = [];
    try {
      for await (const line of readLines(input.stream, maxBytes, (count) => {
        bytes += count;
      })) {
        const parsed = parseLine(line, parse);
        if (parsed.kind === 'invalid') {
          counts.invalid += 1;
          if (problems.length < MAX_LISTED) problems.push({ line: line.number, problem: parsed.reason });
          if (!output.isJson) bar.say(`line ${line.number}: ${escapeControl(parsed.reason)}`);
        } else {
          underWay.push(keep(parsed.letter));
        }
        if (underWay.length >= IN_FLIGHT) {
          await Promise.all(underWay);
          underWay = [];
        }
        if (!output.isJson) bar.update(bytes);
      }
      await Promise.all(underWay);
    } finally {
      bar.stop();
    }
    if (counts.added > 0 && !output.isDryRun) await deadLetters.noteRestored(counts.added, output.by);
    tell(counts, problems, output);
    return counts.invalid > 0 ? EXIT.someFailed : EXIT.done;

    async function keep(letter: Extract<ParsedDeadLetter, { kind: 'valid' }>['letter']): Promise<void> {
      const outcome = output.isDryRun
        ? (await deadLetters.get(letter.id)) === undefined
          ? 'added'
          : 'present'
        : await deadLetters.restore(letter);
      counts[outcome] += 1;
    }
  });
}

function parseLine(line: InputLine, parse: (value: unknown) => ParsedDeadLetter): ParsedDeadLetter {
  if (line.kind === 'unreadable') {
    return { kind: 'invalid', reason: `expected ${line.expected}, got ${line.got}` };
  }
  try {
    return parse(JSON.parse(line.text));
  } catch {
    return {
      kind: 'invalid',
      reason: 'expected a dead letter as export writes it, got text that is not JSON',
    };
  }
}

function tell(
  counts: Readonly<Record<Outcome, number>>,
  problems: readonly object[],
  { isDryRun, isJson }: ImportOutput,
): void {
  if (isJson) {
    printJson({ ...counts, problems, ...(isDryRun ? { dry_run: true } : {}) });
    return;
  }
  const { added, present, on_its_way: onItsWay, invalid } = counts;
  const rest = [`${formatNumber(present)} were here`, `${formatNumber(onItsWay)} on their way in the queue`];
  print(
    `${formatCount(added, 'dead letter')} ${isDryRun ? 'would be imported (dry run)' : 'imported'}; ` +
      `${rest.join(', ')}, ${formatNumber(invalid)} invalid`,
  );
}
