/**
 * Measures finding dead letters among very many: how long each page takes, and how long any call holds Redis.
 *
 *     node bench/dead-letters.ts [--letters 1000000]
 *
 * It starts a Redis of its own, which keeps nothing on disk.
 */
import { parseArgs } from 'node:util';
import { connectRedis, type OwnedRedis } from '../src/adapters/bullmq/connect-redis.ts';
import { openDeadLetters } from '../src/adapters/bullmq/dead-letter-store.ts';
import { provideRedis } from '../src/adapters/redis-embedded/provide-redis.ts';
import { DEAD_LETTER_CODES } from '../src/domain/codes.ts';
import { DEAD_LETTER_REASONS, type DeadLetter } from '../src/domain/dead-letter.ts';
import type { DeadLetterFilter } from '../src/domain/dead-letter-filter.ts';
import {
  type DeadLetterStore,
  LETTERS_A_CALL,
  type LetterVersion,
} from '../src/pipeline/dead-letter-ports.ts';

const wantedPageMs = 100;
const wantedHoldMs = 20;
const pagesAQuestion = 20;

const { values } = parseArgs({ options: { letters: { type: 'string', default: '1000000' } } });
const count = Number(values.letters);
const bornMs = Date.UTC(2026, 0, 1);

await using server = await provideRedis({
  appendOnly: false,
  mayInstall: false,
  say: (line) => console.log(line),
});
const redis = connectRedis(server.url, 'worker', (error) => console.error(error.message));
const store = openDeadLetters(redis, { prefix: '{bench}', queue: 'reports' });
let isGood = true;

await fill();
// Every call from here on that holds Redis for a millisecond or more is written down by Redis itself.
await redis.config('SET', 'slowlog-log-slower-than', '1000');
await redis.config('SET', 'slowlog-max-len', '100000');
await redis.slowlog('RESET');

console.log(
  `\n${'question'.padEnd(46)} ${'pages'.padStart(6)} ${'median'.padStart(9)} ${'longest'.padStart(9)}`,
);
const from = bornMs + Math.floor(count / 2);
const questions: readonly (readonly [name: string, filter: DeadLetterFilter])[] = [
  ['all', {}],
  ['a code that a third have', { code: 'sync_job_not_found' }],
  ['a connector that 1 in 50 have', { connectorId: 'connector-7' }],
  ['a source that 1 in 200 have', { source: 'host-11' }],
  ['a status', { status: '404' }],
  ['one sync job', { syncJobId: `job-${Math.floor(count / 3)}` }],
  ['a span of time', { deadFromMs: from, deadBeforeMs: from + count / 10 }],
  ['a code and a connector', { code: 'superseded', connectorId: 'connector-7' }],
  ['a code and a source that never meet', { code: 'sync_job_not_found', source: 'host-none' }],
  [
    'two conditions half of the letters have',
    { status: '404', code: 'sync_job_not_found', deadBeforeMs: from },
  ],
  ['a text that 1 in 1,000 have', { text: 'needle' }],
  ['a text that none has', { text: 'no such text anywhere' }],
];
for (const [name, filter] of questions) await ask(name, filter);
for (const share of [0.1, 0.5, 0.99]) {
  await time(`offset ${Math.floor(count * share).toLocaleString('en')}`, async () => {
    await store.list({ offset: Math.floor(count * share), limit: 50 });
  });
}
await time('1,000 letters', async () => {
  await store.list({ limit: 1_000 });
});
await time('counts by code', async () => {
  await store.counts();
});
await time('count of a code', async () => {
  await store.count({ code: 'sync_job_not_found' });
});
await time('one letter by its id', async () => {
  await store.get('d-r-000000000000000000000007');
});
const purging = await store.find({ code: 'poison' }, { order: 'oldest', limit: LETTERS_A_CALL });
await time(`${LETTERS_A_CALL} letters purged`, () => purge(store, purging.found), 1);
await wholeCount('counted whole: a code and a connector', { code: 'superseded', connectorId: 'connector-7' });
await wholeCount('counted whole: two conditions', { status: '404', code: 'sync_job_not_found' });
await wholeCount('counted whole: a text', { text: 'needle' });
await longestHold(redis);

await redis.release();
process.exitCode = isGood ? 0 : 1;

