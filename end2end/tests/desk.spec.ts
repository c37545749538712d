// The dispatcher's desk against the real server: filters in the address, the keyboard from list to dispatch, cameras
// live inside the case, refusals in words.
import type { Page } from '@playwright/test';
import { expect_accessible } from '../helpers/axe';
import { type Catalogue, waiting_case as waiting_case_at } from '../helpers/cases';
import { hold_clock } from '../helpers/clock';
import { expect, test } from '../helpers/hall';
import type { Hall } from '../helpers/server';
import { give_eyes, look, look_at_screen } from '../player/clock';

interface CameraPage {
  items: { code: string; place: { lat: number; lon: number } | null }[];
}

/** A case that waits for dispatch, at a camera's place where wanted. */
async function waiting_case(hall: Hall, where: { at_camera?: boolean } = {}): Promise<{ id: number; address: string }> {
  const cameras = ((await hall.get('/api/v1/cameras?limit=1')) as CameraPage).items;
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
  await expect(tiles.locator('.camera-tile').first()).toHaveAttribute('data-state', /live|delayed|key_frames/);
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

// Below 1600 px the case opens over the list, and its pictures still stand over the case.
for (const viewport of [{ width: 1366, height: 768 }, { width: 1920, height: 1080 }]) {
  test(`the picture of a live camera is on the screen at ${viewport.width}`, async ({ page, hall }) => {
    const { id } = await waiting_case(hall, { at_camera: true });
    await page.setViewportSize(viewport);
    await give_eyes(page);
    await page.goto(`/desk/case/${id}`);
    const slot = '.tiles .slot:has(.camera-tile)';
    await page.locator(slot).scrollIntoViewIfNeeded();
    await expect(page.locator(`${slot} .camera-tile`)).toHaveAttribute('data-state', 'live');
    // How far what the screen shows is from what was painted, in levels of luma.
    const covered = async () => {
      const [painted, seen] = [await look(page, slot), await look_at_screen(page, slot)];
      if (painted === null || painted.spread < 8) return 255;
      return painted.print.reduce((sum, level, i) => sum + Math.abs(level - (seen.print[i] ?? 0)), 0) / painted.print.length;
    };
    await expect.poll(covered).toBeLessThan(12);
    // Its tools lie over the picture, and a dialog over both.
    await page.locator(`${slot} .tile-tools button`).first().click();
    await expect(page.locator('.slot.large')).toHaveCount(1);
    await page.keyboard.press('?');
    await expect(page.locator('dialog.keys:modal')).toBeVisible();
  });
}

test('a case without a position says so', async ({ page, hall }) => {
  await page.goto(`/desk/case/${(await waiting_case(hall)).id}`);
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
  await page.keyboard.press('r');
  await expect(page.getByText('备注：已办理')).toBeVisible();
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
  const file = (await hall.get(`/api/v1/cases/${id}`)) as { timeline: { event: Record<string, unknown> }[] };
  expect(file.timeline.filter(({ event }) => 'case_noted' in event)).toHaveLength(1);
});

interface File {
  case: { stage: string };
  timeline: { event: Record<string, unknown> }[];
}

/** Commands the page has sent. */
function sent(page: Page): string[] {
  const names: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'POST' || !request.url().endsWith('/api/v1/commands')) return;
    names.push(Object.keys((request.postDataJSON() as { command: object }).command)[0] ?? '');
  });
  return names;
}

/** A call for a case, to as many departments. */
async function open_call(hall: Hall, title: string, on: number, count: number): Promise<void> {
  const { areas, departments } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const area = areas.find(({ level }) => level === 'district')?.code;
  const called = departments.slice(0, count).map(({ code }) => code);
  await hall.commands([{ raise_whistle: { call: { level: 'street', area, title, case: on, called } } }]);
}

