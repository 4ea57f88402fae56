/**
 * Characters that act on a terminal instead of showing: controls (escape sequences begin with one), format
 * characters such as those that turn the direction of writing, lone surrogates, line and paragraph separators.
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with every character that acts on a terminal spelt out: `\n`, `\x1b`, `\u{202e}`. */
export function escapeControl(text: string): string {
  return text.replace(ACTING, (character) => SHORT[character] ?? spell(character));
}

/** The lines of a text, each safe to print. */
export function escapeLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => escapeControl(line.replaceAll('\t', '    ')));
}

/** A value as JSON on one line, safe to print: JSON itself leaves some of these characters as they are. */
export function toSafeJson(value: unknown): string {
  return JSON.stringify(value).replace(ACTING, (character) =>
    Array.from({ length: character.length }, (_, index) => unit(character, index)).join(''),
  );
}

function spell(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`;
}

function unit(character: string, index: number): string {
  return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
}
