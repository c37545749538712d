// What only a browser can measure; `cargo xtask bench browser` runs it and reads the rows. What takes hours has a name of
// its own (`cargo xtask bench open`), which sets the hours; so has what needs a store with a history (`cargo xtask bench replay`).
import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

const { GRIDHALL_BENCH_HOURS, GRIDHALL_BENCH_STORE } = process.env;
const by_name = GRIDHALL_BENCH_HOURS === undefined ? undefined : '*.hours.ts';
const testMatch = by_name ?? (GRIDHALL_BENCH_STORE === undefined ? '*.bench.ts' : '*.store.ts');

export default defineConfig({ ...tests, testDir: 'bench', testMatch, timeout: 300_000 });
