/** The endpoints a running connector calls: claim, check in, statistics; and cancel and delete. */

import { objectOrNull, string } from '../json/field-types.ts';
import type { BodyDeclaration } from '../json/object-parser.ts';
import { parseBody } from '../json/object-parser.ts';
import type { JsonObject } from '../json/read-value.ts';
import type { Call, Prepared } from '../route.ts';
import { acknowledged, updated } from '../route.ts';
import { refuseWideIntegers } from './integer-limit.ts';
import { findSyncJob, idProblems, requiredBody, syncJobId, syncJobMissing } from './shared.ts';
import { parseSyncStatus, refuseTransition } from './state-machine.ts';
import { nonNegativeProblems, statsBody } from './stats-body.ts';

const claimBody: BodyDeclaration = {
  name: 'claim_connector_sync_job',
  fields: {
    worker_hostname: { type: string, required: true },
    sync_cursor: { type: objectOrNull },
  },
};

/** PUT `_claim`: any status becomes `in_progress`; an old error text stays. */
export function claimSyncJob(call: Call): Prepared {
  const { cluster } = call;
  const id = syncJobId(call);
  const values = parseBody(requiredBody(call), claimBody);
  return {
    problems: idProblems(id),
    execute: () => {
      findSyncJob(cluster, id);
      const change: JsonObject = {
        worker_hostname: values['worker_hostname'],
        status: 'in_progress',
        last_seen: cluster.clock(),
        started_at: cluster.clock(),
      };
      if (values['sync_cursor'] !== undefined && values['sync_cursor'] !== null) {
        change['connector'] = { sync_cursor: values['sync_cursor'] };
      }
      cluster.syncJobs.update(id, change);
      return updated;
    },
  };
}

/** PUT `_check_in`: sets `last_seen`, whatever the status. */
export function checkInSyncJob(call: Call): Prepared {
  const { cluster } = call;
  const id = syncJobId(call);
  return {
    problems: idProblems(id),
    execute: () => {
      if (cluster.syncJobs.update(id, { last_seen: cluster.clock() }) === 'not_found')
        throw syncJobMissing(id);
      return updated;
    },
  };
}

/** PUT `_cancel`: at once where nothing runs yet, otherwise by way of `canceling`. */
export function cancelSyncJob(call: Call): Prepared {
  const { cluster } = call;
  const id = syncJobId(call);
  return {
    problems: idProblems(id),
    execute: () => {
      const from = parseSyncStatus(findSyncJob(cluster, id)['status']);
      const now = cluster.clock();
      const runs = from !== 'pending' && from !== 'suspended';
      const refusal =
        runs && cluster.version.guardsTransitions ? refuseTransition(from, 'canceling') : undefined;
      if (refusal !== undefined) throw refusal;
      cluster.syncJobs.update(
        id,
        runs
          ? { status: 'canceling', cancelation_requested_at: now }
          : { status: 'canceled', cancelation_requested_at: now, canceled_at: now, completed_at: now },
      );
      return updated;
    },
  };
}

/** PUT `_stats`: counters, metadata and `last_seen`, whatever the status. */
export function updateSyncJobStats(call: Call): Prepared {
  const { cluster } = call;
  const id = syncJobId(call);
  const values = parseBody(requiredBody(call), statsBody);
  return {
    problems: [...idProblems(id), ...nonNegativeProblems(values)],
    execute: () => {
      if (cluster.syncJobs.source(id) === undefined) throw syncJobMissing(id);
      const tooWide = refuseWideIntegers(values, id);
      if (tooWide !== undefined) throw tooWide;
      cluster.syncJobs.update(id, { ...values, last_seen: values['last_seen'] ?? cluster.clock() });
      return updated;
    },
  };
}

/** DELETE: any status. */
export function deleteSyncJob(call: Call): Prepared {
  const { cluster } = call;
  const id = syncJobId(call);
  return {
    problems: idProblems(id),
    execute: () => {
      findSyncJob(cluster, id);
      cluster.syncJobs.delete(id);
      return acknowledged;
    },
  };
}
