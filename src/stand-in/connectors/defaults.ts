/** What a connector starts with (source: Elasticsearch's connector API; asserted by Elastic's YAML tests). */
import type { JsonObject } from '../json/read-value.ts';

/** The rules every connector starts with: everything is included. */
export function defaultFilteringRules(now: string): JsonObject {
  return {
    advanced_snippet: { created_at: now, updated_at: now, value: {} },
    rules: [
      {
        created_at: now,
        field: '_',
        id: 'DEFAULT',
        order: 0,
        policy: 'include',
        rule: 'regex',
        updated_at: now,
        value: '.*',
      },
    ],
    validation: { errors: [], state: 'valid' },
  };
}

/** The filtering of a new connector: the same rules active and in draft. */
export function defaultFiltering(now: string): JsonObject[] {
  return [{ active: defaultFilteringRules(now), domain: 'DEFAULT', draft: defaultFilteringRules(now) }];
}

/** The scheduling of a new connector: everything off, at midnight. */
export function defaultScheduling(): JsonObject {
  const off = { enabled: false, interval: '0 0 0 * * ?' };
  return { access_control: { ...off }, full: { ...off }, incremental: { ...off } };
}
