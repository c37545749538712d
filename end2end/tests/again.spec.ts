// What a page could not load at first is said to be missing, asked for again by itself, and then there: nobody presses.
import type { Route } from '@playwright/test';
import { waiting_case } from '../helpers/cases';
import { expect, test } from '../helpers/hall';

/** Answers the first requests to an address as a server does that is hard pressed. */
function pressed(times: number): (route: Route) => Promise<void> {
  let left = times;
  return async (route) => {
    left -= 1;
    if (left < 0) return route.fallback();
    await route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"code":"busy","title":"too busy"}' });
  };
}

test('a case and its cameras that could not be read come by themselves', async ({ page, hall }) => {
  const cameras = (await hall.get('/api/v1/cameras?limit=1')) as { items: { place: { lat: number; lon: number } }[] };
  const { id } = await waiting_case(hall, cameras.items[0]?.place);
  await page.route(`**/api/v1/cases/${id}`, pressed(2));
  await page.route('**/api/v1/cameras?near=*', pressed(2));
  await page.goto(`/desk/case/${id}`);
  await expect(page.locator('.sheet-state')).toContainText('读取失败');
  await expect(page.locator('ul.near:not(.people)')).toContainText('摄像机目录未取到');
  await expect(page.locator('ul.near:not(.people) li button').first()).toBeVisible();
  await expect(page.locator('.sheet-state')).toHaveCount(0);
});

test('a list that could not be read says so and comes by itself', async ({ page, hall }) => {
  const { id } = await waiting_case(hall);
  await page.route('**/api/v1/cases?limit=*', pressed(2));
  await page.goto('/desk?open=true&stage=dispatch');
  await expect(page.locator('.list')).toContainText('读取失败');
  await expect(page.locator(`#case-${id}`)).toBeVisible();
});
