import { finding } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import type { Ending, OracleReport } from '../stage/producer.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { defineRow, type Row } from './row.ts';

const STATES = [
  'pending',
  'in_progress',
  'canceling',
  'suspended',
  'completed',
  'canceled',
  'error',
] as const;

type State = (typeof STATES)[number];

/** What an `error` sync job holds: the report's own text, another, or that of the connector service's idle check. */
const TEXTS = ['own', 'other', 'idle'] as const;

type Text = (typeof TEXTS)[number];

const IDLE_TEXT = 'The job has not seen any update for some time.';

/** One report: its sync job's state when it is sent, and when it is read back. */
interface Pair {
  readonly first: State;
  readonly then: State;
  readonly text: Text;
  readonly report: OracleReport;
  /** What the first line about it in the log must say. */
  readonly firstCode: string;
}

const SETTLE_MS = 60_000;

/** R13: every state of a sync job, and every change between the refusal and the read-back. */
export const states: Row = defineRow({
  id: 'R13',
  fault: 'all 7 job states, and a state change before the read-back',
  sizes: { full: { rounds: 20 }, short: { rounds: 2 } },
  async run(context, { rounds }) {
    await using stage = await openStage(context, {
      workers: 1,
      env: { NOT_RUNNING_MAX_MS: '2000', NOT_RUNNING_DELAY_MS: '500' },
    });
    const pairs = Array.from({ length: rounds }, (_, round) => pairsOf(round)).flat();
    for (const { report, first, text } of pairs) put(stage, report, first, text);
    const byId = new Map(pairs.map((pair) => [pair.report.syncJobId, pair]));
    for (const { elasticsearch } of stage.fleet.slots) {
      elasticsearch.watch(({ from, exchange }) => {
        const asked = exchange === undefined ? undefined : askedOf(exchange.method, exchange.path);
        const pair = asked?.kind === 'read' && from === 'client' ? byId.get(asked.syncJobId) : undefined;
        // Once: what the relay does next happens to the sync job as it then is.
        if (pair !== undefined) {
          byId.delete(pair.report.syncJobId);
          put(stage, pair.report, pair.then, pair.text);
        }
        return 'pass';
      });
    }
    await stage.fleet.start();
    await stage.producer.report(pairs.map(({ report }) => report));
    await stage.settle(SETTLE_MS);

    const evidence = await stage.evidence();
    const firstCodes = new Map<string, string>();
    for (const { fields } of evidence.lines) {
      const id = String(fields['connector_sync_job_id']);
      if (!firstCodes.has(id)) firstCodes.set(id, String(fields['code']));
    }
    const wrong = pairs.filter(({ report, firstCode }) => firstCodes.get(report.syncJobId) !== firstCode);
    const shown = wrong
      .slice(0, 3)
      .map(
        ({ first, then, text, firstCode, report }) =>
          ` ${first}>${then}/${text}: ${firstCodes.get(report.syncJobId)}, not ${firstCode}`,
      );
    return [
      ...commonFindings(evidence),
      finding(
        'verdict table',
        wrong.length === 0,
        `${pairs.length - wrong.length} of ${pairs.length} verdicts as tabled, ${STATES.length ** 2} pairs${shown.join(';')}`,
        'all',
      ),
    ];
  },
});

function pairsOf(round: number): Pair[] {
  return STATES.flatMap((first) =>
    STATES.flatMap((then) =>
      (first === 'error' || then === 'error' ? TEXTS : (['own'] as const)).map((text) => {
        const { firstCode, ending } = verdictOf(first, then, text);
        const syncJobId = `${first}-${then}-${text}-${round}`;
        return {
          first,
          then,
          text,
          firstCode,
          report: { syncJobId, error: `Error of ${syncJobId}`, ending },
        };
      }),
    ),
  );
}

/** The verdict table, for a report that meets one state and then another. */
function verdictOf(
  first: State,
  then: State,
  text: Text,
): { readonly firstCode: string; readonly ending: Ending } {
  if (first === 'in_progress' || first === 'canceling') return { firstCode: 'applied', ending: 'applied' };
  const dead = (code: string): { firstCode: string; ending: Ending } => ({
    firstCode: code,
    ending: { dead: code },
  });
  switch (then) {
    case 'in_progress':
    case 'canceling':
      return { firstCode: 'applied', ending: 'applied' };
    case 'pending':
    case 'suspended':
      return dead('not_running');
    case 'completed':
    case 'canceled':
      return dead('terminal_state');
    case 'error':
      if (text === 'own') return { firstCode: 'already_applied', ending: 'applied' };
      return dead(text === 'idle' ? 'idle_cleanup' : 'superseded');
  }
}

function put(stage: Stage, report: OracleReport, state: State, text: Text): void {
  const texts: Readonly<Record<Text, string>> = {
    own: report.error,
    other: `Another error of ${report.syncJobId}`,
    idle: IDLE_TEXT,
  };
  stage.putSyncJob(report.syncJobId, state, state === 'error' ? texts[text] : undefined);
}
