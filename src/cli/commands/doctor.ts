import { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';

/** Looks at everything the relay needs. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .summary('check configuration, Redis, queue and Elasticsearch, and say what to do')
    .description(
      'Checks the configuration, Redis, the queue, Elasticsearch, the credentials and their privileges, and says of ' +
        'each whether it is fine and what to do where it is not. It changes nothing, prints no secret and ends within ' +
        'ten seconds, whatever does not answer.',
    )
    .option('--json', 'print one JSON object')
    .action(async ({ json }: { readonly json?: true }) => {
      const { runDoctor } = await import('../run-doctor.ts');
      process.exitCode = await runDoctor(json === true);
    });
  return withHelpEnd(command, {
    examples: ['doctor', 'doctor --json | jq \'.checks[] | select(.status != "ok")\''],
    exitCodes: [
      [EXIT.done, 'nothing failed; there may be warnings'],
      [EXIT.someFailed, 'something failed'],
      [EXIT.usage, 'wrong usage'],
      [EXIT.configuration, 'the configuration is wrong, and nothing else could be checked'],
    ],
  });
}
