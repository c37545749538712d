// What only a browser can measure; `cargo xtask bench browser` runs it and reads the rows. What takes hours has a name of
// its own (`cargo xtask bench open`), which sets the hours.
import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

const testMatch = process.env.GRIDHALL_BENCH_HOURS === undefined ? '*.bench.ts' : '*.hours.ts';

export default defineConfig({ ...tests, testDir: 'bench', testMatch, timeout: 300_000 });
