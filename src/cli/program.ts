import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { withHelpEnd } from './help.ts';
import { escapeLines, paint } from './output.ts';

/** A command as the help of the whole program shows it, and where it is. */
interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** All commands in the order of the help. Each is loaded only where it is called for. */
const GROUPS: readonly (readonly [title: string, entries: readonly Entry[]])[] = [
  [
    'Try it:',
    [
      {
        name: 'demo',
        summary: 'send a fleet morning through the whole relay and check every outcome',
        load: async () => (await import('./commands/demo.ts')).demoCommand(),
      },
      {
        name: 'dev',
        summary: 'run Redis, a stand-in for Elasticsearch and the worker, and stay up',
        load: async () => (await import('./commands/dev.ts')).devCommand(),
      },
      {
        name: 'stand-in',
        summary: "run a stand-in for Elasticsearch's connector API",
        load: async () => (await import('./commands/stand-in.ts')).standInCommand(),
      },
    ],
  ],
  [
    'Run it:',
    [
      {
        name: 'work',
        summary: 'run a worker: take reports from the queue to Elasticsearch',
        load: async () => (await import('./commands/work.ts')).workCommand(),
      },
      {
        name: 'serve',
        summary: 'take reports in over HTTP, without a worker',
        load: async () => (await import('./commands/serve.ts')).serveCommand(),
      },
      {
        name: 'api-key',
        summary: 'make keys for HTTP',
        load: async () => (await import('./commands/api-key.ts')).apiKeyCommand(),
      },
      {
        name: 'report',
        summary: 'hand one error report, or a file of them, to the queue',
        load: async () => (await import('./commands/report.ts')).reportCommand(),
      },
      {
        name: 'pause',
        summary: 'keep all workers from taking reports',
        load: async () => (await import('./commands/pause.ts')).pauseCommand(),
      },
      {
        name: 'resume',
        summary: 'let workers take reports again',
        load: async () => (await import('./commands/pause.ts')).resumeCommand(),
      },
    ],
  ],
  [
    'Look at it:',
    [
      {
        name: 'doctor',
        summary: 'check configuration, Redis, queue and Elasticsearch, and say what to do',
        load: async () => (await import('./commands/doctor.ts')).doctorCommand(),
      },
      {
        name: 'status',
        summary: 'say how the queue stands',
        load: async () => (await import('./commands/status.ts')).statusCommand(),
      },
      {
        name: 'dead-letters',
        summary: 'work with the reports that could not pass',
        load: async () => (await import('./commands/dead-letters.ts')).deadLettersCommand(),
      },
    ],
  ],
];

/**
 * The whole command line. Parsing throws a CommanderError where commander would end the process.
 *
 * @param isNeeded says of a command whether it may be called; of the others only name and summary are there
 */
export async function createProgram(isNeeded: (name: string) => boolean = () => true): Promise<Command> {
  const program = new Command('sync-error-relay')
    .description('Takes connector sync-job errors to Elasticsearch through a queue, and loses none.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .usage('[options] <command>')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('Add --help to see how it is called.')
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(escapeLines(text).join('\n')),
    })
    .configureHelp({
      styleTitle: (title) => paint('bold', title),
      subcommandTerm: (command) => command.name(),
    });
  for (const [title, entries] of GROUPS) {
    program.commandsGroup(title);
    for (const { name, summary, load } of entries) {
      program.addCommand(isNeeded(name) ? await load() : new Command(name).summary(summary));
    }
  }
  inheritSettings(program);
  return withHelpEnd(program, {
    note: 'Settings come from the environment, then from .env in the working directory: docs/configuration.md.',
    examples: ['demo', 'report Vy8xYpMBnhQ "Could not connect"', 'dead-letters list', 'work --help'],
    exitCodes: [
      [EXIT.done, 'done'],
      [EXIT.someFailed, 'some of it was refused or not found'],
      [EXIT.usage, 'wrong usage'],
      [EXIT.unavailable, 'Redis is not there'],
      [EXIT.configuration, 'the configuration is wrong'],
      [EXIT.interrupted, 'interrupted'],
    ],
  });
}

/** Commander passes settings on only to commands that it has made itself. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command).helpOption('-h, --help', 'print this help').helpCommand(false);
    inheritSettings(child);
  }
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return version;
}
