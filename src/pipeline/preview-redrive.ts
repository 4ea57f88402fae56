import type { DeadLetterCode } from '../domain/codes.ts';
import type { DeadLetterFilter } from '../domain/dead-letter-filter.ts';
import type { ParseErrorReport } from '../domain/error-report.ts';
import { type DeadLetterStore, eachLetter } from './dead-letter-ports.ts';
import { whyNot } from './redrive-dead-letters.ts';
import { REDRIVE_DEFAULTS, type RedriveOptions, type RedriveVerdict } from './redrive-ports.ts';

/** What a redrive would do now. */
export interface RedrivePreview {
  /** Letters that match, up to the limit. */
  readonly matched: number;
  /** Those that would go, by code. */
  readonly would_redrive: Readonly<Partial<Record<DeadLetterCode, number>>>;
  /** Those that would be passed over, by why. */
  readonly would_pass: Readonly<Partial<Record<RedriveVerdict, number>>>;
}

/** Says what a redrive would do, and changes nothing. Whether a job is on its way already shows only when it goes. */
export async function previewRedrive(
  filter: DeadLetterFilter,
  { limit, maxRedrives }: Pick<RedriveOptions, 'limit' | 'maxRedrives'>,
  letters: Pick<DeadLetterStore, 'find' | 'read'>,
  parse: ParseErrorReport,
): Promise<RedrivePreview> {
  const most = limit ?? Number.POSITIVE_INFINITY;
  const go: Partial<Record<DeadLetterCode, number>> = {};
  const pass: Partial<Record<RedriveVerdict, number>> = {};
  let matched = 0;
  let going = 0;
  for await (const letter of eachLetter(letters, filter)) {
    if (going >= most) break;
    matched += 1;
    const reason = whyNot(letter, maxRedrives ?? REDRIVE_DEFAULTS.maxRedrives, parse);
    if (reason === undefined) {
      go[letter.code] = (go[letter.code] ?? 0) + 1;
      going += 1;
    } else pass[reason] = (pass[reason] ?? 0) + 1;
  }
  return { matched, would_redrive: go, would_pass: pass };
}
