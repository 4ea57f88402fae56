import { describe, expect, test } from 'vitest';
import { suspectsOf } from '../../../src/adapters/bullmq/suspects.ts';
import type { Suspects } from '../../../src/pipeline/settle-job.ts';
import { type QueueSetup, report, setupQueue } from '../../support/queue-setup.ts';
import { keysUnder } from '../../support/redis.ts';

interface Setup extends QueueSetup {
  readonly suspects: Suspects;
  /** The key of the job 'a'. */
  readonly key: string;
}

async function setup(): Promise<Setup> {
  const queue = await setupQueue();
  await queue.foreign.add('report', report(), { jobId: 'a' });
  return { ...queue, suspects: suspectsOf(queue.redis, queue.names), key: queue.foreign.toKey('a') };
}

describe('a suspect', () => {
  test('has no trials at first, and one more with each that is noted', async () => {
    const { suspects } = await setup();
    expect(await suspects.trials('a')).toBe(0);
    await suspects.noteTrial('a');
    await suspects.noteTrial('a');
    expect(await suspects.trials('a')).toBe(2);
    expect(await suspects.trials('b')).toBe(0);
  });

  test('that is cleared has neither trials nor crashes', async () => {
    const { suspects, redis, key, foreign } = await setup();
    await redis.hset(key, 'stc', '4');
    await suspects.noteTrial('a');
    await suspects.clear('a');

    expect(await suspects.trials('a')).toBe(0);
    expect((await foreign.getJob('a'))?.stalledCounter).toBe(0);
    await suspects.noteTrial('a');
    expect(await suspects.trials('a')).toBe(1);
  });

  test('takes its counts with it when its job goes', async () => {
    const { suspects, foreign, names } = await setup();
    await suspects.noteTrial('a');
    await foreign.remove('a');
    expect(await suspects.trials('a')).toBe(0);
    expect((await keysUnder(names.prefix)).filter((key) => key.endsWith(':a'))).toEqual([]);
  });

  test.each(['', 'many', '-7', '{}'])(
    'whose count was overwritten with %j is counted anew',
    async (value) => {
      const { suspects, redis, key } = await setup();
      await redis.hset(key, 'relay:trials', value);
      expect(await suspects.trials('a')).toBe(0);
      await suspects.noteTrial('a');
      expect(await suspects.trials('a')).toBe(1);
    },
  );
});

test('a job that is gone is not brought back, whatever is noted of it', async () => {
  const { suspects, names, foreign, queue } = await setup();
  await foreign.remove('a');
  const before = await keysUnder(names.prefix);

  await suspects.noteTrial('a');
  await suspects.clear('a');

  expect(await keysUnder(names.prefix)).toEqual(before);
  expect(await queue.depth()).toMatchObject({ waiting: 0, active: 0, delayed: 0 });
});
