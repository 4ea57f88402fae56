/** A console in a real browser, over a real Redis, a worker with its door, and the stand-in. */
import type { Browser, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { openRelay, type Relay } from '../../src/relay.ts';
import { type StandIn, startStandIn } from '../../src/stand-in/index.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';

export interface OpenedConsole {
  readonly page: Page;
  readonly url: string;
  readonly standIn: StandIn;
  readonly relay: Relay;
  /** Waits until the door's first moment is on the page. */
  ready(): Promise<void>;
}

export interface ConsoleOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/**
 * Opens the page. When the test has finished, the browser must not have complained of anything, of a breach of the
 * policy least of all, and must have asked nobody but the door.
 */
export async function openConsole(browser: Browser, options: ConsoleOptions = {}): Promise<OpenedConsole> {
  const standIn = await startStandIn();
  onTestFinished(() => standIn.stop());
  const settings = {
    REDIS_URL: redisUrl(),
    KEY_PREFIX: keyPrefix(),
    ELASTICSEARCH_URL: standIn.url,
    ELASTICSEARCH_TIMEOUT_MS: '1000',
    PROBE_INTERVAL_MS: '300',
    CIRCUIT_FAILURES: '5',
    OUTAGE_DELAY_MS: '50',
    OUTAGE_DELAY_CAP_MS: '200',
    WORKER_NAME: 'worker-1',
    HTTP_PORT: '0',
    ...options.env,
  };
  const app = createApp(readConfig(settings), { log: silentLog });
  onTestFinished(async () => {
    await app.stop();
  });
  await app.start();
  const relay = openRelay(readConfig(settings));
  onTestFinished(() => relay.close());
  const url = app.address ?? '';

  const context = await browser.newContext({
    viewport: { width: options.width ?? 1_440, height: options.height ?? 900 },
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  // Shorter than a test may take: what never came is named.
  page.setDefaultTimeout(12_000);
  const complaints: string[] = [];
  // What the door refuses is asked for by the tests, and the browser says so.
  page.on('console', (message) => {
    const isRefusal = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) complaints.push(`asked ${request.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  await page.goto(url);
  return {
    page,
    url,
    standIn,
    relay,
    ready: () => page.locator('body[data-ready="true"]').waitFor(),
  };
}

/** Adds sync jobs in progress to the stand-in, and returns their ids. */
export function addSyncJobs(standIn: StandIn, prefix: string, count: number): readonly string[] {
  const ids = Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
  for (const id of ids) standIn.putSyncJob({ id, connector_id: 'connector-1', status: 'in_progress' });
  return ids;
}

/** A report for each of these. */
export const reportsFor = (
  ids: readonly string[],
  error = 'TimeoutError: the source did not answer',
): readonly object[] => ids.map((id) => ({ connector_sync_job_id: id, error }));
