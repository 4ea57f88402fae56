import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/domain/answer.ts';
import { REDUCED_ERROR_BYTES, shortenError } from '../../src/domain/shorten-error.ts';
import { type Delivery, deliverError } from '../../src/pipeline/deliver-error.ts';
import type { ReadBackInDoubt } from '../../src/pipeline/read-back.ts';
import { anyAnswer, anyReadBack } from '../domain/arbitraries.ts';
import { readAtOnce } from '../support/queue-setup.ts';
import { found, REFUSED_TRANSITION, refusal, scriptedApi, UPDATED } from '../support/scripted-api.ts';

const LONG = `${'x'.repeat(20_000)} the end`;
const REDUCED = shortenError(LONG, REDUCED_ERROR_BYTES);
const TOO_LARGE = refusal(413, 'content_too_long_exception');
const LOST: Answer = { kind: 'lost', type: 'ECONNRESET', reason: 'socket hang up' };
const OPEN = found('in_progress');

async function deliver(
  error: string,
  script: Parameters<typeof scriptedApi>[0],
  readBackInDoubt: ReadBackInDoubt = readAtOnce,
) {
  const api = scriptedApi(script);
  const delivery = await deliverError(
    { connector_sync_job_id: 'job', error },
    api,
    new AbortController().signal,
    () => 0,
    readBackInDoubt,
  );
  return { delivery, sent: api.sent.map((request) => request.error), read: api.read };
}

const verdictOf = ({ delivery }: { readonly delivery: Delivery }): unknown => {
  const { verdict } = delivery;
  return 'code' in verdict ? `${verdict.kind} ${verdict.code}` : verdict.kind;
};

describe('413', () => {
  test('is followed by a shorter text, at once and once', async () => {
    const passed = await deliver(LONG, { puts: [TOO_LARGE, UPDATED] });
    expect(verdictOf(passed)).toBe('applied');
    expect(passed.sent).toEqual([LONG, REDUCED]);
    expect(Buffer.byteLength(REDUCED)).toBeLessThanOrEqual(REDUCED_ERROR_BYTES);

    const refused = await deliver(LONG, { puts: [TOO_LARGE] });
    expect(verdictOf(refused)).toBe('permanent too_large');
    expect(refused.sent).toEqual([LONG, REDUCED]);
  });

  test('is final for a text that was short already', async () => {
    const refused = await deliver('short', { puts: [TOO_LARGE] });
    expect(verdictOf(refused)).toBe('permanent too_large');
    expect(refused.sent).toEqual(['short']);
  });
});

describe('a sync job that changed between the refusal and the read-back', () => {
  test('is sent its error again, at once and once', async () => {
    const passed = await deliver(LONG, { puts: [REFUSED_TRANSITION, UPDATED], gets: [OPEN] });
    expect(verdictOf(passed)).toBe('applied');
    expect(passed.sent).toEqual([LONG, LONG]);

    const changing = await deliver(LONG, { puts: [REFUSED_TRANSITION], gets: [OPEN] });
    expect(verdictOf(changing)).toBe('transient conflict');
    expect(changing.sent).toEqual([LONG, LONG]);
    expect(changing.read).toHaveLength(2);
  });

  test('and ended meanwhile is judged by what it is then', async () => {
    const ended = await deliver('x', { puts: [REFUSED_TRANSITION], gets: [OPEN, found('completed')] });
    expect(verdictOf(ended)).toBe('permanent terminal_state');
    expect(ended.delivery.found).toEqual({ status: 'completed' });
  });
});

describe('both in one attempt', () => {
  test('a change after 413 is sent the shorter text again', async () => {
    const passed = await deliver(LONG, { puts: [TOO_LARGE, REFUSED_TRANSITION, UPDATED], gets: [OPEN] });
    expect(verdictOf(passed)).toBe('applied');
    expect(passed.sent).toEqual([LONG, REDUCED, REDUCED]);
  });

  test('413 after a change is followed by the shorter text', async () => {
    const passed = await deliver(LONG, { puts: [REFUSED_TRANSITION, TOO_LARGE, UPDATED], gets: [OPEN] });
    expect(verdictOf(passed)).toBe('applied');
    expect(passed.sent).toEqual([LONG, LONG, REDUCED]);
  });
});

