/** One thing that was looked at, for an operator. */
export interface Check {
  /** Lower case with underscores; stays the same from run to run. */
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  /** What was found, in a few words. Never holds a secret. */
  readonly detail: string;
  /** What to do about it, where there is something to do. */
  readonly advice?: string;
}

/** Nothing to do. */
export const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail });

/** It works, and may fail one day. */
export const warning = (name: string, detail: string, advice: string): Check => ({
  name,
  status: 'warning',
  detail,
  advice,
});

/** Reports do not get through, or may be lost. */
export const failed = (name: string, detail: string, advice: string): Check => ({
  name,
  status: 'failed',
  detail,
  advice,
});
