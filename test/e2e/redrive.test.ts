import { expect, test } from 'vitest';
import { seeded } from '../support/fleet.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { redriveWithKills } from '../support/redrive-with-kills.ts';

const LETTERS = 3_000;

test('a redrive whose processes are killed again and again applies or buries each report once', async () => {
  const result = await redriveWithKills({
    url: redisUrl(),
    prefix: keyPrefix(),
    letters: LETTERS,
    rate: 1_000,
    kills: 5,
    workerKills: 2,
    random: seeded(20_261_123),
  });

  expect(result.wrong).toEqual([]);
  expect(result).toMatchObject({
    applied: LETTERS * 0.9,
    deadOnce: LETTERS * 0.1,
    redriven: LETTERS,
    kills: 5,
  });
  expect(result.observedRate).toBeLessThanOrEqual(1_050);
}, 60_000);
