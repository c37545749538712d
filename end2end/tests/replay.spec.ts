// Replay (复盘): a stretch of the past is chosen, shown on wall and desk as it was, driven to and fro, shared and gone.
//
// The hall is a demonstration, whose clock these tests speed up: an hour passes in seconds, and every case has its time.
import { request, type Page } from '@playwright/test';
import { expect_accessible } from '../helpers/axe';
import { waiting_case } from '../helpers/cases';
import { Hall } from '../helpers/server';
import { expect, test as base } from '../helpers/test';

/** Where the demonstration's time begins. */
const DAY = '2026-11-24';
const BEGIN = `${DAY}T08:00`;
const MINUTE_MS = 60_000;
/** Wall and desk come again after the past was taken elsewhere, on a busy machine. */
const COMES_AGAIN = { timeout: 30_000 };

interface World {
  now: number;
}

/** How many cases were open when. */
interface Mark {
  at: number;
  open: number;
}

/** A demonstration with a morning behind it. */
interface Lived {
  hall: Hall;
  session: Awaited<ReturnType<Awaited<ReturnType<typeof request.newContext>>['storageState']>>;
  marks: Mark[];
  /** Milliseconds UTC. */
  past: { from: number; to: number };
  /** Lets so many minutes pass. */
  pass(minutes: number): Promise<void>;
}

async function world(hall: Hall): Promise<World> {
  return (await hall.get('/api/v1/world')) as World;
}

async function mark(hall: Hall): Promise<Mark> {
  const tally = (await hall.get('/api/v1/tally?measure=open&dimension=city&period=now')) as { cells: Record<string, number> };
  return { at: (await world(hall)).now, open: Object.values(tally.cells)[0] ?? 0 };
}

const test = base.extend<object, { lived: Lived }>({
  lived: [
    async ({}, use) => {
      const hall = await Hall.start({ words: ['--demonstration', '--at', BEGIN], settings: { GRIDHALL__REPLAY__OPEN_MAX: '8' } });
      const visitor = await request.newContext();
      try {
        await visitor.get(hall.sign_in);
        const { csrf } = (await (await visitor.get(`${hall.address}/api/v1/session`)).json()) as { csrf: string };
        const set_pace = async (pace_milli: number) => {
          const answer = await visitor.post(`${hall.address}/api/v1/world/clock`, { data: { pace_milli }, headers: { 'x-csrf-token': csrf, origin: hall.address } });
          expect(answer.status(), await answer.text()).toBe(200);
        };
        const pass = async (minutes: number) => {
          const until = (await world(hall)).now + minutes * MINUTE_MS;
          await set_pace(600_000);
          await expect.poll(async () => (await world(hall)).now, COMES_AGAIN).toBeGreaterThanOrEqual(until);
          await set_pace(1_000);
        };
        const marks: Mark[] = [];
        for (const cases of [1, 2, 3]) {
          for (let one = 0; one < cases; one += 1) await waiting_case(hall, { lat: 25.04, lon: 102.71 });
          await pass(10);
          marks.push(await mark(hall));
          await pass(10);
        }
        const past = { from: (marks[0]?.at ?? 0) - 5 * MINUTE_MS, to: (await world(hall)).now - MINUTE_MS };
        await use({ hall, session: await visitor.storageState(), marks, past, pass });
      } finally {
        await visitor.dispose();
        await hall.stop();
      }
    },
    { scope: 'worker', timeout: 240_000 },
  ],
  storageState: async ({ lived }, use) => use(lived.session),
  baseURL: async ({ lived }, use) => use(lived.hall.address),
});

const open_there = (page: Page) => page.locator('[data-count="open"]');
const open_on_wall = (page: Page) => page.locator('.stages .ph .figure.second');
const scrub = (page: Page) => page.getByRole('slider');
const instant = async (page: Page) => Number(await page.locator('[data-instant]').getAttribute('data-instant'));

/** Takes the line to an instant, as a hand does that lets it go there. */
async function take_to(page: Page, at: number): Promise<void> {
  await scrub(page).fill(String(Math.round(at / 1_000) * 1_000));
}

async function opened(page: Page, past: Lived['past'], at?: number): Promise<void> {
  const still = at === undefined ? '' : `&at=${at}`;
  await page.goto(`/replay?from=${past.from}&to=${past.to}${still}`);
  await expect(page).toHaveURL(/\/replay\/replay-[0-9a-f]{8}\?/, COMES_AGAIN);
  await expect(open_there(page)).toHaveText(/\d/, COMES_AGAIN);
}

