/**
 * Redrives very many dead letters while the processes that do it, and workers, are killed with SIGKILL, and counts
 * what came of each report.
 *
 *     node bench/redrive.ts [--letters 100000] [--rate 2000] [--kills 15] [--worker-kills 5] [--seed 1]
 *
 * It starts a Redis of its own, the stand-in and two workers.
 */
import { parseArgs } from 'node:util';
import { provideRedis } from '../src/adapters/redis-embedded/provide-redis.ts';
import { seeded } from '../test/support/fleet.ts';
import { redriveWithKills } from '../test/support/redrive-with-kills.ts';

const { values } = parseArgs({
  options: {
    letters: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '2000' },
    kills: { type: 'string', default: '15' },
    'worker-kills': { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
  },
});
const [letters, rate] = [Number(values.letters), Number(values.rate)];
const say = (line: string): void => console.log(line);

await using server = await provideRedis({ appendOnly: true, mayInstall: false, say });
const result = await redriveWithKills({
  url: server.url,
  prefix: '{bench}',
  letters,
  rate,
  kills: Number(values.kills),
  workerKills: Number(values['worker-kills']),
  random: seeded(Number(values.seed)),
  say,
});

const { applied, deadOnce, wrong, redriven, observedRate, kills } = result;
console.log(
  `${letters.toLocaleString('en')} letters, ${kills} kills of the redrive and ${values['worker-kills']} of a worker (seed ${values.seed}):`,
);
console.log(`  applied once         ${applied.toLocaleString('en')}`);
console.log(`  dead again, once     ${deadOnce.toLocaleString('en')}`);
console.log(`  lost or doubled      ${wrong.length.toLocaleString('en')}`);
console.log(`  the record says      ${redriven.toLocaleString('en')}`);
console.log(
  `  observed rate        ${observedRate.toFixed(0)} a second (set: ${rate}, wanted: at most ${rate * 1.05})`,
);
for (const each of wrong.slice(0, 10)) console.log(`  ${each}`);

const isGood = wrong.length === 0 && applied + deadOnce === letters && redriven === letters;
process.exitCode = isGood && observedRate <= rate * 1.05 ? 0 : 1;
