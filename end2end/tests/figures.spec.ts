// Every number of the wall can defend itself: it opens a definition, and the list behind it counts the same.
//
// What should be here: numbers and what stands behind them. What should not: how the wall heals or looks (`wall.spec.ts`).
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../helpers/hall';
import type { Catalogue } from '../helpers/cases';
import type { Hall } from '../helpers/server';

interface Taken {
  taken?: { case: number };
}

/** A hall with cases in several stages and districts, some taken, some called for; then nothing more happens. */
async function quiet_hall(hall: Hall): Promise<void> {
  const { areas, classes, sources, departments } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const districts = areas.filter(({ level }) => level === 'district').slice(0, 3);
  const place = { lat: 25.04, lon: 102.71 };
  const report = (at: number) => ({
    source: sources[at % sources.length]?.code, class: classes[at % classes.length]?.code, area: districts[at % districts.length]?.code,
    address: `试验路 ${at} 号`, description: '井盖破损', place: at % 2 ? place : null, priority: at % 4 ? 'ordinary' : 'second',
  });
  const answers = (await hall.commands(Array.from({ length: 18 }, (_, at) => ({ report_case: { report: report(at) } })))) as Taken[];
  const ids = answers.map(({ taken }) => {
    if (taken === undefined) throw new Error(`case not reported: ${JSON.stringify(answers)}`);
    return taken.case;
  });
  const step = async (cases: number[], command: (id: number) => Record<string, unknown>) => void (await hall.commands(cases.map(command)));
  await step(ids.slice(2), (id) => ({ accept_case: { case: id } }));
  await step(ids.slice(4), (id) => ({ file_case: { case: id } }));
  await step(ids.slice(4, 6), (id) => ({ claim_case: { case: id } }));
  await step(ids.slice(9), (id) => ({ dispatch_case: { case: id, department: departments[0]?.code } }));
  await step(ids.slice(12), (id) => ({ finish_disposal: { case: id, note: '' } }));
  await step(ids.slice(14), (id) => ({ give_feedback: { case: id, note: '' } }));
  await step(ids.slice(15), (id) => ({ pass_check: { case: id, note: '' } }));
  await step(ids.slice(16), (id) => ({ close_case: { case: id, note: '' } }));
  const call = { level: 'street', area: districts[0]?.code, title: '占道', case: ids[6], called: departments.slice(0, 3).map(({ code }) => code) };
  await hall.commands([{ raise_whistle: { call } }]);
}

/**
 * Texts with digits that open nothing. Left out: times of day and dates (`time`), names and words somebody gave (`.said`),
 * what a camera says of itself beside its picture, and the map's scale.
 */
function bare_numbers(page: Page): Promise<string[]> {
  return page.locator('.wall').evaluate((wall) => {
    const bare: string[] = [];
    const walk = document.createTreeWalker(wall, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const [words, holder] = [walk.currentNode.textContent ?? '', walk.currentNode.parentElement];
      if (holder === null || !/\d/.test(words) || !holder.checkVisibility()) continue;
      if (holder.closest('time, .said, .camera-tile, .map-scale')) continue;
      if (holder.closest('button[aria-haspopup=dialog], .map-legend button, a[href^="/desk/case/"]')) continue;
      bare.push(`${words} in ${holder.className || holder.tagName}`);
    }
    return bare;
  });
}

async function go_to_wall(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.locator('[data-link]')).toHaveAttribute('data-link', 'live');
  await expect(page.locator('.map[data-ready]')).toBeVisible();
  await expect(page.locator('.st7 .dw .figure').first()).not.toBeEmpty();
}

const card = (page: Page) => page.getByRole('dialog');

async function with_card(page: Page, opener: Locator, look: () => Promise<void>): Promise<void> {
  await opener.focus();
  await page.keyboard.press('Enter');
  await expect(card(page)).toBeVisible();
  await look();
  await page.keyboard.press('Escape');
  await expect(card(page)).toBeHidden();
}

for (const [width, height, lang] of [[1920, 1080, 'zh'], [3840, 1080, 'en'], [7680, 2160, 'zh']] as const) {
  test(`no number of the wall stands without its definition: ${width}, ${lang}`, async ({ page, hall }) => {
    test.setTimeout(480_000);
    await quiet_hall(hall);
    await page.setViewportSize({ width, height });
    // The widest map is drawn as SVG: the same words, and minutes less without a graphics card.
    await go_to_wall(page, `/wall/main?lang=${lang}${width > 4000 ? '&map=svg' : ''}`);
    expect(await bare_numbers(page)).toEqual([]);
    const openers = page.locator('.wall button[aria-haspopup=dialog]:visible');
    expect(await openers.count()).toBeGreaterThan(width > 2000 ? 55 : 40);
    if (width > 4000) return;
    for (const opener of await openers.all()) {
      await with_card(page, opener, async () => {
        const said = await card(page).locator('dt').allInnerTexts();
        const name = await card(page).locator('h2').innerText();
        expect(name, await opener.innerText()).not.toBe('');
        expect(said, name).toContain(lang === 'zh' ? '截至' : 'As of');
        // A person's card says what is known of them; every other what the number means.
        if (!(await opener.evaluate((each) => each.closest('.nearest')))) expect(said, name).toContain(lang === 'zh' ? '公式' : 'Formula');
      });
    }
  });
}

