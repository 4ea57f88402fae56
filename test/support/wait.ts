import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for something to come true, asking again and again; for what gives no event to wait for.
 *
 * @throws where it has not come true in time, with what was waited for
 */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(10);
  }
}
