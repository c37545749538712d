// A city's own map on the wall, served by the real server: its layers instead of the schematic, tiles below them, an
// archive read in ranges, whose map it is and its approval number.
import type { Page, Response } from '@playwright/test';
import { ARCHIVE_COLOUR, CityMap, TILE_COLOUR, ZOOM_MAX, type Rgb } from '../helpers/city-map';
import { Hall } from '../helpers/server';
import { expect, test } from '../helpers/test';

const APPROVAL = '苏S(2026)012号';
const OWNER = '市测绘院';

let map: CityMap;
let hall: Hall | undefined;
test.beforeAll(() => { map = new CityMap(); });
test.afterEach(async () => { await hall?.stop(); });
test.afterAll(() => map.remove());

/** A hall whose map is set so, and its wall; answers to what the map asks for are kept. */
async function wall(page: Page, settings: Record<string, string>, query: string): Promise<Response[]> {
  const named = { GRIDHALL__MAP__ATTRIBUTION: OWNER, GRIDHALL__MAP__APPROVAL_NUMBER: APPROVAL };
  hall = await Hall.start({ settings: { ...named, ...settings } });
  const answers: Response[] = [];
  page.on('response', (answer) => { if (/\/map\b|\/tiles\//.test(new URL(answer.url()).pathname)) answers.push(answer); });
  await page.goto(hall.sign_in);
  await page.goto(`${hall.address}/wall/main?${query}`);
  await page.waitForSelector('.map[data-ready]');
  return answers;
}

const paths = (answers: Response[]) => answers.map((answer) => new URL(answer.url()).pathname);

/** The commonest colour of the ground, whose canvas is seen through everything above it. */
async function ground_colour(page: Page): Promise<Rgb> {
  const picture = await page.locator('.map').screenshot();
  return page.evaluate(async (base64) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.width, image.height];
    const pen = canvas.getContext('2d') as CanvasRenderingContext2D;
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, image.width, image.height);
    const counts = new Map<string, number>();
    for (let i = 0; i < data.length; i += 4) {
      const key = `${data[i]},${data[i + 1]},${data[i + 2]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const [most] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ['0,0,0'];
    return most.split(',').map(Number) as [number, number, number];
  }, picture.toString('base64'));
}

test('the layers of the city are drawn, and nothing says schematic', async ({ page }) => {
  for (const ground of ['svg', 'gl']) {
    const answers = await wall(page, { GRIDHALL__MAP__LAYERS: `${map.districts},${map.parks}` }, `map=${ground}`);
    await expect(page.locator('.map')).toHaveAttribute('data-ground', ground);
    expect(paths(answers)).toEqual(expect.arrayContaining(['/api/v1/map', '/api/v1/map/layers/0', '/api/v1/map/layers/1']));
    expect(paths(answers)).not.toContain('/map/schematic.geojson');
    expect(paths(answers).filter((path) => path === '/api/v1/map')).toHaveLength(1);
    await expect(page.locator('.map-source')).toHaveText(`${OWNER} 审图号：${APPROVAL}`);
    await expect(page.locator('.map-note')).toHaveText('');
    await expect(page.getByText('示意图')).toHaveCount(0);
    await expect(page.getByLabel('示意图')).toHaveCount(0);
    if (ground === 'svg') {
      // Both parts of the district, and the park that no kind names.
      const rings = await page.locator('.map-svg .map-district').getAttribute('d');
      expect(rings?.match(/Z/g)).toHaveLength(2);
      const seen = await page.locator('.map-svg .map-district').boundingBox();
      expect(seen?.width).toBeGreaterThan(150);
      const park = await page.locator('.map-svg .map-area').boundingBox();
      expect(park?.width).toBeGreaterThan(20);
    }
    await page.screenshot({ path: test.info().outputPath(`own-${ground}.png`) });
    await hall?.stop();
  }
});

test('raster tiles of a folder lie below, with and without WebGL2', async ({ page }) => {
  for (const ground of ['svg', 'gl']) {
    const settings = { GRIDHALL__MAP__TILES: map.tiles, GRIDHALL__MAP__RASTER_ZOOM_MAX: String(ZOOM_MAX) };
    const answers = await wall(page, settings, `map=${ground}`);
    await expect.poll(() => ground_colour(page)).toEqual(TILE_COLOUR);
    const tiles = answers.filter((answer) => answer.url().includes('/tiles/'));
    expect(tiles.map((answer) => answer.status())).not.toContain(404);
    await expect(page.getByText('示意图')).toHaveCount(0);
    await hall?.stop();
  }
});

test('an archive of pictures is read in ranges and drawn', async ({ page }) => {
  const answers = await wall(page, { GRIDHALL__MAP__PMTILES: map.raster_archive }, 'map=gl');
  await expect.poll(() => ground_colour(page)).toEqual(ARCHIVE_COLOUR);
  const asked = answers.filter((answer) => answer.url().endsWith('/tiles/archive.pmtiles'));
  expect(new Set(asked.map((answer) => answer.status()))).toEqual(new Set([206]));
});

test('an archive of vector tiles is drawn in the colours of the screen', async ({ page }) => {
  await wall(page, { GRIDHALL__MAP__PMTILES: map.vector_archive }, 'map=gl');
  const token = await page.evaluate(() => getComputedStyle(document.querySelector('.map') as Element).getPropertyValue('--bg').trim());
  const expected = [1, 3, 5].map((at) => Number.parseInt(token.slice(at, at + 2), 16));
  await expect.poll(() => ground_colour(page)).toEqual(expected);
  await expect(page.locator('.map-note')).toHaveText('');
});

test('a layer that cannot be read is said on the map, and the rest is drawn', async ({ page }) => {
  await page.route('**/api/v1/map/layers/1', (route) => route.fulfill({ status: 500 }));
  await wall(page, { GRIDHALL__MAP__LAYERS: `${map.districts},${map.parks}` }, 'map=svg');
  await expect(page.locator('.map-note')).toHaveText('部分图层未能载入');
  expect(await page.locator('.map-svg .map-district').getAttribute('d')).toContain('Z');
});
