// The demonstration of an installed package: wall and desk move, and cameras show pictures.
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { video_options } from '../helpers/chromium';
import { expect, test } from '../helpers/test';
import { asked } from './asked';

// Pictures of cameras and SVG maps: without a graphics card both in time.
test.use({ launchOptions: video_options });

interface Line {
  id: number;
  place: { lat: number; lon: number } | null;
}

/** A waiting case that a camera looks at. */
async function case_in_sight(page: Page, hall: string): Promise<number> {
  const get = async (path: string): Promise<unknown> => (await page.request.get(`${hall}${path}`)).json();
  const { items } = (await get('/api/v1/cases?open=true&has_place=true&limit=200')) as { items: Line[] };
  for (const { id, place } of items) {
    if (place === null) continue;
    const near = (await get(`/api/v1/cameras?near=${place.lat},${place.lon}&radius=800&limit=3`)) as { items: unknown[] };
    if (near.items.length > 0) return id;
  }
  throw new Error('no case has a camera near');
}

test('the link signs in once, and wall and desk have pictures', async ({ page }) => {
  const sign_in = asked('GRIDHALL_SIGN_IN');
  const hall = new URL(sign_in).origin;
  await page.goto(sign_in);
  await expect(page).not.toHaveURL(/sign-in/);
  let id = 0;
  await expect(async () => { id = await case_in_sight(page, hall); }).toPass({ timeout: 120_000 });
  for (const [name, path] of [['wall', '/wall/main'], ['desk', `/desk/case/${id}?open=true`]] as const) {
    await page.goto(`${hall}${path}`);
    await expect(page.locator('.map[data-ready]').first()).toBeVisible({ timeout: 120_000 });
    if (name === 'wall') await expect(page.locator('[data-link]').first()).toHaveAttribute('data-link', 'live');
    const tile = page.locator('.camera-tile').first();
    await expect(tile).toHaveAttribute('data-state', /live|delayed|key_frames/, { timeout: 120_000 });
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(6_000);
    await page.screenshot({ path: join(asked('GRIDHALL_PICTURES'), `demo-${name}.png`) });
  }
  // A link that works once works once.
  const again = await page.request.get(sign_in);
  expect(again.url()).toContain('link=spent');
});
