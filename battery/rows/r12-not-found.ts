import { setTimeout as sleep } from 'node:timers/promises';
import { finding } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { shuffled } from '../seeded.ts';
import { openStage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const PAGE = '<html><body><h1>404 Not Found</h1><hr>nginx</body></html>';
const ANSWER = `HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: ${PAGE.length}\r\nConnection: close\r\n\r\n${PAGE}`;
const SETTLE_MS = 180_000;

/** R12: a 404 of Elasticsearch's own beside a proxy's. */
export const notFound: Row = defineRow({
  id: 'R12',
  fault: 'genuine 404 and a proxy’s 404, mixed',
  sizes: {
    full: { reports: 10_000, workers: 3, inflowMs: 30_000 },
    short: { reports: 1_000, workers: 2, inflowMs: 5_000 },
  },
  async run(context, { reports: count, workers, inflowMs }) {
    await using stage = await openStage(context, { workers });
    const running = makeReports('running', count / 2);
    const gone = makeReports('gone', count / 2, { dead: 'sync_job_not_found' });
    stage.putSyncJobsOf(running);
    await stage.fleet.start();
    for (const { elasticsearch } of stage.fleet.slots) {
      elasticsearch.strike({ kind: 'answer', bytes: ANSWER }, { probability: 0.5, forMs: inflowMs });
    }
    const reports = shuffled([...running, ...gone], stage.random('order'));
    await Promise.all([stage.producer.inflow(reports, (count / inflowMs) * 1_000), sleep(inflowMs)]);
    await stage.settle(SETTLE_MS);

    const evidence = await stage.evidence();
    const struck = evidence.exchanges.filter(({ exchange }) => exchange.fault === 'answer').length;
    const buried = new Set(evidence.letters.map(({ id }) => id));
    const genuine = evidence.reports.filter(({ ending }) => ending !== 'applied');
    const missed = genuine.filter(({ jobId }) => !buried.has(`d-${jobId}`)).length;
    const wrong = evidence.reports.filter(
      ({ ending, jobId }) => ending === 'applied' && buried.has(`d-${jobId}`),
    ).length;
    return [
      ...commonFindings(evidence),
      finding(
        'genuine 404',
        missed === 0 && wrong === 0 && struck > 0,
        `${genuine.length - missed} of ${genuine.length} genuine ones dead-lettered; ${wrong} others, after ${struck} answers of a proxy’s 404`,
        'all, and 0',
      ),
    ];
  },
});
