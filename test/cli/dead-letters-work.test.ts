import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDeadLetters } from '../../src/adapters/bullmq/dead-letter-store.ts';
import type { DeadLetter } from '../../src/domain/dead-letter.ts';
import { startStandIn } from '../../src/stand-in/index.ts';
import { letterOf } from '../support/dead-letters.ts';
import { report } from '../support/queue-setup.ts';
import { keyPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { endOf, newFolder, runCli, startCli } from './run-cli.ts';

async function setup(count: number, changes: (n: number) => Partial<DeadLetter> = () => ({})) {
  const prefix = keyPrefix();
  const store = openDeadLetters(redisClient(), { prefix, queue: 'reports' });
  const letters = Array.from({ length: count }, (_, n) => letterOf(n, changes(n)));
  for (const letter of letters) await store.add(letter);
  const env = { REDIS_URL: redisUrl(), KEY_PREFIX: prefix };
  const run = (...args: string[]) => runCli(['dead-letters', ...args], { env });
  return {
    letters,
    store,
    env,
    run,
    json: async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout),
    waiting: async () => JSON.parse((await runCli(['status', '--json'], { env })).stdout).waiting as number,
    start: (...args: string[]) => startCli(['dead-letters', ...args], { env }),
  };
}

describe('dead-letters list', () => {
  test('takes any conditions together, and says how to go on', async () => {
    const { run, json } = await setup(9, (n) => ({
      report: { ...report(`job-${n}`, n % 2 === 0 ? 'TimeoutError' : 'Refused'), connector_id: `c-${n % 3}` },
    }));
    const { stdout } = await run('list', '--connector-id', 'c-0', '--text', 'timeout');
    expect(stdout).toMatch(/job-6 [\s\S]*job-0 [\s\S]*1-2 of 2\n/);
    expect(stdout).not.toMatch(/job-3/);

    const page = await json('list', '--text', 'refused', '--limit', '3');
    expect(page).toMatchObject({ total: 3, total_is_at_least: true, limit: 3, next: expect.any(String) });
    const next = await json('list', '--text', 'refused', '--limit', '3', '--cursor', page.next);
    expect(next).toMatchObject({ total: 4, total_is_at_least: false, next: null });
    expect(next.dead_letters).toHaveLength(1);
  });

  test.each([
    ['--older-than', '1d', 3],
    ['--newer-than', '2026-10-01', 3],
    ['--newer-than', '5m', 0],
    ['--status', '404', 3],
    ['--status', 'completed', 0],
    ['--sync-job', 'job-1', 1],
  ])('knows %s %s', async (option, value, expected) => {
    const { json } = await setup(3);
    expect((await json('list', option, value)).total).toBe(expected);
  });

  test.each([
    [['--older-than', 'yesterday'], /age such as 90s/],
    [['--status', 'dead'], /HTTP status such as 404/],
    [['--cursor', 'abc'], /--cursor: expected a cursor/],
  ])('refuses %j', async (args, message) => {
    const { run } = await setup(0);
    expect(await run('list', ...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  });
});

describe('dead-letters show', () => {
  test('says what can be done, and what Elasticsearch holds now', async () => {
    const standIn = await startStandIn();
    onTestFinished(() => standIn.stop());
    standIn.putSyncJob({ id: 'job-0', connector_id: 'c', status: 'completed' });
    const { letters, env } = await setup(2);
    const show = (id = '', ...args: string[]) =>
      runCli(['dead-letters', 'show', id, '--live', ...args], {
        env: { ...env, ELASTICSEARCH_URL: standIn.url },
      });

    const { stdout } = await show(letters[0]?.id);
    expect(stdout).toMatch(/\nto do +Edit connector_sync_job_id where it is wrong, then redrive it; .+\n/);
    expect(stdout).toMatch(/\nnow +completed\n/);
    expect((await show(letters[1]?.id)).stdout).toMatch(/\nnow +no sync job has this id\n/);
    const { live, ...letter } = JSON.parse((await show(letters[0]?.id, '--json')).stdout);
    expect(live).toEqual({ kind: 'found', status: 'completed' });
    expect(letter).toEqual(letters[0]);
    await standIn.stop();
    expect((await show(letters[0]?.id)).stdout).toMatch(/\nnow +Elasticsearch does not tell \(.+\)\n/);
  });

  test('tells earlier lives and edits', async () => {
    const attempts = letterOf(0).attempts;
    const { run, letters } = await setup(1, () => ({
      original: { report: report('job-typo') },
      edits: [{ at: '2026-10-02T10:00:00.000Z', by: 'ada', fields: ['connector_sync_job_id'] }],
      redrives: [
        {
          at: '2026-10-02T11:00:00.000Z',
          by: 'bob',
          run: 'run-1',
          code: 'rejected',
          enqueued_at: '2026-10-01T10:00:00.000Z',
          dead_at: '2026-10-01T11:00:00.000Z',
          attempts_made: 1,
          attempts,
        },
      ],
    }));
    const { stdout } = await run('show', letters[0]?.id ?? '');
    expect(stdout).toMatch(
      /\nredriven +2026-10-02T11:00:00\.000Z by bob \(run-1\), was rejected after 1 attempt\n {2}1 /,
    );
    expect(stdout).toMatch(/\nedited +2026-10-02T10:00:00\.000Z by ada: connector_sync_job_id\n/);
    expect(stdout).toMatch(/\nconnector_sync_job_id before the edit \(8 bytes\)\n {2}job-typo\n$/);
  });
});

describe('dead-letters redrive', () => {
  test('puts back what is meant, and says so', async () => {
    const { run, waiting, letters } = await setup(5);
    const { code, stdout, stderr } = await run(
      'redrive',
      letters[1]?.id ?? '',
      letters[3]?.id.slice(2) ?? '',
      '--by',
      'ada',
    );
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^run-\w+ done: 2 of 2 redriven \(.+ reports\/s\)\n$/),
    });
    expect(stderr).toMatch(/^run-\w+ begins; .+--cancel run-\w+ ends it\n$/);
    expect(await waiting()).toBe(2);
    const again = await run('redrive', '--all', '--rate', '1000', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ state: 'done', matched: 3, counts: { redriven: 3 } });
    expect(await waiting()).toBe(5);
  });

  test('changes nothing in a dry run', async () => {
    const { run, json, waiting } = await setup(4, (n) =>
      n === 0 ? { report: null, payload: '{', id: 'd-x' } : {},
    );
    expect(await run('redrive', '--all', '--dry-run')).toMatchObject({
      code: 0,
      stdout:
        '3 dead letters would be redriven (dry run: nothing was changed)\n  sync_job_not_found 3\n' +
        '  passed over: 1 no reports; edit them first\n',
    });
    expect(await json('redrive', '--code', 'sync_job_not_found', '--limit', '2', '--dry-run')).toMatchObject({
      would_redrive: { sync_job_not_found: 2 },
      dry_run: true,
    });
    expect(await waiting()).toBe(0);
  });

  test('rests at Ctrl-C, is listed, and goes on from there', async () => {
    const { start, run, json, waiting } = await setup(40);
    const child = start('redrive', '--all', '--rate', '20');
    for await (const line of createInterface({ input: child.stderr })) {
      if (line.includes('begins')) break;
    }
    child.kill('SIGINT');
    expect(await endOf(child)).toMatchObject({ code: 130, stdout: expect.stringContaining('interrupted') });

    const [{ id, state }] = (await json('redrive', '--list')).runs;
    expect(state).toBe('interrupted');
    const resumed = await run('redrive', '--resume', id);
    expect(resumed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${id} done: 40 of 40 redriven`),
    });
    expect(await waiting()).toBe(40);
    expect((await run('redrive', '--list')).stdout).toMatch(/^RUN +STATE .*\nrun-\w+ +done +.+ 40 +40 +0\n$/);
    expect(await run('redrive', '--resume', id)).toMatchObject({
      code: 1,
      stderr: `error: the redrive run ${id} is over\n`,
    });
  });

  test('is ended from another terminal', async () => {
    const { start, run, store } = await setup(40);
    const child = start('redrive', '--all', '--rate', '10', '--json');
    const ended = endOf(child);
    let id: string | undefined;
    while (id === undefined) {
      id = JSON.parse((await run('redrive', '--list', '--json')).stdout).runs[0]?.id;
    }
    expect(await run('redrive', '--all')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`dead-letters redrive --cancel ${id} ends it`),
    });
    expect(await run('redrive', '--cancel', id)).toMatchObject({ code: 0, stdout: `${id} cancelled\n` });
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ id, state: 'cancelled' });
    expect((await store.list({ limit: 0 })).total).toBeGreaterThan(0);
    expect(await run('redrive', '--cancel', 'run-none')).toMatchObject({ code: 1 });
  });

  test.each([
    [['redrive'], 'say which dead letters are meant'],
    [['redrive', '--all', '--code', 'poison'], '--all means every dead letter'],
    [['purge', '--yes'], 'say which dead letters are meant'],
    [['redrive', '--all', '--rate', '0'], 'Expected a whole number from 1'],
    [['redrive', '--all', '--by', ''], 'Expected a name'],
    [['edit', 'd-r-1'], 'say what to change'],
    [['edit', 'd-r-1', '--patch', '{}'], 'expected an array of operations'],
    [['edit', 'd-r-1', '--set', 'novalue'], 'Expected field=value'],
  ])('%j is wrong usage', async (args, message) => {
    const { run } = await setup(1);
    expect(await run(...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });
});

describe('dead-letters edit', () => {
  test('changes fields, or takes a patch, and prints the report', async () => {
    const { run, letters, store } = await setup(1);
    const id = letters[0]?.id ?? '';
    const set = await run(
      'edit',
      id,
      '--set',
      'connector_sync_job_id=a=b',
      '--set',
      'source=host-1',
      '--by',
      'ada',
    );
    expect(set).toMatchObject({
      code: 0,
      stdout: `${id} edited; its report is now\n{"connector_sync_job_id":"a=b","error":"TimeoutError","source":"host-1"}\n`,
    });
    await run('edit', id, '--unset', 'source', '--by', 'bob');
    const patch = JSON.stringify([{ op: 'replace', path: '/error', value: 'Other' }]);
    expect(JSON.parse((await run('edit', id, '--patch', patch, '--json')).stdout)).toMatchObject({
      status: 'edited',
      fields: ['error'],
    });
    const letter = await store.get(id);
    expect(letter?.report).toEqual(report('a=b', 'Other'));
    expect(letter?.original).toEqual({ report: report('job-0') });
    expect(letter?.edits?.map(({ by }) => by).slice(0, 2)).toEqual(['ada', 'bob']);
  });

  test('says what is wrong, and writes nothing', async () => {
    const { run, letters, store } = await setup(1);
    const id = letters[0]?.id ?? '';
    expect(await run('edit', id, '--set', 'connector_sync_job_id=..')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /would be no report.*\n {2}connector_sync_job_id: expected an id other than/,
      ),
    });
    expect(await run('edit', id, '--unset', 'source')).toMatchObject({ code: 1 });
    expect(await run('edit', id, '--set', 'source=x', '--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('would be edited (dry run: nothing was changed)'),
    });
    expect(await run('edit', 'd-none', '--set', 'source=x')).toMatchObject({ code: 1 });
    expect(await store.get(id)).toEqual(letters[0]);
  });
});

describe('dead-letters purge', () => {
  test('asks for the number to be confirmed, and where nobody can be asked wants --yes', async () => {
    const { run, store } = await setup(1_234);
    expect(await run('purge', '--all')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'error: 1,234 dead letters would be purged for good; confirm it with --yes\n',
    });
    expect(await run('purge', '--all', '--dry-run')).toMatchObject({
      code: 0,
      stdout: '1,234 dead letters would be purged (dry run: nothing was changed)\n',
    });
    expect((await store.list({ limit: 0 })).total).toBe(1_234);
    expect(await run('purge', '--all', '--yes')).toMatchObject({
      code: 0,
      stdout: '1,234 dead letters purged\n',
    });
    expect(await run('purge', '--all')).toMatchObject({ code: 0, stdout: '0 dead letters purged\n' });
  });

  test('takes away only what is meant, and the audit log tells who did it', async () => {
    const { run, json, letters } = await setup(6, (n) => ({ code: n < 2 ? 'superseded' : 'rejected' }));
    await run('purge', '--code', 'superseded', '--yes', '--by', 'ada');
    expect(await json('purge', letters[5]?.id ?? '', '--yes', '--by', 'bob')).toEqual({ purged: 1 });

    expect((await json('list')).total).toBe(3);
    const audit = await json('audit');
    expect(audit.totals.purged).toEqual({ superseded: 2, rejected: 1 });
    expect(
      audit.entries.map((entry: Record<string, unknown>) => [entry['action'], entry['by'], entry['count']]),
    ).toEqual([
      ['purge-ended', 'bob', 1],
      ['purge-begun', 'bob', 1],
      ['purge-ended', 'ada', 2],
      ['purge-begun', 'ada', 2],
    ]);
    expect((await run('audit')).stdout).toMatch(
      /ada +purge-begun +2 +\{"code":"superseded",.+\n\nin all: redriven 0, purged 3, expired 0\n$/,
    );
  });
});

describe('dead-letters export and import', () => {
  test('carry letters from one relay to another, as they were, and may be repeated', async () => {
    const from = await setup(250, (n) => ({ report: report(`job-${n}`, `\u2028 \u202e ü ${n}`) }));
    const to = await setup(3);
    const exported = await from.run('export');
    expect(exported).toMatchObject({ code: 0, stderr: '250 dead letters exported\n' });
    const file = join(newFolder(), 'letters.ndjson');
    await writeFile(file, exported.stdout);

    expect(await to.run('import', file)).toMatchObject({
      code: 0,
      stdout: '250 dead letters imported; 0 were here, 0 on their way in the queue, 0 invalid\n',
    });
    expect(await to.json('import', file)).toEqual({
      added: 0,
      present: 250,
      on_its_way: 0,
      invalid: 0,
      problems: [],
    });
    const again = await to.run('export', '--text', '\u202e');
    expect(again.stdout).toBe(await readFile(file, 'utf8'));
  });

  test('tell lines that are no letters, and keep the others', async () => {
    const { env, letters, json } = await setup(1);
    const good = JSON.stringify({ ...letters[0], id: 'd-r-other' });
    const input = `${good}\nnot json\n\n{"id":"d-1"}\n`;
    const result = await runCli(['dead-letters', 'import', '-'], { env, input });
    expect(result).toMatchObject({
      code: 1,
      stdout: '1 dead letter imported; 0 were here, 0 on their way in the queue, 2 invalid\n',
      stderr: expect.stringMatching(/^line 2: expected a dead letter .+\nline 4: code: /),
    });
    expect((await json('list')).total).toBe(2);
  });
});
