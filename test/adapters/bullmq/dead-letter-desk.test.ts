import { describe, expect, test } from 'vitest';
import { MAX_AUDIT_ENTRIES, openDeadLetters } from '../../../src/adapters/bullmq/dead-letter-store.ts';
import { deadLetterParser } from '../../../src/domain/dead-letter-schema.ts';
import { expireDeadLetters } from '../../../src/pipeline/expire-dead-letters.ts';
import type { JsonPatch } from '../../../src/pipeline/patch-report.ts';
import type { Log } from '../../../src/pipeline/ports.ts';
import { letterOf, setupDesk } from '../../support/dead-letters.ts';
import { report } from '../../support/queue-setup.ts';
import { scriptedApi } from '../../support/scripted-api.ts';
import { until } from '../../support/wait.ts';

describe('an edit', () => {
  test('changes the report, keeps what was accepted, and is noted in the letter and the audit log', async () => {
    const { desk, bury } = await setupDesk();
    const [before] = await bury(1);
    const id = before?.id ?? '';

    const first = await desk.edit(
      id,
      [{ op: 'replace', path: '/connector_sync_job_id', value: 'job-right' }],
      'ada',
    );
    const second = await desk.edit(id.slice(2), [{ op: 'add', path: '/source', value: 'host-1' }], 'bob');

    expect([first.status, second.status]).toEqual(['edited', 'edited']);
    const letter = await desk.get(id);
    expect(letter).toEqual({
      ...before,
      report: { connector_sync_job_id: 'job-right', error: 'TimeoutError', source: 'host-1' },
      original: { report: before?.report },
      edits: [
        { at: expect.any(String), by: 'ada', fields: ['connector_sync_job_id'] },
        { at: expect.any(String), by: 'bob', fields: ['source'] },
      ],
    });
    expect((await desk.list({ syncJobId: 'job-right', limit: 9 })).letters).toEqual([letter]);
    expect(await desk.count({ syncJobId: 'job-0' })).toBe(0);
    expect(
      (await desk.audit(9)).map(({ action, by, letter: about, fields }) => [action, by, about, fields]),
    ).toEqual([
      ['edit', 'bob', id, ['source']],
      ['edit', 'ada', id, ['connector_sync_job_id']],
    ]);
  });

  test('makes a report of what was none, which can then be redriven and applied', async () => {
    const setup = await setupDesk();
    const payload = '{"connector_sync_job_id":"job-1","eror":"TimeoutError"}';
    const problems = [{ field: 'error', expected: 'a string', got: 'nothing' }];
    await setup.bury(1, () => ({ code: 'invalid_report', report: null, payload, problems, id: 'd-foreign' }));
    const api = scriptedApi({});
    setup.work({ api });

    const result = await setup.desk.edit('d-foreign', [{ op: 'move', from: '/eror', path: '/error' }], 'ada');
    expect(result).toMatchObject({ status: 'edited', letter: { original: { report: null, payload } } });
    expect(await setup.desk.get('d-foreign')).not.toHaveProperty('payload');
    await setup.desk.redrive({}, { by: 'ada' });

    await until('it is applied', () => setup.events.length === 1);
    expect(api.sent).toEqual([{ id: 'job-1', error: 'TimeoutError' }]);
  });

  test('takes the whole report where the payload is not even JSON', async () => {
    const { desk, bury } = await setupDesk();
    await bury(1, () => ({ report: null, payload: '{cut', id: 'd-foreign' }));
    const patch = [{ op: 'add', path: '', value: report('job-9') }];

    expect(await desk.edit('d-foreign', patch, 'ada')).toMatchObject({
      status: 'edited',
      fields: expect.anything(),
    });
    expect((await desk.get('d-foreign'))?.report).toEqual(report('job-9'));
  });

  test.each<[string, JsonPatch, object]>([
    ['makes no report', [{ op: 'remove', path: '/error' }], { status: 'invalid' }],
    ['adds a field there is not', [{ op: 'add', path: '/eror', value: 'x' }], { status: 'invalid' }],
    ['adds a prototype', [{ op: 'add', path: '/__proto__', value: { a: 1 } }], { status: 'no-patch' }],
    ['replaces what is not there', [{ op: 'replace', path: '/source', value: 'x' }], { status: 'no-patch' }],
    ['tests for something else', [{ op: 'test', path: '/error', value: 'x' }], { status: 'no-patch' }],
    ['has an operation there is not', [{ op: 'change', path: '/error', value: 'x' }], { status: 'no-patch' }],
    ['has no path', [{ op: 'remove' }], { status: 'no-patch' }],
    ['is empty', [], { status: 'no-patch' }],
    ['is none', { op: 'remove', path: '/error' } as unknown as JsonPatch, { status: 'no-patch' }],
    ['changes nothing', [{ op: 'replace', path: '/error', value: 'TimeoutError' }], { status: 'unchanged' }],
  ])('that %s writes nothing', async (_, patch, expected) => {
    const { desk, bury } = await setupDesk();
    const [letter] = await bury(1);

    expect(await desk.edit(letter?.id ?? '', patch, 'ada')).toMatchObject(expected);
    expect(await desk.get(letter?.id ?? '')).toEqual(letter);
    expect(await desk.audit(9)).toEqual([]);
    expect(await desk.edit('d-none', patch, 'ada')).toEqual({ status: 'unknown' });
  });

  test('at the same moment as another one is made on top of it', async () => {
    const { desk, bury } = await setupDesk();
    const [letter] = await bury(1);
    const id = letter?.id ?? '';

    await Promise.all([
      desk.edit(id, [{ op: 'add', path: '/source', value: 'host-1' }], 'ada'),
      desk.edit(id, [{ op: 'add', path: '/connector_id', value: 'c-1' }], 'bob'),
    ]);

    expect(await desk.get(id)).toMatchObject({ report: { source: 'host-1', connector_id: 'c-1' } });
    expect((await desk.get(id))?.edits).toHaveLength(2);
  });
});

