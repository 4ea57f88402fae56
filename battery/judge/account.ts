/** Follows every acknowledged report to its ending, by what lies in Elasticsearch and in Redis. */
import type { Acknowledged } from '../stage/producer.ts';
import type { Evidence, Letter } from './evidence.ts';
import { fits } from './fits.ts';

/** Where a report was found. */
export interface Whereabouts {
  readonly report: Acknowledged;
  readonly isApplied: boolean;
  readonly letter: Letter | undefined;
  readonly isInQueue: boolean;
}

/** Looks for every report in every place it may be in. */
export function account(evidence: Evidence): Whereabouts[] {
  const letters = new Map(evidence.letters.map((letter) => [letter.id, letter]));
  return evidence.reports.map((report) => {
    const held = evidence.syncJobs.get(report.syncJobId);
    return {
      report,
      isApplied: held?.status === 'error' && held.error !== undefined && fits(held.error, report.error),
      letter: letters.get(`d-${report.jobId}`),
      isInQueue: evidence.jobsInRedis.has(report.jobId),
    };
  });
}

/** How many of a fleet's kills hit each sync job, and which of its requests had no answer that settles it. */
export interface Repeats {
  /** Processes that were killed while they had this sync job in hand. */
  readonly kills: number;
  readonly sets: number;
  readonly reads: number;
  /** Requests that were refused: where the sync job turns out to run again, it is sent once more. */
  readonly refused: number;
  /** Requests to set the error that were not answered, or with something that settles nothing. */
  readonly unsettled: number;
}

/** Counts requests and what explains their repetition, by sync job. */
export function repeatsOf(
  evidence: Evidence,
  askedOf: (
    method: string,
    path: string,
  ) => { readonly syncJobId: string; readonly kind: 'set' | 'read' } | undefined,
): Map<string, Repeats> {
  const lastWords = new Map<string, number>();
  for (const { slot, incarnation, fields, atMs } of evidence.lines) {
    const id = fields['connector_sync_job_id'];
    if (typeof id === 'string') lastWords.set(`${slot}/${incarnation}/${id}`, atMs);
  }
  const killed = evidence.workers.flatMap(({ slot, incarnation, killedAtMs }) =>
    killedAtMs === undefined ? [] : [{ slot, incarnation, killedAtMs }],
  );
  const repeats = new Map<
    string,
    { kills: number; sets: number; reads: number; unsettled: number; refused: number }
  >();
  const lastAsked = new Map<string, number>();
  for (const { slot, exchange } of evidence.exchanges) {
    const asked = askedOf(exchange.method, exchange.path);
    if (asked === undefined) continue;
    const entry = repeats.get(asked.syncJobId) ?? { kills: 0, sets: 0, reads: 0, unsettled: 0, refused: 0 };
    repeats.set(asked.syncJobId, entry);
    if (asked.kind === 'read') entry.reads += 1;
    else {
      entry.sets += 1;
      if (exchange.status === 400) entry.refused += 1;
      if (!settles(exchange.status, exchange.fault)) entry.unsettled += 1;
    }
    // The first kill in this slot after the request ended the process that had made it.
    const end = killed.find((kill) => kill.slot === slot && kill.killedAtMs >= exchange.atMs);
    if (end !== undefined) {
      const key = `${end.slot}/${end.incarnation}/${asked.syncJobId}`;
      lastAsked.set(key, Math.max(exchange.atMs, lastAsked.get(key) ?? 0));
    }
  }
  for (const [key, askedAtMs] of lastAsked) {
    if ((lastWords.get(key) ?? -1) >= askedAtMs) continue;
    const entry = repeats.get(key.split('/').slice(2).join('/'));
    if (entry !== undefined) entry.kills += 1;
  }
  return repeats;
}

/** Statuses after which the relay has no reason to send the same again. */
function settles(status: number | undefined, fault: string | undefined): boolean {
  const isWhole = fault === undefined || fault === 'delay' || fault === 'dribble';
  return isWhole && (status === 200 || status === 400);
}