test('in the list of calls keys choose calls, and Enter never acts on a case that was open before', async ({ page, hall }) => {
  const [before, called] = [await waiting_case(hall), await waiting_case(hall)];
  const title = `占道 ${called.address}`;
  await open_call(hall, title, called.id, 1);
  const commands = sent(page);
  await page.goto(`/desk/case/${before.id}`);
  await expect(row(page, before.id)).toBeVisible();
  await page.keyboard.press('1');
  await expect(page.locator('.opt.on')).toHaveCount(1);
  await page.keyboard.press('g');
  await page.keyboard.press('9');
  const call = page.locator('.call', { hasText: title });
  await expect(call).toBeVisible();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/desk\?list=whistles/);
  for (let i = 0; i < 100 && !(await call.evaluate((line) => line.classList.contains('sel'))); i++) await page.keyboard.press('ArrowDown');
  await expect(call).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/desk/case/${called.id}\\?list=whistles`));
  await expect(page.locator('.sheet .title')).toContainText(called.address);
  expect(commands).toEqual([]);
});

test('a called department responds by a button; ending the call is asked for and takes a note', async ({ page, hall }) => {
  const { id, address } = await waiting_case(hall);
  await open_call(hall, `噪声 ${address}`, id, 2);
  const commands = sent(page);
  await page.goto('/desk?list=whistles');
  const call = page.locator('.call', { hasText: address });
  await expect(call.getByRole('button', { name: /报到$/ })).toHaveCount(2);
  await call.getByRole('button', { name: /报到$/ }).first().click();
  await expect(call.getByText(/\d\d:\d\d 报到/)).toHaveCount(1);
  await expect(call.getByRole('button', { name: /报到$/ })).toHaveCount(1);
  await expect(page.locator('.list > .outcome')).toContainText('报到：已办理');
  await expect(call, 'another version, another row, and the hand is on it still').toBeFocused();
  const whistle = Number((await call.getAttribute('id'))?.replace('call-', ''));
  await call.getByRole('button', { name: '销哨' }).click();
  await expect(call.getByLabel('销哨说明（可空）')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(call.getByRole('button', { name: '确认销哨' })).toHaveCount(0);
  expect(commands).toEqual(['respond_to_whistle']);
  await call.getByRole('button', { name: '销哨' }).click();
  await expect(call.getByLabel('销哨说明（可空）')).toBeFocused();
  await page.keyboard.type('现场已清');
  await call.getByRole('button', { name: '确认销哨' }).click();
  await expect(call).toHaveCount(0);
  expect(commands).toEqual(['respond_to_whistle', 'close_whistle']);
  const { timeline } = (await hall.get(`/api/v1/whistles/${whistle}`)) as File;
  expect(timeline.at(-1)?.event).toMatchObject({ whistle_closed: { note: '现场已清' } });
});

/** The day of the hall's present, as an address names it. */
const today = () => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);

test('the calls of a day say that they are read, that they failed, and follow what happens', async ({ page, hall }) => {
  const { id, address } = await waiting_case(hall);
  await open_call(hall, `当日 ${address}`, id, 2);
  let answer: 'wait' | 'fail' | 'pass' = 'wait';
  let go = () => {};
  const held = new Promise<void>((then) => { go = then; });
  await page.route('**/api/v1/whistles?*', async (route) => {
    if (answer === 'wait') await held;
    if (answer === 'fail') await route.abort();
    else await route.continue();
  });
  await page.goto(`/desk?list=whistles&raised=${today()}`);
  const state = page.locator('#desk-rows .list-state');
  const total = page.locator('.list-head .total');
  await expect(state).toHaveText('正在读取');
  await expect(total).toHaveText('');
  answer = 'fail';
  go();
  await expect(state).toContainText('读取失败');
  await expect(total).toHaveText('');
  answer = 'pass';
  await page.keyboard.press('.');
  const call = page.locator('.call', { hasText: address });
  await expect(call).toBeVisible();
  await expect(state).toHaveCount(0);
  const [, before] = /(\d+)/.exec(await total.innerText()) ?? [];
  // A colleague's call comes in by itself, and one that ends says when.
  await open_call(hall, `再吹 ${address}`, id, 1);
  await expect(page.locator('.call', { hasText: `再吹 ${address}` })).toBeVisible();
  await expect(total).toHaveAttribute('data-total', String(Number(before) + 1));
  const whistle = Number((await call.filter({ hasText: '当日' }).getAttribute('id'))?.replace('call-', ''));
  await hall.commands([{ close_whistle: { whistle, note: '' } }]);
  await expect(page.locator(`#call-${whistle}`)).toContainText('销哨');
  await expect(page.locator(`#call-${whistle}`).getByRole('button')).toHaveCount(0);
  // Another period is another question, never the rows of the last.
  answer = 'fail';
  await page.evaluate(() => { history.pushState(null, '', '/desk?list=whistles&raised=2001-01'); dispatchEvent(new PopStateEvent('popstate')); });
  await expect(state).toContainText('读取失败');
  await expect(page.locator('.call')).toHaveCount(0);
  answer = 'pass';
  await page.keyboard.press('.');
  await expect(state).toHaveText('没有符合的哨');
  // Calls are open, but none of them is late.
  await page.goto('/desk?list=whistles&late=true');
  await expect(state).toHaveText('没有符合的哨');
});

test('a dropped filter leaves the open case and hands the list the focus', async ({ page, hall }) => {
  const { id } = await waiting_case(hall);
  await page.goto(`/desk/case/${id}?open=true&stage=dispatch&claimed=false`);
  await expect(row(page, id)).toBeVisible();
  const chip = page.getByRole('link', { name: '去掉筛选：未认领' });
  await chip.focus();
  await page.keyboard.press('Enter');
  await expect(chip).toHaveCount(0);
  await expect(page.locator('#desk-rows')).toBeFocused();
  await expect(page).toHaveURL(new RegExp(`/desk/case/${id}\\?open=true&stage=dispatch$`));
});