describe('a purge', () => {
  test('takes away those that are meant, counts them and is in the audit log', async () => {
    const { desk, bury } = await setupDesk();
    await bury(1_300, (n) => ({ code: n % 13 === 0 ? 'rejected' : 'superseded' }));

    expect(await desk.purge({ code: 'superseded' }, 'ada')).toBe(1_200);
    expect(await desk.purge({ code: 'superseded' }, 'ada')).toBe(0);

    expect(await desk.counts()).toEqual({ rejected: 100 });
    expect((await desk.totals()).purged).toEqual({ superseded: 1_200 });
    const log = await desk.audit(9);
    expect(log.map(({ action, count }) => [action, count])).toEqual([
      ['purge-ended', 0],
      ['purge-begun', 0],
      ['purge-ended', 1_200],
      ['purge-begun', 1_200],
    ]);
    expect(log[3]).toMatchObject({ by: 'ada', filter: { code: 'superseded' } });
  });

  test('that is broken off has counted exactly those that are gone', async () => {
    const { desk, bury } = await setupDesk();
    await bury(1_300);
    const ending = new AbortController();

    const purged = await desk.purge({}, 'ada', { signal: ending.signal, onProgress: () => ending.abort() });

    expect(purged).toBeGreaterThan(0);
    expect(purged).toBeLessThan(1_300);
    expect(await desk.count({})).toBe(1_300 - purged);
    expect((await desk.totals()).purged).toEqual({ sync_job_not_found: purged });
    expect(await desk.purge({}, 'ada')).toBe(1_300 - purged);
  });

  test('leaves out what has died since the letters were counted', async () => {
    const { desk, bury } = await setupDesk();
    const letters = await bury(3);

    expect(await desk.purge({ deadBeforeMs: Date.parse(letters[2]?.dead_at ?? '') }, 'ada')).toBe(2);
    expect(await desk.list({ limit: 9 })).toMatchObject({ total: 1, letters: [letters[2]] });
  });
});

