// The wall against the real server: numbers move with commands, a lost server is said and heals by itself, every number
// explains itself, both languages, nothing from elsewhere.
import type { Page } from '@playwright/test';
import { expect_accessible } from '../helpers/axe';
import { expect, test } from '../helpers/hall';
import { bound } from '../helpers/long';
import { Hall } from '../helpers/server';
import { guard } from '../helpers/test';

/**
 * A silent connection is announced within three seconds. Beside a software-drawn map on a busy machine the page itself
 * may wait for the processor, so the bar is held to under `--long` and only the announcement otherwise.
 */
const ANNOUNCED_MS = bound(30_000, 3_000);

interface Catalogue {
  areas: { code: string; level: string }[];
  classes: { code: string }[];
  sources: { code: string }[];
  departments: { code: string }[];
}

interface Taken {
  taken?: { case: number };
}

/** Reports, accepts and files as many cases; they then wait for dispatch. */
async function waiting_cases(hall: Hall, count: number): Promise<number[]> {
  const { areas, classes, sources } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const area = areas.find(({ level }) => level === 'district');
  const report = { source: sources[0]?.code, class: classes[0]?.code, area: area?.code, address: '试验路 1 号', description: '井盖破损', place: null };
  const answers = (await hall.commands(Array.from({ length: count }, () => ({ report_case: { report } })))) as Taken[];
  const ids = answers.map(({ taken }) => {
    if (taken === undefined) throw new Error(`case not reported: ${JSON.stringify(answers)}`);
    return taken.case;
  });
  await hall.commands(ids.map((id) => ({ accept_case: { case: id } })));
  await hall.commands(ids.map((id) => ({ file_case: { case: id } })));
  return ids;
}

const link = (page: Page) => page.locator('[data-link]');
const open_cases = (page: Page) => page.locator('.stages .ph .figure.second');
const stage = (page: Page, name: string) => page.locator('.st7 li', { has: page.getByText(name, { exact: true }) }).locator('.ct .figure');
const count = async (page: Page) => Number((await open_cases(page).innerText()).replace(',', ''));

async function go_to_wall(page: Page, address = '/wall/main'): Promise<void> {
  await page.goto(address);
  await expect(link(page)).toHaveAttribute('data-link', 'live');
}

test('numbers move with commands, and the seven stages add up to the open cases', async ({ page, hall }) => {
  await waiting_cases(hall, 1);
  await go_to_wall(page);
  await expect.poll(() => count(page)).toBeGreaterThan(0);
  const before = await count(page);
  const dispatch = Number(await stage(page, '派遣').innerText());
  await waiting_cases(hall, 3);
  await expect(open_cases(page)).toHaveText(String(before + 3));
  await expect(stage(page, '派遣')).toHaveText(String(dispatch + 3));
  const stages = await page.locator('.st7 .ct .figure').allInnerTexts();
  expect(stages).toHaveLength(7);
  expect(stages.map(Number).reduce((sum, each) => sum + each, 0)).toBe(before + 3);
});

test('hours of the day stand at their place below the curve', async ({ page }) => {
  await go_to_wall(page);
  const places = await page.locator('.trend').first().evaluate((trend) => {
    const plot = trend.querySelector('.plot')?.getBoundingClientRect() ?? new DOMRect();
    const middle = (label: Element) => {
      const { left, width } = label.getBoundingClientRect();
      return ((left + width / 2 - plot.left) / plot.width) * 24;
    };
    return [...trend.querySelectorAll('.axis span')].map((label) => [Number.parseInt(label.textContent ?? '', 10), middle(label)]);
  });
  expect(places.map(([hour]) => hour)).toEqual([0, 6, 12, 18, 24]);
  for (const [hour, place] of places.slice(1, 4)) expect(Math.abs((place ?? 0) - (hour ?? 0))).toBeLessThan(0.2);
});

test('the heading of the calls is one line in English, and its numbers are whole', async ({ page, hall }) => {
  const [id] = await waiting_cases(hall, 1);
  const { areas, departments } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const area = areas.find(({ level }) => level === 'district')?.code;
  const call = { level: 'street', area, title: '占道', case: id, called: [departments[0]?.code] };
  await hall.commands([{ raise_whistle: { call } }]);
  await go_to_wall(page, '/wall/main?lang=en');
  await expect(page.locator('.whistle .count')).toContainText(/[1-9]\d* today/);
  const boxes = await page.locator('.whistle .count > :visible').evaluateAll((parts) =>
    parts.map((part) => {
      const { left, right, height } = part.getBoundingClientRect();
      const line = Number.parseFloat(getComputedStyle(part).lineHeight);
      return { name: part.className || part.tagName, left, right, lines: Math.round(height / line), cut: part.scrollWidth > part.clientWidth + 1 };
    }),
  );
  const edge = await page.locator('.whistle').evaluate((panel) => panel.getBoundingClientRect().right);
  for (const [i, box] of boxes.entries()) {
    expect(box.lines, box.name).toBe(1);
    expect(box.right, box.name).toBeLessThanOrEqual((boxes[i + 1]?.left ?? edge) + 0.5);
    if (box.name !== 'H2') expect(box.cut, box.name).toBe(false);
  }
});

