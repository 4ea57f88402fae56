/**
 * Time as Elasticsearch writes it: ISO 8601 in UTC with 3 to 9 digits of fraction, none of those
 * beyond the third a trailing zero (general knowledge: `strict_date_optional_time_nanos`).
 */

/** The present instant as text; later calls never give an earlier one. */
export type Clock = () => string;

/** A clock with microseconds, as Elasticsearch has on Linux. */
export function systemClock(): Clock {
  let last = 0;
  return () => {
    // Two calls may fall into one microsecond; what was created later must still sort later.
    last = Math.max(last + 1, Math.floor((performance.timeOrigin + performance.now()) * 1000));
    return formatMicroseconds(last);
  };
}

/** Microseconds since 1970 as text. */
export function formatMicroseconds(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1000);
  return writeInstant(milliseconds, String(microseconds - milliseconds * 1000).padStart(3, '0'));
}

const instantForm = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)$/;

/** An instant in ISO 8601, rewritten as Elasticsearch would store it; undefined for any other text. */
export function normalizeInstant(text: string): string | undefined {
  const match = instantForm.exec(text);
  if (match === null) return undefined;
  const [, date = '', fraction = '', zone = ''] = match;
  const offset = zone.length === 3 ? `${zone}:00` : zone;
  const milliseconds = Date.parse(`${date}${offset}`);
  if (Number.isNaN(milliseconds)) return undefined;
  const digits = fraction.padEnd(3, '0');
  return writeInstant(milliseconds + Number(digits.slice(0, 3)), digits.slice(3));
}

function writeInstant(milliseconds: number, furtherDigits: string): string {
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${furtherDigits.replace(/0+$/, '')}Z`;
}
