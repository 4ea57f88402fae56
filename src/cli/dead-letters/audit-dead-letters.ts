import type { AuditEntry } from '../../pipeline/dead-letter-ports.ts';
import { formatNumber, lineWidth, print, printJson, renderTable } from '../output.ts';
import { withRelay } from '../with-relay.ts';

/** Prints what was done with dead letters, newest first, and how many have left by each way. */
export async function auditDeadLetters(limit: number, isJson: boolean): Promise<void> {
  const [entries, totals] = await withRelay(({ deadLetters }) =>
    Promise.all([deadLetters.audit(limit), deadLetters.totals()]),
  );
  if (isJson) {
    printJson({ totals, entries });
    return;
  }
  if (entries.length === 0) print('Nothing was done with dead letters yet.');
  else for (const line of describe(entries)) print(line);
  const left = Object.entries(totals).map(([way, counts]) => {
    const count = Object.values(counts).reduce((sum, each) => sum + each, 0);
    return `${way} ${formatNumber(count)}`;
  });
  print(`\nin all: ${left.join(', ')}`);
}

function describe(entries: readonly AuditEntry[]): string[] {
  const columns = [
    { header: 'AT (UTC)' },
    { header: 'BY', minWidth: 6 },
    { header: 'ACTION' },
    { header: 'LETTERS', align: 'right' },
    { header: 'WHAT', minWidth: 20 },
  ] as const;
  const rows = entries.map((entry) => [
    entry.at.slice(0, 19).replace('T', ' '),
    entry.by,
    entry.action,
    entry.count === undefined ? '' : formatNumber(entry.count),
    [
      entry.letter,
      entry.run,
      entry.fields?.join(', '),
      entry.filter === undefined ? undefined : JSON.stringify(entry.filter),
      entry.note,
    ]
      .filter((part) => part !== undefined)
      .join('  '),
  ]);
  return renderTable(columns, rows, lineWidth());
}