test('definitions state the figures of the policy in force', async ({ page, hall }) => {
  await quiet_hall(hall);
  await go_to_wall(page, '/wall/main');
  const { policy } = (await hall.get('/api/v1/catalogue')) as { policy: { dispatch_limit: { amount: number }; forecast_minutes: number; whistle_response_minutes: number } };
  await with_card(page, page.locator('.overdue .count .figure.first'), async () => expect(card(page)).toContainText(`派遣时限 ${policy.dispatch_limit.amount} `));
  await with_card(page, page.locator('.fcb .figure.second'), async () => expect(card(page)).toContainText(`预报时段 ${policy.forecast_minutes} 分钟`));
  await with_card(page, page.locator('.whistle .figure.first'), async () => expect(card(page)).toContainText(`报到时限 ${policy.whistle_response_minutes} 分钟`));
});

test('what is counted on the map and in the last hour is named as it is counted', async ({ page, hall }) => {
  await quiet_hall(hall);
  await page.setViewportSize({ width: 3840, height: 1080 });
  await go_to_wall(page, '/wall/main');
  await with_card(page, page.locator('.where .mh .figure').first(), async () => expect(card(page)).toContainText('监督员在地图上'));
  await with_card(page, page.locator('.map-legend button').nth(3), async () => expect(card(page).locator('h2')).toContainText('常规且有坐标'));
  // The screen's events begin with this hall, less than an hour ago.
  await with_card(page, page.locator('.rate .figure.bars'), async () => {
    await expect(card(page).locator('h2')).toHaveText('近 1 小时报警');
    await expect(card(page)).toContainText('最近 1 小时内');
    await expect(card(page)).toContainText(/自 \d\d:\d\d 起计/);
  });
  // A count in the legend moves under the hand and does not push it away.
  const second = page.locator('.map-legend button').nth(1);
  await second.focus();
  const before = Number(await second.locator('.map-legend-count').innerText());
  const { areas, classes, sources } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const report = { source: sources[0]?.code, class: classes[0]?.code, area: areas[0]?.code, address: '图例路 1 号', description: '井盖破损', place: { lat: 25.04, lon: 102.71 }, priority: 'second' };
  await hall.commands([{ report_case: { report } }]);
  await expect(second.locator('.map-legend-count')).toHaveText(String(before + 1));
  await expect(second).toBeFocused();
});

/** Where a card leads, with the number that must be found there. */
async function ways(page: Page): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const opener of await page.locator('.wall button[aria-haspopup=dialog]:visible').all()) {
    await with_card(page, opener, async () => {
      const lines = await card(page).locator('dl > div').evaluateAll((rows) =>
        rows.map((row) => ({ value: row.querySelector('dd')?.textContent ?? '', href: row.querySelector('dd a')?.getAttribute('href') ?? '' })));
      const list = card(page).locator('.card-foot a');
      const main = (await list.count()) > 0 ? ((await list.getAttribute('href')) ?? '') : '';
      const is_told_apart = !(await card(page).locator('.card-note').allInnerTexts()).join('').startsWith('清单在打开时');
      const pairs = [...lines.filter(({ href }) => href !== ''), ...(main !== '' && !is_told_apart && lines[0] ? [{ ...lines[0], href: main }] : [])];
      for (const { value, href } of pairs) {
        if (!/^[\d,]+$/.test(value)) continue;
        const number = Number(value.replaceAll(',', ''));
        if (found.has(href)) expect(found.get(href), href).toBe(number);
        found.set(href, number);
      }
    });
  }
  return found;
}

/** Cases of all groups of the list, of which the page draws those that are on the screen. */
async function listed(page: Page): Promise<number> {
  const counts = await page.locator('#desk-rows .group .c').allTextContents();
  return counts.reduce((sum, count) => sum + Number(count), 0);
}

test('the list behind a number counts the same, and no two numbers of the wall contradict each other', async ({ page, hall }) => {
  test.setTimeout(480_000);
  await quiet_hall(hall);
  await page.setViewportSize({ width: 3840, height: 1080 });
  await go_to_wall(page, '/wall/main');
  const found = await ways(page);
  expect(found.size).toBeGreaterThan(25);
  for (const [href, number] of found) {
    const url = new URL(href, hall.address);
    if (url.searchParams.has('list')) continue;
    const { total } = (await hall.get(`/api/v1/cases?limit=1&count=true&${url.searchParams}`)) as { total: number };
    expect(total, href).toBe(number);
  }
  // And as the desk shows it, for a sample of each kind, calls among them.
  const kinds = [/stage=feedback/, /filed=\d{4}-\d\d$/, /closed=\d{4}-\d\d&area/, /dispatched=/, /list=whistles$/, /list=whistles&raised=/];
  for (const kind of kinds) {
    const [href, number] = [...found].find(([href]) => kind.test(href)) ?? ['', -1];
    expect(number, `${kind} is the way to a list`).toBeGreaterThanOrEqual(0);
    await page.goto(href);
    await expect(page.locator('.list-head .total'), href).toHaveAttribute('data-total', String(number));
    if (href.includes('list=whistles')) await expect(page.locator('.call')).toHaveCount(number);
    else await expect.poll(() => listed(page)).toBe(number);
  }
});

test('a list that is cut says of how many it is the first, and pages on to the last', async ({ page, hall }) => {
  const { areas, classes, sources } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const report = { source: sources[0]?.code, class: classes[0]?.code, area: areas[0]?.code, address: '长单路 1 号', description: '井盖破损', place: null };
  await hall.commands(Array.from({ length: 205 }, () => ({ report_case: { report } })));
  await page.goto(`/desk?open=true&text=${encodeURIComponent('长单路')}`);
  const total = page.locator('.list-head .total');
  await expect(total).toHaveText('前 200 / 共 205 件');
  await page.getByRole('button', { name: '再取一页' }).click();
  await expect.poll(() => listed(page)).toBe(205);
  await expect(total).toHaveText('205 件');
  await expect(page.getByRole('button', { name: '再取一页' })).toHaveCount(0);
});
