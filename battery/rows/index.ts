import { kills } from './r01-kills.ts';
import { namedKills } from './r02-named-kills.ts';
import { poison } from './r03-poison.ts';
import { rollingRestart } from './r04-rolling-restart.ts';
import { redisRestart } from './r05-redis-restart.ts';
import { redisAway } from './r06-redis-away.ts';
import { cutOff } from './r07-cut-off.ts';
import { elasticsearchAway } from './r08-elasticsearch-away.ts';
import { brownOut } from './r09-brown-out.ts';
import { throttling } from './r10-throttling.ts';
import { brokenAnswers } from './r11-broken-answers.ts';
import { notFound } from './r12-not-found.ts';
import { states } from './r13-states.ts';
import { malformed } from './r14-malformed.ts';
import { sizes } from './r15-sizes.ts';
import { duplicates } from './r16-duplicates.ts';
import { redrive } from './r17-redrive.ts';
import { overload } from './r18-overload.ts';
import { overloadByHttp } from './r18-overload-http.ts';
import { soak } from './r19-soak.ts';
import type { Row } from './row.ts';

/** Every row, in the order they are run in. */
export const ROWS: readonly Row[] = [
  kills,
  namedKills,
  poison,
  rollingRestart,
  redisRestart,
  redisAway,
  cutOff,
  elasticsearchAway,
  brownOut,
  throttling,
  brokenAnswers,
  notFound,
  states,
  malformed,
  sizes,
  duplicates,
  redrive,
  overload,
  overloadByHttp,
  soak,
];
