import { hostname, userInfo } from 'node:os';
import { InvalidArgumentError } from 'commander';

/** Who is at the terminal, for lineages and the audit log: `user@host`. */
export function defaultWho(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A container may run as a user that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
}

/** Reads `--by`. */
export function parseWho(text: string): string {
  if (text.length >= 1 && text.length <= 128) return text;
  throw new InvalidArgumentError('Expected a name of 1 to 128 characters.');
}
