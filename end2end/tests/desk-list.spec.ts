// A long list at the desk: of hundreds of rows only those on the screen are there, keys reach every one of them, and what has not
// been sent stays with its case.
import { randomUUID } from 'node:crypto';
import { request, type BrowserContext, type Page } from '@playwright/test';
import { expect_accessible } from '../helpers/axe';
import type { Catalogue } from '../helpers/cases';
import { Hall } from '../helpers/server';
import { expect, test } from '../helpers/test';

const ROWS = 600;

test.describe.configure({ mode: 'serial' });

let hall: Hall;
let ids: number[] = [];
let session: Parameters<BrowserContext['addCookies']>[0] = [];

/** Cases that have just been reported, in the order in which the list has them. */
async function report(count: number): Promise<number[]> {
  const { sources, classes, areas } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const report = () => ({ source: sources[0]?.code, class: classes[0]?.code, area: areas[0]?.code, address: `长单路 ${randomUUID().slice(0, 8)} 号`, description: '井盖破损' });
  const answers = (await hall.commands(Array.from({ length: count }, () => ({ report_case: { report: report() } })))) as { taken: { case: number } }[];
  return answers.map(({ taken }) => taken.case);
}

test.beforeAll(async () => {
  test.setTimeout(120_000);
  hall = await Hall.start();
  ids = await report(ROWS);
  const visitor = await request.newContext();
  await visitor.get(hall.sign_in);
  session = (await visitor.storageState()).cookies;
  await visitor.dispose();
});

test.afterAll(async () => hall.stop());

const row = (page: Page, id: number | undefined) => page.locator(`#case-${id}`);
const drawn = (page: Page) => page.locator('.case-row').count();

/** The desk over all new cases, as many pages as there are. */
async function open(page: Page): Promise<void> {
  await page.context().addCookies(session);
  await page.goto(`${hall.address}/desk?open=true&stage=accept&sort=due`);
  await expect(page.locator('.list-head .total')).toHaveAttribute('data-total', /\d+/);
  const more = page.locator('#desk-rows .more');
  for (let pages = 1; pages * 200 < ROWS; pages++) {
    await page.locator('#desk-rows').evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await more.click();
    await expect(page.locator('.group .c').last()).toHaveText(String((pages + 1) * 200));
  }
}

test('of six hundred rows only a window is drawn, and keys walk to any of them', async ({ page }) => {
  test.slow();
  await open(page);
  expect(await drawn(page)).toBeLessThan(120);
  const height = await page.locator('.group ol').evaluate((list) => list.getBoundingClientRect().height);
  const one = await page.locator('.case-row').first().evaluate((line) => line.getBoundingClientRect().height);
  expect(height).toBeCloseTo(ROWS * one, 0);
  await page.keyboard.press('Home');
  await expect(row(page, ids[0])).toBeFocused();
  for (let i = 0; i < 300; i++) await page.keyboard.press('ArrowDown');
  await expect(row(page, ids[300])).toBeFocused();
  await expect(row(page, ids[300])).toBeInViewport({ ratio: 1 });
  expect(await drawn(page)).toBeLessThan(120);
  await expect(row(page, ids[300]).locator('..')).toHaveAttribute('aria-posinset', '301');
  await expect(row(page, ids[300])).toHaveAccessibleName(/长单路/);
  await page.keyboard.press('End');
  await expect(row(page, ids[ROWS - 1])).toBeFocused();
  await expect(row(page, ids[ROWS - 1])).toBeInViewport({ ratio: 1 });
  await expect_accessible(page);
});

test('a list that is read anew leaves the hand on its case', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Home');
  for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowDown');
  await expect(row(page, ids[40])).toBeFocused();
  // Those before it go: it stands elsewhere then.
  await hall.commands(ids.slice(0, 10).map((id) => ({ accept_case: { case: id } })));
  await expect(page.locator('.outside')).toContainText('10 件已离开');
  await page.keyboard.press('.');
  await expect(row(page, ids[0])).toHaveCount(0);
  await expect(row(page, ids[40])).toBeFocused();
  await expect(row(page, ids[40]).locator('..')).toHaveAttribute('aria-posinset', '31');
  await page.keyboard.press('ArrowDown');
  await expect(row(page, ids[41])).toBeFocused();
});

test('a note on its way holds up no step, and one that is refused is there again in either language', async ({ page }) => {
  await page.context().addCookies(session);
  const [id, other] = [ids[50], ids[51]];
  await page.goto(`${hall.address}/desk/case/${id}?open=true&stage=accept&sort=due`);
  await page.locator('#desk-note').fill('已联系业主');
  let go = () => {};
  const held = new Promise<void>((then) => { go = then; });
  await page.route('**/api/v1/commands', async (route) => {
    const { command } = route.request().postDataJSON() as { command: Record<string, unknown> };
    if (!('note_case' in command)) return route.continue();
    await held;
    const said = { zh: '备注已满', en: 'no more notes' };
    await route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ status: 409, code: 'notes_full', title: said.zh, said }) });
  });
  await page.keyboard.press('Enter');
  await expect(page.locator('.outcome .pending')).toContainText('备注');
  await expect(page.locator('#desk-step')).toBeEnabled();
  await expect(async () => {
    if (await page.locator('#desk-step').getByText('受理').isVisible()) await page.locator('#desk-step').click();
    await expect(page.locator('#desk-step')).toContainText('立案', { timeout: 500 });
  }).toPass();
  await expect(page.locator('.outcome .pending')).toContainText('备注');
  go();
  await expect(page.locator('.outcome .refused')).toContainText('备注已满');
  await expect(page.locator('#desk-note')).toHaveValue('已联系业主');
  await page.locator('[data-switch=language]').click();
  await expect(page.locator('.outcome .refused')).toContainText('no more notes');
  // It waits with its case while another is looked at.
  await row(page, other).click();
  await expect(page.locator('#desk-note')).toHaveValue('');
  await row(page, id).click();
  await expect(page.locator('#desk-note')).toHaveValue('已联系业主');
  // Nor does a page that is loaded anew lose it.
  await page.reload();
  await expect(page.locator('#desk-note')).toHaveValue('已联系业主');
});
