// The first drill from start to stop, as its director, those who play and those on duty see it, with a real case breaking
// through.
import { randomUUID } from 'node:crypto';
import type { Page } from '@playwright/test';
import { expect_accessible } from '../helpers/axe';
import type { Catalogue } from '../helpers/cases';
import { expect, test } from '../helpers/hall';
import type { Hall } from '../helpers/server';

interface Tally {
  cells: Record<string, number>;
}

async function open_cases(hall: Hall, base: string): Promise<number> {
  const tally = (await hall.get(`${base}/api/v1/tally?measure=open&dimension=city`)) as Tally;
  return tally.cells['open|city|now'] ?? 0;
}

/** A first-level case of the city, by the door machines use. */
async function real_case(hall: Hall): Promise<{ address: string; number: string }> {
  const catalogue = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const address = `真实路 ${randomUUID().slice(0, 8)} 号`;
  const area = catalogue.areas.find(({ level }) => level === 'district');
  const report = { source: catalogue.sources[0]?.code, class: catalogue.classes[0]?.code, area: area?.code, address, priority: 'first' };
  const [row] = (await hall.commands([{ report_case: { report } }])) as { taken: { number: string } }[];
  if (row === undefined) throw new Error('no answer');
  return { address, number: row.taken.number };
}

/** The banner lies between the world's band and the screen's head, over neither, and the screen ends where the window does. */
async function expect_row_of_its_own(screen: Page, heads: string[], name: string): Promise<void> {
  const box = async (selector: string) => {
    const box = await screen.locator(selector).boundingBox();
    if (box === null) throw new Error(`${name}: no ${selector}`);
    return { top: box.y, bottom: box.y + box.height, width: box.width };
  };
  await expect(async () => {
    const [band, banner] = [await box('.world-band'), await box('.real')];
    expect(banner.top, name).toBeGreaterThanOrEqual(band.bottom - 1);
    for (const head of heads) expect((await box(head)).top, `${name}: ${head}`).toBeGreaterThanOrEqual(banner.bottom - 1);
    const { height, width, wide, tall } = await screen.evaluate(() => {
      const { scrollWidth, scrollHeight } = document.documentElement;
      return { height: innerHeight, width: innerWidth, wide: scrollWidth, tall: scrollHeight };
    });
    expect([wide, tall], `${name}: nothing is pushed out of the window`).toEqual([width, height]);
    expect((await box('main')).bottom, name).toBeLessThanOrEqual(height);
    expect(banner.width, name).toBe(width);
  }).toPass();
}

