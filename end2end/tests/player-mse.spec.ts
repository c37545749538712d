// The player where the browser has no WebCodecs: video elements, or only stills.
import type { Page } from '@playwright/test';
import { expect, test } from '../helpers/test';
import { inState, look, open, paintsNow, picture, server, stats, tileOf, withServer } from '../player/harness';
import { FRAMES } from '../player/stream';

withServer();

/** As on plain http, where browsers do not offer WebCodecs. */
async function withoutWebCodecs(page: Page): Promise<void> {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'VideoDecoder'));
}

test('without WebCodecs sixteen tiles play through media source extensions', async ({ page }, info) => {
  await withoutWebCodecs(page);
  const cameras = Array.from({ length: 16 }, (_, i) => `CAM-${i + 1}`);
  await open(page, cameras);
  for (const camera of cameras) await inState(page, camera, 'live');
  expect((await stats(page)).mode).toBe('mse');
  expect(server.said('hello')[0]).toEqual({ version: 1, mode: 'mse', h265: false });
  await page.waitForTimeout(8000);
  for (const camera of cameras) await paintsNow(page, camera);
  const { tiles, link } = await stats(page);
  expect(link.reconnects).toBe(0);
  for (const { camera } of tiles) {
    await expect.poll(async () => (await tileOf(page, camera)).painted).toBeGreaterThan(50);
  }
  const read = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('video')].map((video) => ({
        kept: video.currentTime - video.buffered.start(0),
        behind: video.buffered.end(video.buffered.length - 1) - video.currentTime,
      })),
    );
  // A video that fell behind on a busy machine catches up, each in its time; one that does not would stay behind for good.
  const late = new Set(cameras.keys());
  const still_late = async () => {
    for (const [at, { behind }] of (await read()).entries()) if (behind < 1.5) late.delete(at);
    return late.size;
  };
  await expect.poll(still_late, { timeout: 60_000 }).toBe(0);
  const buffers = await read();
  expect(buffers).toHaveLength(16);
  for (const { kept } of buffers) expect(kept).toBeLessThan(21);
  const sorted = tiles.map((tile) => tile.latency_p50_ms).sort((a, b) => a - b);
  console.log(JSON.stringify({ mse_ingest_painted_p50_ms: sorted[8], behind_s: Math.max(...buffers.map((b) => b.behind)) }));
  await picture(page, info, 'mse');
});

test('media source extensions: new parameters, a damaged fragment and a lost socket', async ({ page }) => {
  await withoutWebCodecs(page);
  await open(page, ['A']);
  await inState(page, 'A', 'live');
  server.switchStream('A', 1);
  await expect.poll(() => page.evaluate(() => document.querySelector('video')?.videoWidth)).toBe(320);
  await paintsNow(page, 'A');
  expect(await page.locator('video').count()).toBe(1);
  const at = server.newest + 3;
  server.camera('A').corrupt = (n) => n % FRAMES === at % FRAMES;
  await expect.poll(async () => (await tileOf(page, 'A')).rebuilt).toBeGreaterThan(0);
  server.camera('A').corrupt = undefined;
  await paintsNow(page, 'A');
  await inState(page, 'A', 'live');
  server.dropSockets();
  await expect.poll(async () => (await stats(page)).link.up).toBe(true);
  await paintsNow(page, 'A');
  await inState(page, 'A', 'live');
});

test('without both the tile shows stills', async ({ page }) => {
  await withoutWebCodecs(page);
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'MediaSource'));
  server.camera('S').state = 'key_frames';
  await open(page, ['S']);
  await inState(page, 'S', 'key_frames');
  expect((await stats(page)).mode).toBe('still');
  const first = await look(page, 'S');
  expect(first.number).not.toBeNull();
  await expect.poll(async () => (await look(page, 'S')).number).not.toBe(first.number);
});

test('stills leave nothing behind, whether they were pictures or not', async ({ page }) => {
  await withoutWebCodecs(page);
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, 'MediaSource');
    const held = new Set<string>();
    Object.assign(globalThis, { held });
    const [make, drop] = [URL.createObjectURL.bind(URL), URL.revokeObjectURL.bind(URL)];
    URL.createObjectURL = (object) => {
      const url = make(object);
      held.add(url);
      return url;
    };
    URL.revokeObjectURL = (url) => {
      held.delete(url);
      drop(url);
    };
  });
  server.camera('S').state = 'key_frames';
  server.camera('S').corrupt = (n) => n % 3 === 0;
  await open(page, ['S']);
  await inState(page, 'S', 'key_frames');
  await expect.poll(async () => (await tileOf(page, 'S')).stills, { timeout: 60_000 }).toBeGreaterThan(12);
  // One may be on its way.
  expect(await page.evaluate(() => (globalThis as unknown as { held: Set<string> }).held.size)).toBeLessThanOrEqual(1);
  expect(await page.locator('img.camera-still').count()).toBe(1);
});
