/** Reports for rows to hand in. */
import type { Ending, OracleReport } from '../stage/producer.ts';

/** So many reports, each for a sync job of its own. */
export function makeReports(name: string, count: number, ending: Ending = 'applied'): OracleReport[] {
  return Array.from({ length: count }, (_, n) => ({
    syncJobId: `${name}-${n}`,
    error: `Error ${n} of ${name}: the source did not answer`,
    ending,
  }));
}
