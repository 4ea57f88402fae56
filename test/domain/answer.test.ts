import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answer, cutReason, MAX_REASON_CHARACTERS, summarizeAnswer } from '../../src/domain/answer.ts';
import { anyAnswer } from './arbitraries.ts';
import { errorBody, fromElasticsearch, fromProxy } from './verdict-cases.ts';

const LONG = 'x'.repeat(MAX_REASON_CHARACTERS + 1);
const CUT = `${'x'.repeat(MAX_REASON_CHARACTERS)}…`;

describe('an answer in a few words', () => {
  const cases: readonly (readonly [Answer, ReturnType<typeof summarizeAnswer>])[] = [
    [
      fromElasticsearch(404, errorBody('resource_not_found_exception', 'a-sync-job')),
      { status: 404, type: 'resource_not_found_exception', reason: 'a-sync-job' },
    ],
    [fromElasticsearch(200, { kind: 'result', result: 'updated' }), { status: 200, reason: 'updated' }],
    [
      fromProxy(502, { kind: 'unreadable', reason: '<html>' }),
      { status: 502, type: 'unreadable', reason: '<html>' },
    ],
    [
      { kind: 'not-sent', cause: 'tls', type: 'CERT_HAS_EXPIRED', reason: 'expired' },
      { type: 'CERT_HAS_EXPIRED', reason: 'expired' },
    ],
    [
      { kind: 'lost', type: 'ETIMEDOUT', reason: 'too late' },
      { type: 'ETIMEDOUT', reason: 'too late' },
    ],
    [{ kind: 'interrupted' }, { type: 'interrupted', reason: 'the worker was stopping' }],
  ];

  test.each(cases)('of %j', (answer, summary) => {
    expect(summarizeAnswer(answer)).toEqual(summary);
  });

  test.each<Answer>([
    fromElasticsearch(400, errorBody(LONG, LONG)),
    { kind: 'not-sent', cause: 'unreachable', type: LONG, reason: LONG },
    { kind: 'lost', type: LONG, reason: LONG },
  ])('is cut, type and reason alike, whatever kind it is of', (answer) => {
    expect(summarizeAnswer(answer)).toMatchObject({ type: CUT, reason: CUT });
  });

  test.each<Answer>([
    fromElasticsearch(200, { kind: 'result', result: LONG }),
    fromProxy(200, { kind: 'unreadable', reason: LONG }),
  ])('is cut where a body says too much', (answer) => {
    expect(summarizeAnswer(answer).reason).toBe(CUT);
  });

  test('always says something', () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        const summary = summarizeAnswer(answer);
        expect(summary.status).toBe(answer.kind === 'response' ? answer.status : undefined);
        expect(summary).toHaveProperty('reason');
      }),
    );
  });
});

describe('a reason', () => {
  test('stays as it is up to 500 characters, and says with an ellipsis that it was longer', () => {
    expect(MAX_REASON_CHARACTERS).toBe(500);
    expect(cutReason('')).toBe('');
    expect(cutReason('x'.repeat(500))).toBe('x'.repeat(500));
    expect(cutReason(LONG)).toBe(CUT);
  });

  test('is never cut through a surrogate pair', () => {
    expect(cutReason(`${'x'.repeat(498)}😀`)).toBe(`${'x'.repeat(498)}😀`);
    expect(cutReason(`${'x'.repeat(498)}😀tail`)).toBe(`${'x'.repeat(498)}😀…`);
    expect(cutReason(`${'x'.repeat(499)}😀`)).toBe(`${'x'.repeat(499)}\ufffd…`);
  });
});
