/** Time as Elasticsearch writes it: ISO 8601 in UTC with 3, 6 or 9 digits of fraction. */

/** The present instant as text; later calls never give an earlier one. */
export type Clock = () => string;

/** A clock with microseconds, as Elasticsearch has on Linux. */
export function systemClock(): Clock {
  return () => formatMicroseconds(Math.floor((performance.timeOrigin + performance.now()) * 1000));
}

/** Microseconds since 1970 as Java's `Instant` prints them: groups of three digits, none that are all zero at the end. */
export function formatMicroseconds(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1000);
  const rest = microseconds - milliseconds * 1000;
  const written = new Date(milliseconds).toISOString();
  if (rest !== 0) return `${written.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
  return written.endsWith('.000Z') ? `${written.slice(0, -5)}Z` : written;
}
