// The player's worker where it dies, hangs or never begins: every tile says so, and plays again without anybody's help.
import { expect, test } from '../helpers/test';
import { inState, log, open, paintsNow, server, stats, withServer } from '../player/harness';

withServer();

/** The worker is found silent within this: three looks, five seconds apart, and one under way. */
const SILENCE_MS = 60_000;

test('a worker that dies is replaced, and tiles come and go meanwhile', async ({ page }) => {
  await open(page, ['A', 'B', 'C']);
  for (const camera of ['A', 'B', 'C']) await inState(page, camera, 'live');
  await page.evaluate(() => {
    // In the moment between two engines one tile goes and another comes.
    addEventListener('camerafacts', (event) => {
      const { engine } = (event as CustomEvent<{ engine: string }>).detail;
      if (engine !== 'failed' || globalThis.harness.tiles.has('D')) return;
      globalThis.harness.add('D');
      globalThis.harness.remove('B');
    });
  });
  await page.workers()[0]?.evaluate(() => void setTimeout(() => { throw new Error('planted'); }));
  await expect.poll(async () => (await log(page, 'A')).some((said) => said.state === 'lost' && said.cause === 'engine')).toBe(true);
  for (const camera of ['A', 'C', 'D']) {
    await inState(page, camera, 'live');
    await paintsNow(page, camera);
  }
  const { engine, mode, tiles } = await stats(page);
  expect([engine, mode]).toEqual(['running', 'webcodecs']);
  expect(tiles.map(({ camera }) => camera).sort()).toEqual(['A', 'C', 'D']);
  await expect.poll(() => server.openTiles).toBe(3);
  expect(await page.locator('canvas.video-overlay').count()).toBe(1);
});

test('a worker that hangs is noticed and replaced', async ({ page }) => {
  await open(page, ['A']);
  await inState(page, 'A', 'live');
  // It never answers again, so neither does this.
  void page.workers()[0]?.evaluate(() => { for (;;); }).catch(() => undefined);
  await expect
    .poll(async () => (await log(page, 'A')).some((said) => said.cause === 'engine'), { timeout: SILENCE_MS })
    .toBe(true);
  await inState(page, 'A', 'live');
  await paintsNow(page, 'A');
});

test('where no worker ever begins the page does without', async ({ page }) => {
  await page.route('**/js/video-worker-*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '// Says nothing.' }));
  await open(page, ['A']);
  await expect.poll(async () => (await page.evaluate(() => globalThis.gridhallPlayer.mode)) ?? '', { timeout: 120_000 }).toBe('mse');
  await inState(page, 'A', 'live');
  expect((await log(page, 'A')).filter((said) => said.cause === 'engine').length).toBeGreaterThanOrEqual(3);
});

test('a tile that plays as it should has nothing to say', async ({ page }) => {
  const cameras = ['A', 'B', 'C', 'D'];
  await open(page, cameras);
  for (const camera of cameras) await inState(page, camera, 'live');
  const seconds = 12;
  const news = await page.evaluate(async (ms) => {
    let heard = 0;
    addEventListener('camerafacts', () => { heard += 1; });
    await new Promise((resolve) => setTimeout(resolve, ms));
    return heard;
  }, seconds * 1000);
  // Four a second each would be 192: a delay that changes is passed on every two seconds, counts every five.
  expect(news).toBeLessThan(cameras.length * seconds);
});

test('no tile is live before a picture of it has been painted', async ({ page }) => {
  server.camera('BLACK').mute = true;
  await open(page, ['BLACK']);
  await page.waitForTimeout(3000);
  expect((await log(page, 'BLACK')).every((said) => said.state === 'connecting')).toBe(true);
  await page.evaluate(() => {
    const seen = globalThis as unknown as { first: Promise<boolean> };
    // What stands on the canvas in the very moment the tile says that it is live.
    seen.first = new Promise((resolve) => {
      const watch = setInterval(() => {
        if (globalThis.harness.tiles.get('BLACK')?.state !== 'live') return;
        clearInterval(watch);
        void globalThis.harness.squares('BLACK', 'canvas').then((squares) => { resolve((squares ?? []).some((light) => light > 60)); });
      }, 5);
    });
  });
  server.camera('BLACK').mute = false;
  server.say('BLACK', {});
  expect(await page.evaluate(() => (globalThis as unknown as { first: Promise<boolean> }).first)).toBe(true);
});

test('a tile that is moved by what stands above it takes its picture along', async ({ page }) => {
  await open(page, ['A']);
  await inState(page, 'A', 'live');
  await page.evaluate(() => {
    const above = document.createElement('div');
    above.style.height = '400px';
    document.body.prepend(above);
  });
  const covered = () =>
    page.evaluate(() => {
      const [canvas, tile] = ['canvas.video-overlay', '.camera-picture'].map((at) => document.querySelector(at)?.getBoundingClientRect());
      return canvas !== undefined && tile !== undefined && canvas.top <= tile.top && canvas.bottom >= tile.bottom;
    });
  await expect.poll(covered).toBe(true);
  await paintsNow(page, 'A');
  // A page at rest is not measured: what would move the tile has to be seen.
  expect(await page.evaluate(() => document.querySelector('.camera-picture')?.getBoundingClientRect().top ?? 0)).toBeGreaterThan(400);
});
