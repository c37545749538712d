// The map by itself, fed with a city's worth of cases and walkers: what a wall and a desk see of it.
import type { Page } from '@playwright/test';
import { serve_map } from '../map/serve';
import { expect, test } from '../helpers/test';

interface Stats {
  ground: string;
  people: number;
  single: number;
  grouped: number;
  groups: number;
  frames: number;
  marks: number;
  zoom: number;
}

let site: Awaited<ReturnType<typeof serve_map>>;
test.beforeAll(async () => { site = await serve_map(); });
test.afterAll(() => site.close());

async function open(page: Page, query: string, width = 1090, height = 860): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.goto(`${site.origin}/?${query}`);
  await page.waitForSelector('#map[data-ready]');
}

const stats = (page: Page) => page.evaluate(() => (globalThis as unknown as { map: { stats(): Stats } }).map.stats());

test('groups and single inspectors add up to everybody, on every ground; one that stands still is drawn without the library', async ({ page }) => {
  for (const [query, ground] of [['', 'svg'], ['map=gl', 'gl'], ['map=svg', 'svg']] as const) {
    await open(page, query);
    await expect.poll(async () => (await stats(page)).groups).toBeGreaterThan(3);
    const seen = await stats(page);
    expect(seen.ground).toBe(ground);
    expect(seen.people).toBe(648);
    expect(seen.single + seen.grouped).toBe(648);
    await page.screenshot({ path: test.info().outputPath(`hall-${ground}.png`) });
  }
});

test('the demo map says that it is no survey map, in the language of the page', async ({ page }) => {
  await open(page, 'lang=zh&map=svg');
  await expect(page.locator('.map-note')).toHaveText('示意图 非测绘成果');
  await open(page, 'lang=en&map=svg&attribution=City%20survey&approval=GS(2026)0001');
  await expect(page.locator('.map-note')).toHaveText('Schematic, not a survey map');
  await expect(page.locator('.map-source')).toHaveText(/City survey\s+Map approval GS\(2026\)0001/);
});

test('without WebGL2 the map is drawn all the same', async ({ page }) => {
  await page.addInitScript(() => {
    const context = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function get(this: HTMLCanvasElement, ...args: Parameters<typeof context>) {
      return args[0] === 'webgl2' ? null : context.apply(this, args);
    } as typeof context;
  });
  await open(page, '');
  const seen = await stats(page);
  expect(seen.ground).toBe('svg');
  expect(seen.people).toBe(648);
});

test('a wall 3840 wide is drawn in its own pixels', async ({ page }) => {
  await open(page, 'scene=hall', 3840, 1080);
  const widths = await page.locator('canvas').evaluateAll((all) => all.map((each) => (each as HTMLCanvasElement).width));
  expect(widths).toEqual([3840, 3840]);
});

test('a click answers with the case, the camera or the district under it', async ({ page }) => {
  await open(page, 'scene=hall&map=svg');
  const spots = () =>
    page.evaluate(() => {
      const { map } = globalThis as unknown as { map: { marks: { hits: { kind: string; x: number; y: number }[] } } };
      return ['case', 'camera'].map((kind) => map.marks.hits.findLast((each) => each.kind === kind) ?? null);
    });
  // Marks are painted when their lists have come, and move once more when the font has.
  await page.evaluate(() => document.fonts.ready);
  await expect.poll(async () => (await spots()).every((spot) => spot !== null)).toBe(true);
  const at = await spots();
  for (const spot of at) await page.mouse.click(spot?.x ?? 0, spot?.y ?? 0);
  const kinds = await page.evaluate(() => (globalThis as unknown as { clicks: [string, unknown][] }).clicks.map(([kind]) => kind));
  expect(kinds).toEqual(['case', 'camera']);
});

test('a base map of our own is asked for from our own server', async ({ page }) => {
  await open(page, 'raster=/tiles/{z}/{x}/{y}.png&scene=bare&n=1');
  await expect.poll(() => site.tiles.length).toBeGreaterThan(0);
  expect(site.tiles[0]).toMatch(/^\/tiles\/\d+\/\d+\/\d+\.png$/);
});

// What a frame of them costs is measured by `cargo xtask bench browser`.
test('ten thousand moving inspectors are drawn one by one, frame after frame', async ({ page }) => {
  await open(page, 'n=10000&scene=bare&group=0&speed=4000', 1920, 1080);
  await expect.poll(async () => (await stats(page)).frames, { timeout: 120_000 }).toBeGreaterThan(20);
  const seen = await stats(page);
  expect(seen.people).toBe(10_000);
  expect(seen.single).toBe(10_000);
});
