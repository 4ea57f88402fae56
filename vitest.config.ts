import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    restoreMocks: true,
    // Many tests start processes, side by side on few cores; each waits for events and never for time to pass.
    testTimeout: 20_000,
  },
});

export default config;
