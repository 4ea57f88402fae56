/** Looks at everything the relay needs, all at once, and says what to do. */
import { connectRedis, RedisUnavailable } from './adapters/bullmq/connect-redis.ts';
import { isRefusal, unavailable } from './adapters/bullmq/describe-fault.ts';
import { readQueueState } from './adapters/bullmq/read-queue-state.ts';
import { readRedisState } from './adapters/bullmq/read-redis-state.ts';
import { type ElasticsearchProbe, type NodeProbe, openProbe } from './adapters/elasticsearch/probe.ts';
import type { Config } from './config.ts';
import { diagnoseConfiguration } from './pipeline/diagnose-configuration.ts';
import {
  answeringNode,
  diagnoseElasticsearch,
  type ElasticsearchFacts,
  isSecurityOff,
  neededPrivilege,
  olderPrivilege,
  type PrivilegeFact,
} from './pipeline/diagnose-elasticsearch.ts';
import { diagnoseQueue } from './pipeline/diagnose-queue.ts';
import { diagnoseRedis, diagnoseUnusableRedis } from './pipeline/diagnose-redis.ts';
import type { Check } from './pipeline/diagnosis.ts';

/** Longest time one service may take for a round of questions, in milliseconds. */
const DEADLINE_MS = 5_000;

/**
 * Checks the configuration, Redis, the queue and Elasticsearch. Changes nothing and never rejects for what is wrong
 * with them; takes at most twice the deadline, however dead they are.
 *
 * @throws {ElasticsearchOptionsInvalid} where these options make no sense; no message repeats a secret
 */
export async function diagnose(config: Config): Promise<readonly Check[]> {
  const { requestTimeoutMs } = config.elasticsearch;
  await using probe = openProbe({
    ...config.elasticsearch,
    requestTimeoutMs: Math.min(requestTimeoutMs, DEADLINE_MS),
  });
  const settings = diagnoseConfiguration({
    shutdownGraceMs: config.shutdownGraceMs,
    requestTimeoutMs,
    nodes: config.elasticsearch.nodes,
    hasCredentials: probe.hasCredentials,
  });
  const [redis, elasticsearch] = await Promise.all([checkRedisAndQueue(config), askElasticsearch(probe)]);
  return [...settings, ...redis, ...diagnoseElasticsearch(elasticsearch)];
}

async function checkRedisAndQueue({
  redis: { url, enqueueTimeoutMs, durability },
  names,
}: Config): Promise<Check[]> {
  const redis = connectRedis(url, 'producer', () => undefined, enqueueTimeoutMs);
  const isFsyncAsked = durability === 'fsync';
  const look = async (): Promise<Check[]> => {
    const state = await readRedisState(redis, isFsyncAsked ? enqueueTimeoutMs : undefined);
    const judged = diagnoseRedis(state, isFsyncAsked);
    // Its keys cannot be read before it has loaded them.
    if (state.isLoading) return judged;
    return [...judged, ...diagnoseQueue(await readQueueState(redis, names))];
  };
  try {
    return await within(DEADLINE_MS, look());
  } catch (cause) {
    const failure = cause instanceof RedisUnavailable ? cause : unavailable(redis, cause);
    return [diagnoseUnusableRedis(failure.message, [failure.cause, redis.lastFault].some(isRefusal))];
  } finally {
    await redis.release();
  }
}

async function askElasticsearch({
  nodes: probes,
  hasCredentials,
}: ElasticsearchProbe): Promise<ElasticsearchFacts> {
  const first = AbortSignal.timeout(DEADLINE_MS);
  const nodes = await Promise.all(probes.map((node) => node.whoAreYou(first)));
  const index = answeringNode(nodes);
  const node = probes[index];
  if (node === undefined) return { nodes, hasCredentials };

  const signal = AbortSignal.timeout(DEADLINE_MS);
  const [identity, connectorApi, privilege] = await Promise.all([
    node.whoAmI(signal),
    node.listSyncJobs(signal),
    askPrivilege(node, neededPrivilege(nodes[index]?.version), signal),
  ]);
  // Without security nobody knows of privileges.
  const held = isSecurityOff(identity) ? {} : { privilege };
  return { nodes, hasCredentials, identity, connectorApi, ...held };
}

async function askPrivilege(
  node: NodeProbe,
  privilege: ReturnType<typeof neededPrivilege>,
  signal: AbortSignal,
): Promise<PrivilegeFact> {
  const fact = await node.mayI(privilege, signal);
  const older = olderPrivilege(fact);
  return older === undefined ? fact : await node.mayI(older, signal);
}

async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => deadline.reject(new Error(`no whole answer within ${deadlineMs} ms`)),
    deadlineMs,
  );
  try {
    return await Promise.race([work, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}
