import type { PauseNote } from '../pipeline/ports.ts';
import { escapeControl, formatDuration } from './output.ts';

/** `by ann@ops since 2026-11-23 09:30:12 UTC (3 min 5 s ago): maintenance`, safe to print. */
export function describePause(note: PauseNote | undefined, nowMs: number): string {
  if (note === undefined) return 'nobody has left a note who, when or why';
  const sinceMs = Date.parse(note.at);
  // The note may come from anywhere, and so from a clock that runs ahead.
  const ago = Number.isNaN(sinceMs) ? '' : ` (${formatDuration(Math.max(0, nowMs - sinceMs))} ago)`;
  const at = Number.isNaN(sinceMs) ? note.at : `${note.at.slice(0, 19).replace('T', ' ')} UTC`;
  const reason = note.reason === undefined ? '' : `: ${note.reason}`;
  return escapeControl(`by ${note.by} since ${at}${ago}${reason}`);
}

/** The same for programs; null where it is not known. */
export function pauseFields(note: PauseNote | undefined): Readonly<Record<string, string | null>> {
  return {
    paused_by: note?.by ?? null,
    paused_at: note?.at ?? null,
    paused_reason: note?.reason ?? null,
  };
}
