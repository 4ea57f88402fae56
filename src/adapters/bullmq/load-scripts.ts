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
  const redis = client as unknown as Pick<Redis, 'script'>;
  await Promise.all(scriptsOf(client).map(({ lua }) => redis.script('LOAD', lua)));
}

/** Loads them where Redis does not know each, before a transaction that cannot be repeated. */
export async function ensureScripts(client: IRedisClient): Promise<void> {
  const redis = client as unknown as Pick<Redis, 'script'>;
  const known = (await redis.script('EXISTS', ...scriptsOf(client).map(({ sha }) => sha))) as number[];
  if (known.includes(0)) await loadScripts(client);
}

function scriptsOf(client: IRedisClient): readonly Named[] {
  const { scriptsSet } = client as unknown as { readonly scriptsSet: Readonly<Record<string, Named>> };
  return Object.values(scriptsSet);
}

interface Named {
  readonly lua: string;
  readonly sha: string;
}

/** Whether Redis refused a command because it does not know the script. */
export function isUnknownScript(error: Error | null): boolean {
  return error?.message.startsWith('NOSCRIPT') === true;
}
