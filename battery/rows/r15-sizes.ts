import { finding, round } from '../judge/finding.ts';
import { fits } from '../judge/fits.ts';
import { commonFindings } from '../judge/invariants.ts';
import type { OracleReport } from '../stage/producer.ts';
import { openStage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const LIMIT_BYTES = 32_766;
const MEBIBYTE = 1_048_576;
const SETTLE_MS = 120_000;

/** R15: texts around the limit, far above it, and very many at once. */
export const sizes: Row = defineRow({
  id: 'R15',
  fault: '32,766 ± 1 bytes, multi-byte at the edge, 1 MiB, 10 MiB; a large batch',
  sizes: { full: { batch: 10_000, large: 100 }, short: { batch: 2_000, large: 20 } },
  async run(context, { batch, large }) {
    await using stage = await openStage(context, { workers: 1 });
    const edge = textsAtTheEdge().map(
      (error, n): OracleReport => ({ syncJobId: `edge-${n}`, error, ending: 'applied' }),
    );
    const whole = Array.from(
      { length: large },
      (_, n): OracleReport => ({ syncJobId: `large-${n}`, error: textOf(MEBIBYTE, n), ending: 'applied' }),
    );
    const many = makeReports('many', batch);
    stage.putSyncJobsOf([...edge, ...whole, ...many]);
    await stage.fleet.start();
    await stage.producer.report(edge);
    await stage.producer.report(whole);
    await stage.producer.report(many);
    const tooLong = await stage.producer.relay.report({
      connector_sync_job_id: 'too-long',
      error: textOf(10 * MEBIBYTE, 0),
    });
    await stage.settle(SETTLE_MS);

    const untouched = edge.filter(({ error }) => Buffer.byteLength(error) <= LIMIT_BYTES);
    const held = ({ syncJobId }: OracleReport): string => stage.standIn.syncJob(syncJobId)?.error ?? '';
    const changed = untouched.filter((report) => held(report) !== report.error).length;
    const shortened = [...edge, ...whole].filter(({ error }) => Buffer.byteLength(error) > LIMIT_BYTES);
    const wrong = shortened.filter((report) => !fits(held(report), report.error)).length;
    const least = Math.min(...shortened.map((report) => Buffer.byteLength(held(report))));
    const split = shortened.filter((report) => held(report).includes('\uFFFD')).length;
    return [
      ...commonFindings(await stage.evidence()),
      finding(
        'exact limit',
        changed === 0 && wrong === 0 && split === 0,
        `${untouched.length} texts up to the limit, ${changed} changed; ${shortened.length} above it, ${wrong} wrongly shortened, ${split} split in a code point, at least ${round(least)} bytes kept`,
        '0, 0, 0',
      ),
      finding('above the cap', tooLong.status === 'invalid', `10 MiB: ${tooLong.status}`, 'invalid'),
    ];
  },
});

/** Every length around the limit, in characters of one to four bytes, so that one of them straddles it. */
function textsAtTheEdge(): string[] {
  return ['x', 'é', '語', '🔒'].flatMap((character) => {
    const width = Buffer.byteLength(character);
    return [-1, 0, 1, 2, 3].map((more) => {
      const wanted = LIMIT_BYTES + more;
      const count = Math.floor(wanted / width);
      return 'a'.repeat(wanted - count * width) + character.repeat(count);
    });
  });
}

/** A text of so many bytes, unlike any other. */
function textOf(bytes: number, n: number): string {
  const start = `Traceback ${n}\n`;
  const end = `\nTimeoutError ${n}`;
  return `${start}${'语'.repeat(Math.floor((bytes - start.length - end.length) / 3))}${end}`;
}
