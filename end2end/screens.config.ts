// Takes the pictures of docs/screens from the running product: `npm run screens` here, after `cargo xtask site` and a
// build of server and simulator (see docs/screens/README.md).
import { defineConfig } from '@playwright/test';
import { chromium_options } from './helpers/chromium';

export default defineConfig({
  testDir: 'screens',
  testMatch: '*.screens.ts',
  outputDir: 'test-results/screens',
  workers: 1,
  retries: 0,
  // A wall of 7680 × 2160 without a graphics card takes half a minute a frame.
  timeout: 900_000,
  reporter: [['list']],
  use: { ...chromium_options, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' },
});
