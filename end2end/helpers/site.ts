// The built site without a server: what the page itself does while the programme is on its way, or does not come.
import { readFileSync, existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Page } from '@playwright/test';

export const ORIGIN = 'http://localhost';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/** Where the built site is. */
export const SITE = process.env.GRIDHALL_SITE ?? join(import.meta.dirname, '../../target/site');

/** The page at `/`. */
const PAGE = 'door.html';

/** The policy the server sends with the page: no inline script, nothing from elsewhere. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; worker-src 'self' blob:";

/** The address a file of the site has, given the one without the hash of its content: `/js/player.js`. */
export function built(plain: string): string {
  const names = JSON.parse(readFileSync(join(SITE, 'names.json'), 'utf8')) as Record<string, string>;
  const name = names[plain.slice(1)];
  if (name === undefined) throw new Error(`the site has no ${plain}`);
  return `/${name}`;
}

/** Answers the page's requests from the site folder, leaving out `withheld` paths. */
export async function serve_site(page: Page, withheld: string[]): Promise<void> {
  if (!existsSync(join(SITE, PAGE))) throw new Error(`no site in ${SITE}; run cargo xtask site`);
  await page.route(`${ORIGIN}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = join(SITE, path === '/' ? PAGE : path);
    if (withheld.includes(path) || !existsSync(file)) return route.fulfill({ status: 404 });
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    return route.fulfill({ body: readFileSync(file), headers: { 'content-type': type, 'content-security-policy': POLICY } });
  });
}
