import type { Command } from '../stage/child.ts';

/** Where a contender finds what it works with. */
export interface Place {
  readonly redisUrl: string;
  readonly elasticsearchUrl: string;
}

/** How its process works. */
export interface Work extends Place {
  /** Requests under way at once. */
  readonly concurrency: number;
  /** Reports there are; only who has no queue needs to know. */
  readonly reports: number;
}

/** One way to take reports to Elasticsearch. */
export interface Contender {
  readonly name: ContenderName;
  /** For people. */
  readonly title: string;
  /** Whether somebody has to find out how many requests at once are best; otherwise `concurrency` is left to it. */
  readonly isTuned: boolean;
  /** Puts the reports numbered from `from` into its queue, where it has one. */
  fill(place: Place, from: number, count: number): Promise<void>;
  /** The process that takes them to Elasticsearch until it is ended. */
  command(work: Work): Command;
}

export const CONTENDER_NAMES = [
  'ours',
  'ours_batch',
  'straightforward',
  'bare',
  'direct',
  'bee',
  'streams',
] as const;

export type ContenderName = (typeof CONTENDER_NAMES)[number];
