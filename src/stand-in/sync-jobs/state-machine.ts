/**
 * Which statuses a sync job may take from which, as the connector protocol has it.
 *
 * Source: Elasticsearch's sync-job state machine (PR 105722), asserted by Elastic's YAML tests.
 */
import { illegalArgument, type ServerException, statusException } from '../errors/server-exception.ts';

/** Every status a sync job can have. */
export type SyncStatus =
  | 'canceling'
  | 'canceled'
  | 'completed'
  | 'error'
  | 'in_progress'
  | 'pending'
  | 'suspended';

const transitions: Readonly<Record<SyncStatus, readonly SyncStatus[]>> = {
  pending: ['in_progress', 'canceled'],
  in_progress: ['canceling', 'completed', 'suspended', 'error'],
  suspended: ['in_progress', 'canceled'],
  canceling: ['canceled', 'error'],
  completed: [],
  canceled: [],
  error: [],
};

/** Every status, as a list. */
export const syncStatuses: readonly SyncStatus[] = Object.keys(transitions) as SyncStatus[];

/**
 * Reads a stored or sent status, in any case.
 *
 * @throws ServerException 400 for anything that is no status.
 */
export function parseSyncStatus(written: unknown): SyncStatus {
  const status = typeof written === 'string' ? written.toLowerCase() : undefined;
  const found = syncStatuses.find((known) => known === status);
  if (found === undefined) {
    throw illegalArgument(`Unknown ConnectorSyncStatus [${typeof written === 'string' ? written : 'null'}].`);
  }
  return found;
}

/** The refusal of a transition, or undefined where it is allowed. */
export function refuseTransition(from: SyncStatus, to: SyncStatus): ServerException | undefined {
  if (transitions[from].includes(to)) return undefined;
  const reason =
    `Invalid transition attempt from [${from}] to [${to}]. ` +
    'Such a ConnectorSyncStatus transition is not supported by the Connector Protocol.';
  return statusException(reason, {
    type: 'connector_sync_job_invalid_status_transition_exception',
    reason,
  });
}
