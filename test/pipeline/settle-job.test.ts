import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/domain/answer.ts';
import type { DeadLetter } from '../../src/domain/dead-letter.ts';
import { NO_HISTORY } from '../../src/domain/job.ts';
import type { AttemptReport, Gate } from '../../src/pipeline/gate.ts';
import type { QueuedJob } from '../../src/pipeline/ports.ts';
import { jobSettler } from '../../src/pipeline/settle-job.ts';
import { openSlots } from '../../src/pipeline/slots.ts';
import { OPEN_DOOR, PROMPT_POLICY, parse, readAtOnce, report } from '../support/queue-setup.ts';
import { found, NOT_FOUND, refusal, scriptedApi, UPDATED } from '../support/scripted-api.ts';

const MAX_CRASHES = 3;

/** A job as the queue hands it over; one with crashes was under way when its worker died. */
function job(id: string, about: Partial<QueuedJob> = {}): QueuedJob {
  return {
    id,
    payload: { kind: 'json', value: report(id) },
    attempt: 1,
    earlierStarts: 0,
    enqueuedAtMs: 1_000,
    history: NO_HISTORY,
    crashes: 0,
    ...about,
  };
}

/** Kills the worker: the attempt never comes to an end. */
const deadly = (): Promise<Answer> => new Promise(() => undefined);

/** What outlives a worker: the counts of trials and the dead letters. */
function world() {
  const trials = new Map<string, number>();
  const cleared: string[] = [];
  const letters: DeadLetter[] = [];

  /** A worker's settler, on an API of its own. */
  function worker(
    script: Parameters<typeof scriptedApi>[0] = {},
    about: { readonly enter?: Gate['enter']; readonly noteFails?: boolean } = {},
  ) {
    const api = scriptedApi(script);
    const notes: AttemptReport[] = [];
    const note: Gate['note'] = (attempt) => {
      notes.push(attempt);
      return { circuitWasOpen: false, isWithinRetryBudget: true };
    };
    const settle = jobSettler(parse, {
      api,
      gate: { ...OPEN_DOOR, note, ...(about.enter && { enter: about.enter }) },
      readBackInDoubt: readAtOnce,
      deadLetters: {
        async add(letter) {
          letters.push(letter);
          return 'added';
        },
        list: () => Promise.reject(new Error('not asked here')),
        get: () => Promise.reject(new Error('not asked here')),
        counts: () => Promise.reject(new Error('not asked here')),
      },
      slots: openSlots(10),
      suspects: {
        trials: async (id) => trials.get(id) ?? 0,
        async noteTrial(id) {
          if (about.noteFails === true) throw new Error('redis is full');
          trials.set(id, (trials.get(id) ?? 0) + 1);
        },
        async clear(id) {
          cleared.push(id);
          trials.delete(id);
        },
      },
      maxCrashes: MAX_CRASHES,
      policy: PROMPT_POLICY,
      now: () => 1_000,
      clock: () => performance.now(),
      random: () => 0.5,
      worker: 'w',
    });
    return { api, notes, settle: (queued: QueuedJob) => settle(queued, new AbortController().signal) };
  }

  return { trials, cleared, letters, worker };
}

async function settled(): Promise<void> {
  for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a suspect', () => {
  test('is counted before each trial, and given up as poison without a request when there were enough', async () => {
    const { worker, trials, letters } = world();
    for (let crashes = 1; crashes < MAX_CRASHES; crashes += 1) {
      const { settle, api } = worker({ puts: [deadly] });
      void settle(job('bad', { crashes }));
      await settled();
      expect(api.sent).toHaveLength(1);
      expect(trials.get('bad')).toBe(crashes);
    }

    const { settle, api } = worker();
    const { outcome } = await settle(job('bad', { crashes: MAX_CRASHES, attempt: 2 }));
    expect(outcome).toEqual({ kind: 'dead-letter', code: 'poison' });
    expect(api.sent).toEqual([]);
    expect(letters).toMatchObject([{ id: 'd-bad', code: 'poison', report: report('bad'), attempts_made: 1 }]);
  });

  test('is not given up for crashes that were no trials of it', async () => {
    const { worker, letters } = world();
    const { outcome } = await worker().settle(job('unlucky', { crashes: 100 }));
    expect(outcome.kind).toBe('applied');
    expect(letters).toEqual([]);
  });

  test('is not counted for a worker that dies while it waits at the gate', async () => {
    const { worker, trials } = world();
    const { settle, api } = worker({}, { enter: () => new Promise(() => undefined) });
    void settle(job('waiting', { crashes: 1 }));
    await settled();
    expect(api.sent).toEqual([]);
    expect(trials.size).toBe(0);
  });

  test('stays suspected where it was handed back before it was tried', async () => {
    const { worker, trials, cleared } = world();
    trials.set('bad', 1);
    const { settle } = worker({}, { enter: () => Promise.resolve('interrupted') });
    expect((await settle(job('bad', { crashes: 2 }))).outcome.kind).toBe('hand-back');
    expect(trials.get('bad')).toBe(1);
    expect(cleared).toEqual([]);
  });

  test('is noted at the gate also where its trial could not be counted, and no request is made', async () => {
    const { worker } = world();
    const { settle, api, notes } = worker({}, { noteFails: true });
    await expect(settle(job('a', { crashes: 1 }))).rejects.toThrow('redis is full');
    expect(api.sent).toEqual([]);
    expect(notes.map(({ verdict }) => verdict.circuit)).toEqual(['neutral']);
  });

  test('is suspected no longer once it was tried and nobody died, where it has to be tried again', async () => {
    const { worker, cleared, trials } = world();
    const { settle } = worker({ puts: [refusal(503, 'unavailable_shards_exception')] });
    expect((await settle(job('slow', { crashes: 1 }))).outcome.kind).toBe('retry');
    expect(cleared).toEqual(['slow']);
    expect(trials.size).toBe(0);
  });

  test.each([
    ['applied', UPDATED],
    ['dead-letter', NOT_FOUND],
  ])('that ends as %s takes with it what was noted', async (kind, answer) => {
    const { worker, cleared } = world();
    expect((await worker({ puts: [answer] }).settle(job('a', { crashes: 1 }))).outcome.kind).toBe(kind);
    expect(cleared).toEqual([]);
  });

  test('is tried beside others after its first crash: workers are killed for many reasons', async () => {
    const { worker } = world();
    const { settle, api } = worker({ puts: [deadly] });
    for (const id of ['a', 'b', 'c']) void settle(job(id, { crashes: 1 }));
    void settle(job('new'));
    await settled();
    expect(api.sent.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c', 'new']);
  });

  test('is tried alone after its second crash: it waits for what runs, and what comes after waits for it', async () => {
    const { worker } = world();
    const replies = new Map<string, PromiseWithResolvers<Answer>>();
    const order: string[] = [];
    const next = async (): Promise<Answer> => {
      const id = api.sent.at(-1)?.id ?? '';
      order.push(id);
      const reply = Promise.withResolvers<Answer>();
      replies.set(id, reply);
      return reply.promise;
    };
    const { settle, api } = worker({ puts: [next] });
    const all = [
      settle(job('before-1')),
      settle(job('before-2')),
      settle(job('suspect', { crashes: 2 })),
      settle(job('after')),
    ];
    await settled();
    expect(order).toEqual(['before-1', 'before-2']);

    replies.get('before-1')?.resolve(UPDATED);
    await settled();
    expect(order).toHaveLength(2);
    replies.get('before-2')?.resolve(UPDATED);
    await settled();
    expect(order).toEqual(['before-1', 'before-2', 'suspect']);
    replies.get('suspect')?.resolve(UPDATED);
    await settled();
    expect(order.at(-1)).toBe('after');
    replies.get('after')?.resolve(UPDATED);
    expect((await Promise.all(all)).map(({ outcome }) => outcome.kind)).toEqual(Array(4).fill('applied'));
  });
});

