import { startTracing } from '../adapters/observe/start-tracing.ts';
import type { Config } from '../config.ts';
import type { ParsedReport } from '../domain/error-report.ts';
import type { EnqueueResult } from '../pipeline/enqueue-reports.ts';
import type { Relay } from '../relay.ts';
import { loadConfig } from './load-config.ts';
import { lookUpBriefly } from './look-up-briefly.ts';
import { say } from './output.ts';

/** Opens a relay after the configuration, and closes it when the work is done or has failed. */
export async function withRelay<T>(work: (relay: Relay, config: Config) => Promise<T>): Promise<T> {
  const config = await loadConfig();
  lookUpBriefly(process.env);
  const { openRelay } = await import('../relay.ts');
  await using relay = openRelay(config);
  return await work(relay, config);
}

/** Hands items in and yields a result for each, in their order. */
export type Enqueue = <Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  parse: (item: Item) => ParsedReport,
) => AsyncIterable<EnqueueResult>;

/** A line for each thing that is wrong with traces, for the person at the terminal. */
const TO_STDERR: Parameters<typeof startTracing>[1] = {
  info: () => undefined,
  warn: ({ error }, message) => say(error === undefined ? message : `${message}: ${error}`),
};

/** Does the work with the queue, or, in a dry run, with what the queue would say were it empty. */
export async function withEnqueue<T>(
  isDryRun: boolean,
  work: (enqueue: Enqueue, config: Config) => Promise<T>,
): Promise<T> {
  if (!isDryRun) {
    return withRelay(async (relay, config) => {
      await using tracing = await startTracing(process.env, TO_STDERR);
      return await tracing.within(() => work(relay.reportEach, config));
    });
  }
  const config = await loadConfig();
  const { enqueueReports } = await import('../pipeline/enqueue-reports.ts');
  const emptyQueue = { add: async (reports: readonly unknown[]) => reports.map(() => 'queued' as const) };
  return await work((items, parse) => enqueueReports(items, parse, emptyQueue, Date.now), config);
}