test('a stretch of the past is chosen in a form that says what cannot be shown', async ({ page }) => {
  await page.goto('/replay');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('复盘');
  await expect_accessible(page);
  const asks = async (day: string, from: string, to: string) => {
    await page.locator('[name=day]').fill(day);
    await page.locator('[name=from]').fill(from);
    await page.locator('[name=to]').fill(to);
    await page.locator('[name=to]').press('Enter');
  };
  const problem = page.getByRole('alert');
  await asks(DAY, '09:00', '08:30');
  await expect(problem).toHaveText('起始时间须早于终止时间');
  await asks('', '08:00', '08:30');
  await expect(problem).toHaveText('请填日期，如 2026-11-21');
  await asks('2026-11-02', '08:00', '09:00');
  await expect(problem).toContainText('早于系统的第一条记录');
  await asks(DAY, '08:10', '23:59');
  await expect(problem).toContainText('这段时间还没有过去');
  await page.locator('[data-switch=language]').click();
  await expect(problem).toContainText('has not passed yet');
  await asks('2026-11-02', '08:00', '09:00');
  await expect(problem).toContainText("before the hall's first record");
  await expect_accessible(page);
  await asks(DAY, '08:10', '08:50');
  await expect(page).toHaveURL(/\/replay\/replay-[0-9a-f]{8}\?/, COMES_AGAIN);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Replay');
  await page.locator('#replay-end').click();
  await expect(page).toHaveURL(/\/replay$/);
  await page.goto('/replay?from=x&lang=zh');
  await expect(problem).toHaveText('地址里的时间看不懂，请重新选择');
});

test('wall, desk and controls show each instant as it was, to and fro', async ({ page, lived: { marks, past } }) => {
  test.setTimeout(180_000);
  await opened(page, past, marks[0]?.at);
  await expect(page.locator('[data-pace]')).toHaveText('已暂停');
  await expect_accessible(page);
  const popup = page.waitForEvent('popup');
  await page.getByRole('link', { name: '当时的大屏' }).click();
  const wall = await popup;
  await expect(wall.locator('.world-band')).toContainText('复盘');
  for (const { at, open } of [...marks, ...marks.toReversed()]) {
    await take_to(page, at);
    await expect(open_there(page)).toHaveText(String(open), COMES_AGAIN);
    await expect(open_on_wall(wall)).toHaveText(String(open), COMES_AGAIN);
    expect(Math.abs((await instant(page)) - at)).toBeLessThan(2_000);
  }
});

test('the past stands still, goes on and goes sixty times as fast, by keys alone', async ({ page, lived: { past } }) => {
  test.setTimeout(120_000);
  await opened(page, past);
  const turn = page.locator('#replay-turn');
  await turn.focus();
  await page.keyboard.press('Enter');
  await expect(turn).toHaveText('继续');
  const stood = await instant(page);
  await page.waitForTimeout(2_500);
  expect(await instant(page)).toBe(stood);
  await page.locator('[data-times="60"]').press('Enter');
  await expect(page.locator('[data-pace]')).toHaveText('60 倍速');
  await page.waitForTimeout(3_000);
  expect((await instant(page)) - stood).toBeGreaterThan(90_000);
  await turn.press('Enter');
  await expect(turn).toHaveText('继续');
  const before = await instant(page);
  await scrub(page).press('ArrowRight');
  await expect.poll(() => instant(page), COMES_AGAIN).toBe(before + MINUTE_MS);
  await page.locator('[data-times="600"]').press('Enter');
  await expect(page.locator('[data-pace]')).toHaveText('已到末尾', COMES_AGAIN);
  expect(await instant(page)).toBe(past.to);
});

test('nothing is handled in the past', async ({ page, lived: { hall, past, pass } }) => {
  test.setTimeout(120_000);
  const { id, address } = await waiting_case(hall);
  await pass(3);
  const to = (await world(hall)).now - MINUTE_MS;
  await page.goto(`/replay?from=${past.from}&to=${to}&at=${to}`);
  await expect(page).toHaveURL(/\/replay\/(replay-[0-9a-f]{8})\?/, COMES_AGAIN);
  const replay = /replay-[0-9a-f]{8}/.exec(page.url())?.[0] ?? '';
  const query = `open=true&stage=dispatch&text=${encodeURIComponent(address)}`;
  await page.goto(`/world/${replay}/desk/case/${id}?${query}`);
  await expect(page.locator('.act')).toContainText('复盘中不办理', COMES_AGAIN);
  await expect(page.locator('.world-band')).toContainText('复盘');
  for (const gone of ['#desk-step', '#desk-claim', '.opts', '#desk-remark', '[data-step]']) await expect(page.locator(gone)).toHaveCount(0);
  await page.keyboard.press('c');
  await page.keyboard.press('w');
  await expect(page.locator('.outcome')).toHaveText('');
  await expect_accessible(page);
  await page.goto(`/world/${replay}/desk/case/${id}?${query}&lang=en`);
  await expect(page.locator('.act')).toContainText('nothing is handled here', COMES_AGAIN);
  // Links of the past stay in it.
  await expect(page.locator('.tabs a').first()).toHaveAttribute('href', `/world/${replay}/desk`);
});

