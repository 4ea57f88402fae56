/** What the judge says of one demand. */
export interface Finding {
  /** `I1` to `I11`, or the row's own demand in a word or two. */
  readonly invariant: string;
  readonly holds: boolean;
  /** What was measured. */
  readonly figure: string;
  /** What was demanded. */
  readonly demand: string;
}

/** A demand that holds where the figure is the one that is wanted. */
export function finding(invariant: string, holds: boolean, figure: string, demand: string): Finding {
  return { invariant, holds, figure, demand };
}

/** A number for people: whole above ten, else with one decimal. */
export function round(value: number): string {
  return Math.abs(value) >= 10 || Number.isInteger(value)
    ? Math.round(value).toLocaleString('en')
    : value.toFixed(1);
}

/** Seconds, from milliseconds. */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
