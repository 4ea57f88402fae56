import { describe, expect, test } from 'vitest';
import { openDeadLetters } from '../../../src/adapters/bullmq/dead-letter-store.ts';
import type { DeadLetter } from '../../../src/domain/dead-letter.ts';
import type { DeadLetterFilter } from '../../../src/domain/dead-letter-filter.ts';
import { type DeadLetterStore, eachLetter } from '../../../src/pipeline/dead-letter-ports.ts';
import type { DeadLetterPage } from '../../../src/pipeline/ports.ts';
import { report } from '../../support/queue-setup.ts';
import { keyPrefix, keysUnder, redisClient } from '../../support/redis.ts';

const NOON_MS = Date.UTC(2026, 10, 23, 12);

function letter(n: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: `d-r-${String(n).padStart(4, '0')}`,
    code: 'sync_job_not_found',
    reason: 'No sync job has this id.',
    report: {
      ...report(`job-${n}`, `Error ${n}: Connection REFUSED`),
      connector_id: `c-${n % 3}`,
      source: 'host-1',
    },
    answer: { status: 404, type: 'resource_not_found_exception' },
    attempts_made: 1,
    attempts: [],
    enqueued_at: new Date(NOON_MS).toISOString(),
    dead_at: new Date(NOON_MS + n).toISOString(),
    worker: 'worker-1',
    redrives: [],
    ...changes,
  };
}

async function setup(letters: readonly DeadLetter[]) {
  const prefix = keyPrefix();
  const store = openDeadLetters(redisClient(), { prefix, queue: 'reports' });
  for (const each of letters) await store.add(each);
  return { store, prefix };
}

/** Every page to the end, however many there are. */
async function listAll(
  store: DeadLetterStore,
  filter: DeadLetterFilter,
  limit = 50,
): Promise<DeadLetterPage> {
  let page = await store.list({ ...filter, limit });
  const letters = [...page.letters];
  while (page.next !== undefined) {
    page = await store.list({ ...filter, limit, cursor: page.next });
    letters.push(...page.letters);
  }
  return { ...page, letters };
}

const numbersOf = ({ letters }: DeadLetterPage): number[] => letters.map(({ id }) => Number(id.slice(4)));

