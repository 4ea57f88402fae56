/** What redriving asks of the world, and what a run is. */
import type { DeadLetterFilter } from '../domain/dead-letter-filter.ts';
import type { ErrorReport } from '../domain/error-report.ts';
import type { JobHistory } from '../domain/job.ts';
import type { LetterPosition, LetterVersion } from './dead-letter-ports.ts';

/** How dead letters are put back. */
export interface RedriveOptions {
  /** Who does it, for the letters' lineage and the audit log. */
  readonly by: string;
  /** Most reports a second, from 1 to 10,000; 100 where absent. */
  readonly rate?: number | undefined;
  /** Most reports in all; no end where absent. */
  readonly limit?: number | undefined;
  /** Reports that go first, alone: the rest only goes when all of them have passed. 0, none, where absent. */
  readonly canary?: number | undefined;
  /** How long the canaries may take until the run stops, in milliseconds; 120,000 where absent. */
  readonly canaryTimeoutMs?: number | undefined;
  /**
   * Stops when so many of the reports are dead again with the code they had before; 1 where absent, and 0 goes on
   * whatever comes back.
   */
  readonly stopAfter?: number | undefined;
  /** Passes over letters that have been redriven so often already, from 1 to 100; 10 where absent. */
  readonly maxRedrives?: number | undefined;
}

/** What holds where nothing else is said. */
export const REDRIVE_DEFAULTS: {
  readonly [Option in 'rate' | 'canary' | 'canaryTimeoutMs' | 'stopAfter' | 'maxRedrives']: number;
} = { rate: 100, canary: 0, canaryTimeoutMs: 120_000, stopAfter: 1, maxRedrives: 10 };

/** Beyond this rate a run would hold up those who hand in reports. */
export const MAX_REDRIVE_RATE = 10_000;

/** What became of letters that a run came to; the same words in its record and in `--json`. */
export const REDRIVE_VERDICTS = [
  /** It is a job again. */
  'redriven',
  /** The same report is in the queue already, so the letter stays. */
  'on_its_way',
  /** It was edited, purged or redriven by somebody else at that moment. */
  'changed',
  /** It holds no report: it has to be edited first. */
  'no_report',
  /** It has been redriven too often already. */
  'too_often',
  /** The queue did not take it, so the letter stays. */
  'failed',
] as const;

export type RedriveVerdict = (typeof REDRIVE_VERDICTS)[number];

/** A redrive run as its record in Redis tells it. */
export interface RedriveRun {
  readonly id: string;
  /**
   * `running`: a process is at it. `interrupted`: its process is gone, and it can be resumed. `stopped`: it ended
   * itself, see `reason`, and can be resumed as well. `cancelled`, `done`: over.
   */
  readonly state: 'running' | 'interrupted' | 'stopped' | 'cancelled' | 'done';
  /** The canaries are sent, awaited, and then the rest is sent. */
  readonly phase: 'canary' | 'waiting' | 'rest';
  readonly by: string;
  readonly filter: DeadLetterFilter;
  /** Reports a second. */
  readonly rate: number;
  readonly limit: number | null;
  readonly canary: number;
  readonly canary_timeout_ms: number;
  readonly stop_after: number;
  readonly max_redrives: number;
  /** Letters that matched when it began. */
  readonly matched: number;
  /** Letters that died then or later, in milliseconds since 1970, are none of its business. */
  readonly dead_before_ms: number;
  readonly counts: Readonly<Record<RedriveVerdict, number>>;
  /** Of the reports it put back, those that are dead again now. */
  readonly again: number;
  /** Of those, the ones with the code they had before. */
  readonly again_same_code: number;
  /** ISO 8601. */
  readonly started_at: string;
  readonly updated_at: string;
  readonly ended_at: string | null;
  /** Why it stopped, or who cancelled it. */
  readonly reason: string | null;
}

/** A run as whoever carries it out has to know it. */
export interface RedriveWork {
  readonly run: RedriveRun;
  /** Where it stands among the letters. */
  readonly after?: LetterPosition | undefined;
  /** The number of letters with the same code again at which it stops; 0 where it never does. */
  readonly stopAt: number;
  /** Whether it had stopped itself, and was resumed all the same. */
  readonly isSecondTry: boolean;
  /** Proves that this process and no other carries it out. */
  readonly lease: string;
}

/** A letter on its way into the queue. */
export interface LetterMove extends LetterVersion {
  readonly jobId: string;
  readonly report: ErrorReport;
  readonly history: JobHistory;
}

/** What stands against going on. */
export type RedriveStop =
  /** Another process has taken the run over. */
  'lost' | 'cancelled' | 'same_code';

export type RedriveStanding = 'go' | RedriveStop;

export type CanaryOutcome = 'pending' | 'passed' | 'dead';

/** Keeps the records of runs, and moves letters. */
export interface Redrives {
  /** Begins a run, unless another one is being carried out. */
  begin(
    run: Omit<
      RedriveRun,
      'id' | 'state' | 'counts' | 'again' | 'again_same_code' | 'updated_at' | 'ended_at' | 'reason'
    >,
  ): Promise<RedriveWork | Busy>;
  /** Takes up a run where its record says it stands, unless it or another one is being carried out. */
  resume(id: string, by: string, atMs: number): Promise<RedriveWork | Busy | 'unknown' | 'over'>;
  /** Makes a run end, whoever carries it out. */
  cancel(id: string, by: string, atMs: number): Promise<'cancelled' | 'unknown' | 'over'>;
  get(id: string): Promise<RedriveRun | undefined>;
  /** The last runs, newest first. */
  list(): Promise<readonly RedriveRun[]>;
  /**
   * Moves letters into the queue, each in one step with its going, and notes in the run's record what became of
   * them. Where something stands against going on, it moves none.
   */
  move(work: RedriveWork, letters: readonly LetterMove[], at: MoveNote): Promise<MoveAnswer>;
  /** Notes letters that were passed over. */
  pass(
    work: RedriveWork,
    counts: Readonly<Partial<Record<RedriveVerdict, number>>>,
    at: MoveNote,
  ): Promise<void>;
  /** Keeps the lease, and says what stands against going on. */
  keep(work: RedriveWork): Promise<RedriveStanding>;
  setPhase(work: RedriveWork, phase: RedriveRun['phase']): Promise<void>;
  /** What became of the canaries, in the order they went. */
  canaries(work: RedriveWork): Promise<readonly CanaryOutcome[]>;
  /** Ends a run, or only this process' part in it where the state is `interrupted`. */
  end(
    work: RedriveWork,
    state: 'done' | 'stopped' | 'interrupted',
    reason: string | null,
    atMs: number,
  ): Promise<void>;
}

/** Another run is being carried out. */
export interface Busy {
  readonly busy: string;
}

export interface MoveNote {
  readonly atMs: number;
  /** The last letter that is settled with this. */
  readonly after: LetterPosition;
  readonly isCanary: boolean;
}

export type MoveAnswer =
  | { readonly kind: 'moved'; readonly verdicts: readonly RedriveVerdict[] }
  | { readonly kind: 'stopped'; readonly by: RedriveStop };