test('a drill is prepared, runs, is broken into by a real case, and ends', async ({ page, hall }) => {
  hall.add_account('drill-lead', 'dispatcher', 'correct horse battery');
  await page.context().clearCookies();
  await page.goto('/sign-in');
  await page.locator('input[autocomplete=username]').fill('drill-lead');
  await page.locator('input[type=password]').fill('correct horse battery');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: '演练', exact: true })).toBeVisible();
  const before = await open_cases(hall, '');

  await page.getByRole('link', { name: '演练', exact: true }).click();
  await page.locator('input[name=title]').fill('防汛“三断”演练');
  await page.getByRole('button', { name: '加一条' }).click();
  const row = page.locator('.to-happen li');
  await row.locator('input[type=number]').fill('0.2');
  await row.locator('.words input').fill('演练：小坝立交下穿积水');
  await expect_accessible(page);
  await page.screenshot({ path: test.info().outputPath('prepare.png'), fullPage: true });
  await page.getByRole('button', { name: '准备', exact: true }).click();
  await expect(page).toHaveURL(/\/world\/drill-[0-9a-f]{8}\/drill$/);
  const base = new URL(page.url()).pathname.replace(/\/drill$/, '');

  // It stands until it is started; then its list happens by its own clock.
  await expect(page.locator('html')).toHaveAttribute('data-world', 'drill');
  await expect(page.locator('.world-band')).toHaveAttribute('data-word', '演练');
  await expect(page.locator('.clock .stage')).toHaveText('待开始');
  const wall = await page.context().newPage();
  await wall.goto(`${base}/wall/main`);
  await expect(wall.locator('.world-band')).toContainText('防汛“三断”演练');
  await expect(wall.locator('[data-link=live]')).toBeVisible();
  await page.getByRole('button', { name: '开始' }).click();
  await expect(page.locator('.clock .stage')).toHaveText('进行中');
  await page.getByRole('button', { name: '×8' }).click();
  await expect(page.locator('.happened li')).toContainText('已发生：案件');
  await expect(wall.locator('main.wall')).toContainText('小坝立交下穿积水');

  // By hand, too.
  const by_hand = page.locator('.by-hand');
  await by_hand.locator('.words input').fill('演练：白云路抽排点');
  await by_hand.getByRole('button', { name: '现在发生' }).click();
  await expect(page.locator('.outcome-words')).toContainText('已发生：案件');
  await expect.poll(() => open_cases(hall, base)).toBe(2);
  expect(await open_cases(hall, '')).toBe(before);
  const desk = await page.context().newPage();
  await desk.setViewportSize({ width: 1366, height: 768 });
  await desk.goto(`${base}/desk?open=true`);
  await expect(desk.locator('.world-band')).toHaveAttribute('data-word', '演练');
  await expect(desk.locator('#desk-rows')).toContainText('白云路抽排点');

  // A real case: within a second on every screen of the drill, in words, and in no number of it.
  const real = await real_case(hall);
  const screens = [page, wall, desk];
  for (const screen of screens) {
    await expect(screen.locator('.real.waits')).toContainText(real.address);
    await expect(screen.locator('.real')).toContainText('不是演练');
  }
  expect(await open_cases(hall, base)).toBe(2);
  await expect_accessible(page);
  for (const [screen, name] of [[page, 'direct'], [wall, 'wall'], [desk, 'desk']] as const) {
    await screen.screenshot({ path: test.info().outputPath(`real-${name}.png`) });
  }
  for (const theme of ['hall-dark', 'seat-light']) {
    for (const [screen, name, path, width, height, heads] of [
      [wall, 'wall-1920', '/wall/main', 1920, 1080, ['.head-l', '.head-r']],
      [wall, 'wall-3840', '/wall/main', 3840, 1080, ['.head-l', '.head-r']],
      [desk, 'desk-1366', '/desk', 1366, 768, ['.desk-top']],
    ] as const) {
      await screen.setViewportSize({ width, height });
      await screen.goto(`${base}${path}?theme=${theme}`);
      await expect(screen.locator('.real.waits')).toContainText(real.address);
      await expect_row_of_its_own(screen, [...heads], `${name}, ${theme}`);
      await screen.screenshot({ path: test.info().outputPath(`real-${name}-${theme}.png`) });
    }
  }
  await desk.goto(`${base}/desk?open=true`);
  await expect(desk.locator('.real.waits')).toContainText(real.address);
  await page.getByRole('button', { name: '结束演练' }).click();
  await page.getByRole('button', { name: '确认结束' }).click();
  await expect(page.locator('.outcome-words.problem')).toContainText('尚无人应答');
  await expect(page.getByRole('button', { name: new RegExp(`${real.number} 尚无人应答，仍然结束`) })).toBeVisible();

  // Answered in the city, by the person's own rights there; the drill goes on.
  const [city] = await Promise.all([page.context().waitForEvent('page'), desk.getByRole('link', { name: '去实况办理' }).click()]);
  await expect(city).toHaveURL(/:\d+\/desk\/case\/\d+(\?|$)/);
  await expect(city.locator('.world-band')).toHaveCount(0);
  await city.getByRole('button', { name: '认领' }).click();
  for (const screen of screens) {
    await expect(screen.locator('.real.waits')).toHaveCount(0);
    await expect(screen.locator('.real')).toContainText('drill-lead 已于');
  }
  await expect(page.locator('.clock .stage')).toHaveText('进行中');
  // What held the drill up is said no more.
  await expect(page.locator('.outcome-words.problem')).toHaveCount(0);
  const cases = (await hall.get('/api/v1/cases?claimed_by=drill-lead&open=true')) as { items: { number: string }[] };
  expect(cases.items.map(({ number }) => number)).toContain(real.number);

  // English is complete there, too.
  await page.locator('[data-switch=language]').click();
  await expect(page.locator('.world-band')).toHaveAttribute('data-word', 'Drill');
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await page.screenshot({ path: test.info().outputPath('direct-en.png'), fullPage: true });
  await page.getByRole('button', { name: 'End the drill' }).click();
  await page.getByRole('button', { name: 'End it now' }).click();
  await expect(page).toHaveURL(/\/drill$/);
  await expect(page.locator('.drills li').first()).toContainText('Ended');
  await expect(desk.locator('.world-gone')).toContainText(/已经结束|has ended/);
  await wall.goto(`${base}/wall/main`);
  await expect(wall.locator('body')).toContainText('已结束');
  expect(await open_cases(hall, '')).toBe(before + 1);
});

test('what cannot be prepared is said in words and nothing typed is lost', async ({ page }) => {
  await page.goto('/drill');
  await page.locator('input[name=title]').fill('演练\u0007');
  await page.getByRole('button', { name: '准备', exact: true }).click();
  await expect(page.locator('.prepare .problem')).toContainText('控制字符');
  await expect(page.locator('input[name=title]')).toHaveValue('演练\u0007');
});
