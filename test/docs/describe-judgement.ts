import type { Judgement } from '../domain/verdict-cases.ts';

/** The cells that a table of docs/job-lifecycle.md has for a judgement: verdict, attempt used, circuit, code. */
export type Cells = readonly [verdict: string, attemptUsed: string, circuit: string, code: string];

/** A judgement in the words of the document. */
export function describeJudgement(judged: Judgement): Cells {
  switch (judged.kind) {
    case 'applied':
      return ['applied', '–', judged.circuit, '–'];
    case 'already-applied':
      return ['already applied', '–', judged.circuit, '–'];
    case 'permanent':
      return ['permanent', '–', judged.circuit, `\`${judged.code}\``];
    case 'transient':
      return ['transient', judged.attemptUsed ? 'yes' : 'no', judged.circuit, `\`${judged.code}\``];
    case 'outage':
      return ['outage', 'no', judged.circuit, `\`${judged.code}\``];
    case 'not-running':
      return ['not running', 'no', judged.circuit, `\`${judged.code}\``];
    case 'interrupted':
      return ['interrupted', 'no', judged.circuit, '–'];
    case 'ambiguous':
      return ['ambiguous: read back', '–', '–', `\`${judged.code}\``];
    case 'too-large':
      return ['send a shorter text at once', '–', '–', '–'];
    case 'changed-meanwhile':
      return ['send again at once', '–', '–', '–'];
  }
}

/** The cells of a row that several judgements share; where they differ, a cell lists what they say. */
export function describeJudgements(judged: readonly Judgement[]): Cells {
  const all = judged.map(describeJudgement);
  const distinct = (cell: 0 | 1 | 2 | 3): string => [...new Set(all.map((cells) => cells[cell]))].join(', ');
  return [distinct(0), distinct(1), distinct(2), distinct(3)];
}
