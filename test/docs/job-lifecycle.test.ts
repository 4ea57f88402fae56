import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CONFIG_OPTIONS } from '../../src/config-options.ts';
import { type AnswerSummary, MAX_REASON_CHARACTERS } from '../../src/domain/answer.ts';
import { MAX_RETRY_AFTER_MS } from '../../src/domain/backoff.ts';
import { failureWeight } from '../../src/domain/circuit.ts';
import { DEAD_LETTER_CODES, VERDICT_CODES } from '../../src/domain/codes.ts';
import type {
  DeadLetter,
  Edit,
  FoundSyncJob,
  OriginalReport,
  Redrive,
} from '../../src/domain/dead-letter.ts';
import { type ErrorReport, errorReportParser, type ReportProblem } from '../../src/domain/error-report.ts';
import type { AttemptRecord } from '../../src/domain/job.ts';
import { MAX_EARLIER_ATTEMPTS, MAX_REDRIVES } from '../../src/domain/lineage.ts';
import { decideOutcome, type Outcome } from '../../src/domain/outcome.ts';
import { MAX_STORED_ERROR_BYTES, REDUCED_ERROR_BYTES, shortenError } from '../../src/domain/shorten-error.ts';
import {
  CHANGED_AGAIN,
  judgeAnswer,
  judgeReadBack,
  STILL_TOO_LARGE,
  WORKER_ERROR,
} from '../../src/domain/verdict.ts';
import { FIRST, OUTCOME_CASES, POLICY } from '../domain/outcome-cases.ts';
import { ANSWER_CASES, READ_BACK_CASES, SENT } from '../domain/verdict-cases.ts';
import { describeJudgement, describeJudgements } from './describe-judgement.ts';
import { sectionOf, tableOf, unquoted } from './markdown.ts';

const text = readFileSync(new URL('../../docs/job-lifecycle.md', import.meta.url), 'utf8');
const tableBelow = (heading: string): readonly (readonly string[])[] => tableOf(sectionOf(text, heading));

const OUTCOME_KINDS: Readonly<Record<Outcome['kind'], true>> = {
  applied: true,
  'already-applied': true,
  'dead-letter': true,
  'hand-back': true,
  retry: true,
  snooze: true,
};

describe('the tables of verdicts are what the code does', () => {
  test('for the answer to the request', () => {
    expect(tableBelow('### The answer to the request')).toEqual(
      ANSWER_CASES.map(({ row, answers }) => [row, ...describeJudgements(answers.map(judgeAnswer))]),
    );
  });

  test('for the sync job that is read back', () => {
    const isOurs = (stored: string): boolean => stored === SENT;
    expect(tableBelow('### Read back')).toEqual(
      READ_BACK_CASES.map(({ row, pairs }) => [
        row,
        ...describeJudgements(pairs.map(([first, readBack]) => judgeReadBack(first, readBack, isOurs))),
      ]),
    );
  });

  test('for what happens twice in one attempt', () => {
    expect(tableBelow('### Twice in one attempt').map(([, ...cells]) => cells)).toEqual(
      [CHANGED_AGAIN, STILL_TOO_LARGE, WORKER_ERROR].map(describeJudgement),
    );
  });
});

test('the table of outcomes is what the code does', () => {
  const codeOf = (outcome: Outcome, own: string | undefined): string => {
    if (!('code' in outcome)) return '–';
    return outcome.code === own ? "the verdict's" : `\`${outcome.code}\``;
  };
  const rows = OUTCOME_CASES.flatMap(({ row, given }) => {
    const decided = given.map(([verdict, job]) => {
      const outcome = decideOutcome(verdict, { ...FIRST, ...job }, POLICY, () => 0.5);
      return [row, `\`${outcome.kind}\``, codeOf(outcome, 'code' in verdict ? verdict.code : undefined)];
    });
    return [...new Map(decided.map((cells) => [cells.join(), cells])).values()];
  });
  expect(tableBelow('## Outcomes')).toEqual(rows);
});

describe('the diagram', () => {
  const leaving = [...text.matchAll(/^ {4}active --> \S+: (.+)$/gm)].map(([, label]) => label);

  test('leaves an attempt by every outcome there is, and by the death of its worker', () => {
    expect(leaving.sort()).toEqual([...Object.keys(OUTCOME_KINDS), 'the worker died'].sort());
  });

  test('settles a job by exactly the outcomes that are no second try', () => {
    const settled = [...text.matchAll(/^ {4}active --> (?:\[\*\]|dead_letter): (.+)$/gm)].map(
      ([, label]) => label,
    );
    expect(settled.sort()).toEqual(['already-applied', 'applied', 'dead-letter']);
  });
});

