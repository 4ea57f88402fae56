/** PUT `_error`: marks a running sync job as failed. */

import { parseFailure, ServerException } from '../errors/server-exception.ts';
import { string } from '../json/field-types.ts';
import type { BodyDeclaration } from '../json/object-parser.ts';
import { parseBody } from '../json/object-parser.ts';
import type { Call, Prepared } from '../route.ts';
import { updated } from '../route.ts';
import { refuseLongKeyword } from './keyword-limit.ts';
import { findSyncJob, idProblems, requiredBody, syncJobId } from './shared.ts';
import { parseSyncStatus, refuseTransition } from './state-machine.ts';

const body: BodyDeclaration = {
  name: 'connector_sync_job_error_request',
  fields: { error: { type: string, required: true } },
};

/** Sets `status` to `error` and `error` to the text sent, and nothing else. */
export function failSyncJob(call: Call): Prepared {
  const { cluster } = call;
  const id = syncJobId(call);
  const error = parseError(call);
  return {
    problems:
      id !== '' && error !== ''
        ? []
        : [
            ...idProblems(id),
            ...(error === '' ? ['[error] of the connector sync job cannot be null or empty'] : []),
          ],
    execute: () => {
      const job = findSyncJob(cluster, id);
      const refusal = cluster.version.guardsTransitions
        ? refuseTransition(parseSyncStatus(job['status']), 'error')
        : undefined;
      if (refusal !== undefined) throw refusal;
      const tooLong = refuseLongKeyword('error', error, id);
      if (tooLong !== undefined) throw tooLong;
      cluster.syncJobs.update(id, { error, status: 'error' });
      return updated;
    },
  };
}

function parseError(call: Call): string {
  const bytes = requiredBody(call);
  try {
    return parseBody(bytes, body)['error'] as string;
  } catch (failure) {
    // 8.12 reads the whole body as text into its complaint. Source: its request class.
    const isBroken = failure instanceof ServerException && failure.shape.causedBy !== undefined;
    if (isBroken && call.cluster.version.echoesUnparsedBody) {
      throw parseFailure(`Failed to parse: ${bytes.toString('utf8')}`);
    }
    throw failure;
  }
}
