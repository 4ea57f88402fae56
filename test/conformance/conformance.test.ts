/**
 * The conformance suite: always on the stand-in; on a real Elasticsearch where ELASTICSEARCH_URL and
 * CONFORMANCE=1 are set, with ELASTICSEARCH_API_KEY or credentials in the URL, or where the run has one
 * in a container.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type StandIn, startStandIn } from '../../src/stand-in/index.ts';
import type { ConformanceCase } from './case.ts';
import { connectorCases } from './cases/connectors.ts';
import { failSyncJobCases } from './cases/fail-sync-job.ts';
import { httpLayerCases } from './cases/http-layer.ts';
import { syncJobCases } from './cases/sync-jobs.ts';
import { type Difference, renderDifferences, runCase, type Target } from './run-case.ts';

const suites: Readonly<Record<string, readonly ConformanceCase[]>> = {
  'failing a sync job': failSyncJobCases,
  'sync jobs': syncJobCases,
  connectors: connectorCases,
  'the HTTP layer': httpLayerCases,
};

describe('the stand-in', () => {
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await startStandIn();
  });
  afterAll(() => standIn.stop());

  for (const [suite, cases] of Object.entries(suites)) {
    describe(suite, () => {
      it.each(cases.map((testCase) => [testCase.name, testCase] as const))('%s', async (_, testCase) => {
        expect(await runCase({ url: standIn.url, headers: {}, mayMonitor: true }, testCase)).toEqual([]);
      });
    });
  }
});

const real = realTarget();

describe(`a real Elasticsearch${typeof real === 'string' ? ` (skipped: ${real})` : ''}`, () => {
  it.skipIf(typeof real === 'string')(
    'answers every case as expected',
    async () => {
      if (typeof real === 'string') return;
      const rows: { name: string; differences: Difference[] }[] = [];
      let count = 0;
      for (const [suite, cases] of Object.entries(suites)) {
        for (const testCase of cases) {
          count++;
          const differences = await runCase(real, testCase);
          if (differences.length > 0) rows.push({ name: `${suite}: ${testCase.name}`, differences });
        }
      }
      process.stdout.write(`\n${count - rows.length} of ${count} cases answered as expected\n`);
      if (rows.length > 0) process.stdout.write(`${renderDifferences(rows)}\n`);
      expect(rows).toEqual([]);
    },
    600_000,
  );
});

/** The Elasticsearch to compare with, or why there is none. */
function realTarget(): Target | string {
  const { CONFORMANCE, ELASTICSEARCH_URL, ELASTICSEARCH_API_KEY } = process.env;
  const container = inject('elasticsearchUrl');
  if (typeof container === 'string') {
    return { url: container, headers: apiKeyHeader(inject('elasticsearchApiKey')), mayMonitor: false };
  }
  if (CONFORMANCE !== '1') return 'CONFORMANCE is not 1, and the run has no container';
  if (ELASTICSEARCH_URL === undefined || ELASTICSEARCH_URL === '') return 'ELASTICSEARCH_URL is not set';
  const url = new URL(ELASTICSEARCH_URL);
  const headers = { ...basicHeader(url), ...apiKeyHeader(ELASTICSEARCH_API_KEY) };
  url.username = '';
  url.password = '';
  return { url: url.href, headers, mayMonitor: true };
}

function apiKeyHeader(key: string | null | undefined): Record<string, string> {
  return key === undefined || key === null || key === '' ? {} : { authorization: `ApiKey ${key}` };
}

function basicHeader({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
