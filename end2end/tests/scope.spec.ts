// A screen whose reader sees a part of the city: its wall and its desk are live, count that part, and say so.
import type { Page } from '@playwright/test';
import { type Catalogue, waiting_case } from '../helpers/cases';
import { expect, test } from '../helpers/hall';
import type { Hall } from '../helpers/server';

const PASSWORD = 'correct horse battery';

/** Signs in as somebody with this account. */
async function sign_in(page: Page, hall: Hall, name: string, role: string, options: string[]): Promise<void> {
  hall.add_account(name, role, PASSWORD, options);
  await page.context().clearCookies();
  const data = { name, password: PASSWORD };
  const answer = await page.request.post(`${hall.address}/api/v1/sign-in`, { data, headers: { origin: hall.address } });
  expect(answer.ok(), await answer.text()).toBe(true);
}

async function districts(hall: Hall): Promise<string[]> {
  const { areas } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  return areas.filter(({ level }) => level === 'district').map(({ code }) => code);
}

/** Topics the page has subscribed to, and words the feed refused with. */
function heard(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === '/api/v1/live/snapshot') asked.push(searchParams.get('topic') ?? '');
  });
  return asked;
}

test('the wall of a district is live, counts its own cases and says whose numbers these are', async ({ page, hall }) => {
  const [here, elsewhere] = await districts(hall);
  await waiting_case(hall);
  await sign_in(page, hall, 'district', 'viewer', ['--area', here ?? '']);
  const asked = heard(page);
  await page.goto('/wall');
  await expect(page.locator('.head .seen')).toContainText('数据范围');
  const filed = page.locator('.n1').first().locator('.num');
  await expect(filed).toContainText(/[1-9]/);
  expect(asked.filter((topic) => topic !== 'who/@own')).toEqual(asked.filter((topic) => topic.endsWith(`/${here}`)));
  expect(asked.length).toBeGreaterThan(3);
  const before = Number((await filed.innerText()).match(/\d+/)?.[0]);
  // One more here, and one elsewhere: the number follows the one, without a reload.
  await waiting_case(hall);
  await waiting_case(hall, null, elsewhere);
  await expect(filed).toContainText(String(before + 1), { timeout: 15_000 });
  const listed = (await (await page.request.get('/api/v1/cases?limit=100')).json()) as { items: { area_path: string[] }[] };
  expect(listed.items.every(({ area_path }) => area_path.includes(here ?? ''))).toBe(true);
});

test('the desk of a department follows what is dispatched to it, wherever it lies', async ({ page, hall }) => {
  const { departments } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const [own, other] = departments.map(({ code }) => code);
  const { id, address } = await waiting_case(hall);
  await sign_in(page, hall, 'department', 'department', ['--department', own ?? '']);
  await page.goto(`/desk?open=true&text=${encodeURIComponent(address)}`);
  await expect(page.locator('.seen')).toContainText('数据范围');
  await expect(page.locator(`#case-${id}`)).toHaveCount(0);
  await hall.commands([{ dispatch_case: { case: id, department: own } }]);
  // New cases wait outside the list until they are asked for; that there is one, the feed says.
  await page.keyboard.press('n');
  await page.reload();
  await expect(page.locator(`#case-${id}`)).toBeVisible();
  const another = await waiting_case(hall);
  await hall.commands([{ dispatch_case: { case: another.id, department: other } }]);
  const answer = await page.request.get(`/api/v1/cases/${another.id}`);
  expect(answer.status()).toBe(404);
});
