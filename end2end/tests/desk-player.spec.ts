// The desk while the player's script does not load: it is asked for again, and the page loaded anew where that alone helps.
import { waiting_case as waiting_case_at } from '../helpers/cases';
import { expect, test } from '../helpers/hall';
import type { Hall } from '../helpers/server';
import { built } from '../helpers/site';

/** A case that waits for dispatch at a camera's place. */
async function waiting_case(hall: Hall): Promise<{ id: number }> {
  const { items } = (await hall.get('/api/v1/cameras?limit=1')) as { items: { place: { lat: number; lon: number } | null }[] };
  return waiting_case_at(hall, items[0]?.place ?? null);
}

const player = `**${built('/js/player.js')}`;

test('a player that could not be loaded is asked for again', async ({ page, hall }) => {
  const { id } = await waiting_case(hall);
  let asked = 0;
  await page.route(player, (route) => (++asked === 1 ? route.abort() : route.continue()));
  await page.goto(`/desk/case/${id}`);
  const tile = page.locator('.tiles .camera-tile').first();
  await expect(tile).toHaveAttribute('data-state', /live|delayed|key_frames/);
  expect(asked).toBeGreaterThan(1);
});

test('a page whose browser keeps the failure of the player is loaded anew', async ({ page, hall }) => {
  const { id } = await waiting_case(hall);
  // A page that has stood for a while.
  await page.addInitScript(() => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + 60_000;
  });
  let loads = 0;
  page.on('load', () => { loads += 1; });
  // The server has the script; the first page never gets it as one.
  await page.route(player, (route) => (loads < 2 && route.request().resourceType() === 'script' ? route.abort() : route.continue()));
  await page.goto(`/desk/case/${id}`);
  const tile = page.locator('.tiles .camera-tile').first();
  await expect(tile).toHaveAttribute('data-state', 'lost');
  await expect.poll(() => loads).toBe(2);
  await expect(tile).toHaveAttribute('data-state', /live|delayed|key_frames/);
  expect(loads).toBe(2);
});