describe('letters are found', () => {
  const odd = letter(7, {
    code: 'terminal_state',
    answer: { status: 400 },
    found: { status: 'completed' },
    report: { connector_sync_job_id: 'a"b\\c ü\n', error: 'Ünlucky "quote"', source: 'host-2' },
  });
  const broken = letter(8, { code: 'invalid_report', report: null, payload: '{"eror": "cut' });
  const again = letter(9, {
    redrives: [
      {
        at: '2026-11-23T11:00:00.000Z',
        by: 'ada',
        run: 'run-1',
        code: 'sync_job_not_found',
        enqueued_at: '2026-11-23T10:00:00.000Z',
        dead_at: '2026-11-23T10:30:00.000Z',
        attempts_made: 1,
        attempts: [],
      },
    ],
  });
  const all = [...Array.from({ length: 7 }, (_, n) => letter(n)), odd, broken, again];

  test.each<[string, DeadLetterFilter, number[]]>([
    ['all', {}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
    ['by code', { code: 'terminal_state' }, [7]],
    ['by connector', { connectorId: 'c-1' }, [4, 1]],
    ['by source', { source: 'host-2' }, [7]],
    ['by sync job', { syncJobId: 'a"b\\c ü\n' }, [7]],
    ['by the status of the answer', { status: '400' }, [7]],
    ['by the status of the sync job', { status: 'completed' }, [7]],
    ['by text, in either case', { text: 'connection refused' }, [9, 6, 5, 4, 3, 2, 1, 0]],
    ['by text with characters that JSON escapes', { text: 'Ünlucky "QUOTE"' }, [7]],
    ['by text in what was no report', { text: '{"EROR"' }, [8]],
    ['by text in the id of the sync job', { text: 'job-5' }, [5]],
    ['not by text elsewhere in the letter', { text: 'worker-1' }, []],
    ['by id, of the letter or of its job', { ids: ['d-r-0003', 'r-0001', 'd-r-none'] }, [3, 1]],
    ['from a time on', { deadFromMs: NOON_MS + 8 }, [9, 8]],
    ['before a time', { deadBeforeMs: NOON_MS + 2 }, [1, 0]],
    ['by the run that put them back', { againAfterRun: 'run-1' }, [9]],
    ['by several conditions', { connectorId: 'c-1', source: 'host-1', deadFromMs: NOON_MS + 2 }, [4]],
    ['by text and code', { text: 'error 3', code: 'sync_job_not_found' }, [3]],
    ['by what none has', { connectorId: 'c-9', code: 'poison' }, []],
  ])('%s', async (_, filter, expected) => {
    const { store } = await setup(all);

    expect(numbersOf(await listAll(store, filter))).toEqual(expected);
    expect(numbersOf(await listAll(store, filter, 1))).toEqual(expected);
    expect(await store.count(filter)).toBe(expected.length);
    const oldestFirst = await Array.fromAsync(eachLetter(store, filter, 'oldest'));
    expect(oldestFirst.map(({ id }) => Number(id.slice(4))).sort()).toEqual([...expected].sort());
  });
});

describe('a page', () => {
  test('says how many match in all, exactly where an index tells', async () => {
    const { store } = await setup(Array.from({ length: 30 }, (_, n) => letter(n)));

    expect(await store.list({ connectorId: 'c-0', limit: 4 })).toMatchObject({ total: 10 });
    const timed = await store.list({ deadFromMs: NOON_MS + 10, limit: 4 });
    expect(timed).toMatchObject({ total: 20 });
    expect(timed.isAtLeast).toBeUndefined();
    const searched = await store.list({ connectorId: 'c-0', source: 'host-1', limit: 4 });
    expect(searched).toMatchObject({ total: 4, isAtLeast: true });
  });

  test('begins after the offset, also where letters have to be looked for', async () => {
    const { store } = await setup(Array.from({ length: 12 }, (_, n) => letter(n)));

    expect(numbersOf(await store.list({ connectorId: 'c-0', offset: 1, limit: 2 }))).toEqual([6, 3]);
    const page = await store.list({ connectorId: 'c-0', source: 'host-1', offset: 1, limit: 2 });
    expect(numbersOf(page)).toEqual([6, 3]);
  });

  test('goes on in its place where letters die, or go, meanwhile', async () => {
    const { store } = await setup(Array.from({ length: 6 }, (_, n) => letter(n)));
    const first = await store.list({ limit: 2 });
    expect(numbersOf(first)).toEqual([5, 4]);

    await store.add(letter(100));
    const seen = await store.read(['d-r-0004', 'd-r-0003']);
    await store.remove(seen, 'purged');
    const second = await store.list({
      limit: 2,
      ...(first.next === undefined ? {} : { cursor: first.next }),
    });

    expect(numbersOf(second)).toEqual([2, 1]);
  });

  test('loses and repeats none of many that died in the same moment', async () => {
    const dead_at = new Date(NOON_MS).toISOString();
    const letters = Array.from({ length: 300 }, (_, n) =>
      letter(n, { dead_at, id: `d-r-${(n * 7919) % 9973}-Aa_z` }),
    );
    const { store } = await setup(letters);
    const met: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list({ limit: 7, cursor });
      met.push(...page.letters.map(({ id }) => id));
      // The one the cursor stands on goes, so that its place has to be found by order alone.
      await store.remove(await store.read(met.slice(-1)), 'purged');
      cursor = page.next;
    } while (cursor !== undefined);

    expect(new Set(met).size).toBe(300);
    expect(met).toHaveLength(300);
  });

  test('comes with a next one where a search has looked far and found nothing yet', async () => {
    const { store } = await setup([
      letter(0, { code: 'poison', report: report('job-0', 'the needle') }),
      ...Array.from({ length: 40 }, (_, n) =>
        letter(n + 1, { report: report(`job-${n}`, 'x'.repeat(400_000)) }),
      ),
    ]);
    const first = await store.list({ text: 'needle', limit: 1 });
    expect(first).toMatchObject({ letters: [], total: 0, isAtLeast: true });
    expect(numbersOf(await listAll(store, { text: 'needle' }))).toEqual([0]);
  });

  test('refuses a cursor that is none', async () => {
    const { store } = await setup([]);
    for (const cursor of ['', 'x', 'bnVsbA', Buffer.from('[1,2,3,4]').toString('base64url')])
      await expect(store.list({ limit: 1, cursor }), cursor).rejects.toThrow(RangeError);
  });
});

test('a letter that is taken away leaves nothing but its count', async () => {
  const { store, prefix } = await setup([letter(1), letter(2, { code: 'poison' })]);
  const seen = await store.read(['d-r-0001', 'd-r-0002']);

  expect(await store.remove(seen, 'purged')).toEqual(['d-r-0001', 'd-r-0002']);
  expect(await store.remove(seen, 'purged')).toEqual([]);

  expect(await keysUnder(prefix)).toEqual([`${prefix}:dead-letters:totals`]);
  expect(await store.totals()).toEqual({
    redriven: {},
    purged: { sync_job_not_found: 1, poison: 1 },
    expired: {},
  });
});

test('a letter that has changed since it was seen is neither taken away nor replaced', async () => {
  const { store } = await setup([letter(1)]);
  const [seen] = await store.read(['d-r-0001']);
  if (seen === undefined) throw new Error('no letter');
  const edits = [{ at: '2026-11-23T12:00:00.000Z', by: 'ada', fields: ['error'] }];
  const entry = { at: '2026-11-23T12:00:00.000Z', by: 'ada', action: 'edit', letter: 'd-r-0001' } as const;
  const edited = letter(1, { edits, report: { ...report('other'), connector_id: 'c-new' } });

  expect(await store.replace(seen, edited, entry)).toBe('replaced');
  expect(await store.replace(seen, letter(1), entry)).toBe('changed');
  expect(await store.remove([seen], 'purged')).toEqual([]);
  expect(await store.get('d-r-0001')).toEqual(edited);
  expect(await store.count({ connectorId: 'c-1' })).toBe(0);
  expect(await store.count({ connectorId: 'c-new' })).toBe(1);
  expect(await store.audited(10)).toEqual([entry]);
});
