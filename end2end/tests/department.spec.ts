// The seat of an answering department against the real server: its own cases alone, finished by keys on a desktop and by touch on
// a phone, calls answered, and what somebody else was quicker with refused in words.
import { type Browser, type BrowserContext, devices, type Page } from '@playwright/test';
import { expect_accessible } from '../helpers/axe';
import { type Catalogue, waiting_case } from '../helpers/cases';
import { expect, test } from '../helpers/hall';
import type { Hall } from '../helpers/server';
import { guard } from '../helpers/test';

const PASSWORD = 'correct horse battery';
const PHONE = { width: 390, height: 844 };
let accounts = 0;
let matters = 0;

async function departments(hall: Hall): Promise<[string, string]> {
  const { departments: all } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const [own, other] = all.map(({ code }) => code);
  if (own === undefined || other === undefined) throw new Error('a hall of fewer than two departments');
  return [own, other];
}

/** An account of the department and nothing else. */
function account_of(hall: Hall, department: string): string {
  const name = `unit-${++accounts}`;
  hall.add_account(name, 'department', PASSWORD, ['--department', department]);
  return name;
}

/** Signs the page in as somebody of the department, without its form. */
async function sign_in(page: Page, hall: Hall, department: string): Promise<void> {
  const name = account_of(hall, department);
  await page.context().clearCookies();
  const answer = await page.request.post(`${hall.address}/api/v1/sign-in`, { data: { name, password: PASSWORD }, headers: { origin: hall.address } });
  expect(answer.ok(), await answer.text()).toBe(true);
}

async function dispatched(hall: Hall, department: string): Promise<{ id: number; address: string }> {
  const waits = await waiting_case(hall);
  await hall.commands([{ dispatch_case: { case: waits.id, department } }]);
  return waits;
}

/** Calls the department; what the call is about, as nobody else's is. */
async function whistle(hall: Hall, called: string[]): Promise<{ id: number; title: string }> {
  const { areas } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const title = `占道经营 ${++matters}`;
  const area = areas.find(({ level }) => level === 'district')?.code;
  const [raised] = (await hall.commands([{ raise_whistle: { call: { level: 'street', area, title, case: null, called } } }])) as { taken?: { whistle: number } }[];
  const id = raised?.taken?.whistle;
  if (id === undefined) throw new Error(`not called: ${JSON.stringify(raised)}`);
  return { id, title };
}

interface File {
  case: { stage: string; version: number; steps: { step: string; by: string }[] };
  lines: { name: string; note: string }[];
}

const file_of = async (hall: Hall, id: number) => (await hall.get(`/api/v1/cases/${id}`)) as File;
const row = (page: Page, id: number) => page.locator(`#case-${id}`);

