import type { IRedisClient } from 'bullmq';
import type { Redis } from 'ioredis';

/**
 * Loads every script that a connection knows by name, so that Redis knows it by its digest. ioredis does so once a
 * connection, and never hears inside a transaction that Redis has forgotten one: after `SCRIPT FLUSH`, or where too
 * many scripts of others have pushed it out.
 *
 * @param client BullMQ's view of a connection of ioredis
 */
export async function loadScripts(client: IRedisClient): Promise<void> {
  const { scriptsSet } = client as unknown as { readonly scriptsSet: Readonly<Record<string, Named>> };
  const redis = client as unknown as Pick<Redis, 'script'>;
  await Promise.all(Object.values(scriptsSet).map(({ lua }) => redis.script('LOAD', lua)));
}

interface Named {
  readonly lua: string;
}

/** Whether Redis refused a command because it does not know the script. */
export function isUnknownScript(error: Error | null): boolean {
  return error?.message.startsWith('NOSCRIPT') === true;
}
