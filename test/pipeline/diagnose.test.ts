import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/domain/answer.ts';
import { diagnoseConfiguration } from '../../src/pipeline/diagnose-configuration.ts';
import {
  diagnoseElasticsearch,
  type ElasticsearchFacts,
  type ElasticsearchVersion,
  type NodeFact,
  neededPrivilege,
  olderPrivilege,
} from '../../src/pipeline/diagnose-elasticsearch.ts';
import { diagnoseQueue, type QueueState } from '../../src/pipeline/diagnose-queue.ts';
import { diagnoseRedis, type RedisState } from '../../src/pipeline/diagnose-redis.ts';
import type { Check } from '../../src/pipeline/diagnosis.ts';
import { refusal, UNREACHABLE } from '../support/scripted-api.ts';

/** The checks that are not ok, by name; whatever is not ok says what to do. */
function complaintsOf(checks: readonly Check[]): Record<string, string> {
  for (const { status, advice } of checks) expect(advice === undefined).toBe(status === 'ok');
  return Object.fromEntries(
    checks
      .filter(({ status }) => status !== 'ok')
      .map(({ name, status, detail }) => [name, `${status}: ${detail}`]),
  );
}

const HEALTHY_REDIS: RedisState = {
  address: '127.0.0.1:6379',
  version: '7.2.4',
  isReplica: false,
  isLoading: false,
  evictionPolicy: 'noeviction',
  usedMemoryBytes: 1_048_576,
  maxMemoryBytes: 104_857_600,
  isAppendOnly: true,
  appendFsync: 'everysec',
  hasAppendFailed: false,
  hasSnapshotFailed: false,
  latencyMs: 0.4,
  clockAheadMs: 3,
};

describe('of a Redis', () => {
  test('nothing is said against a healthy one', () => {
    expect(complaintsOf(diagnoseRedis(HEALTHY_REDIS, true))).toEqual({});
    expect(
      complaintsOf(diagnoseRedis({ ...HEALTHY_REDIS, maxMemoryBytes: 0, appendFsync: 'always' }, false)),
    ).toEqual({});
  });

  test.each<[Partial<RedisState>, string, RegExp]>([
    [{ isReplica: true }, 'redis', /^failed: .* is a replica/],
    [{ isLoading: true }, 'redis', /^failed: .* still loading/],
    [{ version: '6.0.16' }, 'redis_version', /^failed: 6\.0\.16$/],
    [{ version: '5.0.14' }, 'redis_version', /^failed/],
    [{ evictionPolicy: 'allkeys-lru' }, 'redis_eviction', /^failed: allkeys-lru: .*drops reports/],
    [{ evictionPolicy: undefined }, 'redis_eviction', /^warning: not shown/],
    [{ isAppendOnly: false }, 'redis_persistence', /^warning: no append-only file/],
    [{ appendFsync: 'no' }, 'redis_persistence', /^warning: .*appendfsync no/],
    [{ hasAppendFailed: true }, 'redis_persistence', /^failed: .*last write/],
    [{ hasSnapshotFailed: true }, 'redis_persistence', /^warning: .*snapshot failed/],
    [{ durabilityProblem: 'too old' }, 'redis_durability', /^failed: DURABILITY=fsync is refused/],
    [{ usedMemoryBytes: 83_886_080 }, 'redis_memory', /^warning: 80\.0 MiB in use of 100\.0 MiB \(80 %\)/],
    [{ usedMemoryBytes: 104_857_600 }, 'redis_memory', /^failed: .*\(100 %\): it takes no reports/],
    [{ latencyMs: 51 }, 'redis_latency', /^warning: 51\.0 ms/],
    [{ clockAheadMs: -1_500 }, 'redis_clock', /^warning: 1500 ms behind this machine/],
    [{ clockAheadMs: 60_000 }, 'redis_clock', /^warning: 60000 ms ahead of this machine/],
  ])('%j is told as %s', (state, name, complaint) => {
    const complaints = complaintsOf(diagnoseRedis({ ...HEALTHY_REDIS, ...state }, true));
    expect(Object.keys(complaints)).toEqual([name]);
    expect(complaints[name]).toMatch(complaint);
  });

  test('a clock is not blamed for what may be the way of the answer', () => {
    const far = { ...HEALTHY_REDIS, latencyMs: 800, clockAheadMs: 1_700 };
    expect(complaintsOf(diagnoseRedis(far, false))).not.toHaveProperty('redis_clock');
  });
});

const IDLE_QUEUE: QueueState = {
  depth: { waiting: 0, active: 0, delayed: 0, oldestWaitingMs: 0, paused: false },
  failedJobs: 0,
  workers: ['w1'],
};
const WAITING = { ...IDLE_QUEUE.depth, waiting: 9, oldestWaitingMs: 61_000 };

