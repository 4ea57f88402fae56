/** What a Redis has to be to hold reports. */

/** BullMQ's own recommendation; older ones lack commands it uses. */
export const OLDEST_REDIS = '6.2';

/** The one policy under which a full Redis loses no report. */
export const NEEDED_EVICTION_POLICY = 'noeviction';

/** Whether a version such as `7.0.15` comes before one such as `6.2`. */
export function isOlderThan(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split('.').map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}
