import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { CONFIG_OPTIONS } from '../../src/config-options.ts';
import { DEAD_LETTER_CODES } from '../../src/domain/codes.ts';
import { DEAD_LETTER_ADVICE } from '../../src/domain/dead-letter.ts';
import { MAX_REDRIVES } from '../../src/domain/lineage.ts';
import { REDUCED_ERROR_BYTES } from '../../src/domain/shorten-error.ts';
import { REDRIVE_DEFAULTS, REDRIVE_VERDICTS } from '../../src/pipeline/redrive-ports.ts';
import { sectionOf, tableOf, unquoted } from './markdown.ts';

const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const commandLines = [...text.matchAll(/^sync-error-relay (.+)$/gm)].map(([, line]) => line ?? '');

describe('the runbook', () => {
  test('has a section for every code a dead letter can carry, in order, and for no other', () => {
    const headings = [...sectionOf(text, '## By code').matchAll(/^### (.+)$/gm)].map(([, name]) =>
      unquoted(name),
    );
    expect(headings).toEqual([...DEAD_LETTER_CODES]);
  });

  test.each(DEAD_LETTER_CODES)(
    'says of %s what it means, why it happens, what to do, and the command',
    (code) => {
      const section = sectionOf(text, `### \`${code}\``);
      for (const title of ['What it means', 'Why it happens', 'What to do']) {
        expect(section).toMatch(new RegExp(`^- \\*\\*${title}\\*\\*: .{20,}\\.$`, 'm'));
      }
      expect(section).toMatch(/^sync-error-relay dead-letters (redrive|edit|purge) /m);
      expect(DEAD_LETTER_ADVICE[code]).toMatch(/^[A-Z][^\n]+\.$/);
    },
  );

  test('agrees with what show advises: what it says to redrive, edit or purge is what the command does', () => {
    for (const code of DEAD_LETTER_CODES) {
      const section = sectionOf(text, `### \`${code}\``);
      for (const verb of ['redrive', 'edit', 'purge']) {
        const isAdvised = new RegExp(`\\b${verb}\\b`, 'i').test(DEAD_LETTER_ADVICE[code]);
        const isMentioned = new RegExp(`\\b${verb}`, 'i').test(section);
        if (isAdvised) expect(isMentioned, `${code}: ${verb}`).toBe(true);
      }
    }
  });
});

test.each(commandLines)('the command "%s" is one that there is, with options that it takes', async (line) => {
  const words = [...line.replace(/ > .*$/, '').matchAll(/'([^']*)'|"([^"]*)"|([^\s"']+)("[^"]*")?/g)].map(
    ([, single, double, bare, tail]) => single ?? double ?? `${bare}${(tail ?? '').replaceAll('"', '')}`,
  );
  const program = await createProgram();
  let called: { readonly args: readonly string[]; readonly name: string } | undefined;
  const disarm = (command: Command): void => {
    command.action((...args: unknown[]) => {
      const self = args.at(-1) as Command;
      called = { args: self.args, name: self.name() };
    });
    command.commands.forEach(disarm);
  };
  for (const group of program.commands) group.commands.forEach(disarm);

  await program.parseAsync(words, { from: 'user' });

  expect(called?.name).toBe(words[1]);
});

test('the words of a run are those of the code', () => {
  const rows = tableOf(sectionOf(text, '## Redrive at a safe pace'));
  expect(rows.map(([word]) => unquoted(word))).toEqual(
    REDRIVE_VERDICTS.filter((word) => word !== 'redriven'),
  );
});

test.each([
  ['## Redrive at a safe pace', `in a second, ${REDRIVE_DEFAULTS.rate} where`],
  ['## Redrive at a safe pace', `redriven ${REDRIVE_DEFAULTS.maxRedrives} times`],
  ['## Redrive at a safe pace', `up to ${MAX_REDRIVES}.`],
  ['## By code', `the text of ${REDUCED_ERROR_BYTES.toLocaleString('en')} bytes`],
])('below "%s" it says "%s"', (heading, number) => {
  expect(sectionOf(text, heading)).toContain(number);
});

test('every option that is named exists', () => {
  const named = new Set([...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name]) => name ?? ''));
  expect(named.size).toBeGreaterThan(5);
  expect([...named].filter((name) => !Object.hasOwn(CONFIG_OPTIONS, name))).toEqual([]);
});