describe('of a queue', () => {
  test.each<[string, Partial<QueueState>, Record<string, unknown>]>([
    ['that is idle', {}, {}],
    ['that is busy', { depth: { ...WAITING, oldestWaitingMs: 59_000 } }, {}],
    [
      'whose reports wait too long',
      { depth: WAITING },
      { queue_depth: 'warning: 9 waiting, the oldest for 61 s; 0 active, 0 delayed' },
    ],
    [
      'that somebody paused',
      {
        depth: {
          ...WAITING,
          paused: true,
          pause: { by: 'ann', at: '2026-11-23T09:30:00Z', reason: 'upgrade' },
        },
      },
      { queue: 'warning: paused by ann since 2026-11-23T09:30:00Z: upgrade' },
    ],
    [
      'that was paused without a note',
      { depth: { ...IDLE_QUEUE.depth, paused: true } },
      { queue: 'warning: paused and nobody has left a note' },
    ],
    ['with failed jobs', { failedJobs: 3 }, { failed_jobs: expect.stringMatching(/^warning: 3 /) }],
    ['without workers', { workers: [] }, { workers: expect.stringMatching(/^warning: none is connected/) }],
    ['whose workers cannot be seen', { workers: undefined }, {}],
  ])('%s', (_what, state, complaints) => {
    expect(complaintsOf(diagnoseQueue({ ...IDLE_QUEUE, ...state }))).toEqual(complaints);
  });

  test('many workers are counted and some named', () => {
    const workers = Array.from({ length: 7 }, (_, n) => `w${n}`);
    expect(diagnoseQueue({ ...IDLE_QUEUE, workers }).at(-1)?.detail).toBe(
      '7 connected: w0, w1, w2, w3, w4 and 2 more',
    );
  });
});

const version = (number: string, isServerless = false): ElasticsearchVersion => {
  const [major = 0, minor = 0] = number.split('.').map(Number);
  return { number, major, minor, isServerless };
};
const FINE: Answer = {
  kind: 'response',
  status: 200,
  fromElasticsearch: true,
  body: { kind: 'result', result: '' },
};
const NO_HANDLER: Answer = {
  kind: 'response',
  status: 400,
  fromElasticsearch: true,
  body: { kind: 'unreadable', reason: 'no handler found for uri [/_x] and method [GET]' },
};
const node = (answer: Answer = FINE, address = 'http://a:9200'): NodeFact => ({
  address,
  answer,
  durationMs: 3,
  version: version('9.5.1'),
});
const MANAGE = neededPrivilege(version('9.5.1'));
const HEALTHY: ElasticsearchFacts = {
  nodes: [node()],
  hasCredentials: true,
  identity: { answer: FINE, username: 'elastic', apiKey: 'relay' },
  privilege: { privilege: MANAGE, answer: FINE, isHeld: true },
  connectorApi: { answer: FINE, isList: true },
};