test('a shared address opens the same instant again, also after a restart', async ({ page, lived: { hall, marks, past } }) => {
  test.setTimeout(180_000);
  await opened(page, past, marks[1]?.at);
  await page.locator('#replay-freeze').click();
  const address = await page.locator('#replay-address').inputValue();
  expect(address).toContain('/replay?from=');
  const there = page.url();
  await hall.stop_server('SIGTERM');
  await hall.restart_server();
  await page.goto(there);
  await expect(page.getByRole('alert').first()).toHaveText('这个复盘已经结束', COMES_AGAIN);
  await page.goto(address);
  await expect(open_there(page)).toHaveText(String(marks[1]?.open), COMES_AGAIN);
  await expect(page.locator('[data-pace]')).toHaveText('已暂停');
  expect(Math.abs((await instant(page)) - (marks[1]?.at ?? 0))).toBeLessThan(2_000);
});

test('wall and desk of a replay that was closed say so, and where another is chosen', async ({ page, context, lived: { marks, past } }) => {
  test.setTimeout(120_000);
  await opened(page, past, marks[1]?.at);
  const replay = /replay-[0-9a-f]{8}/.exec(page.url())?.[0] ?? '';
  const [wall, desk] = [await context.newPage(), await context.newPage()];
  await wall.goto(`/world/${replay}/wall/main`);
  await desk.goto(`/world/${replay}/desk?lang=en`);
  for (const screen of [wall, desk]) await expect(screen.locator('.world-band')).toContainText(/\d\d:\d\d:\d\d/, COMES_AGAIN);
  await page.locator('#replay-end').click();
  await expect(page).toHaveURL(/\/replay$/);
  await expect(wall.getByRole('alert')).toContainText('这个复盘已经结束', COMES_AGAIN);
  await expect(wall.locator('[data-link=gone]')).toContainText('这个复盘已经结束');
  await expect(desk.getByRole('alert')).toContainText('This replay has ended', COMES_AGAIN);
  await expect_accessible(desk);
  await wall.screenshot({ path: test.info().outputPath('gone-wall.png') });
  await desk.screenshot({ path: test.info().outputPath('gone-desk.png') });
  await wall.getByRole('link', { name: '选择另一个复盘' }).click();
  await expect(wall).toHaveURL(/\/replay$/);
});

test('a world that is gone says so, in words', async ({ page }) => {
  await page.goto('/replay/replay-00000000');
  await expect(page.getByRole('alert').first()).toHaveText('这个复盘已经结束', COMES_AGAIN);
  for (const path of ['/world/replay-00000000/wall/main', '/world/drill-00000000/desk']) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(410);
    await expect(page.locator('h1')).toContainText('已结束');
  }
});

test('a world that is not live is striped and worded on every screen, in both languages and themes', async ({ page, lived: { marks, past } }, info) => {
  test.setTimeout(240_000);
  await opened(page, past, marks[2]?.at);
  const replay = /replay-[0-9a-f]{8}/.exec(page.url())?.[0] ?? '';
  const drive = page.url();
  for (const [lang, word] of [['zh', '复盘'], ['en', 'Replay']] as const) {
    for (const theme of ['hall-dark', 'seat-light']) {
      for (const [name, path, width, height] of [
        ['wall-1920', `/world/${replay}/wall/main`, 1920, 1080],
        ['wall-3840', `/world/${replay}/wall/main`, 3840, 1080],
        ['desk-1366', `/world/${replay}/desk`, 1366, 768],
        ['drive', drive, 1366, 768],
      ] as const) {
        await page.setViewportSize({ width, height });
        await page.goto(`${path}${path.includes('?') ? '&' : '?'}lang=${lang}&theme=${theme}`);
        const band = page.locator('.world-band');
        await expect(band, name).toContainText(word);
        await expect(band, name).toContainText(/\d\d:\d\d:\d\d/, COMES_AGAIN);
        const striped = await page.evaluate(() => getComputedStyle(document.body, '::before').backgroundImage);
        expect(striped, name).toContain('repeating-linear-gradient');
        await page.waitForTimeout(1_500);
        await info.attach(`${name}-${lang}-${theme}`, { body: await page.screenshot(), contentType: 'image/png' });
      }
    }
  }
  // The hall itself says what it is too: a demonstration here, and not the past.
  await page.goto('/desk?lang=en');
  await expect(page.locator('.world-band')).toContainText('Demonstration');
});
