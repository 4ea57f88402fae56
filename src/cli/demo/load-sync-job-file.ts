import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { StandIn } from '../../stand-in/index.ts';
import { EXIT } from '../exit-codes.ts';
import { CliFailure } from '../failure.ts';

/** A file of the demo that is shipped with the project. */
export function demoFile(name: string): string {
  return fileURLToPath(new URL(`../../../demo/${name}`, import.meta.url));
}

/**
 * Loads an NDJSON file of sync jobs into the stand-in, as a stream.
 *
 * @param path by default the demo's own
 * @throws {CliFailure} where it cannot be read, or naming the lines that are no sync jobs
 */
export async function loadSyncJobFile(
  standIn: StandIn,
  path: string = demoFile('sync-jobs.ndjson'),
): Promise<number> {
  try {
    const input = createReadStream(path, 'utf8');
    return await standIn.loadSyncJobs(createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliFailure(`${path}: ${reason}`, EXIT.usage, { cause });
  }
}