/** A phone of its own, with fingers. */
async function phone(browser: Browser, hall: Hall): Promise<[Page, BrowserContext, () => void]> {
  const { userAgent } = devices['Pixel 7'] ?? {};
  const context = await browser.newContext({ baseURL: hall.address, viewport: PHONE, hasTouch: true, isMobile: true, deviceScaleFactor: 2, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', ...(userAgent === undefined ? {} : { userAgent }) });
  const check = guard(context);
  return [await context.newPage(), context, check];
}

/** Nothing a finger goes to is smaller than 44 px, and nothing hangs over the side. */
async function expect_fit_for_fingers(page: Page): Promise<void> {
  const small = await page.locator('button:visible, .case-row:visible, input:visible').evaluateAll((all) =>
    all.filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => `${one.className} ${one.textContent ?? ''}`));
  expect(small).toEqual([]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide).toBeLessThanOrEqual(0);
}

test('who is a department and nothing else begins at its seat after signing in, and the start page leads others there', async ({ page, hall }) => {
  const [own] = await departments(hall);
  const name = account_of(hall, own);
  await page.context().clearCookies();
  await page.goto('/');
  await page.locator('input[name=name]').fill(name);
  await page.locator('input[name=password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/department$/);
  await expect(page.locator('.seat-top h1')).not.toBeEmpty();
  await page.goto('/');
  await page.getByRole('link', { name: '责任单位席' }).click();
  await expect(page).toHaveURL(/\/department$/);
});

test('a department sees its own cases alone and finishes one by keys', async ({ page, hall }) => {
  const [own, other] = await departments(hall);
  const [mine, theirs] = [await dispatched(hall, own), await dispatched(hall, other)];
  await sign_in(page, hall, own);
  await page.goto('/department');
  await expect(row(page, mine.id)).toContainText(mine.address);
  await expect(row(page, theirs.id)).toHaveCount(0);
  // What comes while the seat is open is there without a reload, with its words.
  const later = await dispatched(hall, own);
  await expect(row(page, later.id)).toContainText(later.address);
  await expect(row(page, later.id)).toContainText('待处置');
  // From the list to the end of the disposal without a pointer.
  await row(page, mine.id).focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/department/case/${mine.id}$`));
  await expect(page.locator('.sheet .title')).toContainText(mine.address);
  await expect(page.locator('.cdx .big b')).not.toBeEmpty();
  await expect(page.locator('.loop .cur')).toContainText('处置');
  await expect(page.locator('#seat-step')).toContainText('处置完成');
  await page.locator('#seat-remark').focus();
  await page.keyboard.type('已更换井盖');
  await page.keyboard.press('Enter');
  await expect(page.locator('#seat-remark')).not.toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('.outcome .done')).toContainText('处置完成');
  await expect(page.locator('#seat-step')).toContainText('反馈');
  await expect(page.locator('#seat-remark')).toHaveValue('');
  const file = await file_of(hall, mine.id);
  expect(file.case.stage).toBe('feedback');
  expect(file.lines.find(({ name }) => name === 'disposal_finished')?.note).toBe('已更换井盖');
  // A case of another department is none that this page could open.
  await page.goto(`/department/case/${theirs.id}`);
  await expect(page.locator('.sheet .queue-state')).toContainText('没有这件案件');
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/\/department$/);
});

test('counts say how much of what there is to do, and choose what is listed', async ({ page, hall }) => {
  const [own] = await departments(hall);
  await sign_in(page, hall, own);
  const [one, two] = [await dispatched(hall, own), await dispatched(hall, own)];
  await hall.commands([{ finish_disposal: { case: two.id, note: '' } }]);
  await page.goto('/department');
  await expect(row(page, two.id)).toContainText('待反馈');
  const chip = (name: string) => page.locator('.chips').getByRole('button', { name });
  const number = async (name: string) => Number(await chip(name).locator('b').innerText());
  const before = await number('待处置');
  expect(before).toBeGreaterThan(0);
  await chip('待反馈').click();
  await expect(row(page, one.id)).toHaveCount(0);
  await expect(row(page, two.id)).toBeVisible();
  // What is answered waits for the centre, and is not to do any more.
  await hall.commands([{ give_feedback: { case: two.id, note: '已恢复' } }]);
  await expect(row(page, two.id)).toHaveCount(0);
  await chip('中心办理中').click();
  await expect(row(page, two.id)).toBeVisible();
  await row(page, two.id).click();
  await expect(page.locator('.hand')).toContainText('本单位无须操作');
  await expect(page.locator('#seat-step')).toHaveCount(0);
  expect(await number('待处置')).toBe(before);
});

test('who was quicker is not overruled: a step on a version that has passed is refused in words, and the remark stays', async ({ page, hall }) => {
  const [own] = await departments(hall);
  const { id } = await dispatched(hall, own);
  await sign_in(page, hall, own);
  await page.goto(`/department/case/${id}`);
  await page.locator('#seat-remark').fill('现场已清理');
  // A colleague is faster; this page's command arrives after theirs.
  await page.route('**/api/v1/commands', async (route) => {
    await hall.commands([{ finish_disposal: { case: id, note: '' } }]);
    await route.continue();
  });
  await page.locator('#seat-step').click();
  await expect(page.locator('.outcome .refused')).toContainText('处置完成未办成');
  await expect(page.locator('#seat-remark')).toHaveValue('现场已清理');
  await expect(page.locator('.loop .cur')).toContainText('反馈');
  expect((await file_of(hall, id)).case.stage).toBe('feedback');
});

test('what is written for a case waits while another is looked at and while the page is loaded again', async ({ page, hall }) => {
  const [own] = await departments(hall);
  const [one, two] = [await dispatched(hall, own), await dispatched(hall, own)];
  await sign_in(page, hall, own);
  await page.goto(`/department/case/${one.id}`);
  await page.locator('#seat-remark').fill('等待配件');
  await row(page, two.id).click();
  await expect(page.locator('.sheet .title')).toContainText(two.address);
  await expect(page.locator('#seat-remark')).toHaveValue('');
  await page.goBack();
  await expect(page.locator('#seat-remark')).toHaveValue('等待配件');
  await page.reload();
  await expect(page.locator('#seat-remark')).toHaveValue('等待配件');
});

test('a call to the department stands first until it has reported for duty, and then says when', async ({ page, hall }) => {
  const [own, other] = await departments(hall);
  await sign_in(page, hall, own);
  await page.goto('/department');
  await expect(page.locator('.chips .chip b').first()).toContainText(/\d/);
  const theirs = await whistle(hall, [other]);
  const call = await whistle(hall, [own, other]);
  const shown = page.locator(`#call-${call.id}`);
  await expect(shown).toContainText(call.title);
  await expect(shown.locator('.stands em')).toContainText(/\d+:\d\d/);
  await expect(page.locator(`#call-${theirs.id}`)).toHaveCount(0);
  await page.keyboard.press('w');
  await expect(page.locator('.call button').first()).toBeFocused();
  await shown.getByRole('button').focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('.outcome .done')).toContainText('报到');
  await expect(shown).toHaveClass(/answered/);
  await expect(shown.locator('.stands em')).toContainText('报到');
  await expect(shown.getByRole('button')).toHaveCount(0);
  const held = (await hall.get(`/api/v1/whistles/${call.id}`)) as { whistle: { called: { department: string; responded: number | null }[] } };
  expect(held.whistle.called.map(({ department, responded }) => [department, responded !== null])).toEqual([[own, true], [other, false]]);
});

test('on a phone a case is finished and reported back by touch', async ({ browser, hall }) => {
  const [own] = await departments(hall);
  const { id, address } = await dispatched(hall, own);
  const [page, context, check] = await phone(browser, hall);
  await sign_in(page, hall, own);
  await page.goto('/department');
  await expect(row(page, id)).toContainText(address);
  await expect_fit_for_fingers(page);
  await row(page, id).tap();
  // It lies over the list, and its buttons are in sight wherever one reads.
  await expect(page.locator('.sheet .title')).toContainText(address);
  await expect(page.locator('#seat-step')).toBeInViewport({ ratio: 1 });
  await expect_fit_for_fingers(page);
  await page.locator('#seat-step').tap();
  await expect(page.locator('.outcome .done')).toContainText('处置完成');
  // A second tap just after the answer is no step of the next stage; one that is meant is.
  await expect(page.locator('#seat-step')).toContainText('反馈');
  await expect(async () => {
    if (await page.locator('#seat-step').isVisible()) await page.locator('#seat-step').tap({ timeout: 2_000 });
    expect((await file_of(hall, id)).case.stage).toBe('check');
  }).toPass();
  await page.locator('.sheet .back').tap();
  await expect(page).toHaveURL(/\/department$/);
  await expect(row(page, id)).toHaveCount(0);
  check();
  await context.close();
});

test('while the server is away the seat says so, and what it does not know is not zero', async ({ page, hall }) => {
  const [own] = await departments(hall);
  await sign_in(page, hall, own);
  await page.routeWebSocket(/\/live/, (socket) => void socket.close());
  await page.route('**/api/v1/live/**', (route) => route.abort());
  await page.goto('/department');
  await expect(page.locator('.seat-top .stale')).toContainText('未连接');
  const counts = await page.locator('.chips .chip b').allInnerTexts();
  expect(counts.length).toBeGreaterThan(4);
  expect(new Set(counts)).toEqual(new Set(['–']));
  await expect(page.locator('.queue .queue-state')).toContainText('正在读取');
});

for (const lang of ['zh', 'en']) {
  for (const theme of ['hall-dark', 'seat-light']) {
    test(`the seat can be read and used, wide and narrow: ${lang}, ${theme}`, async ({ page, hall }) => {
      const [own] = await departments(hall);
      const { id } = await dispatched(hall, own);
      await whistle(hall, [own]);
      await sign_in(page, hall, own);
      for (const [size, viewport] of [['wide', { width: 1440, height: 900 }], ['narrow', PHONE]] as const) {
        await page.setViewportSize(viewport);
        for (const address of ['/department', `/department/case/${id}`]) {
          await page.goto(`${address}?lang=${lang}&theme=${theme}`);
          await expect(row(page, id)).toContainText(/试验路/);
          if (address.endsWith(String(id))) await expect(page.locator('#seat-step')).toBeVisible();
          await expect_accessible(page);
          const cut = await page.locator('.chip, .btn:visible, .seat-top h1').evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent));
          expect(cut, 'words that are cut').toEqual([]);
          if (process.env.GRIDHALL_LOOK !== undefined) {
            await page.screenshot({ path: `${process.env.GRIDHALL_LOOK}/${lang}-${theme}-${size}-${address.endsWith(String(id)) ? 'case' : 'list'}.png` });
          }
        }
      }
    });
  }
}
