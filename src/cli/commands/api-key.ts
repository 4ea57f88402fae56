import { Command, InvalidArgumentError } from 'commander';
import { SCOPES, type Scope } from '../../http/api-keys.ts';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';

interface CreateFlags {
  readonly scope: readonly Scope[];
  readonly name: string;
  readonly json?: true;
}

/** Makes keys for the HTTP door. */
export function apiKeyCommand(): Command {
  const command = new Command('api-key')
    .summary('make keys for HTTP')
    .description('Makes keys for HTTP.')
    .addCommand(createCommand());
  return withHelpEnd(command, {
    examples: ['api-key create --scope report'],
    exitCodes: [
      [EXIT.done, 'done'],
      [EXIT.usage, 'wrong usage'],
    ],
  });
}

function createCommand(): Command {
  const command = new Command('create')
    .summary('make a key')
    .description(
      'Makes a key and prints it, once: it is kept nowhere. Beside it stands the line for API_KEYS that lets it ' +
        'in, which holds only its hash. To exchange a key, add the new line, change the client, remove the old line.',
    )
    .requiredOption(
      '-s, --scope <scope>',
      'what it may do: report (hand reports in), read (look), operate (change dead letters, pause and resume); several times',
      addScope,
    )
    .option('-n, --name <name>', 'who will use it, as the log names them', 'connectors')
    .option('--json', 'print one JSON object')
    .action(create);
  return withHelpEnd(command, {
    examples: ['api-key create --scope report', 'api-key create --name ops --scope read --scope operate'],
    exitCodes: [
      [EXIT.done, 'done'],
      [EXIT.usage, 'wrong usage'],
    ],
  });
}

function addScope(text: string, earlier: readonly Scope[] = []): readonly Scope[] {
  const scope = SCOPES.find((each) => each === text);
  if (scope === undefined) throw new InvalidArgumentError(`The scopes are ${SCOPES.join(', ')}.`);
  return earlier.includes(scope) ? earlier : [...earlier, scope];
}

async function create({ scope, name, json }: CreateFlags): Promise<void> {
  const { createApiKey } = await import('../../http/api-keys.ts');
  const { CliFailure } = await import('../failure.ts');
  const { print, printJson, say } = await import('../output.ts');
  try {
    const { encoded, line } = createApiKey(name, scope);
    if (json === true) return printJson({ api_key: encoded, line });
    say('The key, for the client (Authorization: ApiKey …):');
    print(encoded);
    say('The line for API_KEYS:');
    print(line);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CliFailure(`--name: ${error.message}`, EXIT.usage, { cause: error });
  }
}
