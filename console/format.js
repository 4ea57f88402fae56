/** Numbers, times and durations for people. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** @param {number} count */
export const formatCount = (count) => whole.format(count);

/** For axes: 12, 1.2K, 3M. @param {number} count */
export const formatShort = (count) => short.format(count);

/** A rate per second: one digit where it is small. @param {number} rate */
export const formatRate = (rate) => (rate > 0 && rate < 100 ? tenth.format(rate) : whole.format(rate));

/**
 * `320 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`.
 *
 * @param {number} ms
 */
export function formatDuration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 10) return `${tenth.format(seconds)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min${seconds % 60 >= 1 ? ` ${Math.floor(seconds % 60)} s` : ''}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${whole.format(hours)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
  return `${whole.format(Math.floor(hours / 24))} days`;
}

/** The same in whole seconds, for what is seen to go by. @param {number} ms */
export const formatSeconds = (ms) => (ms < 60_000 ? `${Math.floor(ms / 1_000)} s` : formatDuration(ms));

const dayAndTime = new Intl.DateTimeFormat('en-GB', {
  day: '2-digit',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const timeOfDay = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/**
 * The time of day, with the day where it is not today's; in the time zone of whoever looks.
 *
 * @param {string | number} moment
 * @param {number} nowMs
 */
export function formatMoment(moment, nowMs) {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return String(moment);
  const isToday = date.toDateString() === new Date(nowMs).toDateString();
  return (isToday ? timeOfDay : dayAndTime).format(date);
}

/** `sync_job_not_found` as it is said: `sync job not found`. @param {string} code */
export const sayCode = (code) => code.replaceAll('_', ' ');

/**
 * `1 report`, `12 reports`.
 *
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export const formatOf = (count, one, many = `${one}s`) => `${formatCount(count)} ${count === 1 ? one : many}`;
