import { Command } from 'commander';
import type { StandIn, StandInOptions } from '../../stand-in/index.ts';
import { EXIT } from '../exit-codes.ts';
import { CliFailure } from '../failure.ts';
import { withHelpEnd } from '../help.ts';
import { onEndSignal } from '../signals.ts';
import { wholeNumber } from '../whole-number.ts';

interface StandInFlags {
  readonly port: number;
  readonly host: string;
  readonly syncJobs?: string;
  readonly elasticsearchVersion?: string;
  readonly security?: true;
  readonly user?: readonly string[];
  readonly apiKey?: readonly string[];
  readonly fault?: readonly string[];
  readonly seed?: number;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Runs the stand-in alone. */
export function standInCommand(): Command {
  const command = new Command('stand-in')
    .summary("run a stand-in for Elasticsearch's connector API")
    .description(
      "Runs a stand-in for Elasticsearch's connector API, prints its address on standard output when it is " +
        'ready, and stops on SIGTERM or SIGINT. It keeps everything in memory.',
    )
    .option('-p, --port <number>', 'TCP port; 0 takes any free one', wholeNumber(0, 65_535), 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--sync-jobs <file>', 'NDJSON of sync jobs that exist from the start; - reads standard input')
    .option(
      '--elasticsearch-version <version>',
      'which Elasticsearch to answer like, from 8.12 (default: 9.5.1)',
    )
    .option('--security', 'ask for credentials; alone, those of elastic with the password changeme')
    .option('--user <name:password[:privileges]>', 'a user, with cluster privileges (repeatable)', collect)
    .option('--api-key <id:key[:privileges]>', 'an API key, with cluster privileges (repeatable)', collect)
    .option('--fault <kind[:name=value,...]>', 'something that goes wrong (repeatable)', collect)
    .option(
      '--seed <number>',
      'decides every chance, so that a run can be repeated',
      wholeNumber(0, 2 ** 32 - 1),
    )
    .action(runStandIn);
  return withHelpEnd(command, {
    note:
      'Faults: status, latency, rate-limit, refuse, reset, blackhole, cut, wrong-content-length, lose-response,\n' +
      'html, huge-body, product-header, auth-loss, read-only, version-conflict; each with probability, count,\n' +
      'skip, afterMs, forMs, method and path. They can also be added while it runs: docs/stand-in.md.',
    examples: [
      'stand-in --port 9200 --sync-jobs sync-jobs.ndjson',
      'stand-in --elasticsearch-version 8.19 --security',
      'stand-in --user connectors:secret:manage_connector --api-key id:key:monitor_connector',
      'stand-in --fault status:status=503,probability=0.1,path=_error --fault latency:medianMs=20,sigma=0.8',
      'stand-in --fault rate-limit:perSecond=50,retryAfter=2 --fault refuse:afterMs=5000,forMs=2000',
    ],
    exitCodes: [
      [EXIT.done, 'stopped by a signal'],
      [EXIT.usage, 'wrong usage, or lines of the file that are no sync jobs'],
      [EXIT.unavailable, 'the port cannot be had'],
    ],
  });
}

async function runStandIn(flags: StandInFlags): Promise<void> {
  const { print, say, formatCount } = await import('../output.ts');
  const { loadSyncJobFile } = await import('../load-sync-job-file.ts');
  await using standIn = await start(await optionsOf(flags));
  if (flags.syncJobs !== undefined) {
    say(`${formatCount(await loadSyncJobFile(standIn, flags.syncJobs), 'sync job')} from ${flags.syncJobs}`);
  }
  const signalled = Promise.withResolvers<void>();
  using _signals = onEndSignal(() => signalled.resolve());
  print(standIn.url);
  await signalled.promise;
}

async function optionsOf(flags: StandInFlags): Promise<StandInOptions> {
  const { parseFaultText } = await import('../../stand-in/index.ts');
  const hasSecurity = flags.security === true || flags.user !== undefined || flags.apiKey !== undefined;
  return {
    port: flags.port,
    host: flags.host,
    ...(flags.elasticsearchVersion === undefined ? {} : { elasticsearchVersion: flags.elasticsearchVersion }),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(hasSecurity ? { security: securityOf(flags) } : {}),
    faults: (flags.fault ?? []).map((text) => asUsage(() => parseFaultText(text))),
  };
}

function securityOf(flags: StandInFlags): NonNullable<StandInOptions['security']> {
  const users = flags.user?.map((text) => {
    const { first, second, privileges } = credentialsOf('--user', text);
    return { name: first, password: second, ...privileges };
  });
  const apiKeys = (flags.apiKey ?? []).map((text) => {
    const { first, second, privileges } = credentialsOf('--api-key', text);
    return { id: first, key: second, ...privileges };
  });
  return { ...(users === undefined ? {} : { users }), apiKeys };
}

function credentialsOf(
  flag: string,
  text: string,
): { first: string; second: string; privileges: { cluster?: string[] } } {
  const [first = '', second = '', privileges, ...more] = text.split(':');
  if (first === '' || second === '' || more.length > 0) {
    // The text is a secret, so it is not repeated.
    throw new CliFailure(`${flag}: expected two or three parts with colons between them`, EXIT.usage);
  }
  return { first, second, privileges: privileges === undefined ? {} : { cluster: privileges.split(',') } };
}

async function start(options: StandInOptions): Promise<StandIn> {
  const { startStandIn } = await import('../../stand-in/index.ts');
  try {
    return await startStandIn(options);
  } catch (error) {
    if (error instanceof RangeError) throw new CliFailure(error.message, EXIT.usage, { cause: error });
    if (error instanceof Error && 'syscall' in error) {
      throw new CliFailure(`cannot listen: ${error.message}`, EXIT.unavailable, { cause: error });
    }
    throw error;
  }
}

function asUsage<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CliFailure(`--fault: ${error.message}`, EXIT.usage, { cause: error });
  }
}
