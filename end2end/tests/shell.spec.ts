// The page before the programme has arrived.
import { expect_accessible } from '../helpers/axe';
import { built, serve_site, ORIGIN } from '../helpers/site';
import { expect, leaves_machine, test } from '../helpers/test';

test('the shell is painted before the programme has arrived', async ({ page }) => {
  await serve_site(page, []);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/*.wasm', async (route) => {
    await held;
    await route.fallback();
  });
  await page.goto(ORIGIN, { waitUntil: 'commit' });
  await expect(page.locator('.shell-bar')).toContainText('格厅');
  await expect(page.getByRole('status')).toContainText('连接中');
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');
  await expect_accessible(page);
  release();
  await expect(page.locator('#shell')).toHaveCount(0);
});

test('a programme that does not come is said in words, and tried again', async ({ page }) => {
  await page.clock.install();
  const programme = built('/pkg/door_bg.wasm');
  await serve_site(page, [programme]);
  await page.goto(ORIGIN);
  await expect(page.getByRole('status')).toContainText('无法启动');
  const again = page.waitForRequest(`${ORIGIN}${programme}`);
  await page.clock.fastForward(11_000);
  await again;
});

test('a programme that never comes is asked for three times in ten minutes, and no more', async ({ page }) => {
  await page.clock.install();
  await serve_site(page, [built('/pkg/door_bg.wasm')]);
  let loads = 0;
  page.on('load', () => { loads += 1; });
  await page.goto(ORIGIN);
  for (const load of [1, 2, 3]) {
    await expect(page.getByRole('status')).toContainText('10 秒后重试');
    expect(loads).toBe(load);
    await page.clock.fastForward(11_000);
    await expect.poll(() => loads).toBe(load + 1);
  }
  await expect(page.getByRole('status')).toContainText('10 分钟后重试');
  await page.clock.fastForward(300_000);
  await expect(page.getByRole('status')).toContainText('10 分钟后重试');
  expect(loads).toBe(4);
  await page.clock.fastForward(300_000);
  await expect.poll(() => loads).toBe(5);
});

test('a request to another machine would be noticed', () => {
  expect(leaves_machine('https://fonts.example.com/a.woff2')).toBe(true);
  expect(leaves_machine('wss://10.0.0.1/live')).toBe(true);
  expect(leaves_machine('http://127.0.0.1:8460/api/v1/cases')).toBe(false);
  expect(leaves_machine('data:image/png;base64,AAAA')).toBe(false);
});
