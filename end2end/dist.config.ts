// The installed package as its users meet it; `cargo xtask dist --prove` runs it, beside a hall that it has started in a
// clean system.
import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

export default defineConfig({ ...tests, testDir: 'dist', testMatch: '*.dist.ts', retries: 0, timeout: 600_000 });
