import { describe, expect, test } from 'vitest';
import { openDeadLetters } from '../../src/adapters/bullmq/dead-letter-store.ts';
import type { DeadLetterCode } from '../../src/domain/codes.ts';
import type { DeadLetter } from '../../src/domain/dead-letter.ts';
import { keyPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { runCli } from './run-cli.ts';

const HOSTILE = 'boom \x1b]0;pwned\x07\x1b[2J \u202e\nsecond line\tof it';

function letter(index: number, code: DeadLetterCode): DeadLetter {
  return {
    id: `d-r-${String(index).padStart(24, '0')}`,
    code,
    reason: 'No sync job has this id.',
    report: { connector_sync_job_id: `job-${index}\x1b[31m`, error: HOSTILE, connector_id: 'c-1' },
    answer: { status: 404, type: 'resource_not_found_exception', reason: 'not found\x9b' },
    attempts_made: 2,
    attempts: [
      {
        attempt: 1,
        at: '2026-11-23T09:30:00.000Z',
        code: 'server_error',
        status: 503,
        reason: 'busy',
        duration_ms: 12,
        worker: 'w-1',
      },
    ],
    enqueued_at: '2026-11-23T09:29:59.000Z',
    dead_at: new Date(Date.UTC(2026, 10, 23, 9, 30, index)).toISOString(),
    worker: 'w-1',
    redrives: [],
  };
}

/** A queue with so many letters, the third of each three superseded, and a way to ask for them. */
async function setup(count: number) {
  const prefix = keyPrefix();
  const store = openDeadLetters(redisClient(), { prefix, queue: 'reports' });
  const letters = Array.from({ length: count }, (_, index) =>
    letter(index, index % 3 === 2 ? 'superseded' : 'sync_job_not_found'),
  );
  for (const each of letters) await store.add(each);
  const env = { REDIS_URL: redisUrl(), KEY_PREFIX: prefix };
  return {
    newestFirst: letters.toReversed(),
    run: (...args: string[]) => runCli(['dead-letters', ...args], { env }),
    status: (...args: string[]) => runCli(['status', ...args], { env }),
  };
}

describe('dead-letters list', () => {
  test('prints a page, newest first, with what comes next and the counts by code', async () => {
    const { run } = await setup(6);
    const { code, stdout, stderr } = await run('list', '--limit', '2', '--offset', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^DEAD AT \(UTC\) +CODE +SYNC JOB +ERROR +ID$/);
    expect(lines[1]).toMatch(/^2026-11-23 09:30:04 +sync_job_not_found +job-4\\x1b\[31m +boom .* +d-r-0*4$/);
    expect(lines[2]).toMatch(/^2026-11-23 09:30:03 +sync_job_not_found +job-3/);
    expect(lines.slice(3)).toEqual([
      '',
      '2-3 of 6; next page: --offset 3',
      'by code: sync_job_not_found 4, superseded 2',
    ]);
  });

  test('prints only those of a code', async () => {
    const { run } = await setup(6);
    const { stdout } = await run('list', '--code', 'superseded');
    expect(stdout).toContain('1-2 of 2\n');
    expect(stdout).not.toMatch(/next page|by code|sync_job_not_found/);
  });

  test('prints the letters as they are with --json', async () => {
    const { run, newestFirst } = await setup(5);
    const { stdout } = await run('list', '--limit', '3', '--offset', '1', '--json');
    expect(JSON.parse(stdout)).toEqual({
      total: 5,
      offset: 1,
      limit: 3,
      dead_letters: newestFirst.slice(1, 4),
    });
  });

  test('says that there are none, or none so far back', async () => {
    const { run } = await setup(1);
    expect((await run('list', '--code', 'poison')).stdout).toBe(
      'There are no dead letters with the code poison.\n',
    );
    expect((await run('list', '--offset', '7')).stdout).toBe(
      '1 dead letter in all; none from --offset 7 on.\n',
    );
    expect(JSON.parse((await run('list', '--offset', '7', '--json')).stdout)).toEqual({
      total: 1,
      offset: 7,
      limit: 50,
      dead_letters: [],
    });
  });
});

describe('dead-letters show', () => {
  test('tells a letter by its id, or by that of its job, as logs have it', async () => {
    const { run } = await setup(2);
    const { code, stdout } = await run('show', `d-r-${'1'.padStart(24, '0')}`);
    expect(code).toBe(0);
    expect(stdout).toContain('sync job     job-1\\x1b[31m\n');
    expect(stdout).toContain('last answer  404 resource_not_found_exception: not found\\x9b\n');
    expect(stdout).toMatch(
      /\n {2}1 {2}2026-11-23T09:30:00\.000Z {2}server_error {2}503: busy {2}\(12 ms, w-1\)\n/,
    );
    expect(stdout).toMatch(/\nerror \(\d+ bytes\)\n {2}boom .*\n {2}second line {4}of it\n$/);
    expect((await run('show', `r-${'1'.padStart(24, '0')}`)).stdout).toBe(stdout);
  });

  test('prints the letter as it is with --json', async () => {
    const { run, newestFirst } = await setup(1);
    const { stdout } = await run('show', `d-r-${'0'.padStart(24, '0')}`, '--json');
    expect(JSON.parse(stdout)).toEqual(newestFirst[0]);
  });

  test('ends with 1 where there is no such letter', async () => {
    const { run } = await setup(0);
    expect(await run('show', 'd-r-\x1b[2J')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'error: there is no dead letter d-r-\\x1b[2J\n',
    });
  });
});

test('nothing that acts on a terminal comes through, not even in JSON', async () => {
  const { run, newestFirst } = await setup(1);
  const id = newestFirst[0]?.id ?? '';
  for (const args of [['list'], ['list', '--json'], ['show', id], ['show', id, '--json']]) {
    const { stdout } = await run(...args);
    expect(stdout.replaceAll('\n', ''), args.join(' ')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});

describe('status', () => {
  test('counts what waits and what is dead', async () => {
    const { status } = await setup(3);
    expect(JSON.parse((await status('--json')).stdout)).toEqual({
      waiting: 0,
      active: 0,
      delayed: 0,
      dead_letters: { sync_job_not_found: 2, superseded: 1 },
      accepted: 0,
      redriven: 0,
      unaccounted: 0,
      oldest_waiting_ms: 0,
      paused: false,
    });
    expect((await status()).stdout).toMatch(
      /^waiting +0\n.*dead letters +3 {3}sync_job_not_found 2, superseded 1\nunaccounted +0 {3}of 0 accepted\n$/s,
    );
  });
});
