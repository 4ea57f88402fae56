import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyPrefix, type OwnRedis, startOwnRedis } from '../support/redis.ts';
import { newFolder, runCli } from './run-cli.ts';

/** A second for Redis, the rest for the process to start and end on a busy machine. */
const SOON_MS = 4_000;

async function setup(): Promise<{
  readonly own: OwnRedis;
  readonly operator: Redis;
  env: Record<string, string>;
}> {
  const own = await startOwnRedis({ appendOnly: false });
  const operator = new Redis(own.url);
  onTestFinished(() => operator.disconnect());
  return { own, operator, env: { REDIS_URL: own.url, KEY_PREFIX: keyPrefix() } };
}

function linesOf(count: number, error: string): string {
  return Array.from(
    { length: count },
    (_, n) => `${JSON.stringify({ connector_sync_job_id: `job-${n}`, error })}\n`,
  ).join('');
}

describe('report where Redis', () => {
  test.each([
    ['one', (_folder: string) => ['report', 'a', 'b']],
    ['a file', (folder: string) => ['report', '--file', join(folder, 'reports.ndjson')]],
  ])('hangs ends soon with 69 for %s', async (_what, argsIn) => {
    const { own, env } = await setup();
    const folder = newFolder();
    writeFileSync(join(folder, 'reports.ndjson'), linesOf(2_000, 'TimeoutError'));
    process.kill(own.pid, 'SIGSTOP');
    onTestFinished(() => {
      process.kill(own.pid, 'SIGCONT');
    });
    const startedAt = performance.now();
    const { code, stdout, stderr } = await runCli(argsIn(folder), { env });
    expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr).toContain(`error: Redis at 127.0.0.1:${own.port} does not answer within 1000 ms`);
    process.kill(own.pid, 'SIGCONT');
  });

  test('gets full says how many lines were accepted, and the same file again makes up for the rest', async () => {
    const { operator, env } = await setup();
    await operator.config('SET', 'maxmemory', '6mb');
    const folder = newFolder();
    const path = join(folder, 'reports.ndjson');
    writeFileSync(path, linesOf(3_000, 'x'.repeat(2_000)));

    const full = await runCli(['report', '--file', path], { env });

    expect(full).toMatchObject({ code: 69, stdout: '' });
    expect(full.stderr).toContain('cannot be used: its memory is full (maxmemory)');
    const [, told] =
      /Accepted before: ([\d,]+) queued, 0 duplicate; a few more may have been/.exec(full.stderr) ?? [];
    const accepted = Number(told?.replaceAll(',', ''));
    const status = async (): Promise<number> =>
      (JSON.parse((await runCli(['status', '--json'], { env })).stdout) as { waiting: number }).waiting;
    const waiting = await status();
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThanOrEqual(waiting);

    await operator.config('SET', 'maxmemory', '0');
    const again = await runCli(['report', '--file', path, '--json'], { env });
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ queued: 3_000 - waiting, duplicate: waiting });
    expect(await status()).toBe(3_000);
  });

  test('cannot say what is on disk ends with 78 before anything is queued', async () => {
    const { operator, env } = await setup();
    const { code, stderr } = await runCli(['report', 'a', 'b'], { env: { ...env, DURABILITY: 'fsync' } });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^error: this Redis cannot be used\.\nDURABILITY=fsync needs /);
    expect(await operator.dbsize()).toBe(0);
  });
});
