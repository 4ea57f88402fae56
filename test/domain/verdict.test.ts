import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answer, SYNC_JOB_STATUSES } from '../../src/domain/answer.ts';
import { VERDICT_CODES } from '../../src/domain/codes.ts';
import {
  CHANGED_AGAIN,
  judgeAnswer,
  judgeReadBack,
  STILL_TOO_LARGE,
  WORKER_ERROR,
} from '../../src/domain/verdict.ts';
import { anyAnswer, anyReadBack } from './arbitraries.ts';
import { AMBIGUOUS, ANSWER_CASES, type Judgement, READ_BACK_CASES, SENT } from './verdict-cases.ts';

const isOurs = (stored: string): boolean => stored === SENT;

const KINDS: ReadonlySet<Judgement['kind']> = new Set<Judgement['kind']>([
  'already-applied',
  'ambiguous',
  'applied',
  'changed-meanwhile',
  'interrupted',
  'not-running',
  'outage',
  'permanent',
  'too-large',
  'transient',
]);

/** Whether Elasticsearch itself has said it, in its own envelope. */
const isGenuineRefusal = (answer: Answer): boolean =>
  answer.kind === 'response' && answer.fromElasticsearch && answer.body.kind === 'error';

describe.each(ANSWER_CASES)('$row', ({ answers, means }) => {
  test.each(answers)(`means ${means.kind}: %j`, (answer) => {
    expect(judgeAnswer(answer)).toEqual(means);
  });
});

describe.each(READ_BACK_CASES)('read back: $row', ({ pairs }) => {
  test.each(pairs)('after %j: %j', (first, readBack, means) => {
    expect(judgeReadBack(first, readBack, isOurs)).toEqual(means);
  });
});

test('every status a sync job can have is read after every ambiguous answer', () => {
  const tried = new Set(
    READ_BACK_CASES.flatMap(({ pairs }) =>
      pairs.map(([first, readBack]) =>
        readBack.kind === 'found' ? `${first.cause} ${readBack.status}` : `${first.cause} ${readBack.kind}`,
      ),
    ),
  );
  const all = AMBIGUOUS.flatMap(({ cause }) =>
    [...SYNC_JOB_STATUSES, 'missing', 'unknown'].map((status) => `${cause} ${status}`),
  );
  expect([...tried].sort()).toEqual([...new Set(all)].sort());
});

describe('whatever is answered', () => {
  test('there is a judgement, with a known code', () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        const judged = judgeAnswer(answer);
        expect(KINDS).toContain(judged.kind);
        if ('code' in judged) expect(VERDICT_CODES).toContain(judged.code);
      }),
      { numRuns: 1000 },
    );
  });

  test("nothing but Elasticsearch's own envelope with its product header gives a report up", () => {
    fc.assert(
      fc.property(
        anyAnswer.filter((answer) => !isGenuineRefusal(answer)),
        (answer) => {
          expect(judgeAnswer(answer).kind).not.toBe('permanent');
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('nothing but a result of Elasticsearch itself counts as applied', () => {
    const isGenuineResult = (answer: Answer): boolean =>
      answer.kind === 'response' &&
      answer.fromElasticsearch &&
      answer.body.kind === 'result' &&
      answer.status >= 200 &&
      answer.status < 300;
    fc.assert(
      fc.property(
        anyAnswer.filter((answer) => !isGenuineResult(answer)),
        (answer) => {
          expect(judgeAnswer(answer).kind).not.toBe('applied');
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('a 4xx that is not from Elasticsearch never uses an attempt nor gives a report up', () => {
    const status = fc.integer({ min: 400, max: 499 }).filter((code) => code !== 413);
    const responses = fc.tuple(anyAnswer, status).map(([answer, code]) => ({ ...answer, status: code }));
    fc.assert(
      fc.property(responses, (answer) => {
        fc.pre(answer.kind === 'response' && !isGenuineRefusal(answer));
        const judged = judgeAnswer(answer);
        expect(['outage', 'transient']).toContain(judged.kind);
        expect(judged).not.toHaveProperty('attemptUsed', true);
      }),
      { numRuns: 1000 },
    );
  });

  test('a request that never left is no ambiguity: nothing needs to be read back', () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        fc.pre(answer.kind === 'not-sent');
        expect(judgeAnswer(answer)).toEqual({ kind: 'outage', code: answer.cause, circuit: 'failure' });
      }),
    );
  });
});

describe('whatever is read back', () => {
  const firsts = fc.constantFrom(...AMBIGUOUS);

  test('there is a verdict, but where the sync job changed after a refused transition', () => {
    fc.assert(
      fc.property(firsts, anyReadBack, (first, readBack) => {
        const { kind } = judgeReadBack(first, readBack, isOurs);
        expect(KINDS).toContain(kind);
        expect(['ambiguous', 'too-large', 'applied']).not.toContain(kind);
        expect(kind === 'changed-meanwhile').toBe(
          first.cause === 'refused-transition' &&
            readBack.kind === 'found' &&
            (readBack.status === 'in_progress' || readBack.status === 'canceling'),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('a read that failed never gives a report up and never uses an attempt', () => {
    fc.assert(
      fc.property(firsts, anyAnswer, (first, answer) => {
        const verdict = judgeReadBack(first, { kind: 'unknown', answer }, isOurs);
        expect(['interrupted', 'outage', 'transient']).toContain(verdict.kind);
        expect(verdict).not.toHaveProperty('attemptUsed', true);
      }),
      { numRuns: 1000 },
    );
  });

  test('a stored text is ours exactly where the caller says so', () => {
    fc.assert(
      fc.property(firsts, fc.string(), fc.boolean(), (first, error, ours) => {
        const asked: string[] = [];
        const verdict = judgeReadBack(first, { kind: 'found', status: 'error', error }, (stored) => {
          asked.push(stored);
          return ours;
        });
        expect(asked).toEqual([error]);
        expect(verdict.kind).toBe(ours ? 'already-applied' : 'permanent');
      }),
    );
  });

  test('the text of the idle check is ours where we have sent it', () => {
    for (const first of AMBIGUOUS) {
      const error = 'The job has not seen any update for some time.';
      expect(judgeReadBack(first, { kind: 'found', status: 'error', error }, () => true).kind).toBe(
        'already-applied',
      );
    }
  });
});

test('what happens twice in one attempt is settled', () => {
  expect(CHANGED_AGAIN).toEqual({
    kind: 'transient',
    code: 'conflict',
    attemptUsed: true,
    wait: 'short',
    circuit: 'success',
  });
  expect(STILL_TOO_LARGE).toEqual({ kind: 'permanent', code: 'too_large', circuit: 'success' });
});

test('a fault of our own uses an attempt and says nothing about Elasticsearch', () => {
  expect(WORKER_ERROR).toEqual({
    kind: 'transient',
    code: 'worker_error',
    attemptUsed: true,
    wait: 'backoff',
    circuit: 'neutral',
  });
});

test('every code has a case that leads to it, but for the two that need no request', () => {
  const judged: readonly Judgement[] = [
    ...ANSWER_CASES.flatMap(({ answers }) => answers.map(judgeAnswer)),
    ...READ_BACK_CASES.flatMap(({ pairs }) =>
      pairs.map(([first, readBack]) => judgeReadBack(first, readBack, isOurs)),
    ),
    CHANGED_AGAIN,
    STILL_TOO_LARGE,
    WORKER_ERROR,
  ];
  const codes = new Set(judged.flatMap((one) => ('code' in one ? [one.code] : [])));
  expect([...codes, 'invalid_report', 'poison'].sort()).toEqual([...VERDICT_CODES]);
});
