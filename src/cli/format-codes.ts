import type { DeadLetterCounts } from '../pipeline/ports.ts';
import { formatNumber } from './output.ts';

/** `sync_job_not_found 177, superseded 28`: the most frequent first. */
export function formatCodes(counts: DeadLetterCounts): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => `${code} ${formatNumber(count)}`)
    .join(', ');
}
