// Pairing a wall: a browser without a session shows digits, an operator approves them, the wall opens; revoked, it comes
// back to the digits.
import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { expect_accessible } from '../helpers/axe';
import { expect, test } from '../helpers/hall';
import { Hall } from '../helpers/server';
import { guard } from '../helpers/test';

/** A browser that nobody has signed in on. */
async function wall_browser(browser: Browser, hall: Hall): Promise<{ kiosk: Page; context: BrowserContext; check: () => void }> {
  const context = await browser.newContext({ baseURL: hall.address, storageState: { cookies: [], origins: [] } });
  const check = guard(context);
  return { kiosk: await context.newPage(), context, check };
}

const code_of = async (kiosk: Page): Promise<string> => (await kiosk.locator('.pair-code').getAttribute('data-code')) ?? '';

async function approve(page: Page, code: string, name: string): Promise<void> {
  await page.locator('input[name=code]').fill(code);
  await page.locator('input[name=name]').fill(name);
  await page.locator('input[name=name]').press('Enter');
}

test('a wall is paired, shows its numbers, and when revoked asks again', async ({ page, hall, browser }) => {
  const { kiosk, context, check } = await wall_browser(browser, hall);
  const name = `一号大屏 ${randomUUID().slice(0, 6)}`;
  await kiosk.goto('/pair');
  await expect(kiosk.locator('.pair-code')).toHaveText(/^\d{6}$/);
  await expect(kiosk.locator('.pair-state')).toContainText(/剩 \d:\d\d/);
  const code = await code_of(kiosk);

  await page.goto('/');
  await page.getByRole('link', { name: '大屏配对' }).click();
  await expect(page).toHaveURL(/\/kiosks$/);
  // With the gap that the wall shows between its groups.
  await approve(page, `${code.slice(0, 3)} ${code.slice(3)}`, name);
  await expect(page.locator('.outcome-words')).toContainText('已批准');
  await expect(kiosk).toHaveURL(/\/wall\/main$/);
  await expect(kiosk.locator('[data-link=live]')).toBeVisible();
  await expect(kiosk.locator('main.wall .figure').first()).toHaveText(/\d/);
  // What it kept is a cookie no script reads, and no secret besides.
  const kept = await kiosk.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie);
  const cookie = (await context.cookies()).find(({ httpOnly }) => httpOnly);
  expect(cookie?.value.length).toBeGreaterThan(20);
  expect(kept).not.toContain(cookie?.value ?? 'none');
  // Asked to pair once more, it goes to its wall.
  await kiosk.goto('/pair');
  await expect(kiosk).toHaveURL(/\/wall\/main$/);

  const row = page.locator('.paired li').filter({ hasText: name });
  await expect(row).toBeVisible();
  await row.getByRole('button').focus();
  await page.keyboard.press('Enter');
  await expect(row.getByRole('button')).toHaveText('确认撤销');
  await expect_accessible(page);
  await page.screenshot({ path: test.info().outputPath('list.png') });
  await page.keyboard.press('Enter');
  await expect(row).toHaveCount(0);
  await expect(page.locator('.outcome-words')).toContainText('已撤销');
  await expect(kiosk).toHaveURL(/\/pair$/);
  await expect(kiosk.locator('.pair-code')).toHaveText(/^\d{6}$/);
  expect(await code_of(kiosk)).not.toBe(code);
  check();
  await context.close();
});

test('a wrong code and a taken name are said in words', async ({ page, hall, browser }) => {
  await page.goto('/kiosks');
  await approve(page, '000000', '无此屏');
  await expect(page.locator('.outcome-words.problem')).toContainText('没有大屏显示此码');
  await expect(page.locator('input[name=code]')).toBeFocused();
  const { kiosk, context, check } = await wall_browser(browser, hall);
  await kiosk.goto('/pair');
  await expect(kiosk.locator('.pair-code')).toBeVisible();
  // The machine token of these tests has this name.
  await approve(page, await code_of(kiosk), 'tests');
  await expect(page.locator('.outcome-words.problem')).toContainText('已被使用');
  await page.waitForTimeout(2_500);
  await expect(kiosk).toHaveURL(/\/pair$/);
  check();
  await context.close();
});

