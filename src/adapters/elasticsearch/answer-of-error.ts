import type { Answer } from '../../domain/answer.ts';
import { NodeFailure } from './node-failure.ts';
import type { Quote } from './quote.ts';

/** The answer that a failed request is. */
export function answerOfError(error: unknown, quote: Quote): Answer {
  if (error instanceof NodeFailure) return quoted(error.answer, quote);
  // A fault of ours. Whether it came before or after sending is unknown, so the careful answer.
  const [type, reason] =
    error instanceof Error ? [error.name, error.message] : ['unknown', 'no reason given'];
  return quoted({ kind: 'lost', type, reason }, quote);
}

/** What a failed request is called in traces: a word, never a message. */
export function typeOfError(error: unknown): string {
  const answer = answerOfError(error, () => '');
  return answer.kind === 'lost' || answer.kind === 'not-sent' ? answer.type : answer.kind;
}

function quoted(answer: Answer, quote: Quote): Answer {
  return 'reason' in answer ? { ...answer, reason: quote(answer.reason) } : answer;
}
