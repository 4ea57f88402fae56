import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { EXIT } from './exit-codes.ts';
import { CliFailure } from './failure.ts';

/** Bytes to read, and how many there are where that is known. */
export interface Input {
  readonly stream: Readable;
  readonly totalBytes: number | undefined;
}

/** Few system calls for a large file, and still little memory. */
const PIECE_BYTES = 262_144;

/**
 * Opens a file, or standard input for `-`. Whoever reads the stream to its end, or leaves it, closes it.
 *
 * @throws {CliFailure} where it cannot be read
 */
export async function openInput(path: string): Promise<Input> {
  if (path === '-') return { stream: process.stdin, totalBytes: undefined };
  try {
    // Without O_NONBLOCK nothing would interrupt the wait for a writer that a named pipe has not got yet.
    const file = await open(path, constants.O_RDONLY);
    const stat = await file.stat();
    if (stat.isDirectory()) {
      await file.close();
      throw new CliFailure(`${path} is a directory`, EXIT.usage);
    }
    return {
      stream: file.createReadStream({ highWaterMark: PIECE_BYTES }),
      totalBytes: stat.isFile() ? stat.size : undefined,
    };
  } catch (cause) {
    if (cause instanceof CliFailure) throw cause;
    throw new CliFailure(`${path} cannot be read: ${reasonOf(cause)}`, EXIT.usage, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'permission denied',
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? error.message;
}