test('a lost server is said, and the wall goes on by itself with a code that works', async ({ browser, playwright }) => {
  const hall = await Hall.start();
  try {
    const { kiosk, context, check } = await wall_browser(browser, hall);
    await kiosk.goto('/pair');
    await expect(kiosk.locator('.pair-code')).toBeVisible();
    const before = await code_of(kiosk);
    await hall.stop_server('SIGKILL');
    await expect(kiosk.locator('.pair-state')).toContainText('连不上服务器');
    await hall.restart_server();
    await expect(kiosk.locator('.pair-state')).toContainText('剩');
    await expect.poll(() => code_of(kiosk)).not.toBe(before);
    const person = await playwright.request.newContext({ baseURL: hall.address, storageState: { cookies: [], origins: [] } });
    await person.get(hall.sign_in);
    const { csrf } = (await (await person.get('/api/v1/session')).json()) as { csrf: string };
    const headers = { 'x-csrf-token': csrf, origin: hall.address };
    const approved = await person.post('/api/v1/kiosk/approve', { data: { code: await code_of(kiosk), name: '二号大屏', wall: '1' }, headers });
    expect(approved.status()).toBe(204);
    await expect(kiosk).toHaveURL(/\/wall\/1$/);
    check();
    await person.dispose();
    await context.close();
  } finally {
    await hall.stop();
  }
});

test('a new code comes before the old one ends', async ({ hall, browser }) => {
  const { kiosk, context, check } = await wall_browser(browser, hall);
  await kiosk.clock.install();
  await kiosk.goto('/pair');
  await expect(kiosk.locator('.pair-code')).toBeVisible();
  const first = await code_of(kiosk);
  await kiosk.clock.runFor(8 * 60_000);
  expect(await code_of(kiosk)).toBe(first);
  await kiosk.clock.runFor(65_000);
  await expect.poll(() => code_of(kiosk)).not.toBe(first);
  check();
  await context.close();
});

for (const theme of ['hall-dark', 'seat-light']) {
  for (const lang of ['zh', 'en']) {
    test(`pairing is accessible: ${theme}, ${lang}`, async ({ page, hall, browser }) => {
      const { kiosk, context, check } = await wall_browser(browser, hall);
      await kiosk.setViewportSize({ width: 1920, height: 1080 });
      await kiosk.goto(`/pair?theme=${theme}&lang=${lang}`);
      await expect(kiosk.locator('.pair-code')).toBeVisible();
      await expect_accessible(kiosk);
      await page.goto(`/kiosks?theme=${theme}&lang=${lang}`);
      await expect(page.locator('input[name=code]')).toBeVisible();
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      await expect_accessible(page);
      const form = await page.locator('.sign-in').boundingBox();
      const field = await page.locator('input[name=code]').boundingBox();
      expect((field?.x ?? 0) + (field?.width ?? 1e9)).toBeLessThan((form?.x ?? 0) + (form?.width ?? 0));
      await kiosk.screenshot({ path: test.info().outputPath('pair.png') });
      await page.screenshot({ path: test.info().outputPath('kiosks.png') });
      // A wall of 32:9 and a hand-held screen: nothing is cut off.
      for (const [width, height] of [[3840, 1080], [390, 844]] as const) {
        await kiosk.setViewportSize({ width, height });
        const hidden = await kiosk.evaluate(() => {
          const { scrollWidth, scrollHeight, clientWidth, clientHeight } = document.documentElement;
          return [scrollWidth - clientWidth, scrollHeight - clientHeight];
        });
        expect(hidden).toEqual([0, 0]);
        await kiosk.screenshot({ path: test.info().outputPath(`pair-${width}.png`) });
      }
      check();
      await context.close();
    });
  }
}
