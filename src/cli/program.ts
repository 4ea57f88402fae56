import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { apiKeyCommand } from './commands/api-key.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { demoCommand } from './commands/demo.ts';
import { devCommand } from './commands/dev.ts';
import { doctorCommand } from './commands/doctor.ts';
import { pauseCommand, resumeCommand } from './commands/pause.ts';
import { reportCommand } from './commands/report.ts';
import { serveCommand } from './commands/serve.ts';
import { standInCommand } from './commands/stand-in.ts';
import { statusCommand } from './commands/status.ts';
import { workCommand } from './commands/work.ts';
import { EXIT } from './exit-codes.ts';
import { withHelpEnd } from './help.ts';
import { escapeLines, paint } from './output.ts';

/** The whole command line. Parsing throws a CommanderError where commander would end the process. */
export function createProgram(): Command {
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
    })
    .commandsGroup('Try it:')
    .addCommand(demoCommand())
    .addCommand(devCommand())
    .addCommand(standInCommand())
    .commandsGroup('Run it:')
    .addCommand(workCommand())
    .addCommand(serveCommand())
    .addCommand(apiKeyCommand())
    .addCommand(reportCommand())
    .addCommand(pauseCommand())
    .addCommand(resumeCommand())
    .commandsGroup('Look at it:')
    .addCommand(doctorCommand())
    .addCommand(statusCommand())
    .addCommand(deadLettersCommand());
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