test('the neighbours of one that kills are counted for it once at the most, however often it does', async () => {
  const { worker, trials, letters } = world();
  const neighbours = Array.from({ length: 20 }, (_, n) => `good-${n}`);
  for (let crashes = 0; crashes < MAX_CRASHES; crashes += 1) {
    const { settle, api } = worker({
      puts: [() => (api.sent.at(-1)?.id === 'bad' ? deadly() : Promise.resolve(UPDATED))],
    });
    // The one that kills comes first, so that all others are in this worker's hands when it dies.
    for (const id of ['bad', ...neighbours]) void settle(job(id, { crashes }));
    await settled();
  }
  expect(trials.get('bad')).toBe(MAX_CRASHES - 1);
  for (const id of neighbours) expect(trials.get(id)).toBe(1);
  expect(letters).toEqual([]);

  const { settle } = worker();
  const results = await Promise.all(
    ['bad', ...neighbours].map((id) => settle(job(id, { crashes: MAX_CRASHES }))),
  );
  expect(results.map(({ outcome }) => outcome.kind)).toEqual([
    'dead-letter',
    ...neighbours.map(() => 'applied'),
  ]);
  expect(letters.map(({ id }) => id)).toEqual(['d-bad']);
});

describe('a payload that is no report', () => {
  test.each([
    ['another object', { kind: 'json', value: { message: 'x' } }],
    ['no JSON', { kind: 'text', text: '{"cut' }],
  ] as const)('as %s is a dead letter without a request, also of a suspect', async (_, payload) => {
    const { worker, letters } = world();
    for (const crashes of [0, 1]) {
      const { settle, api } = worker();
      const { outcome, answer } = await settle(job(`a-${crashes}`, { payload, crashes }));
      expect(outcome).toEqual({ kind: 'dead-letter', code: 'invalid_report' });
      expect(answer?.reason).toContain('expected');
      expect(api.sent).toEqual([]);
    }
    expect(letters).toHaveLength(2);
  });

  test('is kept whole where it is given up as poison', async () => {
    const { worker, letters, trials } = world();
    trials.set('a', 100);
    await worker().settle(job('a', { payload: { kind: 'text', text: '{"cut' }, crashes: 1 }));
    expect(letters).toMatchObject([{ code: 'poison', report: null, payload: '{"cut' }]);
  });
});

test('two reports for one sync job are attempted one at a time, the one accepted first before the other', async () => {
  const { worker } = world();
  const running = { now: 0, most: 0 };
  const slowly = async (): Promise<Answer> => {
    running.now += 1;
    running.most = Math.max(running.most, running.now);
    await settled();
    running.now -= 1;
    return UPDATED;
  };
  const { settle, api } = worker({ puts: [slowly], gets: [found('error', 'x')] });
  const payload = (error: string): QueuedJob['payload'] => ({ kind: 'json', value: report('same', error) });
  await Promise.all([
    settle(job('second', { payload: payload('second'), enqueuedAtMs: 2 })),
    settle(job('first', { payload: payload('first'), enqueuedAtMs: 1 })),
  ]);

  expect(api.sent.map(({ error }) => error)).toEqual(['first', 'second']);
  expect(running.most).toBe(1);
});
