import { kills } from './r01-kills.ts';
import { poison } from './r03-poison.ts';
import { cutOff } from './r07-cut-off.ts';
import { elasticsearchAway } from './r08-elasticsearch-away.ts';
import { brokenAnswers } from './r11-broken-answers.ts';
import { notFound } from './r12-not-found.ts';
import { states } from './r13-states.ts';
import type { Row } from './row.ts';

/** Every row, in the order they are run in. */
export const ROWS: readonly Row[] = [
  kills,
  poison,
  cutOff,
  elasticsearchAway,
  brokenAnswers,
  notFound,
  states,
];
