import type { ErrorReport } from '../../src/index.ts';

/** What a report's number becomes: about 300 bytes of JSON, as connectors write them. */
export function reportOf(number: number): ErrorReport {
  return {
    connector_sync_job_id: `job-${number}`,
    error:
      `ConnectionError: could not reach db-${number % 97}.internal.example:5432 within 30 s, attempt 3 of 3; ` +
      'the pool has 0 of 10 connections left and 14 requests wait for one. Last seen alive 4 minutes ago, ' +
      'when the source had 81,220 documents of 412,003.',
  };
}

/** The reports with these numbers, made as they are taken. */
export function* reportsFrom(from: number, count: number): Generator<ErrorReport, void, undefined> {
  for (let number = from; number < from + count; number += 1) yield reportOf(number);
}