async function fill(): Promise<void> {
  const startedAt = performance.now();
  for (let n = 0; n < count; n += 1_000) {
    await Promise.all(
      Array.from({ length: Math.min(1_000, count - n) }, (_, index) => store.add(letterOf(n + index))),
    );
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const memory = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  console.log(
    `${count.toLocaleString('en')} letters written in ${seconds.toFixed(0)} s (${Math.round(count / seconds)} a second): ` +
      `${(memory / 2 ** 20).toFixed(0)} MiB, ${Math.round(memory / count)} bytes each`,
  );
}

function letterOf(n: number): DeadLetter {
  const code =
    n % 3 === 0 ? 'sync_job_not_found' : (DEAD_LETTER_CODES[n % DEAD_LETTER_CODES.length] ?? 'rejected');
  const text = `ConnectionError: host db-${n % 977} refused the connection${n % 1_000 === 0 ? ', the Needle' : ''}`;
  return {
    id: `d-r-${String(n).padStart(24, '0')}`,
    code,
    reason: DEAD_LETTER_REASONS[code],
    report: {
      connector_sync_job_id: `job-${n}`,
      error: `${text}\n${'  at Sync.run (sync.ts:31)\n'.repeat(8)}`,
      connector_id: `connector-${n % 50}`,
      source: `host-${n % 200}`,
    },
    answer: {
      status: n % 2 === 0 ? 404 : 400,
      type: 'resource_not_found_exception',
      reason: 'no such sync job',
    },
    attempts_made: 1,
    attempts: [
      {
        attempt: 1,
        at: new Date(bornMs + n).toISOString(),
        code: 'sync_job_not_found',
        status: 404,
        duration_ms: 3,
        worker: 'worker-1',
      },
    ],
    enqueued_at: new Date(bornMs + n).toISOString(),
    dead_at: new Date(bornMs + n).toISOString(),
    worker: 'worker-1',
    redrives: [],
  };
}

/** Asks for page after page, each of which is measured. */
async function ask(name: string, filter: DeadLetterFilter): Promise<void> {
  let cursor: string | undefined;
  await time(name, async () => {
    const page = await store.list({ ...filter, limit: 50, ...(cursor === undefined ? {} : { cursor }) });
    cursor = page.next;
  });
}

async function time(name: string, work: () => Promise<unknown>, times = pagesAQuestion): Promise<void> {
  const taken: number[] = [];
  for (let page = 0; page < times; page += 1) {
    const startedAt = performance.now();
    await work();
    taken.push(performance.now() - startedAt);
  }
  taken.sort((a, b) => a - b);
  const longest = taken.at(-1) ?? 0;
  isGood &&= longest < wantedPageMs;
  const median = taken[Math.floor(taken.length / 2)] ?? 0;
  console.log(
    `${name.padEnd(46)} ${String(times).padStart(6)} ${median.toFixed(1).padStart(6)} ms ${longest.toFixed(1).padStart(6)} ms`,
  );
}

async function purge(letters: DeadLetterStore, found: readonly LetterVersion[]): Promise<void> {
  const gone = await letters.remove(found, 'purged');
  if (gone.length !== found.length) throw new Error(`purged ${gone.length} of ${found.length}`);
}

/** In many calls: how long it takes is told, and not held against it. */
async function wholeCount(name: string, filter: DeadLetterFilter): Promise<void> {
  const startedAt = performance.now();
  const total = await store.count(filter);
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(`${name.padEnd(46)} ${total.toLocaleString('en').padStart(13)} in ${seconds.toFixed(2)} s`);
}

async function longestHold(client: OwnedRedis): Promise<void> {
  const entries = (await client.slowlog('GET', 100_000)) as readonly (readonly [
    number,
    number,
    number,
    string[],
  ])[];
  const held = entries
    .map(([, , micros, command]) => ({
      ms: micros / 1_000,
      name: command.slice(0, 4).join(' ').slice(0, 80),
    }))
    .sort((a, b) => b.ms - a.ms);
  const longest = held[0]?.ms ?? 0;
  isGood &&= longest < wantedHoldMs;
  console.log(
    `\nlongest hold of Redis: ${longest.toFixed(1)} ms (wanted: below ${wantedHoldMs}); pages wanted below ${wantedPageMs} ms`,
  );
  console.log(`${held.length.toLocaleString('en')} calls held it for 1 ms or more, the longest ones:`);
  for (const { ms, name } of held.slice(0, 5)) console.log(`  ${ms.toFixed(1).padStart(6)} ms  ${name}`);
}