describe('the list of codes', () => {
  const rows = tableBelow('## Codes');

  test('explains every code there is, each once, and no other', () => {
    expect(rows.map(([code]) => unquoted(code))).toEqual(
      [...new Set<string>([...VERDICT_CODES, ...DEAD_LETTER_CODES])].sort(),
    );
    for (const [, , meaning] of rows) expect(meaning).toMatch(/^[A-Z].+\.$/);
  });

  test('says which of them a dead letter can carry', () => {
    const marked = rows.filter(([, mark]) => mark === 'yes').map(([code]) => unquoted(code));
    expect(marked).toEqual([...DEAD_LETTER_CODES]);
    expect(new Set(rows.map(([, mark]) => mark))).toEqual(new Set(['yes', 'no']));
  });
});

describe('the fields', () => {
  test('of a report are those that the parser knows, with those that it needs', () => {
    const fields: Readonly<Record<keyof ErrorReport, 'yes' | 'no'>> = {
      connector_sync_job_id: 'yes',
      error: 'yes',
      connector_id: 'no',
      source: 'no',
      reported_at: 'no',
      idempotency_key: 'no',
    };
    const rows = tableBelow('## Reports');
    expect(rows.map(([field, needed]) => [unquoted(field), needed])).toEqual(Object.entries(fields));

    const parsed = errorReportParser({ maxErrorBytes: 10 })({});
    const missing = parsed.kind === 'invalid' ? parsed.problems.map(({ field }) => field) : [];
    expect(missing).toEqual(rows.filter(([, needed]) => needed === 'yes').map(([field]) => unquoted(field)));
  });

  /** Every field of a letter; where it holds objects, their fields too. */
  const letter: {
    readonly [Field in keyof Required<DeadLetter>]: readonly string[];
  } = {
    id: [],
    code: [],
    reason: [],
    report: [],
    payload: [],
    problems: keysOf<ReportProblem>({ field: true, expected: true, got: true }),
    answer: keysOf<AnswerSummary>({ status: true, type: true, reason: true }),
    found: keysOf<FoundSyncJob>({ status: true, error: true }),
    attempts_made: [],
    attempts: keysOf<AttemptRecord>({
      attempt: true,
      at: true,
      code: true,
      status: true,
      type: true,
      reason: true,
      duration_ms: true,
      worker: true,
    }),
    enqueued_at: [],
    dead_at: [],
    worker: [],
    original: keysOf<OriginalReport>({ report: true, payload: true }),
    edits: keysOf<Edit>({ at: true, by: true, fields: true }),
    redrives: keysOf<Redrive>({
      at: true,
      by: true,
      run: true,
      code: true,
      enqueued_at: true,
      dead_at: true,
      attempts_made: true,
      attempts: true,
    }),
  };

  test('of a dead letter are all there, in their order', () => {
    expect(tableBelow('## Dead letters').map(([field]) => unquoted(field))).toEqual(Object.keys(letter));
  });

  test.each(Object.entries(letter))('of a dead letter say what %s holds', (field, parts) => {
    const [, holds = ''] = tableBelow('## Dead letters').find(([name]) => name === `\`${field}\``) ?? [];
    const said = [...holds.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name);
    expect(said.filter((name) => name !== 'null')).toEqual(field === 'id' ? [] : parts);
  });
});

describe('the numbers', () => {
  test.each([
    ['## The text that is sent', `at most ${MAX_STORED_ERROR_BYTES.toLocaleString('en')} bytes`],
    ['## The text that is sent', `cut to ${REDUCED_ERROR_BYTES.toLocaleString('en')} bytes`],
    ['## Codes', `the text of ${REDUCED_ERROR_BYTES.toLocaleString('en')} bytes`],
    ['## Waits', `at most ${MAX_RETRY_AFTER_MS.toLocaleString('en')} ms`],
    ['## Dead letters', `cut to ${MAX_REASON_CHARACTERS} characters`],
    [
      '## The circuit',
      `an outage counting for ${failureWeight({ kind: 'outage', circuit: 'failure' })} of them`,
    ],
    ['## Dead letters', `at most ${MAX_EARLIER_ATTEMPTS} attempts`],
    ['## Redrive', `${MAX_REDRIVES} redrives`],
  ])('below "%s" it says "%s"', (heading, number) => {
    expect(sectionOf(text, heading)).toContain(number);
  });
});

test('the mark in a shortened text looks as it is shown', () => {
  const [, mark = ''] = /\n(.+)\n/.exec(shortenError('a'.repeat(200), 64)) ?? [];
  expect(mark).not.toBe('');
  expect(sectionOf(text, '## The text that is sent')).toContain(`\n${mark.replace(/\d+/, '81234')}\n`);
});

test('every option that is named exists', () => {
  const named = new Set([...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name]) => name));
  expect(named.size).toBeGreaterThan(5);
  expect([...named].filter((name) => !Object.hasOwn(CONFIG_OPTIONS, name ?? ''))).toEqual([]);
});

/** The names of a type's fields; the compiler holds them complete. */
function keysOf<T>(keys: { readonly [Key in keyof Required<T>]: true }): readonly string[] {
  return Object.keys(keys);
}
