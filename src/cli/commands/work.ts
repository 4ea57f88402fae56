import { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';

/** Runs the worker. */
export function workCommand(): Command {
  const command = new Command('work')
    .summary('run a worker: take reports from the queue to Elasticsearch')
    .description(
      'Runs a worker, which takes reports from the queue at REDIS_URL to Elasticsearch at ELASTICSEARCH_URL, ' +
        'until SIGTERM or SIGINT. It logs one JSON line for each settled report to standard output. With ' +
        'HTTP_PORT it serves /livez and /readyz. Start as many as you like.',
    )
    .action(async () => {
      const { withSmallHeap } = await import('../small-heap.ts');
      const { runWorker } = await withSmallHeap(() => import('../run-worker.ts'));
      process.exitCode = await runWorker();
    });
  return withHelpEnd(command, {
    examples: ['work', 'work | npx pino-pretty'],
    exitCodes: [
      [EXIT.done, 'stopped by a signal, with nothing left under way'],
      [EXIT.someFailed, 'stopped, and attempts that took too long were left to another worker'],
      [EXIT.configuration, 'the configuration is wrong, or this Redis would lose reports'],
      [EXIT.interrupted, 'ended at once by a second SIGINT (143: SIGTERM)'],
    ],
  });
}
