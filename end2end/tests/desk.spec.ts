// The dispatcher's desk against the real server: filters in the address, the keyboard from list to dispatch, cameras
// live inside the case, refusals in words.
import type { Page } from '@playwright/test';
import { expect_accessible } from '../helpers/axe';
import { type Catalogue, waiting_case as waiting_case_at } from '../helpers/cases';
import { expect, test } from '../helpers/hall';
import type { Hall } from '../helpers/server';

interface CameraPage {
  items: { code: string; place: { lat: number; lon: number } | null }[];
}

/** A case that waits for dispatch, at a camera's place where wanted. */
async function waiting_case(hall: Hall, where: { at_camera?: boolean } = {}): Promise<{ id: number; address: string }> {
  const { items: cameras } = (await hall.get('/api/v1/cameras?limit=1')) as CameraPage;
  return waiting_case_at(hall, where.at_camera ? (cameras[0]?.place ?? null) : null);
}

const row = (page: Page, id: number) => page.locator(`#case-${id}`);

test('filters stand in the address and survive a reload', async ({ page, hall }) => {
  const wanted = await waiting_case(hall);
  const other = await waiting_case(hall);
  await page.goto('/desk');
  await expect(page).toHaveURL(/stage=dispatch/);
  await expect(row(page, other.id)).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type(wanted.address);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/text=/);
  await expect(row(page, wanted.id)).toBeVisible();
  await expect(row(page, other.id)).toHaveCount(0);
  await page.reload();
  await expect(row(page, wanted.id)).toBeVisible();
  await expect(row(page, other.id)).toHaveCount(0);
  await expect(page.locator('#desk-find')).toHaveValue(wanted.address);
});

test('a case goes from the list to a department by keys alone', async ({ page, hall }) => {
  const { id, address } = await waiting_case(hall);
  await page.goto(`/desk?open=true&stage=dispatch&text=${encodeURIComponent(address)}`);
  await expect(row(page, id)).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect(row(page, id)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/desk/case/${id}`));
  await expect(page.locator('.sheet .title')).toContainText(address);
  await page.keyboard.press('c');
  await expect(page.getByText('认领：已办理')).toBeVisible();
  await expect(page.locator('.sheet .title')).toContainText('admin');
  // What would start is said before it is sent.
  await expect(page.locator('.eff')).toContainText('到期');
  await page.keyboard.press('1');
  await expect(page.locator('.opt.on')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page.getByText('派遣：已办理')).toBeVisible();
  await expect(page.locator('.loop .cur')).toContainText('处置');
  // The row says where it has gone and stays under the hand until asked for.
  await expect(row(page, id)).toContainText('已转处置');
  await page.keyboard.press('.');
  await expect(row(page, id)).toHaveCount(0);
  const file = (await hall.get(`/api/v1/cases/${id}`)) as { case: { stage: string; claimed_by: string; department: string } };
  expect(file.case).toMatchObject({ stage: 'dispose', claimed_by: 'admin' });
  expect(file.case.department).toBeTruthy();
});

test('new cases wait outside the list until they are asked for', async ({ page, hall }) => {
  const first = await waiting_case(hall);
  await page.goto('/desk?open=true&stage=dispatch');
  await expect(row(page, first.id)).toBeVisible();
  const second = await waiting_case(hall);
  await expect(page.locator('.outside')).toContainText('1 件新到');
  await expect(row(page, second.id)).toHaveCount(0);
  await page.keyboard.press('.');
  await expect(row(page, second.id)).toBeVisible();
  await expect(page.locator('.outside')).toContainText('列表与现状一致');
});

test('a linked camera is live inside the case', async ({ page, hall }) => {
  const { id } = await waiting_case(hall, { at_camera: true });
  await page.goto(`/desk/case/${id}`);
  const tiles = page.locator('.tiles');
  // The first opens by itself, another by one click, and closes by its digit.
  await expect(tiles.locator('.camera-tile')).toHaveCount(1);
  await expect(tiles.locator('.camera-tile').first()).toHaveAttribute('data-state', /live|delayed|key_frames/, { timeout: 30_000 });
  await tiles.locator('.closed-tile').first().click();
  await expect(tiles.locator('.camera-tile')).toHaveCount(2);
  await page.keyboard.press('v');
  await page.keyboard.press('2');
  await expect(tiles.locator('.camera-tile')).toHaveCount(1);
  await page.keyboard.press('e');
  await expect(tiles.locator('.slot.large')).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(tiles.locator('.slot.large')).toHaveCount(0);
  await expect(page).toHaveURL(new RegExp(`/desk/case/${id}`));
});

test('a case without a position says so', async ({ page, hall }) => {
  const { id } = await waiting_case(hall);
  await page.goto(`/desk/case/${id}`);
  await expect(page.locator('.no-place')).toContainText('无坐标');
  await expect(page.locator('.tiles')).toHaveCount(0);
});

test('a refusal is shown in the words of the server, and nothing is lost', async ({ page, hall }) => {
  const { id } = await waiting_case(hall);
  await page.goto(`/desk/case/${id}`);
  await expect(page.locator('.opts li').first()).toBeVisible();
  await page.keyboard.press('1');
  await expect(page.locator('.opt.on')).toHaveCount(1);
  // A colleague is faster; this page's command arrives after theirs.
  const catalogue = (await hall.get('/api/v1/catalogue')) as Catalogue;
  await page.route('**/api/v1/commands', async (route) => {
    await hall.commands([{ dispatch_case: { case: id, department: catalogue.departments[0]?.code } }]);
    await route.continue();
  });
  await page.keyboard.press('Enter');
  await expect(page.locator('.outcome .refused')).toContainText('派遣未办成');
  await expect(page.locator('.outcome .refused')).toContainText(/处置|派遣/);
  await expect(page.locator('.loop .cur')).toContainText('处置');
});

test('a command without an answer is sent again under the same key and carried out once', async ({ page, hall }) => {
  const { id } = await waiting_case(hall);
  await page.goto(`/desk/case/${id}`);
  const keys: string[] = [];
  await page.route('**/api/v1/commands', async (route) => {
    keys.push((route.request().postDataJSON() as { key: string }).key);
    // The first is carried out, but its answer is lost on the way.
    if (keys.length === 1) {
      await route.fetch();
      return route.abort();
    }
    return route.continue();
  });
  await page.locator('#desk-note').fill('已设锥桶');
  await page.keyboard.press('Enter');
  await expect(page.locator('.outcome .unsure')).toContainText('可安全重发');
  await page.keyboard.press('Escape');
  await page.keyboard.press('r');
  await expect(page.getByText('备注：已办理')).toBeVisible();
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
  const file = (await hall.get(`/api/v1/cases/${id}`)) as { timeline: { event: Record<string, unknown> }[] };
  expect(file.timeline.filter(({ event }) => 'case_noted' in event)).toHaveLength(1);
});

for (const theme of ['hall-dark', 'seat-light']) {
  for (const lang of ['zh', 'en']) {
    test(`desk and case are accessible: ${theme}, ${lang}`, async ({ page, hall }) => {
      const { id } = await waiting_case(hall, { at_camera: true });
      await page.goto(`/desk/case/${id}?open=true&stage=dispatch&theme=${theme}&lang=${lang}`);
      await expect(page.locator('.opts li').first()).toBeVisible();
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      await expect_accessible(page);
      await page.keyboard.press('?');
      await expect(page.locator('dialog.keys')).toBeVisible();
      await expect_accessible(page);
    });
  }
}