test('a number explains itself by keyboard and leads to its cases', async ({ page, hall }) => {
  await waiting_cases(hall, 1);
  await go_to_wall(page);
  await expect.poll(() => count(page)).toBeGreaterThan(0);
  await stage(page, '派遣').focus();
  await page.keyboard.press('Enter');
  const card = page.getByRole('dialog');
  await expect(card).toBeVisible();
  await expect(card).toContainText('派遣');
  await expect(card).toContainText('截至');
  await page.keyboard.press('Escape');
  await expect(card).toBeHidden();
  await expect(stage(page, '派遣')).toBeFocused();
  await page.locator('.overdue .count .figure.first').click();
  const to_list = card.getByRole('link', { name: '查看案件' });
  await expect(to_list).toHaveAttribute('href', '/desk?open=true&stage=dispatch&phase=overdue');
  await page.keyboard.press('Escape');
  await stage(page, '派遣').click();
  await to_list.click();
  await expect(page).toHaveURL(/\/desk\?open=true&stage=dispatch/);
  await expect(page.locator('.case-row').first()).toBeVisible();
});

test('a server that hangs or dies is announced within three seconds', async ({ browser }) => {
  // A server of its own, because it is taken away.
  const hall = await Hall.start();
  const context = await browser.newContext({ baseURL: hall.address });
  const check = guard(context);
  try {
    const page = await context.newPage();
    await page.goto(hall.sign_in);
    await waiting_cases(hall, 2);
    await go_to_wall(page);
    await expect(open_cases(page)).toHaveText('2');
    await page.evaluate(() => Object.assign(globalThis, { same_page: true }));
    // It hangs: no connection breaks, only nothing comes any more.
    hall.freeze_server();
    await expect(link(page)).toHaveAttribute('data-link', 'lost', { timeout: ANNOUNCED_MS });
    await expect(link(page)).toContainText('连接中断');
    // It defends itself without a connection too, and by the time of the last word.
    await expect(link(page).getByRole('button', { name: /连接中断 \d\d:\d\d:\d\d 起/ })).toHaveCount(1);
    await expect(page.locator('.panel.stands').first()).toContainText('数据停在');
    // What was last known stays readable.
    await expect(open_cases(page)).toHaveText('2');
    hall.thaw_server();
    await waiting_cases(hall, 1);
    await expect(link(page)).toHaveAttribute('data-link', 'live');
    await expect(open_cases(page)).toHaveText('3');
    await expect(page.locator('.panel.stands')).toHaveCount(0);
    expect(await page.evaluate(() => 'same_page' in globalThis), 'it healed without a reload').toBe(true);
    // It dies, as in a power cut.
    await hall.stop_server('SIGKILL');
    await expect(link(page)).toHaveAttribute('data-link', 'lost', { timeout: ANNOUNCED_MS });
    await expect(open_cases(page)).toHaveText('3');
    check();
  } finally {
    hall.thaw_server();
    await context.close();
    await hall.stop();
  }
});

test('the language changes in place, and everything is in it', async ({ page, hall }) => {
  await waiting_cases(hall, 1);
  await go_to_wall(page);
  await expect(page.locator('.overdue h2').first()).toHaveText('超时未派遣');
  await page.locator('.head-l').hover();
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(page.locator('.overdue h2').first()).toHaveText('Overdue dispatch');
  await expect(page.locator('.stages')).not.toContainText(/[\u4e00-\u9fff]/);
  await expect(page.locator('.head-r')).not.toContainText(/[\u4e00-\u9fff]/);
  await expect(page.locator('h1')).not.toContainText(/[\u4e00-\u9fff]/);
  await page.getByRole('button', { name: '中文' }).click();
  await expect(page.locator('.overdue h2').first()).toHaveText('超时未派遣');
});

for (const [theme, lang] of [['hall-dark', 'zh'], ['hall-dark', 'en'], ['seat-light', 'zh'], ['seat-light', 'en']] as const) {
  test(`the wall is accessible and nothing on it is cut: ${theme}, ${lang}`, async ({ page, hall }) => {
    await waiting_cases(hall, 1);
    for (const [width, height] of [[1920, 1080], [3840, 1080]] as const) {
      await page.setViewportSize({ width, height });
      await go_to_wall(page, `/wall/main?theme=${theme}&lang=${lang}`);
      await expect(page.locator('.map[data-ready]')).toBeVisible();
      const cut = await page.locator('.wall .figure:visible, .wall .cd:visible, .wall .ck1 b:visible, .wall h1').evaluateAll((all) =>
        all.filter((each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline').map((each) => each.outerHTML));
      expect(cut, `numbers, clocks and the centre's name are whole at ${width}`).toEqual([]);
    }
    await expect_accessible(page);
  });
}
