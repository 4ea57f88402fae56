import type { AttemptEvent, Log, ObserveAttempt } from '../../pipeline/ports.ts';

/**
 * Logs every attempt: one line for each report that is settled, at `info`, or `warn` where it became a dead
 * letter, and the attempts before at `debug`. Error texts are not logged: they may hold what a connector read.
 */
export function logAttempts(log: Log): ObserveAttempt {
  return (event) => {
    const { outcome } = event.result;
    switch (outcome.kind) {
      case 'applied':
        return log.info(fields(event, 'applied'), 'report applied');
      case 'already-applied':
        return log.info(fields(event, 'already_applied'), 'report had been applied before');
      case 'dead-letter':
        return log.warn(
          { ...fields(event, outcome.code), ...event.result.answer },
          'report is a dead letter',
        );
      case 'retry':
      case 'snooze':
        return log.debug(
          { ...fields(event, outcome.code), ...event.result.answer, delay_ms: outcome.delayMs },
          outcome.kind === 'retry' ? 'attempt failed' : 'report waits',
        );
      case 'hand-back':
        return log.debug(fields(event, 'interrupted'), 'report handed back');
    }
  };
}

function fields({ job, result, durationMs }: AttemptEvent, code: string): Readonly<Record<string, unknown>> {
  return {
    id: job.id,
    // A field without a value is left out of the line.
    connector_sync_job_id: syncJobOf(job.payload),
    code,
    attempt: job.attempt,
    duration_ms: durationMs,
    ...result.trace,
  };
}

function syncJobOf(payload: AttemptEvent['job']['payload']): string | undefined {
  const value = payload.kind === 'json' ? payload.value : undefined;
  if (typeof value !== 'object' || value === null || !('connector_sync_job_id' in value)) return undefined;
  const id = value.connector_sync_job_id;
  return typeof id === 'string' ? id : undefined;
}
