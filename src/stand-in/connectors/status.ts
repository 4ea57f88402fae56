/** Which statuses a connector may take from which (source: Elasticsearch's connector state machine; the message: Elastic's YAML test). */
import { illegalArgument, type ServerException, statusException } from '../errors/server-exception.ts';

/** Every status a connector can have. */
export type ConnectorStatus = 'created' | 'needs_configuration' | 'configured' | 'connected' | 'error';

const transitions: Readonly<Record<ConnectorStatus, readonly ConnectorStatus[]>> = {
  created: ['needs_configuration', 'error'],
  needs_configuration: ['configured', 'error'],
  configured: ['needs_configuration', 'configured', 'connected', 'error'],
  connected: ['connected', 'configured', 'error'],
  error: ['connected', 'configured', 'error'],
};

/**
 * Reads a status, in any case.
 *
 * @throws ServerException 400 for anything that is no status.
 */
export function parseConnectorStatus(written: unknown): ConnectorStatus {
  const status = String(written).toLowerCase();
  const found = (Object.keys(transitions) as ConnectorStatus[]).find((known) => known === status);
  if (found === undefined) throw illegalArgument(`Unknown ConnectorStatus [${written}].`);
  return found;
}

/** The refusal of a transition, or undefined where it is allowed. */
export function refuseConnectorTransition(
  from: ConnectorStatus,
  to: ConnectorStatus,
): ServerException | undefined {
  if (transitions[from].includes(to)) return undefined;
  const reason =
    `Invalid transition attempt from [${from}] to [${to}]. ` +
    'Such a status transition is not supported by the Connector Protocol.';
  return statusException(reason, { type: 'connector_invalid_status_transition_exception', reason });
}
