import { readLines } from '../pipeline/read-lines.ts';
import type { StandIn, SyncJobLoadError } from '../stand-in/index.ts';
import { EXIT } from './exit-codes.ts';
import { CliFailure } from './failure.ts';
import { openInput } from './open-input.ts';

/** Longest line of a sync job that is taken in: far above what Elasticsearch stores. */
const MAX_LINE_BYTES = 16 * 1_024 * 1_024;

/**
 * Loads an NDJSON file of sync jobs into the stand-in, as a stream.
 *
 * @returns how many were loaded
 * @throws {CliFailure} where it cannot be read, or naming the lines that are no sync jobs
 */
export async function loadSyncJobFile(standIn: StandIn, path: string): Promise<number> {
  const { stream } = await openInput(path);
  try {
    return await standIn.loadSyncJobs(textLines(stream, path));
  } catch (error) {
    throw asUsage(error, path);
  } finally {
    stream.destroy();
  }
}

/** Named by its class and not by import, which would load the stand-in for every command. */
function asUsage(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error.name !== 'SyncJobLoadError' || !('problems' in error)) return error;
  const { problems } = error as SyncJobLoadError;
  const lines = problems.map(({ line, problem }) => `${path}:${line}: ${problem}`);
  return new CliFailure(['these lines are no sync jobs', ...lines].join('\n'), EXIT.usage, { cause: error });
}

/**
 * Every line as text, blank ones too, because the stand-in counts them. Not by node:readline, which ends
 * lines at U+2028 as well, and that may stand in the middle of a JSON text.
 */
async function* textLines(
  input: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<string, void, undefined> {
  let next = 1;
  for await (const line of readLines(input, MAX_LINE_BYTES)) {
    if (line.kind === 'unreadable') {
      throw new CliFailure(`${path}:${line.number}: expected ${line.expected}, got ${line.got}`, EXIT.usage);
    }
    for (; next < line.number; next += 1) yield '';
    yield line.text;
    next += 1;
  }
}
