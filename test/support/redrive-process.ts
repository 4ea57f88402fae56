/**
 * A process that carries out one redrive, to be killed at any moment:
 *
 *     node redrive-process.ts <redis url> <prefix> <lease ms> begin <rate> | resume <run>
 *
 * Prints the run's id when its record is there, and its state at the end.
 */
import { connectRedis } from '../../src/adapters/bullmq/connect-redis.ts';
import { openDeadLetterDesk } from '../../src/dead-letters.ts';
import { errorReportParser } from '../../src/domain/error-report.ts';

const [url = '', prefix = '', leaseMs, verb, argument = ''] = process.argv.slice(2);
const redis = connectRedis(url, 'producer', (error) => console.error(error.message), 5_000);
const { deadLetters, close } = openDeadLetterDesk(
  redis,
  { prefix, queue: 'reports' },
  errorReportParser({ maxErrorBytes: 1_048_576 }),
  (work) => work(),
  Number(leaseMs),
);
const hooks = { onBegin: ({ id }: { readonly id: string }) => console.log(id) };
const run =
  verb === 'begin'
    ? await deadLetters.redrive({}, { by: 'begin', rate: Number(argument), stopAfter: 0 }, hooks)
    : await deadLetters.resumeRedrive(argument, 'resume', hooks);
console.log(run.state);
await close();
await redis.release();
