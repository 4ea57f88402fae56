import { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';

/** Serves the HTTP door alone. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .summary('take reports in over HTTP, without a worker')
    .description(
      'Takes reports in over HTTP at HTTP_HOST and HTTP_PORT and puts them into the queue at REDIS_URL, until ' +
        'SIGTERM or SIGINT. A worker with HTTP_PORT serves the same; this is for producers that should not wait ' +
        'for workers.',
    )
    .action(async () => {
      const { withSmallHeap } = await import('../small-heap.ts');
      const { runServer } = await withSmallHeap(() => import('../run-server.ts'));
      process.exitCode = await runServer();
    });
  return withHelpEnd(command, {
    examples: ['serve', 'api-key create --scope report'],
    exitCodes: [
      [EXIT.done, 'stopped by a signal'],
      [EXIT.configuration, 'the configuration is wrong, or the address cannot be listened on'],
      [EXIT.interrupted, 'ended at once by a second SIGINT (143: SIGTERM)'],
    ],
    note: 'docs/http.md describes what is served, docs/producers.md how to call it.',
  });
}
