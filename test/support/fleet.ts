/** Fleets of sync jobs and their failures, made from a seed, with the exact outcome that each demands. */
import { shortenError } from '../../src/domain/shorten-error.ts';

export interface FleetSyncJob {
  readonly id: string;
  readonly connector_id: string;
  readonly status: string;
  readonly error?: string;
}

export interface Fleet {
  readonly syncJobs: readonly FleetSyncJob[];
  /** Lines of NDJSON, some of which are no reports. */
  readonly lines: readonly string[];
  readonly expected: {
    readonly lines: number;
    readonly queued: number;
    readonly duplicate: number;
    readonly invalid: number;
    readonly applied: number;
    readonly already_applied: number;
    readonly dead_letters: Readonly<Record<string, number>>;
  };
  /** The state of every sync job at the end. */
  readonly finalStates: ReadonlyMap<string, { readonly status: string; readonly error: string | undefined }>;
}

/** A generator of numbers from 0 to 1 (excluded) that the seed decides: mulberry32, by Tommy Ettinger. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const STATUSES = [
  'in_progress',
  'in_progress',
  'in_progress',
  'in_progress',
  'canceling',
  'error',
  'completed',
  'canceled',
  'pending',
  'suspended',
];

const ODD_IDS = [
  '__proto__',
  'constructor',
  'meta',
  'active',
  '0',
  '-7',
  'a/b/c',
  '..%2f..',
  '%2e%2e',
  'a b',
  'q?x=1&y=2',
  'ä#1',
  '日本',
  'semi;colon:x',
  'x\ny',
  '\0',
];

const NO_REPORTS = [
  'null',
  '[]',
  '42',
  '{"error":"no id"}',
  '{"connector_sync_job_id":"x"}',
  '{"connector_sync_job_id":"","error":"x"}',
  '{"connector_sync_job_id":"..","error":"x"}',
  '{"connector_sync_job_id":"x","error":""}',
  '{"connector_sync_job_id":"x","error":42}',
  '{"connector_sync_job_id":"x","error":"cut',
  `{"connector_sync_job_id":"${'l'.repeat(513)}","error":"x"}`,
  '{"connector_sync_job_id":"x","error":"y","eror":"z"}',
];

/** Makes a fleet of about so many lines. */
export function makeFleet(seed: number, size: number): Fleet {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const text = (): string => {
    switch (below(12)) {
      case 0:
        return 'x'.repeat(32_766);
      case 1:
        return 'ü'.repeat(16_384);
      case 2:
        return `Traceback\n${'  File "a.py"\n'.repeat(below(6_000))}Error ${below(100)}`;
      case 3:
        return '\u0000"\\ \u2028 🔒 同期 ';
      default:
        return `Error ${below(size)}: connection refused`;
    }
  };

  const syncJobs = new Map<string, FleetSyncJob>();
  for (let n = 0; n < size * 0.8; n += 1) {
    const id = n < ODD_IDS.length ? (ODD_IDS[n] as string) : `job-${seed}-${n}`;
    const status = pick(STATUSES);
    syncJobs.set(id, {
      id,
      connector_id: `connector-${below(9)}`,
      status,
      ...(status === 'error' ? { error: shortenError(text()) } : {}),
    });
  }

  const known = [...syncJobs.keys()];
  const lines: string[] = [];
  const said: { readonly id: string; readonly error: string }[] = [];
  while (lines.length < size) {
    const dice = below(100);
    if (dice < 4) {
      lines.push(pick(NO_REPORTS));
      continue;
    }
    const repeated = dice < 12 && said.length > 0 ? pick(said) : undefined;
    // Two different texts for one sync job, often next to each other.
    const id =
      repeated?.id ??
      (dice < 20 ? said.at(-1)?.id : undefined) ??
      (dice < 30 ? `unknown-${below(size)}` : pick(known));
    const held = syncJobs.get(id)?.error;
    const error = repeated?.error ?? (held !== undefined && dice % 2 === 0 ? held : text());
    said.push({ id, error });
    lines.push(JSON.stringify({ connector_sync_job_id: id, error }));
  }
  return { syncJobs: [...syncJobs.values()], lines, ...demands(syncJobs, lines) };
}

/** What must come of the lines, read off one by one as if nothing ran at the same time. */
function demands(
  syncJobs: ReadonlyMap<string, FleetSyncJob>,
  lines: readonly string[],
): Pick<Fleet, 'expected' | 'finalStates'> {
  const states = new Map(
    Array.from(
      syncJobs.values(),
      ({ id, status, error }) =>
        [id, { status, error }] as [string, { status: string; error: string | undefined }],
    ),
  );
  const seen = new Set<string>();
  const counts = { queued: 0, duplicate: 0, invalid: 0, applied: 0, already_applied: 0 };
  const letters: Record<string, number> = {};
  for (const line of lines) {
    if (NO_REPORTS.includes(line)) {
      counts.invalid += 1;
      continue;
    }
    if (seen.has(line)) {
      counts.duplicate += 1;
      continue;
    }
    seen.add(line);
    counts.queued += 1;
    const { connector_sync_job_id: id, error } = JSON.parse(line) as {
      connector_sync_job_id: string;
      error: string;
    };
    const sent = shortenError(error);
    const outcome = outcomeOf(states.get(id), sent);
    if (outcome === 'applied') states.set(id, { status: 'error', error: sent });
    if (outcome === 'applied' || outcome === 'already_applied') counts[outcome] += 1;
    else letters[outcome] = (letters[outcome] ?? 0) + 1;
  }
  return { expected: { lines: lines.length, ...counts, dead_letters: letters }, finalStates: states };
}

function outcomeOf(
  state: { readonly status: string; readonly error: string | undefined } | undefined,
  sent: string,
): string {
  switch (state?.status) {
    case undefined:
      return 'sync_job_not_found';
    case 'in_progress':
    case 'canceling':
      return 'applied';
    case 'error':
      return state?.error === sent ? 'already_applied' : 'superseded';
    case 'pending':
    case 'suspended':
      return 'not_running';
    default:
      return 'terminal_state';
  }
}