test('a list that the feed does not tell of says when it was read', async ({ page, hall }) => {
  await waiting_case(hall);
  await page.goto(`/desk?filed=${today()}`);
  await expect(page.locator('.case-row').first()).toBeVisible();
  await expect(page.locator('.outside')).toContainText(/\d\d:\d\d 读取/);
});

test('one Enter, held or repeated, takes a case one step', async ({ page, hall }) => {
  const catalogue = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const report = { source: catalogue.sources[0]?.code, class: catalogue.classes[0]?.code, area: catalogue.areas[0]?.code, description: '路灯不亮' };
  const [reported] = (await hall.commands([{ report_case: { report } }])) as { taken: { case: number } }[];
  const id = reported?.taken.case ?? 0;
  const commands = sent(page);
  const clock = await hold_clock(page);
  await page.goto(`/desk/case/${id}?open=true&stage=accept&sort=due`);
  await expect(page.locator('#desk-step')).toContainText('受理');
  await clock.pass(1_100);
  for (let i = 0; i < 5; i++) await page.keyboard.down('Enter');
  await page.keyboard.up('Enter');
  await expect(page.locator('#desk-step')).toContainText('立案');
  await expect(page.locator('.sheet h1')).toBeFocused();
  await page.keyboard.press('Enter');
  await page.locator('#desk-step').click();
  expect(commands).toEqual(['accept_case']);
  // Whoever has read what has changed goes on.
  await clock.pass(1_100);
  await page.keyboard.press('Enter');
  await expect(page.locator('.loop .cur')).toContainText('派遣');
  expect(commands).toEqual(['accept_case', 'file_case']);
});

test('Enter leaves the note and the search field, and keys are keys again', async ({ page, hall }) => {
  const { id, address } = await waiting_case(hall);
  await page.goto(`/desk/case/${id}`);
  await expect(row(page, id)).toBeVisible();
  await page.keyboard.press('n');
  await page.keyboard.type('已联系业主');
  await page.keyboard.press('Enter');
  await expect(page.getByText('备注：已办理')).toBeVisible();
  await expect(row(page, id)).toBeFocused();
  // Rows that are laid out anew leave the hand where it was.
  const { id: other } = await waiting_case(hall);
  await expect(page.locator('.outside')).toContainText('新到');
  await page.keyboard.press('.');
  await expect(row(page, other)).toBeVisible();
  await expect(row(page, id)).toBeFocused();
  await page.keyboard.press('/');
  await page.keyboard.type(address);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/text=/);
  await expect(page.locator('#desk-find')).not.toBeFocused();
  await expect(page.locator('.case-row')).toHaveCount(1);
  await page.keyboard.press('ArrowDown');
  await expect(row(page, id)).toBeFocused();
  const { timeline } = (await hall.get(`/api/v1/cases/${id}`)) as File;
  expect(timeline.filter(({ event }) => 'case_noted' in event)).toHaveLength(1);
});

test('by due time the earlier comes first, whatever its priority', async ({ page, hall }) => {
  const catalogue = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const source = catalogue.sources[0]?.code;
  const report = (priority: string) => ({ report_case: { report: { source, class: catalogue.classes[0]?.code, area: catalogue.areas[0]?.code, address: '先后路', priority } } });
  const ids: number[] = [];
  for (const priority of ['ordinary', 'third']) {
    const [reported] = (await hall.commands([report(priority)])) as { taken: { case: number } }[];
    const id = reported?.taken.case ?? 0;
    await hall.commands([{ accept_case: { case: id } }, { file_case: { case: id } }]);
    ids.push(id);
  }
  await page.goto(`/desk?open=true&stage=dispatch&sort=due&text=${encodeURIComponent('先后路')}`);
  await expect(page.locator('.case-row')).toHaveCount(2);
  const shown = await page.locator('.case-row').evaluateAll((rows) => rows.map(({ id }) => id));
  expect(shown).toEqual(ids.map((id) => `case-${id}`));
});

for (const theme of ['hall-dark', 'seat-light']) {
  for (const lang of ['zh', 'en']) {
    test(`desk and case are accessible: ${theme}, ${lang}`, async ({ page, hall }) => {
      const { id } = await waiting_case(hall, { at_camera: true });
      await page.goto(`/desk/case/${id}?open=true&stage=dispatch&theme=${theme}&lang=${lang}`);
      await expect(page.locator('.opts li').first()).toBeVisible();
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      // Whatever is read above it, the step is in sight.
      for (const [width, height] of [[1366, 768], [1920, 1080]] as const) await page.setViewportSize({ width, height }).then(() => expect(page.locator('#desk-step')).toBeInViewport({ ratio: 1 }));
      await expect_accessible(page);
      await page.keyboard.press('?');
      await expect(page.locator('dialog.keys')).toBeVisible();
      await expect_accessible(page);
    });
  }
}
