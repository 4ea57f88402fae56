/** Most that Elasticsearch stores, in bytes of UTF-8. */
const MOST_BYTES = 32_766;

const MARK = /^([\s\S]*)\n\.\.\. \[(\d+) bytes left out\] \.\.\.\n([\s\S]*)$/;

/**
 * Whether a stored text is that of a report: the same, or its defined shortening. Written anew, from the
 * specification, so that it cannot share the relay's mistakes.
 */
export function fits(stored: string, error: string): boolean {
  const whole = error.toWellFormed();
  if (Buffer.byteLength(whole) <= MOST_BYTES) return stored === whole;
  const [, head, missing, tail] = MARK.exec(stored) ?? [];
  if (head === undefined || tail === undefined) return false;
  if (Buffer.byteLength(stored) > MOST_BYTES) return false;
  const kept = Buffer.byteLength(head) + Buffer.byteLength(tail);
  return (
    whole.startsWith(head) && whole.endsWith(tail) && kept + Number(missing) === Buffer.byteLength(whole)
  );
}
