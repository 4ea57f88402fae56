import { NodeFailure } from './node-failure.ts';

/**
 * The path of one sync job, which no id leads out of.
 *
 * Escaping leaves `.` and `..` as they are, and a path segment of that name changes the path on its way; an
 * empty id makes an empty segment; a lone surrogate has no UTF-8. Reports with such ids are refused long
 * before, so that here it only has to be certain that nothing is sent.
 *
 * @throws {NodeFailure} for an id that no path can name
 */
export function syncJobPath(connectorSyncJobId: string): string {
  if (/^\.{0,2}$/.test(connectorSyncJobId) || !connectorSyncJobId.isWellFormed()) {
    const reason = 'a sync job id that no path can name';
    throw new NodeFailure({ kind: 'not-sent', cause: 'unreachable', type: 'invalid_id', reason }, false);
  }
  return `/_connector/_sync_job/${encodeURIComponent(connectorSyncJobId)}`;
}
