import { describe, expect, test } from 'vitest';
import type { ReadBack } from '../../src/domain/answer.ts';
import { type ReadBackInDoubt, readingBack } from '../../src/pipeline/read-back.ts';
import { never } from '../adapters/elasticsearch/support.ts';
import { found } from '../support/scripted-api.ts';

const FOUND = found('in_progress');
const REFUSED: ReadBack = {
  kind: 'unknown',
  answer: { kind: 'not-sent', cause: 'unreachable', type: 'ECONNREFUSED', reason: 'refused' },
};
const PATIENCE_MS = 20;

/** A gate by which Elasticsearch was last heard of so long ago. */
function setup(silentForMs: number, mayReadBack: () => boolean = () => true) {
  let silentMs = silentForMs;
  const gate = {
    mayReadBack,
    silentForMs: () => silentMs,
    heard: () => {
      silentMs = 0;
    },
  };
  const readBackInDoubt = readingBack(gate, PATIENCE_MS);
  const reads: PromiseWithResolvers<ReadBack>[] = [];
  /** One that waits as an adapter does: its signal ends it. */
  const read = (signal: AbortSignal): Promise<ReadBack> => {
    const one = Promise.withResolvers<ReadBack>();
    reads.push(one);
    signal.addEventListener('abort', () => one.resolve({ kind: 'unknown', answer: { kind: 'interrupted' } }));
    return one.promise;
  };
  const ask = (
    sinceSentMs: number,
    signal: AbortSignal = never,
    cause: Parameters<ReadBackInDoubt>[0] = 'lost-response',
  ) => readBackInDoubt(cause, sinceSentMs, read, signal);
  return { ask, reads };
}

test('where something was heard since the request left, each reads back by itself', async () => {
  const { ask, reads } = setup(10);
  const all = [ask(10), ask(11), ask(1_000)];
  expect(reads).toHaveLength(3);
  for (const one of reads) one.resolve(FOUND);
  expect(await Promise.all(all)).toEqual([FOUND, FOUND, FOUND]);
});

test('where there was a response, each reads back by itself however long nothing else was heard', async () => {
  const { ask, reads } = setup(20);
  const all = [ask(10, never, 'unreadable-success'), ask(10, never, 'foreign-success')];
  expect(reads).toHaveLength(2);
  for (const one of reads) one.resolve(FOUND);
  expect(await Promise.all(all)).toEqual([FOUND, FOUND]);
});

test('where the gate says no, nobody reads back', async () => {
  const { ask, reads } = setup(0, () => false);
  expect(await ask(1_000)).toBeUndefined();
  expect(reads).toHaveLength(0);
});

describe('where nothing was heard since the requests left', () => {
  test('one reads back for all, and the others follow when it hears something', async () => {
    const { ask, reads } = setup(20);
    const all = [ask(10), ask(10), ask(10)];
    expect(reads).toHaveLength(1);
    reads[0]?.resolve(FOUND);
    expect(await all[0]).toEqual(FOUND);
    await Promise.resolve();
    expect(reads).toHaveLength(3);
    for (const one of reads) one.resolve(FOUND);
    expect(await Promise.all(all)).toEqual([FOUND, FOUND, FOUND]);
  });

  test('the others leave it at that when it hears nothing', async () => {
    const { ask, reads } = setup(20);
    const all = [ask(10), ask(10), ask(10)];
    reads[0]?.resolve(REFUSED);
    expect(await Promise.all(all)).toEqual([REFUSED, undefined, undefined]);
    expect(reads).toHaveLength(1);
  });

  test('it does not wait for long, and counts as nothing found out', async () => {
    const { ask, reads } = setup(20);
    expect(await Promise.all([ask(10), ask(10)])).toEqual([undefined, undefined]);
    expect(reads).toHaveLength(1);
  });

  test('the next one reads back anew', async () => {
    const { ask, reads } = setup(20);
    await ask(10);
    const next = ask(10);
    expect(reads).toHaveLength(2);
    reads[1]?.resolve(FOUND);
    expect(await next).toEqual(FOUND);
  });

  test('a worker that stops interrupts it as any other request', async () => {
    const { ask } = setup(20);
    const stopping = new AbortController();
    const asked = ask(10, stopping.signal);
    stopping.abort();
    expect(await asked).toEqual({ kind: 'unknown', answer: { kind: 'interrupted' } });
  });
});
