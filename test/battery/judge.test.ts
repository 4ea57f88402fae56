/** The judge has to be able to fail: each test spoils one thing in a run that was good, and is caught. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Evidence, Letter } from '../../battery/judge/evidence.ts';
import type { Finding } from '../../battery/judge/finding.ts';
import { honestHealth } from '../../battery/judge/health.ts';
import { commonFindings } from '../../battery/judge/invariants.ts';
import { boundedLoad, liveness, noAttemptBurned } from '../../battery/judge/outage.ts';
import { makeReports } from '../../battery/rows/reports.ts';
import { openStage, type Stage } from '../../battery/stage/stage.ts';
import type { LogLine } from '../../battery/stage/worker-process.ts';
import { evidence, line, report } from './evidence.ts';

const failedOf = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ invariant, holds }) => (holds ? [] : [invariant.split(' ')[0] ?? '']));

const failed = (spoilt: Partial<Evidence>): string[] => failedOf(commonFindings(evidence(spoilt)));

describe('the judge', () => {
  test('finds nothing where everything is as it should be', () => {
    expect(failed({})).toEqual([]);
  });

  test('sees a report that is nowhere', () => {
    expect(failed({ letters: [], letterCounts: {}, letterTotal: 0 })).toContain('I1');
  });

  test('sees a report that was not ended', () => {
    expect(failed({ jobsInRedis: new Set(['r-applied']) })).toContain('I1');
    expect(failed({ depth: 1 })).toContain('I1');
  });

  test('sees a report with two endings', () => {
    const buried: Letter = {
      id: 'd-r-applied',
      code: 'sync_job_not_found',
      report: { connector_sync_job_id: 'applied', error: 'Error of applied' },
    };
    const { letters } = evidence({});
    const found = failed({ letters: [...letters, buried] });
    expect(found).toEqual(expect.arrayContaining(['I1', 'I2', 'I4', 'I9']));
  });

  test('sees a text that belongs to another sync job', () => {
    const syncJobs = new Map([['applied', { status: 'error', error: 'Error of another' }]]);
    expect(failed({ syncJobs })).toEqual(expect.arrayContaining(['I1', 'I2']));
  });

  test('sees a text that was shortened in another way than the specified one', () => {
    const error = 'x'.repeat(40_000);
    const held = 'x'.repeat(32_766);
    const found = failed({
      reports: [report('applied', 'applied', error)],
      syncJobs: new Map([['applied', { status: 'error', error: held }]]),
      letters: [],
      letterCounts: {},
      letterTotal: 0,
    });
    expect(found).toContain('I2');
  });

  test('sees a sync job that was changed twice', () => {
    expect(failed({ stateChanges: new Map([['applied', 2]]) })).toEqual(['I3']);
  });

  test('sees a request that nothing explains', () => {
    const { exchanges } = evidence({});
    const again = { slot: 1, exchange: { ...exchanges[0]?.exchange, atMs: 3_000 } };
    expect(failed({ exchanges: [...exchanges, again as (typeof exchanges)[number]] })).toEqual(['I3']);
  });

  test('takes a kill that hit the request for an explanation, and one that came before it for none', () => {
    const request = { method: 'PUT', path: '/_connector/_sync_job/applied/_error', bytesBack: 0 };
    const exchanges = [
      { slot: 0, exchange: { ...request, atMs: 1_000 } },
      { slot: 1, exchange: { ...request, atMs: 16_000, status: 200 } },
      { slot: 1, exchange: { ...request, atMs: 17_000, status: 200 } },
    ];
    const worker = { slot: 0, incarnation: 0, exitCode: null, peakRssMiB: 100 };
    const lines = [
      line('report applied', { slot: 1, atMs: 18_000, syncJobId: 'applied' }),
      line('report is a dead letter', { atMs: 1_500, syncJobId: 'gone' }),
    ];
    const once = exchanges.slice(0, 2);
    const hit = { ...worker, killedAtMs: 1_001 };
    // A process that was killed says no more what it has counted.
    expect(failed({ exchanges: once, lines, workers: [hit], settled: [] })).toEqual([]);
    const before = { ...worker, killedAtMs: 999 };
    // Unanswered requests explain themselves, so the first is answered here.
    const answered = [{ slot: 0, exchange: { ...request, atMs: 1_000, status: 200 } }, ...exchanges.slice(1)];
    expect(failed({ exchanges: answered, lines, workers: [before] })).toContain('I3');
  });

  test('sees a dead letter of another code than the report demands', () => {
    const { letters } = evidence({});
    const poisoned = letters.map((letter) => ({ ...letter, code: 'poison' }));
    expect(failed({ letters: poisoned, letterCounts: { poison: 1 } })).toEqual(['I4', 'I9']);
  });

  test('sees counts that are not the oracle’s, and endings that nobody logged', () => {
    expect(failed({ letterCounts: { sync_job_not_found: 2 } })).toEqual(['I9']);
    expect(failed({ letterTotal: 0 })).toEqual(['I9']);
    expect(failed({ lines: [] })).toEqual(['I9']);
    const miscounted = { applied: 2, sync_job_not_found: 1 };
    expect(failed({ settled: [{ slot: 0, incarnation: 0, counts: miscounted }] })).toEqual(['I9']);
    expect(failed({ settled: [{ slot: 0, incarnation: 0, counts: { applied: 1 } }] })).toEqual(['I9']);
  });

  test('sees too much memory, too many requests at once, and secrets', () => {
    const worker = { slot: 0, incarnation: 0, killedAtMs: undefined, exitCode: 0, peakRssMiB: 257 };
    expect(failed({ workers: [worker] })).toEqual(['I8']);
    expect(failed({ peakInFlight: 51 })).toEqual(['I8']);
    expect(failed({ secretsFound: ['logs'] })).toEqual(['I10']);
  });
});

describe('the judge of an outage', () => {
  const open = { fromMs: 0, toMs: 10_000 };
  const probes = (...times: number[]): Evidence['exchanges'] =>
    times.map((atMs) => ({
      slot: 1,
      exchange: { atMs, method: 'PUT', path: '/_connector/_sync_job/a/_error', bytesBack: 0 },
    }));

  test('sees more than one probe in two seconds', () => {
    expect(boundedLoad(evidence({ exchanges: probes(0, 2_000, 4_000) }), open, 0).holds).toBe(true);
    expect(boundedLoad(evidence({ exchanges: probes(0, 1_000, 4_000) }), open, 0).holds).toBe(false);
  });

  test('counts refused connections by the log', () => {
    const refused = (atMs: number): LogLine => line('report waits', { atMs, type: 'ECONNREFUSED' });
    expect(boundedLoad(evidence({ lines: [refused(1), refused(500)] }), open, 0).holds).toBe(false);
  });

  test('sees an attempt that was used', () => {
    const lines = [line('attempt failed', { atMs: 5_000, syncJobId: 'a' })];
    expect(noAttemptBurned(evidence({ lines }), open).holds).toBe(false);
    expect(noAttemptBurned(evidence({ lines }), { fromMs: 6_000, toMs: 9_000 }).holds).toBe(true);
  });

  test('sees a late recovery', () => {
    const good = {
      freshMs: 1_000,
      inOrderMs: 6_000,
      firstMs: 500,
      backlog: 1_000,
      drainMs: 6_000,
      faultFreeRate: 1_000,
    };
    expect(liveness(good).holds).toBe(true);
    expect(liveness({ ...good, freshMs: 5_001 }).holds).toBe(false);
    expect(liveness({ ...good, freshMs: undefined }).holds).toBe(false);
    expect(liveness({ ...good, inOrderMs: 6_300 }).holds).toBe(false);
    expect(liveness({ ...good, inOrderMs: undefined }).holds).toBe(false);
    expect(liveness({ ...good, drainMs: 6_300 }).holds).toBe(false);
  });

  test('sees health that is told late, without a reason, or wrongly', () => {
    const look = (atMs: number, status: number, path: '/readyz' | '/livez' = '/readyz') => ({
      atMs,
      answeredAtMs: atMs,
      path,
      status,
      body: JSON.stringify({ reasons: status === 503 ? { elasticsearch: 'refused' } : {} }),
    });
    const fault = { fromMs: 0, toMs: 20_000 };
    const good = [look(100, 503), look(6_000, 503), look(20_100, 200)];
    expect(honestHealth(good, fault).holds).toBe(true);
    expect(honestHealth([look(5_100, 503), look(20_100, 200)], fault).holds).toBe(false);
    expect(honestHealth([look(100, 503), look(25_100, 200)], fault).holds).toBe(false);
    expect(honestHealth([...good, look(10_000, 200)], fault).holds).toBe(false);
    expect(honestHealth([...good, look(10_000, 0, '/livez')], fault).holds).toBe(false);
    expect(honestHealth([{ ...look(100, 503), body: '{}' }, look(20_100, 200)], fault).holds).toBe(false);
  });
});

describe('a whole run that is sabotaged', () => {
  async function run(): Promise<Stage> {
    const stage = await openStage({ seed: 1, log: () => undefined, say: () => undefined }, { workers: 1 });
    onTestFinished(() => stage[Symbol.asyncDispose]());
    const running = makeReports('running', 20);
    stage.putSyncJobsOf(running);
    await stage.fleet.start();
    await stage.producer.report([...running, ...makeReports('gone', 5, { dead: 'sync_job_not_found' })]);
    expect(await stage.settle(20_000)).toBe(true);
    // The last lines of the log are on their way.
    await sleep(200);
    expect(failedOf(commonFindings(await stage.evidence()))).toEqual([]);
    return stage;
  }

  const letterKeys = async (stage: Stage): Promise<string[]> =>
    (await stage.redis.client.keys('*')).filter((key) => key.includes(':dead-letters:letter:'));

  test('is caught: a letter taken out of Redis, an error taken out of Elasticsearch, a request repeated', async () => {
    const stage = await run();
    const [letter] = await letterKeys(stage);
    await stage.redis.client.del(letter ?? '');
    expect(failedOf(commonFindings(await stage.evidence()))).toEqual(expect.arrayContaining(['I1', 'I9']));

    stage.putSyncJob('running-0', 'in_progress');
    expect(failedOf(commonFindings(await stage.evidence()))).toContain('I1');

    const [slot] = stage.fleet.slots;
    await fetch(`http://127.0.0.1:${slot?.elasticsearch.port}/_connector/_sync_job/running-0/_error`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        authorization: `ApiKey ${stage.env['ELASTICSEARCH_API_KEY']}`,
      },
      body: JSON.stringify({ error: 'Error 0 of running: the source did not answer' }),
    });
    expect(failedOf(commonFindings(await stage.evidence()))).toContain('I3');
  }, 60_000);

  test('is caught: a job deleted from the queue, and a secret written down', async () => {
    const stage = await run();
    await stage.fleet.stop();
    const late = makeReports('late', 2);
    stage.putSyncJobsOf(late);
    for (const one of late) await stage.producer.report([one]);
    const job = (await stage.redis.client.keys('*')).find((key) => /:r-[\w-]+$/.test(key)) ?? '';
    await stage.redis.client.lrem('{battery}:reports:wait', 0, job.slice(job.lastIndexOf(':') + 1));
    await stage.redis.client.del(job);
    await stage.redis.client.set('note', `the key is ${stage.secrets[1]}`);

    const [first, ...others] = commonFindings(await stage.evidence());
    expect(first).toMatchObject({ holds: false, figure: expect.stringContaining('lost 1, unaccounted 1') });
    expect(failedOf(others)).toContain('I10');
  }, 60_000);
});
