// Sixteen cameras live on one page from the real server, as on a wall, and twenty-five, as in a console: how old a picture is when it is painted, read from the clock in
// the picture. The page is the player's own (`end2end/player/page`), put under the server's address.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { request, type BrowserContext } from '@playwright/test';
import { video_options } from '../helpers/chromium';
import { add_row, at_most, at_most_times, percentile, plain } from '../helpers/rows';
import { Hall } from '../helpers/server';
import { Street } from '../helpers/street';
import { expect, test } from '../helpers/test';
import { give_eyes } from '../player/clock';
import { Judge } from '../player/judge';
import { Usage } from '../helpers/usage';
import type { Stats } from '../player/harness';
import { decoding_cores } from './decode';

/** A wall's, whose pictures have an age they must keep to, and a console's. */
const WALL = 16;
const TILES = [WALL, 25];
/** Each tile is read without pause for this long; all play all the time. */
const READ_MS = 1_500;
const FPS = 15;
/** Nobody reads pixels meanwhile: the page's own work, and FFmpeg's on the same streams. */
const QUIET_MS = 15_000;
/** The process of the page itself: its scripts, workers and decoders. */
const PAGE = '--type=renderer';
/** Of the pictures sent in that time, at most so many may be on their way at its ends. */
const UNDER_WAY = 2;
const ROOT = join(import.meta.dirname, '../..');

let street: Street;
let hall: Hall;
let session: Parameters<BrowserContext['addCookies']>[0] = [];

// Tiles are 320 device pixels wide: a strip's cell has four.
test.use({ viewport: { width: 1400, height: 900 }, launchOptions: video_options });

test.beforeAll(async () => {
  const cameras = Array.from({ length: Math.max(...TILES) }, (_, i) => ({ code: `T${i + 1}` }));
  street = await Street.start({ spot: cameras });
  hall = await Hall.start({ list: street.list, settings: { GRIDHALL__VIDEO__SESSIONS_PER_HOST: '64' } });
  // The link works once, and each count of tiles has a page of its own.
  const visitor = await request.newContext();
  await visitor.get(hall.sign_in);
  session = (await visitor.storageState()).cookies;
  await visitor.dispose();
});

test.afterAll(async () => {
  await hall?.stop();
  await street?.stop();
});

/** Every picture's age when it was first seen on the page, while the tile is read without pause. */
const ages = (page: import('@playwright/test').Page, tile: number) =>
  page.evaluate(
    async ([selector, length]) => {
      const [ages, until] = [[] as number[], performance.now() + length];
      let [last, unread] = [0, 0];
      while (performance.now() < until) {
        const seen = await globalThis.eyes.look(selector);
        if (seen === null || seen.clock === null) unread += 1;
        else if (seen.clock !== last) {
          // The first one may have stood there for a while.
          if (last !== 0) ages.push(seen.at - seen.clock);
          last = seen.clock;
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return { ages, unread };
    },
    [`#wall > :nth-child(${tile + 1})`, READ_MS] as const,
  );

for (const tiles of TILES) {
  test(`${tiles} tiles, capture to painted`, async ({ page }) => {
    const file = (name: string) => readFileSync(join(ROOT, 'end2end/player/page', name), 'utf8');
    await page.context().addCookies(session);
    // What is out of sight is paused.
    if (tiles > WALL) await page.setViewportSize({ width: 1400, height: 1520 });
    await page.route('**/bench-tiles/**', (route) => {
      const name = new URL(route.request().url()).pathname.split('/').pop() || 'index.html';
      if (name === 'player.css') return route.fulfill({ body: readFileSync(join(ROOT, 'style/player.css')), contentType: 'text/css' });
      const type = name.endsWith('.css') ? 'text/css' : name.endsWith('.js') ? 'text/javascript' : 'text/html';
      const body = file(name).replaceAll('"/page.', '"page.').replaceAll('"/style/', '"');
      return route.fulfill({ body, contentType: type });
    });
    await give_eyes(page);
    const judge = new Judge();
    await judge.serve(page);
    await page.goto(`${hall.address}/bench-tiles/index.html`);
    await page.waitForFunction(() => globalThis.harness !== undefined);
    for (let tile = 1; tile <= tiles; tile += 1) await page.evaluate((code) => globalThis.harness.add(code), `T${tile}`);
    const stats = (): Promise<Stats> => page.evaluate(() => globalThis.harness.stats());
    await expect.poll(async () => (await stats()).tiles.filter(({ state }) => state === 'live').length, { timeout: 60_000 }).toBe(tiles);
    await page.waitForTimeout(3_000);
    const { painted, sent, page_cores, browser_cores, generators } = await quiet(stats);
    const all: number[] = [];
    for (let tile = 0; tile < tiles; tile += 1) {
      const { ages: seen, unread } = await ages(page, tile);
      expect(seen.length, `pictures read of tile ${tile + 1}, ${unread} unreadable`).toBeGreaterThan(3);
      all.push(...seen);
    }
    const after = await stats();
    await page.close();
    judge.stop();
    const streams = Array.from({ length: tiles }, (_, i) => street.address(`T${i + 1}`, 'sub'));
    const limit = { what: "FFmpeg's decoding of the same streams", value: await decoding_cores(streams, FPS, QUIET_MS) };
    const measure = `camera's clock → painted pixels, ${tiles} tiles 640×360`;
    const aged = (name: string, ms: number, most: number) => (tiles === WALL ? at_most(name, ms, 'ms', most) : plain(name, ms, 'ms'));
    aged(`${measure}, p50`, percentile(all, 0.5), 60);
    aged(`${measure}, p95`, percentile(all, 0.95), 150);
    plain('the same: pictures read', all.length, 'pictures');
    const whole = painted >= sent - UNDER_WAY * tiles;
    plain('the same: pictures sent to the page', sent, 'pictures');
    add_row({ measure: 'the same: of them painted', value: painted, unit: 'pictures', target: 'all but those under way', holds: whole });
    const rate = painted / (QUIET_MS / 1_000) / tiles;
    add_row({ measure: 'the same: painted, a tile', value: rate, unit: '1/s', target: `${FPS}, at least 98 % of it`, holds: rate >= 0.98 * FPS });
    at_most_times("the same: processor of the page's process", page_cores, 'cores', limit, 1.5, generators);
    plain('the same: of the whole browser, which puts pixels together without a graphics card', browser_cores, 'cores');
    const slowest = Math.max(...after.tiles.map((tile) => tile.latency_p95_ms));
    const middle = percentile(after.tiles.map((tile) => tile.latency_p50_ms), 0.5);
    plain("the same: server's ingest stamp → painted as the player counts, p50", middle, 'ms');
    plain('the same: p95 of the slowest tile', slowest, 'ms');
  });
}

/** What the page does while nobody disturbs it. */
async function quiet(stats: () => Promise<Stats>) {
  const count = async () => {
    const { tiles } = await stats();
    const sum = (of: (tile: Stats['tiles'][number]) => number) => tiles.reduce((total, tile) => total + of(tile), 0);
    return { painted: sum((tile) => tile.painted), sent: sum((tile) => tile.submitted + tile.skipped) };
  };
  const before = await count();
  const usage = Usage.begin(PAGE, 'chromium', 'sim');
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const [page_cores, browser_cores, generators] = [usage.cores(PAGE), usage.cores('chromium'), usage.share('sim')];
  const after = await count();
  return { page_cores, browser_cores, generators, painted: after.painted - before.painted, sent: after.sent - before.sent };
}
