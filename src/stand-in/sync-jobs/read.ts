/** GET of one sync job, and the list. */
import type { StoredDocument } from '../document-index.ts';
import { illegalArgument } from '../errors/server-exception.ts';
import { refuseWindow } from '../indices/result-window.ts';
import { isObject, type JsonObject } from '../json/read-value.ts';
import type { Call, Prepared } from '../route.ts';
import { parseJobType } from './create.ts';
import { findSyncJob, idProblems, syncJobId } from './shared.ts';
import { parseSyncStatus } from './state-machine.ts';

/** Elasticsearch stops counting hits exactly there (general knowledge). */
const maxCount = 10_000;

/** Answers with the document, its id first. */
export function getSyncJob(call: Call): Prepared {
  const id = syncJobId(call);
  return {
    problems: idProblems(id),
    execute: () => ({ status: 200, body: { id, ...findSyncJob(call.cluster, id) } }),
  };
}

/** Lists jobs, the latest created first, filtered by connector, status and types. */
export function listSyncJobs(call: Call): Prepared {
  const { query, cluster } = call;
  const from = query.integer('from', 0);
  const size = query.integer('size', 100);
  if (from < 0) throw illegalArgument('Parameter [from] cannot be < 0');
  if (size < 0) throw illegalArgument('Parameter [size] cannot be < 0');
  const connectorId = query.text('connector_id');
  const written = query.text('status');
  const status = written === undefined ? undefined : parseSyncStatus(written);
  const types = new Set(query.list('job_type').map(parseJobType));
  return {
    execute: () => {
      if (!cluster.syncJobs.exists) return { status: 200, body: { count: 0, results: [] } };
      const tooDeep = refuseWindow(cluster.syncJobs.name, from, size);
      if (tooDeep !== undefined) throw tooDeep;
      const found: [string, StoredDocument][] = [];
      for (const entry of cluster.syncJobs.documents) {
        const { source } = entry[1];
        if (status !== undefined && source['status'] !== status) continue;
        if (connectorId !== undefined && connectorIdOf(source) !== connectorId) continue;
        if (types.size > 0 && !types.has(String(source['job_type']))) continue;
        found.push(entry);
      }
      found.sort((a, b) => compareText(b[1].source['created_at'], a[1].source['created_at']));
      const results = found.slice(from, from + size).map(([id, { source }]) => ({ id, ...source }));
      return { status: 200, body: { count: Math.min(found.length, maxCount), results } };
    },
  };
}

function connectorIdOf(source: JsonObject): unknown {
  const connector = source['connector'];
  return isObject(connector) ? connector['id'] : undefined;
}

/** Instants of differing precision still compare rightly once the closing Z is gone. */
function compareText(a: unknown, b: unknown): number {
  if (a === b) return 0;
  const left = String(a).replace(/Z$/, '');
  const right = String(b).replace(/Z$/, '');
  return left < right ? -1 : left > right ? 1 : 0;
}
