/** What the door sends, as far as the page uses it. */

export interface Overview {
  readonly at: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly oldest_waiting_ms: number;
  readonly paused: boolean;
  readonly pause?: { readonly by: string; readonly at: string; readonly reason?: string };
  readonly circuit:
    | { readonly state: 'closed' }
    | { readonly state: 'open'; readonly code: string; readonly since: string };
  readonly hold_ms: number;
  readonly workers: readonly {
    readonly name: string;
    readonly concurrency: number;
    readonly in_flight: number;
    readonly circuit_open: boolean;
    readonly started_at: string;
  }[];
  readonly dead_letters: Readonly<Record<string, number>>;
}

export interface Run {
  readonly id: string;
  readonly state: 'running' | 'interrupted' | 'stopped' | 'cancelled' | 'done';
  readonly by: string;
  readonly filter: Readonly<Record<string, unknown>>;
  readonly limit: number | null;
  readonly matched: number;
  readonly counts: Readonly<Record<string, number>> & { readonly redriven: number };
  readonly again: number;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly reason: string | null;
}

export interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly reason?: string;
}

export interface Attempt extends Answer {
  readonly attempt: number;
  readonly at: string;
  readonly code: string;
  readonly duration_ms: number;
  readonly worker: string;
}

export interface Report {
  readonly connector_sync_job_id: string;
  readonly error: string;
  readonly connector_id?: string;
  readonly source?: string;
  readonly reported_at?: string;
}

export interface Letter {
  readonly id: string;
  readonly code: string;
  readonly reason: string;
  readonly report: Report | null;
  readonly payload?: string;
  readonly problems?: readonly { readonly field: string; readonly expected: string; readonly got: string }[];
  readonly answer?: Answer;
  readonly found?: { readonly status: string; readonly error?: string };
  readonly attempts_made: number;
  readonly attempts: readonly Attempt[];
  readonly enqueued_at: string;
  readonly dead_at: string;
  readonly worker: string;
  readonly original?: { readonly report: Report | null; readonly payload?: string };
  readonly edits?: readonly {
    readonly at: string;
    readonly by: string;
    readonly fields: readonly string[];
  }[];
  readonly redrives: readonly {
    readonly at: string;
    readonly by: string;
    readonly run: string;
    readonly code: string;
    readonly dead_at: string;
    readonly attempts_made: number;
  }[];
}
