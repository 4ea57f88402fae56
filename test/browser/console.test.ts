import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKey } from '../../src/http/api-keys.ts';
import { startOwnRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { launchChromium } from './launch-chromium.ts';
import { addSyncJobs, openConsole, reportsFor } from './open-console.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium(process.env);
});

afterAll(async () => {
  await browser?.close();
});

const MISSING = Array.from({ length: 12 }, (_, n) => `missing-${n}`);

const heading = (page: Page, name: string | RegExp): Locator => page.getByRole('heading', { level: 1, name });
const figure = (page: Page, stage: string, text: string): Locator =>
  page.locator(`#stage-${stage} .stage-figure`, { hasText: new RegExp(`^${text}$`) });
const rows = (page: Page): Locator => page.locator('#letters-body tr');
const rowsAre = (page: Page, count: number): Promise<void> =>
  until(`${count} rows`, async () => (await rows(page).count()) === count);
const button = (within: Page | Locator, name: string | RegExp): Locator =>
  within.getByRole('button', { name });

test('where there is no Chromium, it is said how to get one', async () => {
  await expect(launchChromium({ PATH: '' })).rejects.toThrow(
    'apt-get install --no-install-recommends chromium',
  );
});

describe('the console', () => {
  test('goes from nothing through a batch, an outage and a redrive', async () => {
    const { page, standIn, relay, ready } = await openConsole(browser);
    await ready();
    await heading(page, 'Reports flow').waitFor();
    await page.getByText('No dead letters. A report that cannot reach').waitFor();
    await page.getByText('None yet. A redrive puts').waitFor();

    await relay.reportMany(reportsFor([...addSyncJobs(standIn, 'job', 60), ...MISSING]));
    await figure(page, 'dead', '12').waitFor();
    await rowsAre(page, 12);

    standIn.faults.add({ kind: 'refuse', forMs: 60_000 });
    const later = addSyncJobs(standIn, 'later', 40);
    await relay.reportMany(reportsFor(later));
    await heading(page, /^Elasticsearch is away/).waitFor();
    await page.locator('#stage-applied', { hasText: 'circuit open: unreachable' }).waitFor();
    standIn.faults.clear();
    await heading(page, 'Reports flow').waitFor();
    await figure(page, 'waiting', '0').waitFor();
    for (const id of later) expect(standIn.syncJob(id)?.status).toBe('error');

    // The cause is mended: the sync jobs are there now.
    for (const id of MISSING) standIn.putSyncJob({ id, connector_id: 'c', status: 'in_progress' });
    await button(page, 'sync job not found 12').click();
    await button(page, 'Redrive …').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Redrive 12 dead letters that match').waitFor();
    expect(await dialog.getByLabel('First, alone').inputValue()).toBe('1');
    await button(dialog, 'Redrive').click();
    const run = page.locator('#runs .run');
    await run.getByText('12 of 12 put back').waitFor();
    await run.getByText('done', { exact: true }).waitFor();
    await figure(page, 'dead', '0').waitFor();
    await page.getByText('No dead letter matches.').waitFor();
    await until('all are applied', () => MISSING.every((id) => standIn.syncJob(id)?.status === 'error'));
    expect(await run.getByRole('progressbar').getAttribute('value')).toBe('12');
  });

  test('shows whoever opens it what the whole fleet did before', async () => {
    const { page, standIn, relay, ready } = await openConsole(browser);
    await relay.reportMany(reportsFor([...addSyncJobs(standIn, 'job', 30), ...MISSING]));
    const legend = page.locator('#chart-letters .legend', { hasText: 'sync job not found' });
    await legend.waitFor();
    await page.reload();
    await ready();
    await legend.waitFor();
    const summary = page.locator('#chart-delivery figcaption');
    expect(await summary.textContent()).toMatch(/^From acceptance to Elasticsearch, latest: half within/);
    await button(page, '60 min').press('Enter');
    expect(await button(page, '60 min').getAttribute('aria-pressed')).toBe('true');
    expect(await page.locator('#chart-throughput canvas').count()).toBe(1);
  });

  test('shows a text as text, whatever is in it', async () => {
    const { page, relay, ready } = await openConsole(browser);
    await ready();
    const error =
      '<img src=x onerror="document.title=1"><script>document.title=2</script>\u202e\u0000 & so on';
    await relay.reportMany([{ connector_sync_job_id: '<b>bold</b>', error, source: '"><i>' }]);
    await button(page, '<b>bold</b>').click();
    const story = page.getByRole('dialog');
    await story.getByText('No sync job has this id.').waitFor();
    await story.getByText('Edit connector_sync_job_id where it is wrong').waitFor();
    expect(await story.locator('pre').textContent()).toBe(error);
    expect(
      await page.locator('#console img, #console script, #console b b, dialog img, dialog i').count(),
    ).toBe(0);
    expect(await page.title()).toBe('sync-error-relay');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('edits a report, sends it on, and purges what is left only when that is meant', async () => {
    const { page, standIn, relay, ready } = await openConsole(browser);
    await ready();
    const [known = ''] = addSyncJobs(standIn, 'known', 1);
    await relay.reportMany(reportsFor(['knwon-0', 'gone-1', 'gone-2']));
    await rowsAre(page, 3);

    await button(page, 'knwon-0').click();
    const story = page.locator('#story');
    await button(story, 'Edit').click();
    const ask = page.locator('#ask');
    await ask.getByLabel('Sync job').fill('');
    await ask.getByLabel('Sync job').fill(known);
    await button(ask, 'Save').click();
    await story.getByRole('heading', { level: 2, name: known }).waitFor();
    await story.getByText('edited').waitFor();
    // The story is a dialog still: only what lies in the browser's top layer is seen above it.
    const word = page.locator('#toasts:popover-open').getByText('It is not sent before it is redriven.');
    await word.waitFor();
    await button(story, 'Redrive').click();
    await button(ask, 'Redrive').click();
    await until('it is applied', () => standIn.syncJob(known)?.status === 'error');
    await rowsAre(page, 2);

    await button(page, 'Purge …').click();
    await ask.getByText('Purge all 2 dead letters').waitFor();
    const purge = button(ask, 'Purge for good');
    expect(await purge.isDisabled()).toBe(true);
    await button(ask, 'Cancel').click();
    expect((await relay.deadLetters.list({ limit: 1 })).total).toBe(2);
    await button(page, 'Purge …').click();
    await ask.getByLabel('Write “purge” to confirm').fill('purge');
    await purge.click();
    await page.getByText('Purged 2 dead letters.').waitFor();
    await page.getByText('No dead letters. A report that cannot reach').waitFor();
    expect((await relay.deadLetters.list({ limit: 1 })).total).toBe(0);
  });

  test('lets what is pressed be clicked, whatever comes while it is', async () => {
    const { page, relay, ready } = await openConsole(browser);
    await ready();
    await relay.reportMany(reportsFor(['gone-0']));
    await rowsAre(page, 1);
    await button(page, 'gone-0').hover();
    await page.mouse.down();
    const answered = page.waitForResponse((response) => response.url().includes('/v1/dead-letters?'));
    await relay.reportMany(reportsFor(['gone-1', 'gone-2']));
    await (await answered).finished();
    // The page has had its turn with the answer.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
    await page.mouse.up();
    await page.locator('#story').getByRole('heading', { level: 2, name: 'gone-0' }).waitFor();
    await page.keyboard.press('Escape');
    await rowsAre(page, 3);
  });

  test('finds a letter by its text, and says where none matches', async () => {
    const { page, relay, ready } = await openConsole(browser);
    await ready();
    await relay.reportMany([...reportsFor(['a-1', 'a-2']), ...reportsFor(['b-1'], 'DiskFull: no room')]);
    await rowsAre(page, 3);
    await page.keyboard.press('/');
    await page.keyboard.type('diskfull');
    await rowsAre(page, 1);
    await page.keyboard.type('er');
    await page.getByText('No dead letter matches. Clear the filter').waitFor();
    await button(page, 'Clear the filter').click();
    await rowsAre(page, 3);
  });

  test('says that Redis is away, and goes on when it is back', async () => {
    await using redis = await startOwnRedis();
    const { page, ready } = await openConsole(browser, { env: { REDIS_URL: redis.url } });
    await ready();
    await heading(page, 'Reports flow').waitFor();
    await redis.kill();
    await heading(page, 'Redis does not answer').waitFor();
    await page.locator('body[data-stale="true"]').waitFor();
    await redis.start();
    await heading(page, 'Reports flow').waitFor();
    await page.locator('body[data-stale="false"]').waitFor();
  });

  test('is paused and resumed by the keyboard alone, and says who did it and why', async () => {
    const { page, relay, ready } = await openConsole(browser);
    await ready();
    await button(page, 'Pause …').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('an upgrade until noon');
    await page.keyboard.press('Enter');
    await heading(page, 'Paused').waitFor();
    await page.getByText(/By http:anonymous, .*: an upgrade until noon\./).waitFor();
    expect((await relay.depth()).paused).toBe(true);
    await button(page, 'Resume').focus();
    await page.keyboard.press('Enter');
    await heading(page, 'Reports flow').waitFor();
    expect((await relay.depth()).paused).toBe(false);
  });

  test.each([
    [1_440, 'light'],
    [390, 'dark'],
  ] as const)('fits %i pixels, in %s and in the other theme', async (width, colorScheme) => {
    const { page, relay, ready } = await openConsole(browser, { width, height: 844, colorScheme });
    await ready();
    await relay.reportMany(reportsFor(['a-very-long-name-of-a-sync-job-'.repeat(6)], 'x'.repeat(3_000)));
    await rowsAre(page, 1);
    const overhang = (): Promise<number> =>
      page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    const background = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await overhang()).toBe(0);
    const before = await background();
    await button(page, 'Change between light and dark').click();
    const after = await background();
    expect(after).not.toBe(before);
    expect(await overhang()).toBe(0);
    await page.reload();
    await ready();
    expect(await background()).toBe(after);
  });
});

describe('with API keys', () => {
  const operator = createApiKey('ann', ['read', 'operate']);
  const reader = createApiKey('bob', ['read']);
  const env = { API_KEYS: `${operator.line}\n${reader.line}` };

  test('a key is shown once, and kept neither by the page nor where a script could read it', async () => {
    const { page, ready } = await openConsole(browser, { env });
    await heading(page, 'Sign in').waitFor();
    await page.getByLabel('API key').fill(createApiKey('ann', ['read']).encoded);
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Nobody has this key.').waitFor();
    await page.getByLabel('API key').fill(operator.encoded);
    await page.keyboard.press('Enter');
    await ready();
    await page.getByText('ann', { exact: true }).waitFor();
    await page.reload();
    await ready();
    const kept = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    expect(kept).toBe('[{},{},""]');

    await page.getByRole('link', { name: 'Queue internals' }).click();
    await page.waitForURL(/\/queues/);
    await page.getByText('reports', { exact: true }).first().waitFor();
  });

  test('a key that may only look is shown nothing to press, and signing out ends the session', async () => {
    const { page, relay, ready } = await openConsole(browser, { env });
    await relay.reportMany(reportsFor(['gone-1']));
    await page.getByLabel('API key').fill(reader.encoded);
    await button(page, 'Sign in').click();
    await ready();
    await button(page, 'gone-1').click();
    await page.locator('#story .timeline').waitFor();
    for (const name of [/Redrive/, /Purge/, /Edit/, /Pause/])
      expect(await button(page, name).count()).toBe(0);
    await page.keyboard.press('Escape');
    for (const name of [/Redrive/, /Purge/, /Edit/, /Pause/])
      expect(await button(page, name).count()).toBe(0);
    await button(page, 'Sign out').click();
    await heading(page, 'Sign in').waitFor();
    await page.reload();
    await heading(page, 'Sign in').waitFor();
  });
});
