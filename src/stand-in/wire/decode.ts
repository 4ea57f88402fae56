/**
 * Percent-decoding as Elasticsearch does it, paths segment by segment after routing (general knowledge
 * of Elasticsearch: `RestUtils`).
 */
import { illegalArgument } from '../errors/server-exception.ts';

/**
 * Decodes one path segment or query part; in a query, `+` is a space.
 *
 * @throws ServerException 400 for an escape that is cut off or not hexadecimal.
 */
export function decodeComponent(written: string, plusIsSpace = false): string {
  const text = plusIsSpace && written.includes('+') ? written.replaceAll('+', ' ') : written;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return decodeBytes(text);
  }
}

/** For escapes that are no UTF-8: each bad sequence becomes U+FFFD, as in Java. */
function decodeBytes(text: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '%') {
      bytes.push(...Buffer.from(text[at] ?? ''));
      continue;
    }
    if (at + 1 >= text.length) {
      throw illegalArgument(`unterminated escape sequence at end of string: ${text}`);
    }
    if (at + 2 >= text.length) throw illegalArgument(`partial escape sequence at end of string: ${text}`);
    const digits = text.slice(at + 1, at + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
      throw illegalArgument(`invalid escape sequence \`%${digits}' at index ${at} of: ${text}`);
    }
    bytes.push(Number.parseInt(digits, 16));
    at += 2;
  }
  return Buffer.from(bytes).toString('utf8');
}
