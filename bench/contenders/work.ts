import type { Command } from '../stage/child.ts';
import type { Work } from './contender.ts';

/** Starts a contender's own file as the process that works; it reads what it is given with `readWork`. */
export function workCommand(file: string, work: Work): Command {
  return { args: [file], env: { BENCH_WORK: JSON.stringify(work) } };
}

/** What `workCommand` gave. */
export function readWork(): Work {
  return JSON.parse(process.env['BENCH_WORK'] ?? '') as Work;
}
