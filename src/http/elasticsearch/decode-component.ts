import { Buffer } from 'node:buffer';
import { illegalArgument } from './es-failure.ts';

/**
 * Decodes the escapes of a path segment; bytes that are no UTF-8 become U+FFFD, as in Java.
 *
 * @throws {EsFailure} for an escape that is cut off or not hexadecimal
 */
export function decodeComponent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return decodeBytes(text);
  }
}

/** Decodes a part of the query, where `+` is a space. */
export const decodeQueryPart = (text: string): string => decodeComponent(text.replaceAll('+', ' '));

function decodeBytes(text: string): string {
  const parts: Buffer[] = [];
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '%') {
      const next = text.indexOf('%', at);
      const end = next === -1 ? text.length : next;
      parts.push(Buffer.from(text.slice(at, end)));
      at = end;
      continue;
    }
    const digits = text.slice(at + 1, at + 3);
    if (digits === '') throw illegalArgument(`unterminated escape sequence at end of string: ${text}`);
    if (digits.length === 1) throw illegalArgument(`partial escape sequence at end of string: ${text}`);
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
      throw illegalArgument(`invalid escape sequence \`%${digits}' at index ${at} of: ${text}`);
    }
    parts.push(Buffer.from(digits, 'hex'));
    at += 3;
  }
  return Buffer.concat(parts).toString('utf8');
}
