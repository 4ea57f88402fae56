import type { Answer } from '../../domain/answer.ts';

/** Whether Elasticsearch can be reached and knows us. */
export type Reachability = { readonly kind: 'up' } | { readonly kind: 'down'; readonly reason: string };

/**
 * What the answer to "who are you" says.
 *
 * A refusal by Elasticsearch itself still shows that it is there: the key of a worker need not have the
 * privilege to ask. Refused credentials are another matter, for no report gets through with them.
 */
export function reachabilityOf(answer: Answer): Reachability {
  switch (answer.kind) {
    case 'interrupted':
      return down('interrupted');
    case 'not-sent':
    case 'lost':
      return down(`${answer.type}: ${answer.reason}`);
    case 'response':
      break;
  }
  const { status, fromElasticsearch, body } = answer;
  const said = body.kind === 'error' ? `: ${body.type}: ${body.reason}` : '';
  if (!fromElasticsearch) return down(`HTTP ${status}, not from Elasticsearch`);
  if (status === 401 || status >= 500) return down(`HTTP ${status}${said}`);
  return { kind: 'up' };
}

const down = (reason: string): Reachability => ({ kind: 'down', reason });
