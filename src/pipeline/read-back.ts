/**
 * Whether an ambiguous answer is worth a second request:
 *
 * 1. While the circuit is open it is not, but for what Elasticsearch itself has answered.
 * 2. Where there was a response at all, or something was heard since the request left, the sync job is read back at
 *    once.
 * 3. Where the response was lost and nothing was heard, everything under way is about to be lost as well. One reads
 *    back for all, and not for long: when it hears something the others follow, when it does not they leave it at that.
 */
import type { Answer, ReadBack } from '../domain/answer.ts';
import type { AmbiguousCause } from '../domain/verdict.ts';
import type { Gate } from './gate.ts';

/**
 * Reads a sync job back, if that may tell anything.
 *
 * @param sinceSentMs how long ago the ambiguous request left, in milliseconds
 * @returns undefined where nothing was found out
 */
export type ReadBackInDoubt = (
  cause: AmbiguousCause,
  sinceSentMs: number,
  read: (signal: AbortSignal) => Promise<ReadBack>,
  signal: AbortSignal,
) => Promise<ReadBack | undefined>;

/** How long one who reads back for all waits, in milliseconds: reading by id takes a few. */
const PATIENCE_MS = 2_000;

/** Makes the function for all attempts of a worker. */
export function readingBack(
  gate: Pick<Gate, 'mayReadBack' | 'silentForMs' | 'heard'>,
  patienceMs: number = PATIENCE_MS,
): ReadBackInDoubt {
  let scouting: Promise<boolean> | undefined;

  return async (cause, sinceSentMs, read, signal) => {
    if (!gate.mayReadBack(cause)) return undefined;
    if (cause !== 'lost-response' || gate.silentForMs() <= sinceSentMs) return read(signal);
    if (scouting !== undefined) return (await scouting) && gate.mayReadBack(cause) ? read(signal) : undefined;
    const scout = Promise.withResolvers<boolean>();
    scouting = scout.promise;
    let hasHeard = false;
    try {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
      const found = await read(patience);
      hasHeard = isFromServer(found);
      if (hasHeard) gate.heard();
      return patience.aborted && !signal.aborted ? undefined : found;
    } finally {
      scouting = undefined;
      scout.resolve(hasHeard);
    }
  };
}

/** Whether a server answered at all, whatever it said. */
function isFromServer(found: ReadBack): boolean {
  const isResponse = ({ kind }: Answer): boolean => kind === 'response';
  return found.kind === 'found' || isResponse(found.answer);
}
