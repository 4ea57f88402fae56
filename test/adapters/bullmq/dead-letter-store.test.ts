import { expect, test, vi } from 'vitest';
import { openDeadLetters } from '../../../src/adapters/bullmq/dead-letter-store.ts';
import type { DeadLetterCode } from '../../../src/domain/codes.ts';
import type { DeadLetter } from '../../../src/domain/dead-letter.ts';
import type { DeadLetterQuery, DeadLetterQueue } from '../../../src/pipeline/ports.ts';
import { report } from '../../support/queue-setup.ts';
import { keyPrefix, redisClient } from '../../support/redis.ts';

function setup(): DeadLetterQueue {
  const prefix = keyPrefix();
  return openDeadLetters(redisClient(), { prefix, queue: 'reports' });
}

function letter(n: number, code: DeadLetterCode = 'sync_job_not_found'): DeadLetter {
  return {
    id: `d-r-${n}`,
    code,
    reason: 'No sync job has this id.',
    report: report(`job-${n}`),
    attempts_made: 1,
    attempts: [],
    enqueued_at: new Date(n).toISOString(),
    dead_at: new Date(1_000 + n).toISOString(),
    worker: 'worker-1',
    redrives: [],
  };
}

test('a letter is kept once, as it was first written', async () => {
  const letters = setup();

  expect(await letters.add(letter(1))).toBe('added');
  expect(await letters.add({ ...letter(1, 'rejected'), attempts_made: 9 })).toBe('present');

  expect(await letters.get('d-r-1')).toEqual(letter(1));
  expect(await letters.counts()).toEqual({ sync_job_not_found: 1 });
});

test('letters are listed newest first, by page and by code', async () => {
  const letters = setup();
  for (let n = 0; n < 25; n += 1)
    await letters.add(letter(n, n % 5 === 0 ? 'rejected' : 'sync_job_not_found'));

  const first = await letters.list({ offset: 0, limit: 10 });
  expect(first.total).toBe(25);
  expect(first.letters.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, n) => `d-r-${24 - n}`));
  const last = await letters.list({ offset: 20, limit: 10 });
  expect(last.letters.map(({ id }) => id)).toEqual(['d-r-4', 'd-r-3', 'd-r-2', 'd-r-1', 'd-r-0']);
  const rejected = await letters.list({ code: 'rejected', offset: 1, limit: 2 });
  expect(rejected.total).toBe(5);
  expect(rejected.letters.map(({ id }) => id)).toEqual(['d-r-15', 'd-r-10']);
  expect(await letters.counts()).toEqual({ rejected: 5, sync_job_not_found: 20 });
});

test.each<[string, Omit<DeadLetterQuery, 'limit'>, number]>([
  ['an index', {}, 1],
  // What has a text is read once to be looked at, and once more for the page.
  ['a search', { text: 'job' }, 2],
])(
  'a letter that leaves while its page is put together from %s is not counted',
  async (_from, filter, last) => {
    const redis = redisClient();
    const letters = openDeadLetters(redis, { prefix: keyPrefix(), queue: 'reports' });
    for (let n = 0; n < 3; n += 1) await letters.add(letter(n));
    const mget = redis.mget.bind(redis) as (keys: string[]) => Promise<(string | null)[]>;
    let reads = 0;
    const reading = vi.spyOn(redis, 'mget').mockImplementation(async (keys) => {
      reads += 1;
      if (reads === last) {
        reading.mockRestore();
        await letters.remove(await letters.read(['d-r-1']), 'purged');
      }
      return mget(keys as string[]);
    });

    const page = await letters.list({ ...filter, limit: 10 });

    expect(reads).toBe(last);
    expect(page.letters.map(({ id }) => id)).toEqual(['d-r-2', 'd-r-0']);
    expect(page.total).toBe(2);
  },
);

test('a page of none, a page behind the end and an unknown id are empty', async () => {
  const letters = setup();
  await letters.add(letter(1));

  expect(await letters.list({ offset: 0, limit: 0 })).toEqual({ total: 1, letters: [] });
  expect(await letters.list({ offset: 5, limit: 5 })).toEqual({ total: 1, letters: [] });
  expect(await letters.list({ code: 'poison', offset: 0, limit: 5 })).toEqual({ total: 0, letters: [] });
  expect(await letters.get('d-r-2')).toBeUndefined();
});

test('a report of a mebibyte with every kind of character comes back as it was', async () => {
  const letters = setup();
  const error = '\0"\\\n\u2028é日🔒'.repeat(60_000);
  await letters.add({ ...letter(1), report: report('ä/..%2f\0', error) });

  expect((await letters.get('d-r-1'))?.report).toEqual(report('ä/..%2f\0', error));
});
