import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { DEAD_LETTER_CODES } from '../../src/domain/codes.ts';
import { runCli } from './run-cli.ts';

const COMMANDS = [
  [],
  ...(await createProgram()).commands.flatMap((command) => [
    [command.name()],
    ...command.commands.map((child) => [command.name(), child.name()]),
  ]),
].map((path) => path.join(' '));

describe.each(COMMANDS)('--help of "%s"', (path) => {
  test('is printed to standard output, with examples and exit codes', async () => {
    const { code, stdout, stderr } = await runCli([...path.split(' ').filter(Boolean), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: sync-error-relay ${path}`));
    // A command that only holds others has neither.
    if (path !== 'dead-letters') {
      expect(stdout).toMatch(/\nExamples:\n {2}sync-error-relay /);
      expect(stdout).toMatch(/\nExit codes:\n +0 {2}\S/);
    }
  });
});

test('the help of the whole program says the same of a command whether or not it was loaded', async () => {
  const [whole, none] = [await createProgram(), await createProgram(() => false)];

  expect(none.commands.flatMap((command) => command.options)).toEqual([]);
  expect(whole.commands.flatMap((command) => command.options)).not.toEqual([]);
  expect(none.helpInformation()).toBe(whole.helpInformation());
});

describe('wrong usage ends with 2, says what is wrong on standard error and prints no data', () => {
  test.each<[string, readonly string[], string]>([
    ['no command', [], 'Usage: sync-error-relay'],
    ['a command with a slip of the pen', ['statsu'], 'Did you mean status?'],
    ['an unknown option', ['status', '--jsno'], 'Did you mean --json?'],
    ['too many arguments', ['report', 'a', 'b', 'c'], 'too many arguments'],
    ['a report without an error', ['report', 'a'], 'give a connector_sync_job_id and an error, or --file'],
    ['a report that is not there at all', ['report', '--dry-run'], 'or --file'],
    ['a report beside a file', ['report', 'a', 'b', '--file', 'x'], '--file takes its reports from the file'],
    ['a field beside a file', ['report', '--file', 'x', '--source', 'y'], '--file takes its reports'],
    [
      'a file that is not there',
      ['report', '--file', 'nope', '--dry-run'],
      'nope cannot be read: there is no such',
    ],
    ['a directory for a file', ['report', '--file', '/', '--dry-run'], '/ is a directory'],
    ['only half a command', ['dead-letters'], 'Usage: sync-error-relay dead-letters'],
    ['no id', ['dead-letters', 'show'], "missing required argument 'id'"],
    ['a limit of nothing', ['dead-letters', 'list', '--limit', '0'], 'a whole number from 1 to 1000'],
    ['a negative offset', ['dead-letters', 'list', '--offset=-1'], 'Expected a whole number from 0'],
    [
      'a code with a slip of the pen',
      ['dead-letters', 'list', '--code', 'sync_job_notfound'],
      'Did you mean sync_job_not_found?',
    ],
    ['a code that is none', ['dead-letters', 'list', '--code', 'zzz'], DEAD_LETTER_CODES.join(', ')],
  ])('%s', async (_name, args, expected) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('without repeating what would act on the terminal', async () => {
    const { stderr } = await runCli(['\x1b]0;title\x07']);
    expect(stderr).toContain("unknown command '\\x1b]0;title\\x07'");
  });
});

test('--version is the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('there are no colours but on a terminal, unless they are asked for', async () => {
  expect((await runCli(['--help'])).stdout).not.toContain('\x1b[');
  expect((await runCli(['--help'], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\x1b[1mExamples:');
});
