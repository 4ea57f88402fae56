import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../support/built-cli.ts';
import { type Fleet, makeFleet } from '../support/fleet.ts';
import { keysUnder, redisUrl } from '../support/redis.ts';

async function folderOf(fleet: Fleet): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sync-error-relay-fleet-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(
    join(folder, 'sync-jobs.ndjson'),
    fleet.syncJobs.map((job) => `${JSON.stringify(job)}\n`).join(''),
  );
  await writeFile(join(folder, 'failures.ndjson'), fleet.lines.map((line) => `${line}\n`).join(''));
  return folder;
}

test('the demo accounts for every line of the fleet morning that is shipped', async () => {
  const { code, stdout } = await runCli(['demo', '--json'], { REDIS_URL: redisUrl() });

  expect(code).toBe(0);
  const figures = JSON.parse(stdout) as Record<string, number>;
  expect(figures).toMatchObject({
    lines: 204,
    queued: 191,
    duplicate: 8,
    invalid: 5,
    applied: 165,
    already_applied: 6,
    dead_letters: { sync_job_not_found: 12, superseded: 5, terminal_state: 3 },
    unaccounted: 0,
    wrong: 0,
  });
  expect(figures['duration_ms']).toBeGreaterThan(0);
  expect(figures['reports_per_second']).toBeGreaterThan(0);
});

test.each([1, 2, 3, 4])('the demo gives fleet %i exactly what its reports demand', async (seed) => {
  const fleet = makeFleet(seed, 1_200);
  const folder = await folderOf(fleet);

  const { code, stdout, stderr } = await runCli(['demo', '--data', folder, '--json'], {
    REDIS_URL: redisUrl(),
  });

  expect(JSON.parse(stdout), stderr).toMatchObject({ ...fleet.expected, unaccounted: 0, wrong: 0 });
  expect(code).toBe(0);
  expect(await keysUnder('{sync-error-relay-demo-')).toEqual([]);
});

test('the demo starts a Redis of its own where none is named', async () => {
  const { code, stdout, stderr } = await runCli(['demo'], {});

  expect(stderr).toMatch(/Redis: redis-server/);
  expect(stdout).toContain('All 183 sync jobs hold exactly what the reports demand.');
  expect(stdout).toMatch(/unaccounted +0/);
  expect(stdout).not.toContain('\u001b');
  expect(code).toBe(0);
});

test('the demo says which file is missing, and which lines are no sync jobs', async () => {
  const missing = await runCli(['demo', '--data', '/nowhere'], {});
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('/nowhere/sync-jobs.ndjson');

  const folder = await folderOf({ ...makeFleet(1, 10), syncJobs: [] });
  await writeFile(
    join(folder, 'sync-jobs.ndjson'),
    '{"id":"a","connector_id":"c","status":"in_progress"}\n{"id":1}\n',
  );
  const broken = await runCli(['demo', '--data', folder], { REDIS_URL: redisUrl() });
  expect(broken.code).toBe(2);
  expect(broken.stderr).toMatch(/sync-jobs\.ndjson:2: /);
});
