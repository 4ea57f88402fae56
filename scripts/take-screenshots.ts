/**
 * Takes the pictures of the console that docs/ and the README show, from minutes of real work: a worker, a Redis,
 * the stand-in, reports at a rate that rises and falls, an outage, and a redrive.
 *
 *     npm run screenshots [seconds to play, 240 where nothing is said]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { silentLog } from '../src/adapters/observe/create-log.ts';
import { type EmbeddedStack, startEmbeddedStack } from '../src/cli/embedded-stack.ts';
import { launchChromium } from '../test/browser/launch-chromium.ts';

const IMAGES = fileURLToPath(new URL('../docs/images/', import.meta.url));
const playMs = Number(process.argv[2] ?? 240) * 1_000;

/** When the outage begins and ends, as parts of the whole. */
const OUTAGE = { from: 0.45, to: 0.57 };

const CONNECTORS = [
  'sharepoint-hr',
  'jira-support',
  'confluence-wiki',
  'gdrive-marketing',
  'postgres-orders',
];
const ERRORS = [
  'TimeoutError: the source did not answer within 300 seconds',
  'ConnectionRefusedError: [Errno 111] cannot reach the source',
  'HTTP 429 from the source: quota used up, try again in 847 seconds',
  'HTTP 401 from the source: the access token expired 21 minutes ago',
  'DiskQuotaExceeded: could not spool batch 341',
];
/** Every so many reports one is for a sync job of that status; the others are in progress. */
const ODD: readonly (readonly [number, string | undefined])[] = [
  [31, undefined],
  [47, 'completed'],
  [67, 'error'],
];

const pick = <T>(from: readonly T[], n: number): T => from[n % from.length] as T;

let made = 0;

/** The report of one more failed sync; its sync job is put in place where there is to be one. */
function nextReport({ standIn }: EmbeddedStack): object {
  const n = made++;
  const connector = pick(CONNECTORS, n * 7);
  const id = `${connector}-${(0x5eed + n * 7_919).toString(36)}`;
  const [, status] = ODD.find(([every]) => n % every === every - 1) ?? [0, 'in_progress'];
  if (status !== undefined) {
    standIn.putSyncJob({
      id,
      connector_id: connector,
      status,
      ...(status === 'error' ? { error: 'the connector was deleted' } : {}),
    });
  }
  return {
    connector_sync_job_id: id,
    error: `${pick(ERRORS, n * 3)}\n  connector: ${connector}\n  sync: ${n}`,
    connector_id: connector,
    source: 'connectors-eu-1',
  };
}

/** Sends reports at a rate that rises and falls until it is told to stop. */
async function send(stack: EmbeddedStack, signal: AbortSignal): Promise<void> {
  const startedAtMs = performance.now();
  while (!signal.aborted) {
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const perSecond = 14 + 8 * Math.sin(seconds / 17) + 4 * Math.sin(seconds / 5);
    await stack.relay.reportMany(Array.from({ length: Math.round(perSecond / 2) }, () => nextReport(stack)));
    await sleep(500, undefined, { signal }).catch(() => undefined);
  }
}

async function openPage(browser: Browser, url: string, scheme: 'light' | 'dark', size: Size): Promise<Page> {
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('body[data-ready="true"]').waitFor();
  return page;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${IMAGES}${name}.png` });
  console.log(`docs/images/${name}.png`);
}

await using stack = await startEmbeddedStack({
  env: {},
  log: silentLog,
  say: (line) => console.error(line),
  appendOnly: false,
  settings: { HTTP_PORT: '0', WORKER_NAME: 'relay-worker-1' },
});
stack.standIn.faults.add({
  kind: 'latency',
  latency: { distribution: 'log-normal', medianMs: 25, sigma: 0.8 },
});
const url = stack.app.address ?? '';
const browser = await launchChromium(process.env);
const stopping = new AbortController();
const sending = send(stack, stopping.signal);
try {
  await sleep(playMs * OUTAGE.from);
  stack.standIn.faults.add({ kind: 'refuse', forMs: playMs });
  await sleep(playMs * (OUTAGE.to - OUTAGE.from));
  const dark = await openPage(browser, url, 'dark', { width: 1_440, height: 820 });
  await dark.getByRole('heading', { level: 1, name: /^Elasticsearch is away/ }).waitFor();
  await shoot(dark, 'console-outage');
  stack.standIn.faults.clear();
  await sleep(playMs * (1 - OUTAGE.to));

  const page = await openPage(browser, url, 'light', { width: 1_440, height: 1_080 });
  await page.getByRole('button', { name: /^superseded/ }).click();
  await page.getByRole('button', { name: 'Redrive …' }).click();
  await page.locator('#ask').getByRole('button', { name: 'Redrive' }).click();
  await page.locator('#runs .run[data-state]:not([data-state="running"])').waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await page.locator('#toasts').getByText(/./).waitFor({ state: 'detached' });
  await shoot(page, 'console');
  await page.locator('#letters-body button').first().click();
  await page.locator('.timeline').waitFor();
  await shoot(page, 'console-letter');
  await shoot(await openPage(browser, url, 'dark', { width: 390, height: 844 }), 'console-phone');
} finally {
  stopping.abort();
  await sending;
  await browser.close();
}