describe('retention', () => {
  async function setupRetention(count: number) {
    const setup = await setupDesk();
    const letters = await setup.bury(count);
    const lines: Readonly<Record<string, unknown>>[] = [];
    const log: Log = { debug() {}, info() {}, warn: (fields) => lines.push(fields), error() {} };
    const context = {
      letters: openDeadLetters(setup.redis, setup.names),
      now: () => Date.parse(letters.at(-1)?.dead_at ?? '') + 10,
      worker: 'worker-1',
      log,
    };
    return { ...setup, letters, lines, context };
  }

  test('by age takes away what is older, each one logged and counted', async () => {
    const { desk, letters, lines, context } = await setupRetention(250);

    // The last one died 10 ms ago.
    expect(await expireDeadLetters({ maxAgeMs: 29 }, context)).toBe(230);

    expect((await desk.list({ limit: 99 })).letters).toEqual(letters.slice(230).toReversed());
    expect(lines).toHaveLength(230);
    expect(lines[0]).toEqual({
      id: letters[0]?.id,
      connector_sync_job_id: 'job-0',
      code: 'sync_job_not_found',
      dead_at: letters[0]?.dead_at,
      why: 'age',
    });
    expect((await desk.totals()).expired).toEqual({ sync_job_not_found: 230 });
    expect(await desk.audit(9)).toMatchObject([{ action: 'expire', by: 'worker-1', count: 230 }]);
    expect(await expireDeadLetters({ maxAgeMs: 29 }, context)).toBe(0);
    expect(await desk.audit(9)).toHaveLength(1);
  });

  test('by count keeps the newest, also where several workers do it at once', async () => {
    const { desk, letters, lines, context } = await setupRetention(450);

    const expired = await Promise.all([1, 2, 3].map(() => expireDeadLetters({ maxCount: 30 }, context)));

    expect(expired.reduce((sum, count) => sum + count)).toBe(420);
    expect(lines).toHaveLength(420);
    expect((await desk.list({ limit: 99 })).letters).toEqual(letters.slice(420).toReversed());
  });

  test('does nothing where nothing is said', async () => {
    const { desk, context } = await setupRetention(3);

    expect(await expireDeadLetters({}, context)).toBe(0);
    expect((await desk.list({ limit: 9 })).total).toBe(3);
  });
});

describe('a letter from elsewhere', () => {
  const parse = deadLetterParser({ maxErrorBytes: 1_000 });

  test('is kept as it was, once', async () => {
    const from = await setupDesk();
    const to = await setupDesk();
    await from.bury(3, (n) => (n === 2 ? { report: null, payload: '{cut', id: 'd-foreign' } : {}));
    const letters = await Array.fromAsync(from.desk.each({}));
    const parsed = letters.map((letter) => parse(JSON.parse(JSON.stringify(letter))));

    for (const each of parsed) {
      if (each.kind === 'invalid') throw new Error(each.reason);
      expect(await to.desk.restore(each.letter)).toBe('added');
      expect(await to.desk.restore(each.letter)).toBe('present');
    }
    expect(await Array.fromAsync(to.desk.each({}))).toEqual(letters);
  });

  test('is not kept while its job is on its way', async () => {
    const { desk, enqueue } = await setupDesk();
    await enqueue(report('job-0'));

    expect(await desk.restore(letterOf(0))).toBe('on_its_way');
    expect(await desk.counts()).toEqual({});
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a report', report()],
    ['a letter with another code', { ...letterOf(0), code: 'ambiguous' }],
    ['a letter with one more field', { ...letterOf(0), more: 1 }],
    [
      'a letter with a broken report',
      { ...letterOf(0), report: { connector_sync_job_id: '..', error: 'x' } },
    ],
    ['a letter with no content', { ...letterOf(0), report: null }],
    ['a letter with both', { ...letterOf(0), payload: '{}' }],
    ['a letter without a time', { ...letterOf(0), dead_at: 'yesterday' }],
    ['a letter with an id of another form', { ...letterOf(0), id: 'r-1' }],
    ['a letter that is too long', { ...letterOf(0), report: report('job-0', 'x'.repeat(1_001)) }],
  ])('is refused where it is %s', (_, value) => {
    expect(parse(value)).toMatchObject({ kind: 'invalid', reason: expect.stringMatching(/./) });
  });
});

test('the audit log is bounded', async () => {
  const { redis, names, desk } = await setupDesk();
  const letters = openDeadLetters(redis, names);
  const entry = { at: new Date().toISOString(), by: 'ada', action: 'import', count: 1 } as const;
  await Promise.all(Array.from({ length: MAX_AUDIT_ENTRIES + 1_000 }, () => letters.audit(entry)));

  const kept = (await desk.audit(MAX_AUDIT_ENTRIES * 2)).length;
  expect(kept).toBeGreaterThanOrEqual(MAX_AUDIT_ENTRIES);
  expect(kept).toBeLessThan(MAX_AUDIT_ENTRIES + 200);
});
