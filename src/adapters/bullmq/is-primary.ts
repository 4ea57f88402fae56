import type { Redis } from 'ioredis';

/**
 * Whether this Redis takes writes, as a primary does and a replica does not: no job can be taken from a replica. One
 * that keeps its role to itself, by its access rules, counts as a primary.
 */
export async function isPrimary(redis: Redis): Promise<boolean> {
  try {
    const [role] = (await redis.call('ROLE')) as [string];
    return role === 'master';
  } catch {
    return true;
  }
}
