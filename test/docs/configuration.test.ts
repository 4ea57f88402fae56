import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CONFIG_OPTIONS, type ConfigOption } from '../../src/config-options.ts';
import { sectionOf, tableOf, unquoted } from './markdown.ts';

const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const rows = tableOf(sectionOf(text, '## Variables'));
const options = Object.entries(CONFIG_OPTIONS) as [string, ConfigOption][];

describe('the table of variables', () => {
  test('holds every option once, in the order of the code, with its unit and its default', () => {
    expect(rows.map(([variable, , unit, fallback]) => [unquoted(variable), unit, fallback])).toEqual(
      options.map(([name, { unit, fallback }]) => [
        name,
        unit ?? '–',
        fallback === undefined ? '–' : `\`${fallback}\``,
      ]),
    );
  });

  test('says what each is for', () => {
    for (const [variable, purpose] of rows) expect(purpose, variable).toMatch(/^[A-Z].{20,}\.$/);
  });

  test('marks exactly the secrets as such', () => {
    const marked = rows
      .filter(([, purpose]) => purpose?.endsWith(' A secret.'))
      .map(([name]) => unquoted(name));
    expect(marked).toEqual(options.filter(([, { secret }]) => secret).map(([name]) => name));
  });
});

test('every secret may be given as a file, and the page names each of these variables', () => {
  for (const [name, { secret }] of options)
    expect(text.includes(`\`${name}_FILE\``), name).toBe(secret === true);
});
