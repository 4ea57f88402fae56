import { once } from 'node:events';
import type { DeadLetterFilter } from '../../domain/dead-letter-filter.ts';
import { formatCount, say, toSafeJson } from '../output.ts';
import { createProgress } from '../progress.ts';
import { withRelay } from '../with-relay.ts';

/** Writes letters to standard output, one JSON object a line, oldest first, and as fast as it is read. */
export async function exportDeadLetters(filter: DeadLetterFilter): Promise<void> {
  await withRelay(async ({ deadLetters }) => {
    const total = process.stderr.isTTY ? await deadLetters.count(filter) : undefined;
    // A bar would be torn by the letters where both go to the same terminal.
    const bar = process.stdout.isTTY ? undefined : createProgress('Exporting', total, 'letters');
    let exported = 0;
    try {
      for await (const letter of deadLetters.each(filter)) {
        if (process.stdout.destroyed) break;
        if (!process.stdout.write(`${toSafeJson(letter)}\n`)) await drained();
        exported += 1;
        bar?.update(exported);
      }
    } finally {
      bar?.stop();
    }
    say(`${formatCount(exported, 'dead letter')} exported`);
  });
}

/** Also where the reader has gone. */
async function drained(): Promise<void> {
  const gone = new AbortController();
  await Promise.race([
    once(process.stdout, 'drain', { signal: gone.signal }),
    once(process.stdout, 'close', { signal: gone.signal }),
  ]).catch(() => undefined);
  gone.abort();
}
