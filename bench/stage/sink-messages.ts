/** What the sink is told by its parent, and says to it. */

/** What it answers to every report. */
export type SinkAnswer = 'applied' | 'not-found';

/** A status line and a body for each. */
export const SINK_ANSWERS: Readonly<Record<SinkAnswer, readonly [status: string, body: string]>> = {
  applied: ['200 OK', '{"result":"updated"}'],
  'not-found': [
    '404 Not Found',
    '{"error":{"root_cause":[{"type":"resource_not_found_exception","reason":"no such sync job"}],' +
      '"type":"resource_not_found_exception","reason":"no such sync job"},"status":404}',
  ],
};

export interface SinkAsk {
  /** Comes back in the reply. */
  readonly ask: number;
  readonly task: 'reset' | 'reach' | 'count' | 'times' | 'away' | 'back';
  /** Of `reach`: answers to wait for. Of `reset`: reports whose times are recorded. */
  readonly count?: number;
  readonly latencyMs?: number;
  readonly answer?: SinkAnswer;
}

export interface SinkReply {
  readonly ask: number;
  readonly port?: number;
  readonly atMs?: number;
  readonly count?: number;
  readonly times?: Float64Array;
}
