import { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';

/** Options as commander hands them over. */
interface Options {
  readonly file?: string;
  readonly connectorId?: string;
  readonly source?: string;
  readonly reportedAt?: string;
  readonly idempotencyKey?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Hands one report, or a file of them, to the queue. */
export function reportCommand(): Command {
  const command = new Command('report')
    .summary('hand one error report, or a file of them, to the queue')
    .description(
      'Hands one error report, or a file of them, to the queue.\n\n' +
        'A file holds one JSON object a line, with the fields connector_sync_job_id and error, and, if you ' +
        'like, connector_id, source, reported_at and idempotency_key. Lines that are no reports are told with ' +
        'their numbers and stop nothing. Repeating the command is harmless.',
    )
    .argument('[connector_sync_job_id]', 'the sync job that failed')
    .argument('[error]', 'what went wrong')
    .option('-f, --file <path>', 'read reports from an NDJSON file; - is standard input')
    .option('--connector-id <id>', 'the connector the sync job belongs to')
    .option('--source <name>', 'who reports')
    .option('--reported-at <time>', 'when it went wrong, such as 2026-11-23T09:30:00Z')
    .option('--idempotency-key <key>', 'makes two reports for one sync job the same one')
    .option('--dry-run', 'check only; needs no Redis and queues nothing')
    .option('--json', 'print one JSON object')
    .action(async (id: string | undefined, error: string | undefined, options: Options, self: Command) => {
      const { file, dryRun, json, connectorId, source, reportedAt, idempotencyKey } = options;
      const output = { isDryRun: dryRun === true, isJson: json === true };
      const single = { connectorId, source, reportedAt, idempotencyKey };
      if (file !== undefined) {
        const extra = id !== undefined || Object.values(single).some((value) => value !== undefined);
        if (extra) usage(self, '--file takes its reports from the file; give no report beside it');
        const { reportFile } = await import('../report-file.ts');
        process.exitCode = await reportFile(file, output);
        return;
      }
      if (id === undefined || error === undefined) {
        usage(self, 'give a connector_sync_job_id and an error, or --file');
      }
      const { reportOne } = await import('../report-one.ts');
      const fields = {
        connector_sync_job_id: id,
        error,
        connector_id: connectorId,
        source,
        reported_at: reportedAt,
        idempotency_key: idempotencyKey,
      };
      process.exitCode = await reportOne(fields, output);
    });
  return withHelpEnd(command, {
    examples: [
      'report Vy8xYpMBnhQ "Could not connect to the database"',
      'report --file failures.ndjson',
      'report --file failures.ndjson --dry-run --json',
      'report --file - < failures.ndjson',
    ],
    exitCodes: [
      [EXIT.done, 'all queued, or on their way already'],
      [EXIT.someFailed, 'some were no reports and were refused'],
      [EXIT.usage, 'wrong usage, or a file that cannot be read'],
      [EXIT.unavailable, 'Redis is not there'],
      [EXIT.configuration, 'the configuration is wrong'],
      [EXIT.interrupted, 'interrupted; what was accepted until then is told'],
    ],
  });
}

function usage(command: Command, message: string): never {
  return command.error(`error: ${message}`, { exitCode: EXIT.usage, code: 'usage' });
}
