/** A number from 0 (included) to 1 (excluded), as `Math.random` gives. */
export type Random = () => number;

export interface BackoffPolicy {
  /** Upper bound of the wait after the first attempt, in milliseconds. */
  readonly baseMs: number;
  /** Upper bound of every wait, in milliseconds. */
  readonly capMs: number;
}

/**
 * Exponential backoff with full jitter: anything from 0 to `baseMs * 2^(failures - 1)`, at most `capMs`.
 *
 * Full jitter spreads a fleet's retries evenly instead of in waves; see Marc Brooker, "Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015.
 *
 * @param failures how many attempts have failed, at least 1
 * @returns whole milliseconds
 */
export function backoffDelayMs(failures: number, policy: BackoffPolicy, random: Random): number {
  // Above 2^31 the cap decides in any case, and the power stays finite.
  const ceilingMs = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(failures - 1, 31));
  return Math.floor(random() * (ceilingMs + 1));
}

/** Longest wait that a `Retry-After` may ask for: a hostile or broken one must not park the fleet. */
export const MAX_RETRY_AFTER_MS = 300_000;

/**
 * The wait that a `Retry-After` header asks for, in milliseconds from 0 to `MAX_RETRY_AFTER_MS`.
 *
 * Both forms of RFC 9110, section 10.2.3 are read, seconds and HTTP date. What is neither, or lies in the
 * past, asks for nothing.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0;
  const text = header.trim();
  const askedMs = /^\d+$/.test(text) ? Number(text) * 1_000 : httpDateMs(text) - nowMs;
  if (Number.isNaN(askedMs)) return 0;
  return Math.min(Math.max(askedMs, 0), MAX_RETRY_AFTER_MS);
}

/** `Date.parse` takes almost anything for a date ("-1" is a month of 2001), so the form is checked first. */
function httpDateMs(text: string): number {
  return /^[A-Z][a-z]+, .*\d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}
