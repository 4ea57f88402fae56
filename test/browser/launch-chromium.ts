import { type Browser, chromium } from 'playwright-core';
import { findBinary } from '../../src/adapters/redis-embedded/find-binary.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * Launches a browser of the Chromium family, the one that CHROMIUM names or one on PATH.
 *
 * @throws where there is none, with how to get one: what a browser shows can only be seen in a browser
 */
export async function launchChromium(env: Readonly<Record<string, string | undefined>>): Promise<Browser> {
  const executablePath = env['CHROMIUM'] ?? findBinary(NAMES, env['PATH']);
  if (executablePath === undefined) {
    throw new Error(
      'The browser tests need Chromium, and none is on PATH. On Debian: apt-get install --no-install-recommends chromium. ' +
        'Elsewhere: set CHROMIUM to the path of Chromium or Chrome.',
    );
  }
  // Chromium's sandbox refuses to work for root, which is who runs tests in a container.
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath, args: isRoot ? ['--no-sandbox'] : [] });
}
