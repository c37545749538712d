// Walls and scenes as data: what hangs where is what the hall's file says, an address in vain is said in words, and panels
// follow the size of their window and the sharpness of its screen.
import { join } from 'node:path';
import { type BrowserContextOptions, type Page, request } from '@playwright/test';
import { expect, test } from '../helpers/hall';
import { Hall } from '../helpers/server';
import { guard } from '../helpers/test';

const WALLS = join(import.meta.dirname, '../../config/walls.toml');

interface Sizes {
  /** CSS pixels of a panel's unit, of the words in a panel, of the words on the map. */
  unit: number;
  words: number;
  map: number;
  /** Device pixels of the map's picture for each CSS pixel of the map. */
  sharpness: number;
  /** Whether the map's picture is as wide as its panel. */
  fills: boolean;
}

async function sizes(page: Page): Promise<Sizes> {
  return page.evaluate(() => {
    const find = (selector: string): HTMLElement => {
      const element = document.querySelector<HTMLElement>(selector);
      if (element === null) throw new Error(`${selector} is not there`);
      return element;
    };
    const pixels = (selector: string, name: string) => Number.parseFloat(getComputedStyle(find(selector)).getPropertyValue(name));
    const [panel, marks] = [find('.where'), find('.where canvas.map-marks') as HTMLCanvasElement];
    return {
      unit: pixels('.where', '--u'),
      words: pixels('.where h2', 'font-size'),
      map: pixels('.where .map-foot', 'font-size'),
      sharpness: marks.width / marks.clientWidth,
      fills: Math.abs(marks.clientWidth - panel.clientWidth) < 1,
    };
  });
}

/** Places are shares of the wall, which a browser keeps to a 64th of a pixel. */
const about = (box: Record<string, number>) => Object.fromEntries(Object.entries(box).map(([side, px]) => [side, expect.closeTo(px, 1)]));

test.describe('with walls of its own', () => {
  let hall: Hall;
  let storageState: BrowserContextOptions['storageState'];
  test.beforeAll(async () => {
    hall = await Hall.start({ settings: { GRIDHALL__WALLS__FILE: WALLS } });
    const visitor = await request.newContext();
    await visitor.get(hall.sign_in);
    storageState = await visitor.storageState();
    await visitor.dispose();
  });
  test.afterAll(async () => {
    await hall.stop();
  });

  test('a wall shows its scene, and an address may ask for another', async ({ browser }) => {
    const context = await browser.newContext({ storageState, viewport: { width: 1920, height: 1080 } });
    const check = guard(context);
    const page = await context.newPage();
    for (const address of ['/wall/side', '/wall/2', '/wall/main?scene=map']) {
      await page.goto(`${hall.address}${address}`);
      await expect(page.locator('.head .scene')).toHaveText('场景 地图');
      await expect(page.locator('main.wall .cell')).toHaveCount(7);
      await expect(page.locator('.flow')).toHaveCount(0);
      const box = await page.locator('.where').boundingBox();
      expect(box).toEqual(about({ x: 32, y: 104, width: 1232, height: 848 }));
    }
    for (const address of ['/wall/main', '/wall/1', '/wall/main?scene=usual']) {
      await page.goto(`${hall.address}${address}`);
      await expect(page.locator('.head .scene')).toHaveText('场景 平时');
      await expect(page.locator('main.wall .cell')).toHaveCount(11);
    }
    check();
    await context.close();
  });

  test('no such wall and no such scene are said, with the walls there are where somebody can go to one', async ({ browser }) => {
    const context = await browser.newContext({ storageState });
    const check = guard(context);
    const page = await context.newPage();
    const links = page.locator('main.plain .ways a');
    for (const [address, words, first] of [
      ['/wall/west', '没有这面大屏', '主屏'],
      ['/wall/main?scene=night', '没有这个场景', '主屏'],
      ['/wall/west?lang=en', 'There is no such wall', 'Main wall'],
      ['/wall/main?scene=night&lang=en', 'There is no such scene', 'Main wall'],
    ] as const) {
      await page.goto(`${hall.address}${address}`);
      await expect(page.locator('main.plain h1')).toHaveText(words);
      await expect(links).toHaveCount(2);
      await expect(links.first()).toHaveText(first);
    }
    await links.last().click();
    await expect(page).toHaveURL(/\/wall\/side$/);
    await expect(page.locator('main.wall .where')).toBeVisible();
    // What a paired browser knows of itself; nobody stands before its wall.
    await page.evaluate(() => { localStorage.setItem('gridhall.wall', 'west'); });
    await page.route('**/api/v1/session', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json() as object), roles: ['kiosk'] } });
    });
    await page.goto(`${hall.address}/wall/west?lang=en`);
    await expect(page.locator('main.plain h1')).toHaveText('There is no such wall');
    await expect(links).toHaveCount(0);
    check();
    await context.close();
  });
});

/** Waits until panel, words and map are of the unit, and the map's picture of the screen's pixels. */
async function follows(page: Page, unit: number, sharpness: number): Promise<void> {
  await expect.poll(() => sizes(page)).toEqual({
    unit: expect.closeTo(unit, 2),
    words: expect.closeTo(2.8 * unit, 1),
    map: expect.closeTo(2.4 * unit, 1),
    sharpness: expect.closeTo(sharpness, 1),
    fills: true,
  });
}

test('words and map follow a window that grows and shrinks', async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.goto('/wall/main');
  await expect(page.locator('.where .map')).toHaveAttribute('data-ready', 'true');
  const map = await page.locator('.where .map').elementHandle();
  await follows(page, 720 / 108, 1);
  await expect(page.locator('.head .scene')).toBeHidden();
  await page.setViewportSize({ width: 3840, height: 1080 });
  await follows(page, 10, 1);
  await expect(page.locator('.head .scene')).toBeVisible();
  const wide = await page.locator('.where').boundingBox();
  expect(wide).toEqual(about({ x: 822, y: 104, width: 1090, height: 848 }));
  await page.setViewportSize({ width: 1920, height: 1080 });
  await follows(page, 10, 1);
  await page.setViewportSize({ width: 1366, height: 768 });
  await follows(page, 768 / 108, 1);
  // It is the same map all along: what it was told is not asked for again.
  expect(await page.evaluate((before) => document.querySelector('.where .map') === before, map)).toBe(true);
});

test.describe('on a screen of two pixels for one', () => {
  test.use({ deviceScaleFactor: 2, viewport: { width: 1920, height: 1080 } });

  test('the map is as sharp as its screen', async ({ page }) => {
    await page.goto('/wall/main');
    await expect(page.locator('.where .map')).toHaveAttribute('data-ready', 'true');
    await follows(page, 10, 2);
  });
});
