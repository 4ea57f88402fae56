import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { endOf, newFolder, runCli, startCli } from './run-cli.ts';

const line = (id: string, error = 'boom'): string => JSON.stringify({ connector_sync_job_id: id, error });

/** A part of the shared Redis, as environment of the child. */
function ownQueue(): Readonly<Record<string, string>> {
  return { REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix() };
}

describe('one report', () => {
  test('is queued, and a duplicate the second time', async () => {
    const env = ownQueue();
    const first = await runCli(['report', 'job', 'boom'], { env });
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^queued r-\S+\n$/), stderr: '' });
    const id = first.stdout.trim().split(' ')[1];
    const second = await runCli(['report', 'job', 'boom', '--json'], { env });
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toEqual({ status: 'duplicate', id });
  });

  test('may hold anything, also what looks like an option, and every field', async () => {
    const options = ['--connector-id', 'c', '--source', 's', '--reported-at', '2026-11-23T09:30:00Z'];
    const args = [
      'report',
      ...options,
      '--idempotency-key',
      'k',
      '--dry-run',
      '--json',
      '--',
      '-job',
      '--help',
    ];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ status: 'queued', id: expect.stringMatching(/^r-/), dry_run: true });
  });

  test('that is none is told with all that is wrong', async () => {
    const args = ['report', '..', '', '--reported-at', 'yesterday', '--dry-run'];
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([
      'connector_sync_job_id: expected an id other than "." and "..", got ".."',
      expect.stringMatching(/^error: expected a string of 1 to 1048576 bytes of UTF-8, got an empty string$/),
      expect.stringMatching(/^reported_at: expected an ISO 8601 date/),
    ]);
    const json = await runCli([...args, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ status: 'invalid', problems: [{}, {}, {}] });
  });
});

describe('a file of reports', () => {
  test('is queued, each refused line told with its number, and a duplicate within it is one', async () => {
    const env = ownQueue();
    const input = `\ufeff${line('a')}\r\n\r\n  \n${line('b')}\n{"connector_sync_job_id":1}\n${line('a')}\nnull`;
    const { code, stdout, stderr } = await runCli(['report', '--file', '-'], { env, input });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^5 lines: 2 queued, 1 duplicate, 2 invalid \(.* reports\/s\)\n$/);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^line 5: connector_sync_job_id: expected .* got the number 1; error: expected .*$/,
      ),
      'line 7: expected a JSON object with connector_sync_job_id and error, got null',
    ]);
    const status = await runCli(['status', '--json'], { env });
    expect(JSON.parse(status.stdout)).toMatchObject({ waiting: 2 });
  });

  test('that is repeated changes nothing', async () => {
    const env = ownQueue();
    const input = Array.from({ length: 600 }, (_, index) => line(`job-${index}`)).join('\n');
    const file = join(newFolder(), 'reports.ndjson');
    writeFileSync(file, input);
    const first = await runCli(['report', '--file', file, '--json'], { env });
    const second = await runCli(['report', '--file', '-', '--json'], { env, input });
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ lines: 600, queued: 600, duplicate: 0, invalid: 0 });
    expect(JSON.parse(second.stdout)).toMatchObject({ lines: 600, queued: 0, duplicate: 600, invalid: 0 });
  });

  test('is only checked in a dry run, which needs no Redis', async () => {
    const input = `${line('a')}\n${line('a')}\nx\n`;
    const { code, stdout } = await runCli(['report', '--file', '-', '--dry-run', '--json'], { input });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      lines: 3,
      queued: 1,
      duplicate: 1,
      invalid: 1,
      problems: [
        {
          line: 3,
          problems: [
            {
              field: '',
              expected: 'a JSON object with connector_sync_job_id and error',
              got: 'text that is not JSON',
            },
          ],
        },
      ],
      duration_ms: expect.any(Number),
      reports_per_second: expect.any(Number),
      dry_run: true,
    });
  });

  test('of nothing is done', async () => {
    const { code, stdout } = await runCli(['report', '--file', '-', '--dry-run'], { input: '\n\n' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^0 lines: 0 queued, 0 duplicate, 0 invalid/);
  });

  test('lists a thousand refused lines and counts the others', async () => {
    const input = 'x\n'.repeat(1_500);
    const { stdout, stderr } = await runCli(['report', '--file', '-', '--dry-run', '--json'], { input });
    const { invalid, problems, problems_left_out } = JSON.parse(stdout);
    expect({ invalid, listed: problems.length, problems_left_out }).toEqual({
      invalid: 1_500,
      listed: 1_000,
      problems_left_out: 500,
    });
    expect(stderr).toBe('');
  });

  test('may have a line of any length, which is refused without being kept', async () => {
    const env = { MAX_ERROR_BYTES: '1000', NODE_OPTIONS: '--max-old-space-size=64' };
    const child = startCli(['report', '--file', '-', '--dry-run', '--json'], { env });
    const ended = endOf(child);
    const piece = Buffer.alloc(4_194_304, 'x');
    for (let written = 0; written < 40; written++) {
      if (!child.stdin.write(piece)) await once(child.stdin, 'drain');
    }
    child.stdin.end(`\n${line('a')}\n`);
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      queued: 1,
      problems: [{ line: 1, problems: [{ got: `${40 * 4_194_304} bytes` }] }],
    });
  });

  test('says which field it does not know without handing an escape sequence to the terminal', async () => {
    const input = '{"connector_sync_job_id":"a","error":"b","\\u001b[2J":1}\n';
    const { stderr } = await runCli(['report', '--file', '-', '--dry-run'], { input });
    expect(stderr).toContain('line 1: \\x1b[2J: expected one of');
    expect(stderr).not.toContain('\x1b');
  });

  test('is counted exactly where a signal ends it, and a line that is cut off is none', async () => {
    const env = ownQueue();
    const child = startCli(['report', '--file', '-', '--json'], { env });
    const ended = endOf(child);
    const chunk = Array.from({ length: 250 }, (_, index) => line(`job-${index}`)).join('\n');
    child.stdin.write(`${chunk}\n${line('last')}\n{"connector_sync_job_id":"cut o`);
    await until('the whole lines are queued', async () => {
      const { stdout } = await runCli(['status', '--json'], { env });
      return JSON.parse(stdout).waiting === 251;
    });
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ lines: 251, queued: 251, invalid: 0, interrupted: true });
    const status = await runCli(['status', '--json'], { env });
    expect(JSON.parse(status.stdout)).toMatchObject({ waiting: 251 });
  });

  test('is handed in to its end although nobody reads what is wrong with it any more', async () => {
    const env = ownQueue();
    const child = startCli(['report', '--file', '-'], { env });
    const exited = once(child, 'exit');
    child.stdout.destroy();
    child.stderr.destroy();
    child.stdin.end(`${'x\n'.repeat(20_000)}${line('last')}\n`);
    expect(await exited).toEqual([1, null]);
    const { stdout } = await runCli(['status', '--json'], { env });
    expect(JSON.parse(stdout)).toMatchObject({ waiting: 1 });
  });
});
