import { defineConfig } from 'vitest/config';

/** Tests with real servers, clients and a real browser: `npm run test:real`. */
export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.real.test.ts', 'packages/server/test/**/*.real.test.ts', 'e2e/**/*.real.test.ts', 'examples/**/*.real.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    globalSetup: 'scripts/temporary-folder.mjs',
    // Browsers and other people's servers miss a deadline now and then on a busy machine; what is wrong fails twice.
    retry: process.env.CI === undefined ? 0 : 1,
  },
});
