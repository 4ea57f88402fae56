import type { ReportProblem } from '../domain/error-report.ts';
import type { EnqueueResult } from '../pipeline/enqueue-reports.ts';
import { formatCount, formatDuration, formatNumber, perSecond } from './output.ts';

/** What became of the lines of a file so far. */
export interface Tally {
  readonly queued: number;
  readonly duplicate: number;
  readonly invalid: number;
}

/** A line that was refused. */
export interface LineProblems {
  readonly line: number;
  readonly problems: readonly ReportProblem[];
}

/** Refused lines that `--json` lists; a file of nothing but mistakes must not fill the memory. */
const MAX_LISTED = 1_000;

/** Counts results and remembers the first refused lines. */
export class ReportTally {
  readonly #counts: Record<EnqueueResult['status'], number> = { queued: 0, duplicate: 0, invalid: 0 };
  readonly #problems: LineProblems[] = [];

  add(line: number, result: EnqueueResult): void {
    this.#counts[result.status]++;
    if (result.status === 'invalid' && this.#problems.length < MAX_LISTED) {
      this.#problems.push({ line, problems: result.problems });
    }
  }

  get counts(): Tally {
    return { ...this.#counts };
  }

  get lines(): number {
    return this.#counts.queued + this.#counts.duplicate + this.#counts.invalid;
  }

  /** `2,000 lines: 1,916 queued, 53 duplicate, 31 invalid (1.2 s, 1,600 reports/s)` */
  summary(durationMs: number): string {
    const counts = Object.entries(this.#counts).map(([status, count]) => `${formatNumber(count)} ${status}`);
    const rate = formatNumber(perSecond(this.lines, durationMs));
    return `${formatCount(this.lines, 'line')}: ${counts.join(', ')} (${formatDuration(durationMs)}, ${rate} reports/s)`;
  }

  /** The same for programs. */
  toJson(durationMs: number): Readonly<Record<string, unknown>> {
    const leftOut = this.#counts.invalid - this.#problems.length;
    return {
      lines: this.lines,
      ...this.#counts,
      problems: this.#problems,
      ...(leftOut > 0 ? { problems_left_out: leftOut } : {}),
      duration_ms: Math.round(durationMs),
      reports_per_second: perSecond(this.lines, durationMs),
    };
  }
}