describe('of an Elasticsearch', () => {
  test('nothing is said against a healthy one', () => {
    expect(complaintsOf(diagnoseElasticsearch(HEALTHY))).toEqual({});
    const serverless = [{ ...node(), version: version('8.11.0', true) }];
    expect(complaintsOf(diagnoseElasticsearch({ ...HEALTHY, nodes: serverless }))).toEqual({});
  });

  test('nothing is said against a key that may not see the version', () => {
    const nodes = [{ ...node(refusal(403, 'security_exception')), version: undefined }];
    expect(complaintsOf(diagnoseElasticsearch({ ...HEALTHY, nodes }))).toEqual({});
  });

  test.each<[string, Partial<ElasticsearchFacts>, Record<string, unknown>]>([
    [
      'an old one',
      { nodes: [{ ...node(), version: version('8.11.4') }] },
      { elasticsearch_version: 'failed: 8.11.4 has no connector API' },
    ],
    [
      'wrong credentials, and nothing that follows from them',
      {
        nodes: [node(refusal(401, 'security_exception'))],
        identity: { answer: refusal(401, 'security_exception'), username: undefined, apiKey: undefined },
        privilege: { privilege: MANAGE, answer: refusal(401, 'security_exception'), isHeld: undefined },
        connectorApi: { answer: refusal(401, 'security_exception'), isList: false },
      },
      { credentials: expect.stringMatching(/^failed: refused \(HTTP 401/) },
    ],
    [
      'no credentials where they are asked for',
      {
        hasCredentials: false,
        identity: { answer: refusal(401, 'security_exception'), username: undefined, apiKey: undefined },
      },
      { credentials: 'failed: none are set, and Elasticsearch asks for them' },
    ],
    [
      'security that is off',
      { identity: { answer: NO_HANDLER, username: undefined, apiKey: undefined } },
      {
        credentials: expect.stringMatching(
          /^warning: security is off: .*the credentials here are not looked at$/,
        ),
      },
    ],
    [
      'a privilege that is missing, and the refusal that comes of it',
      {
        privilege: { privilege: MANAGE, answer: FINE, isHeld: false },
        connectorApi: { answer: refusal(403, 'security_exception', 'not granted'), isList: false },
      },
      {
        privilege: 'failed: cluster privilege manage_connector: missing',
        connector_api: 'failed: refused (HTTP 403: security_exception: not granted)',
      },
    ],
    [
      'a privilege that cannot be asked for',
      { privilege: { privilege: MANAGE, answer: refusal(500, 'x'), isHeld: undefined } },
      { privilege: expect.stringMatching(/^warning: .*could not be checked/) },
    ],
    [
      'a connector API that is not there',
      { connectorApi: { answer: NO_HANDLER, isList: false } },
      { connector_api: 'failed: there is none' },
    ],
    [
      'a connector API that says something else',
      { connectorApi: { answer: FINE, isList: false } },
      { connector_api: 'failed: HTTP 200' },
    ],
  ])('%s', (_what, facts, complaints) => {
    expect(complaintsOf(diagnoseElasticsearch({ ...HEALTHY, ...facts }))).toEqual(complaints);
  });

  test.each<[string, Answer, RegExp]>([
    ['nobody listens', UNREACHABLE, /^failed: http:\/\/a:9200: connect ECONNREFUSED$/],
    ['TLS is refused', { kind: 'not-sent', cause: 'tls', type: 'EPROTO', reason: 'x' }, /EPROTO: x$/],
    [
      'the connection ends',
      { kind: 'lost', type: 'ECONNRESET', reason: 'read ECONNRESET' },
      /read ECONNRESET$/,
    ],
    ['it takes too long', { kind: 'interrupted' }, /no answer in time$/],
    ['another product answers', { ...FINE, fromElasticsearch: false }, /HTTP 200, not from Elasticsearch$/],
    ['the cluster is ill', refusal(503, 'master_not_discovered_exception'), /HTTP 503: master_not/],
  ])('a node where %s is the only thing told', (_what, answer, complaint) => {
    const complaints = complaintsOf(diagnoseElasticsearch({ nodes: [node(answer)], hasCredentials: false }));
    expect(Object.keys(complaints)).toEqual(['elasticsearch']);
    expect(complaints['elasticsearch']).toMatch(complaint);
  });

  test('one node of several that is away is a warning', () => {
    const nodes = [node(UNREACHABLE), node(FINE, 'http://b:9200')];
    expect(complaintsOf(diagnoseElasticsearch({ ...HEALTHY, nodes }))).toEqual({
      elasticsearch: 'warning: 1 of 2 nodes answer; http://a:9200: connect ECONNREFUSED',
    });
  });

  test('the privilege that is asked for goes with the version', () => {
    const nameOf = (number: string) => {
      const privilege = neededPrivilege(version(number));
      return privilege.kind === 'cluster' ? privilege.name : privilege.index;
    };
    expect(['8.12.2', '8.13.0', '8.17.9', '8.18.0', '9.0.0'].map(nameOf)).toEqual([
      'manage',
      '.elastic-connectors-sync-jobs*',
      '.elastic-connectors-sync-jobs*',
      'manage_connector',
      'manage_connector',
    ]);
    expect(neededPrivilege(undefined)).toBe(MANAGE);
    const unknown = {
      privilege: MANAGE,
      answer: refusal(400, 'illegal_argument_exception'),
      isHeld: undefined,
    };
    expect(olderPrivilege(unknown)).toMatchObject({ kind: 'index' });
    expect(olderPrivilege({ ...unknown, answer: FINE, isHeld: false })).toBeUndefined();
  });
});

describe('of a configuration', () => {
  const SETTINGS = {
    shutdownGraceMs: 15_000,
    requestTimeoutMs: 10_000,
    nodes: ['http://127.0.0.1:9200'],
    hasCredentials: true,
  };
  test.each<[string, Partial<typeof SETTINGS>, RegExp | undefined]>([
    ['fits together', {}, undefined],
    ['has no credentials to betray', { nodes: ['http://es.example:9200'], hasCredentials: false }, undefined],
    ['encrypts', { nodes: ['https://es.example:9200'] }, undefined],
    [
      'sends credentials in the open',
      { nodes: ['https://a', 'http://es.example:9200'] },
      /travel in the open/,
    ],
    [
      'gives a stopping worker too little time',
      { shutdownGraceMs: 10_000 },
      /^warning: SHUTDOWN_GRACE_MS \(10000\)/,
    ],
  ])('one that %s', (_what, settings, complaint) => {
    const { configuration } = complaintsOf(diagnoseConfiguration({ ...SETTINGS, ...settings }));
    if (complaint === undefined) expect(configuration).toBeUndefined();
    else expect(configuration).toMatch(complaint);
  });
});
