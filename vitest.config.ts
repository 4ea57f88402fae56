import { defineConfig, type ViteUserConfig } from 'vitest/config';

const BATTERY = 'test/battery/short.test.ts';
const BENCH = 'test/bench/tiny.test.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    restoreMocks: true,
    // Many tests start processes, side by side on few cores; each waits for events and never for time to pass.
    testTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['test/**/*.test.ts'],
          exclude: [BATTERY, BENCH],
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'battery',
          include: [BATTERY],
          // Its figures are times and rates: it runs when all else is done, two rows abreast.
          sequence: { groupOrder: 1 },
          maxConcurrency: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'bench',
          include: [BENCH],
          // It starts dozens of processes, one after the other, and takes every core there is.
          sequence: { groupOrder: 2 },
          testTimeout: 300_000,
        },
      },
    ],
  },
});

export default config;
