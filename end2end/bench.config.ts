// What only a browser can measure; `cargo xtask bench browser` runs it and reads the rows.
import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

export default defineConfig({ ...tests, testDir: 'bench', testMatch: '*.bench.ts', timeout: 300_000 });
