import { describe, expect, test } from 'vitest';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { runCli } from './run-cli.ts';

const environment = (): Record<string, string> => ({ REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix() });

describe('pause and resume', () => {
  test('say what is so now, and status says who, since when and why', async () => {
    const env = environment();
    const paused = await runCli(['pause', '--by', 'ann', '--reason', 'upgrade\x1b[31m'], { env });
    expect(paused).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Paused: workers/) });

    const status = await runCli(['status'], { env });
    expect(status.stdout).toMatch(
      /\nPaused by ann since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(.* ago\): upgrade\\x1b\[31m\nNo report is sent until "sync-error-relay resume"\.\n$/,
    );
    const json = JSON.parse((await runCli(['status', '--json'], { env })).stdout);
    expect(json).toEqual({
      waiting: 0,
      active: 0,
      delayed: 0,
      dead_letters: {},
      accepted: 0,
      redriven: 0,
      unaccounted: 0,
      oldest_waiting_ms: 0,
      paused: true,
      paused_by: 'ann',
      paused_at: expect.stringMatching(/^\d{4}-.*Z$/),
      paused_reason: 'upgrade\x1b[31m',
    });

    const again = await runCli(['pause', '--by', 'bob'], { env });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Paused already, by ann since/) });

    expect(await runCli(['resume'], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Resumed; it was paused, by ann since .*: upgrade/),
    });
    expect(await runCli(['resume'], { env })).toMatchObject({
      code: 0,
      stdout: 'It was not paused; nothing has changed.\n',
    });
    const after = JSON.parse((await runCli(['status', '--json'], { env })).stdout);
    expect(Object.keys(after)).toEqual([
      'waiting',
      'active',
      'delayed',
      'dead_letters',
      'accepted',
      'redriven',
      'unaccounted',
      'oldest_waiting_ms',
      'paused',
    ]);
    expect(after).toMatchObject({ paused: false });
  });

  test('print one object with --json, and sign with user and host where nobody is named', async () => {
    const env = environment();
    const run = async (...args: string[]): Promise<unknown> =>
      JSON.parse((await runCli([...args, '--json'], { env })).stdout);
    const note = {
      paused_by: expect.stringMatching(/.@./),
      paused_at: expect.any(String),
      paused_reason: null,
    };
    expect(await run('pause')).toEqual({ status: 'paused', ...note });
    expect(await run('pause', '--by', 'x')).toEqual({ status: 'already-paused', ...note });
    expect(await run('resume')).toEqual({ status: 'resumed', ...note });
    expect(await run('resume')).toEqual({ status: 'not-paused' });
  });

  test.each([
    ['--by', ' '],
    ['--reason', ''],
    ['--reason', 'x'.repeat(501)],
  ])('take no note of %s with nothing, or too much, in it', async (option, text) => {
    const { code, stderr } = await runCli(['pause', option, text], { env: environment() });
    expect(code).toBe(2);
    expect(stderr).toContain('Expected 1 to 500 characters.');
  });

  test.each(['pause', 'resume'])('%s ends with 69 where Redis is not there', async (command) => {
    expect(await runCli([command])).toMatchObject({ code: 69, stdout: '' });
  });
});
