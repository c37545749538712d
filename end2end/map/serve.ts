// The map by itself: answers its page from the source tree, what is built and the npm folder, with the policy the server
// sends.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { built } from '../helpers/site';

const ROOT = join(import.meta.dirname, '../..');
const SITE = process.env.GRIDHALL_SITE ?? join(ROOT, 'target/site');
const MODULES = process.env.GRIDHALL_NPM ?? join(ROOT, 'npm/node_modules');
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; worker-src 'self'";

/** First part of the address and the folder it stands for, the most special first. */
const FOLDERS: [string, string][] = [
  ['/vendor/maplibre/6.17.0/', join(MODULES, 'maplibre-gl/dist')],
  ['/vendor/pmtiles/4.5.0/', join(MODULES, 'pmtiles/dist')],
  ['/vendor/noto-sans-sc/', join(MODULES, '@fontsource-variable/noto-sans-sc')],
  // Compiled, like the programmes of the screens.
  ['/pkg/', join(SITE, 'pkg')],
  ['/harness/', join(ROOT, 'end2end/map')],
  ['/style/', join(ROOT, 'style')],
  ['/js/', join(SITE, 'js')],
  ['/', join(ROOT, 'public')],
];

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.csv': 'text/csv; charset=utf-8',
  '.geojson': 'application/geo+json',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/** A one-pixel grey PNG, for a base map of our own. */
const TILE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYGD4DwABBAEAfbLI3wAAAABJRU5ErkJggg==', 'base64');

export async function serve_map(): Promise<{ origin: string; tiles: string[]; close: () => void }> {
  if (!existsSync(join(SITE, 'js'))) throw new Error(`no scripts in ${SITE}; run cargo xtask site`);
  const tiles: string[] = [];
  const server: Server = createServer((request, answer) => {
    const asked = normalize(new URL(request.url ?? '/', 'http://map').pathname);
    // The page of these tests names the script without the hash of what it holds.
    const path = asked === '/js/map.js' ? built(asked) : asked;
    if (path.startsWith('/tiles/')) {
      tiles.push(path);
      return void answer.writeHead(200, { 'content-type': 'image/png' }).end(TILE);
    }
    const [prefix, folder] = FOLDERS.find(([prefix]) => path.startsWith(prefix)) ?? ['/', ROOT];
    const file = path === '/' ? join(ROOT, 'end2end/map/page.html') : join(folder, path.slice(prefix.length));
    if (path.endsWith('/favicon.ico')) return void answer.writeHead(204).end();
    if (!existsSync(file)) return void answer.writeHead(404).end();
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    answer.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, tiles, close: () => server.close() };
}
