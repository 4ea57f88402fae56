/**
 * What Elasticsearch, or a proxy in front of it, answers when things go wrong (general knowledge of
 * Elasticsearch; 409 from connectors issue 358).
 */
import { exceptionBody, ServerException } from '../errors/server-exception.ts';

/** A body with what goes with it. */
export interface CannedAnswer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  /** Whether Elasticsearch itself answers, with its product header. */
  readonly isElasticsearch: boolean;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
}

const jobsIndex = '.elastic-connectors-sync-jobs-v1';
const indexUuid = 'Zq3w0mOLRqK1f1c2b3a4cA';

function elastic(
  status: number,
  type: string,
  reason: string,
  details?: Readonly<Record<string, unknown>>,
  header?: Readonly<Record<string, readonly string[]>>,
): CannedAnswer {
  const shape = {
    type,
    reason,
    ...(details === undefined ? {} : { details }),
    ...(header === undefined ? {} : { header }),
  };
  return {
    status,
    body: JSON.stringify(exceptionBody(new ServerException(status, shape))),
    contentType: 'application/json',
    isElasticsearch: true,
    ...(header === undefined ? {} : { headers: header }),
  };
}

function proxyPage(status: number, title: string): CannedAnswer {
  return {
    status,
    body: `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n`,
    contentType: 'text/html',
    isElasticsearch: false,
  };
}

const challenges = {
  'WWW-Authenticate': ['Basic realm="security", charset="UTF-8"', 'Bearer realm="security"', 'ApiKey'],
};

/** Bodies by name; the first of a status is the one that status gets by itself. */
export const cannedBodies: Readonly<Record<string, CannedAnswer>> = {
  'not-understood': elastic(400, 'illegal_argument_exception', 'request could not be understood'),
  unauthorized: elastic(
    401,
    'security_exception',
    'unable to authenticate with provided credentials and anonymous access is not allowed for this request',
    undefined,
    challenges,
  ),
  forbidden: elastic(
    403,
    'security_exception',
    'action [cluster:admin/xpack/connector/sync_job/update_error] is unauthorized for user [connectors] ' +
      'with effective roles [connectors], this action is granted by the cluster privileges [manage_connector,manage,all]',
  ),
  'read-only': elastic(
    403,
    'cluster_block_exception',
    `index [${jobsIndex}] blocked by: [FORBIDDEN/8/index write (api)];`,
  ),
  'proxy-not-found': proxyPage(404, 'Not Found'),
  'request-timeout': proxyPage(408, 'Request Time-out'),
  'version-conflict': elastic(
    409,
    'version_conflict_engine_exception',
    '[job]: version conflict, required seqNo [287], primary term [6]. ' +
      'current document has seqNo [288] and primary term [6]',
    { index_uuid: indexUuid, shard: '0', index: jobsIndex },
  ),
  'too-large': { status: 413, body: '', contentType: '', isElasticsearch: false },
  'rejected-execution': elastic(
    429,
    'es_rejected_execution_exception',
    'rejected execution of TimedRunnable{original=ActionRunnable#wrap[update]} on ' +
      'TaskExecutionTimeTrackingEsThreadPoolExecutor[name = stand-in/write, queue capacity = 10000, ' +
      'task execution EWMA = 1.2ms, total task execution EWMA = 5.4m, ' +
      '[Running, pool size = 2, active threads = 2, queued tasks = 10000, completed tasks = 481516]]',
  ),
  'circuit-breaker': elastic(
    429,
    'circuit_breaking_exception',
    '[parent] Data too large, data for [<http_request>] would be [1028521984/980.8mb], ' +
      'which is larger than the limit of [1020054732/972.7mb], real usage: [1028521472/980.8mb], new bytes reserved: [512/512b]',
    { bytes_wanted: 1028521984, bytes_limit: 1020054732, durability: 'TRANSIENT' },
  ),
  'flood-stage': elastic(
    429,
    'cluster_block_exception',
    `index [${jobsIndex}] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, ` +
      'index has read-only-allow-delete block; for more information, see the documentation on disk watermarks];',
  ),
  'failed-execution': elastic(500, 'uncategorized_execution_exception', 'Failed execution'),
  'not-implemented': proxyPage(501, 'Not Implemented'),
  'bad-gateway': proxyPage(502, 'Bad Gateway'),
  'unavailable-shards': elastic(
    503,
    'unavailable_shards_exception',
    `[${jobsIndex}][0] primary shard is not active Timeout: [1m], ` +
      `request: [BulkShardRequest [[${jobsIndex}][0]] containing [update {[${jobsIndex}][job]}] and a refresh]`,
  ),
  'no-shard': elastic(
    503,
    'no_shard_available_action_exception',
    `No shard available for [get [${jobsIndex}][job]: routing [null]]`,
  ),
  'no-master': elastic(503, 'cluster_block_exception', 'blocked by: [SERVICE_UNAVAILABLE/2/no master];'),
  'not-recovered': elastic(
    503,
    'cluster_block_exception',
    'blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];',
  ),
  'master-not-discovered': elastic(503, 'master_not_discovered_exception', 'null'),
  'proxy-unavailable': proxyPage(503, 'Service Temporarily Unavailable'),
  'gateway-timeout': proxyPage(504, 'Gateway Time-out'),
  'portal-page': {
    status: 200,
    body: '<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n',
    contentType: 'text/html; charset=utf-8',
    isElasticsearch: false,
  },
};

/** The answer for a status, by the name of its body where one is given. */
export function cannedAnswer(status: number, name: string | undefined): CannedAnswer {
  if (name !== undefined) {
    const named = cannedBodies[name];
    if (named !== undefined) return { ...named, status };
  }
  const usual = Object.values(cannedBodies).find((answer) => answer.status === status);
  return usual ?? elastic(status, 'status_exception', `answered with status ${status} on demand`);
}

/** A `Retry-After` header: seconds as they are, `date:<seconds>` as a date so far from now, other text as it is. */
export function retryAfterHeader(value: number | string, nowMs: number): string {
  const match = typeof value === 'string' ? /^date:(-?\d+)$/.exec(value) : null;
  return match === null ? String(value) : new Date(nowMs + Number(match[1]) * 1000).toUTCString();
}
