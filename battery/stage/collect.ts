import type { StandIn } from '../../src/stand-in/index.ts';
import type { Evidence, Letter } from '../judge/evidence.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import type { Fleet } from './fleet.ts';
import type { OwnRedis } from './own-redis.ts';
import type { Producer } from './producer.ts';
import { allKeys, bundledReports, jobIdOf, queueDepth, textOf } from './raw-queue.ts';
import { readSettled } from './read-settled.ts';

/** What stock is taken of. */
export interface Subjects {
  readonly redis: OwnRedis;
  readonly standIn: StandIn;
  readonly fleet: Fleet;
  readonly producer: Producer;
  readonly scenery: ReadonlyMap<string, ReadonlySet<string>>;
  readonly secrets: readonly string[];
  readonly prefix: string;
}

/** Takes stock of everything at the end of a run. */
export async function collectEvidence(
  subjects: Subjects,
  env: { readonly MAX_CONCURRENCY: string },
): Promise<Evidence> {
  const { redis, standIn, fleet, producer, prefix } = subjects;
  const found = await searchRedis(subjects);
  const settled = await readSettled(fleet);
  return {
    reports: [...producer.acknowledged.values()],
    unacknowledged: producer.unacknowledged,
    syncJobs: new Map([...standIn.syncJobs()].map((job) => [job.id, job])),
    scenery: subjects.scenery,
    stateChanges: stateChanges(standIn),
    brokenAnswers: brokenAnswers(standIn),
    letters: found.letters,
    letterCounts: await producer.relay.deadLetters.counts(),
    letterTotal: (await producer.relay.deadLetters.list({ offset: 0, limit: 1 })).total,
    depth: await queueDepth(redis.client, prefix),
    jobsInRedis: found.jobs,
    otherKeys: found.otherKeys,
    exchanges: fleet.exchanges(),
    lines: fleet.lines,
    settled,
    workers: fleet.workers.map(({ slot, incarnation, killedAtMs, exit, peakRssMiB }) => ({
      slot,
      incarnation,
      killedAtMs,
      exitCode: exit?.code,
      peakRssMiB,
    })),
    concurrency: Number(env.MAX_CONCURRENCY),
    peakInFlight: Math.max(0, ...fleet.slots.map(({ elasticsearch }) => elasticsearch.peakOpen)),
    secretsFound: [...(fleet.secretsPrinted > 0 ? ['logs'] : []), ...found.secretsIn],
  };
}

/** A request that was answered 200 with its work done: a page of HTML in Elasticsearch's place does none. */
function stateChanges(standIn: StandIn): Map<string, number> {
  const changes = new Map<string, number>();
  for (const { method, path, fault } of standIn.ledger.entries({ status: 200 })) {
    const asked = fault === 'html' ? undefined : askedOf(method, path);
    if (asked?.kind === 'set') changes.set(asked.syncJobId, (changes.get(asked.syncJobId) ?? 0) + 1);
  }
  return changes;
}

/** What stands before the letter, if anything does, is one line for the relay's own indexes. */
function letterIn(text: string): Letter {
  return JSON.parse(text.startsWith('{') ? text : text.slice(text.indexOf('\n') + 1)) as Letter;
}

/** Answers to a request to set an error that came as 200 and yet told the relay nothing. */
function brokenAnswers(standIn: StandIn): Map<string, number> {
  const broken = new Map<string, number>();
  for (const { method, path, fault } of standIn.ledger.entries({ status: 200 })) {
    const asked = fault === undefined || fault === 'latency' ? undefined : askedOf(method, path);
    if (asked?.kind === 'set') broken.set(asked.syncJobId, (broken.get(asked.syncJobId) ?? 0) + 1);
  }
  return broken;
}

async function searchRedis({ redis, prefix, secrets }: Subjects): Promise<{
  readonly jobs: ReadonlySet<string>;
  readonly letters: readonly Letter[];
  readonly otherKeys: number;
  readonly secretsIn: readonly string[];
}> {
  const jobs = new Set<string>(await bundledReports(redis.client, prefix));
  const letters: Letter[] = [];
  const secretsIn: string[] = [];
  let otherKeys = 0;
  for await (const keys of allKeys(redis.client)) {
    const texts = await Promise.all(keys.map((key) => textOf(redis.client, key)));
    keys.forEach((key, index) => {
      const text = `${key} ${texts[index] ?? ''}`;
      if (secrets.some((secret) => text.includes(secret))) secretsIn.push(`Redis key ${key}`);
      const id = jobIdOf(key, prefix);
      if (id !== undefined) jobs.add(id);
      else if (key.startsWith(`${prefix}:dead-letters:letter:`)) letters.push(letterIn(texts[index] ?? ''));
      else otherKeys += 1;
    });
  }
  return { jobs, letters, otherKeys, secretsIn };
}