describe('an ambiguous answer', () => {
  test('is read back once, and what is found tells', async () => {
    const applied = await deliver('x', { puts: [LOST], gets: [found('error', 'x')] });
    expect(verdictOf(applied)).toBe('already-applied');
    expect(applied.sent).toHaveLength(1);
    expect(applied.read).toEqual(['job']);
    // What was said is the first answer; the read-back tells what was found.
    expect(applied.delivery).toMatchObject({
      answer: { type: 'ECONNRESET' },
      found: { status: 'error', error: 'x' },
    });
  });

  test('finds its text also where the shorter one was stored', async () => {
    const applied = await deliver(LONG, { puts: [TOO_LARGE, LOST], gets: [found('error', REDUCED)] });
    expect(verdictOf(applied)).toBe('already-applied');
    const earlier = await deliver(LONG, { puts: [REFUSED_TRANSITION], gets: [found('error', REDUCED)] });
    expect(verdictOf(earlier)).toBe('already-applied');
  });

  test('tells what the read-back met where that failed too', async () => {
    const answer = refusal(503, 'unavailable_shards_exception');
    const unknown = await deliver('x', { puts: [LOST], gets: [{ kind: 'unknown', answer }] });
    expect(verdictOf(unknown)).toBe('outage ambiguous');
    expect(unknown.delivery.answer).toMatchObject({ status: 503 });
    expect(unknown.delivery.found).toBeUndefined();
  });
});

test('a Retry-After is handed on as it came, that of the last answer', async () => {
  const throttled: Answer = { ...refusal(429, 'es_rejected_execution_exception'), retryAfter: '7' } as Answer;
  expect((await deliver('x', { puts: [throttled] })).delivery.retryAfter).toBe('7');
  const readBack = { kind: 'unknown', answer: throttled } as const;
  expect((await deliver('x', { puts: [LOST], gets: [readBack] })).delivery.retryAfter).toBe('7');
  expect((await deliver('x', { puts: [UPDATED] })).delivery.retryAfter).toBeUndefined();
});

test('a long text found is cut in what is told', async () => {
  const other = await deliver('x', { puts: [REFUSED_TRANSITION], gets: [found('error', LONG)] });
  expect(verdictOf(other)).toBe('permanent superseded');
  expect(other.delivery.found?.error?.length).toBeLessThan(600);
});

test('a text found is compared as it is stored, and told without the credentials in it', async () => {
  const stored = { kind: 'found', status: 'error', error: 'a hunter2', shownError: 'a [redacted]' } as const;
  const ours = await deliver('a hunter2', { puts: [REFUSED_TRANSITION], gets: [stored] });
  expect(verdictOf(ours)).toBe('already-applied');
  const other = await deliver('a [redacted]', { puts: [REFUSED_TRANSITION], gets: [stored] });
  expect(verdictOf(other)).toBe('permanent superseded');
  for (const { delivery } of [ours, other]) {
    expect(delivery.found).toEqual({ status: 'error', error: 'a [redacted]' });
    expect(JSON.stringify(delivery)).not.toContain('hunter2');
  }
});

test('whatever is answered, there is a verdict after at most three requests to change and two to read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(anyAnswer, fc.constantFrom(TOO_LARGE, REFUSED_TRANSITION, LOST)), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.array(fc.oneof(anyReadBack, fc.constant(OPEN)), { minLength: 1, maxLength: 5 }),
      fc.constantFrom('short', LONG),
      async (puts, gets, error) => {
        const { delivery, sent, read } = await deliver(error, { puts, gets });
        expect(['too-large', 'changed-meanwhile', 'ambiguous']).not.toContain(delivery.verdict.kind);
        expect(sent.length).toBeLessThanOrEqual(3);
        expect(read.length).toBeLessThanOrEqual(2);
        expect(
          sent.every((text) => text === error || text === shortenError(error, REDUCED_ERROR_BYTES)),
        ).toBe(true);
      },
    ),
  );
});

test('what may not be read back now is an outage, and the sync job is not asked', async () => {
  const outcome = await deliver('x', { puts: [LOST] }, async () => undefined);
  expect(verdictOf(outcome)).toBe('outage ambiguous');
  expect(outcome.read).toEqual([]);
});
