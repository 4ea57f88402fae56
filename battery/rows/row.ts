import type { Finding } from '../judge/finding.ts';

/** How large a run is: as the bar has it, or small enough for every push. */
export type Form = 'full' | 'short';

/** What a row is run with. */
export interface RowContext {
  readonly seed: number;
  readonly form: Form;
  /** How long a soak lasts; absent, as its form says. */
  readonly minutes?: number;
  /** Says in one line what is going on. */
  say(line: string): void;
  /** Is given every line that workers print, to look into what went wrong. */
  log(line: string): void;
}

/** One row of the battery. */
export interface Row {
  readonly id: string;
  /** What goes wrong. */
  readonly fault: string;
  /** The sizes of both forms. */
  readonly sizes: Readonly<Record<Form, object>>;
  run(context: RowContext): Promise<readonly Finding[]>;
}

/** Makes a row whose run is handed the sizes of its form. */
export function defineRow<Sizes extends object>(row: {
  readonly id: string;
  readonly fault: string;
  readonly sizes: Readonly<Record<Form, Sizes>>;
  readonly run: (context: RowContext, sizes: Sizes) => Promise<readonly Finding[]>;
}): Row {
  return { ...row, run: (context) => row.run(context, row.sizes[context.form]) };
}

/** Findings of one part of a row. */
export function named(part: string, findings: readonly Finding[]): Finding[] {
  return findings.map((one) => ({ ...one, invariant: `${part}: ${one.invariant}` }));
}

/** Runs the parts of a row, so many at the same time; their findings come in the order of the parts. */
export async function runAbreast<Part>(
  parts: readonly Part[],
  abreast: number,
  run: (part: Part) => Promise<readonly Finding[]>,
): Promise<Finding[]> {
  const all: Finding[] = [];
  for (let start = 0; start < parts.length; start += abreast) {
    all.push(...(await Promise.all(parts.slice(start, start + abreast).map(run))).flat());
  }
  return all;
}
