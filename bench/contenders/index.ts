import { bareLimit } from './bare-limit.ts';
import { beeQueue } from './bee-queue.ts';
import type { Contender, ContenderName } from './contender.ts';
import { directCall } from './direct-call.ts';
import { ours, oursInBatches } from './ours.ts';
import { redisStreams } from './redis-streams.ts';
import { straightforward } from './straightforward.ts';

/** All of them, by name. */
export const CONTENDERS: Readonly<Record<ContenderName, Contender>> = {
  ours,
  ours_batch: oursInBatches,
  straightforward,
  bare: bareLimit,
  direct: directCall,
  bee: beeQueue,
  streams: redisStreams,
};
