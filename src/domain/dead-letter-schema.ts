import { z } from 'zod';
import { SYNC_JOB_STATUSES } from './answer.ts';
import { DEAD_LETTER_CODES, VERDICT_CODES } from './codes.ts';
import type { DeadLetter } from './dead-letter.ts';
import { errorReportSchema, type ReportLimits } from './error-report.ts';
import { MAX_REDRIVES } from './lineage.ts';

export type ParsedDeadLetter =
  | { readonly kind: 'valid'; readonly letter: DeadLetter }
  /** In one line: the first thing that is wrong with it, and where. */
  | { readonly kind: 'invalid'; readonly reason: string };

const moment = z.iso.datetime({ offset: true });
const count = z.int().min(0);
const name = z.string().max(512);
const summary = {
  status: z.int().min(100).max(599).optional(),
  type: z.string().optional(),
  reason: z.string().optional(),
};
const attempt = z.strictObject({
  attempt: count,
  at: moment,
  code: z.enum(VERDICT_CODES),
  ...summary,
  duration_ms: z.number(),
  worker: name,
});
const problem = z.strictObject({ field: z.string(), expected: z.string(), got: z.string() });
const redrive = z.strictObject({
  at: moment,
  by: name,
  // A run's id becomes part of a key.
  run: z.string().regex(/^[\w-]{1,64}$/),
  code: z.enum(DEAD_LETTER_CODES),
  enqueued_at: moment,
  dead_at: moment,
  attempts_made: count,
  attempts: z.array(attempt),
});

/**
 * Makes the parser of letters that come from elsewhere, a file that was exported for instance. It is strict: what
 * is kept as a letter here has to be one in every part. It never throws.
 */
export function deadLetterParser(limits: ReportLimits): (value: unknown) => ParsedDeadLetter {
  const report = errorReportSchema(limits);
  const schema = z
    .strictObject({
      id: z.string().regex(/^d-[^\s\0]{1,512}$/),
      code: z.enum(DEAD_LETTER_CODES),
      reason: z.string(),
      report: report.nullable(),
      payload: z.string().optional(),
      problems: z.array(problem).optional(),
      answer: z.strictObject(summary).optional(),
      found: z.strictObject({ status: z.enum(SYNC_JOB_STATUSES), error: z.string().optional() }).optional(),
      attempts_made: count,
      attempts: z.array(attempt),
      enqueued_at: moment,
      dead_at: moment,
      worker: name,
      original: z.strictObject({ report: report.nullable(), payload: z.string().optional() }).optional(),
      edits: z.array(z.strictObject({ at: moment, by: name, fields: z.array(name) })).optional(),
      redrives: z.array(redrive).max(MAX_REDRIVES),
    })
    .refine(({ report: held, payload }) => (held === null) === (payload !== undefined), {
      path: ['payload'],
      message: 'a letter holds either a report or a payload',
    });
  return (value) => {
    const parsed = schema.safeParse(value);
    // Where a property is absent and not undefined, which JSON cannot hold, the form is that of a letter.
    if (parsed.success) return { kind: 'valid', letter: parsed.data as DeadLetter };
    const [issue] = parsed.error.issues;
    return {
      kind: 'invalid',
      reason: `${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'no letter'}`,
    };
  };
}
