// How the browser tests run: one at a time, Debian's Chromium, nothing fetched from anywhere.
import { defineConfig } from '@playwright/test';
import { chromium_options } from './helpers/chromium';

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  // The machine has two cores, and server, simulator and browser share them.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  // A page that failed once is run again, so that one hiccup of a busy machine does not throw half an hour away; whatever
  // passes only then is listed as flaky and counted apart at the end of the run.
  retries: 1,
  // What is waited for comes however long the machine takes; how fast is measured in `bench`. These end a test that would
  // wait for ever.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    ...chromium_options,
    viewport: { width: 1920, height: 1080 },
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    screenshot: 'only-on-failure',
    // Recording films the page, which costs the tests that measure pictures more than they have.
    trace: process.env.GRIDHALL_TRACE === undefined ? 'off' : 'retain-on-failure',
  },
});
