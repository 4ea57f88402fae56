import { randomUUID } from 'node:crypto';
import { removeKeys } from '../../adapters/bullmq/remove-keys.ts';
import { silentLog } from '../../adapters/observe/create-log.ts';
import type { Environment } from '../../config.ts';
import type { ObserveAttempt } from '../../pipeline/ports.ts';
import { type EmbeddedStack, startEmbeddedStack } from '../embedded-stack.ts';

/**
 * Starts the stack for one demo: under a key prefix of its own, which is removed at the end, because the
 * Redis may be somebody's.
 */
export async function startDemoStack(
  env: Environment,
  observe: ObserveAttempt,
  say: (line: string) => void,
): Promise<EmbeddedStack> {
  const stack = await startEmbeddedStack({
    env,
    log: silentLog,
    observe,
    say,
    appendOnly: false,
    settings: {
      KEY_PREFIX: `{sync-error-relay-demo-${randomUUID()}}`,
      // Its own Redis keeps nothing on disk.
      DURABILITY: 'memory',
      // Nobody will claim a sync job of the demo, so that waiting for it would only take time.
      NOT_RUNNING_MAX_MS: '500',
      NOT_RUNNING_DELAY_MS: '100',
    },
  });
  return {
    ...stack,
    async [Symbol.asyncDispose]() {
      // Last: what closes may still write.
      await stack[Symbol.asyncDispose]();
      if (env['REDIS_URL'] !== undefined) await removeKeys(stack.config.redis.url, stack.config.names.prefix);
    },
  };
}
