// A screen that stopped is right again by itself: its programme panics or falls silent, its worker dies, its server is
// replaced by a newer build or speaks otherwise, a script is missing. And a wall that nobody can lead away.
//
// What should be here: what becomes of a page when something under it ends. What should not: a lost connection that comes
// back (`away.spec.ts`), a camera's host that vanishes (`faults.spec.ts`, a site without power).
import { cpSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as unguarded, type BrowserContext, type Page } from '@playwright/test';
import { waiting_case, type Spot } from '../helpers/cases';
import { video_options } from '../helpers/chromium';
import { Hall } from '../helpers/server';
import { SITE } from '../helpers/site';
import { expect, guard } from '../helpers/test';

/** Long enough for a busy machine to load a large, quick build. */
const SOON_MS = 60_000;
const PASSWORD = 'siren-otter-lantern';

let hall: Hall;
/** A site of this spec's own, which it may exchange for a newer one. */
let site: string;

// Uncaught errors are what is tested here: tests without one call `guard` by themselves.
const test = unguarded;
test.use({ launchOptions: video_options });
test.describe.configure({ timeout: 240_000 });

test.beforeAll(async () => {
  site = mkdtempSync(join(tmpdir(), 'gridhall-site-'));
  cpSync(SITE, site, { recursive: true });
  hall = await Hall.start({ cameras: ['--count', '8', '--live', '4'], settings: { GRIDHALL__SERVER__SITE: site } });
  hall.add_account('liu', 'dispatcher', PASSWORD);
});

test.afterAll(async () => {
  await hall?.stop();
  rmSync(site, { recursive: true, force: true });
});

async function sign_in(page: Page): Promise<void> {
  const answer = await page.request.post(`${hall.address}/api/v1/sign-in`, { data: { name: 'liu', password: PASSWORD }, headers: { origin: hall.address } });
  expect(answer.ok(), await answer.text()).toBe(true);
}

/** Signs the page in and opens an address whose programme then runs. */
async function open(page: Page, path: string): Promise<void> {
  await sign_in(page);
  await page.goto(`${hall.address}${path}`);
  await is_alive(page);
}

const is_alive = (page: Page) => expect(page.locator('html')).toHaveAttribute('data-alive', /\d+/, { timeout: SOON_MS });
const cover = (page: Page) => page.locator('#stopped');
const link = (page: Page) => page.locator('[data-link]');

/** Gives the page a word that it loses when it is loaded anew. */
async function mark(page: Page): Promise<{ renewed: () => Promise<void>; kept: () => Promise<boolean> }> {
  await page.evaluate(() => void ((globalThis as { marked?: boolean }).marked = true));
  const kept = () => page.evaluate(() => (globalThis as { marked?: boolean }).marked === true).catch(() => true);
  return { kept, renewed: () => expect.poll(kept, { timeout: SOON_MS + 20_000 }).toBe(false) };
}

async function stops_counted(cause: string): Promise<number> {
  const text = await (await fetch(`${hall.address}/metrics`, { headers: { authorization: `Bearer ${hall.token}` } })).text();
  const rows = text.split('\n').filter((line) => line.startsWith('gridhall_screens_stopped_total') && line.includes(`cause="${cause}"`));
  return rows.reduce((sum, row) => sum + Number(row.split(' ')[1]), 0);
}

test('a wall whose programme panics is covered with words and the time, told to the server, and right again', async ({ page }) => {
  await open(page, '/wall/main');
  const [before, { renewed }] = [await stops_counted('panic'), await mark(page)];
  // What the programme takes for granted: a browser that makes elements. The supervisor's own are made all the same, and those of
  // whoever takes a picture.
  await page.evaluate(() => {
    const refuse = () => {
      throw new DOMException('no more elements');
    };
    const make = document.createElement.bind(document);
    document.createElement = ((tag: string) => (['div', 'h2', 'p', 'dl', 'template'].includes(tag) ? refuse() : make(tag))) as typeof document.createElement;
    document.createElementNS = refuse as typeof document.createElementNS;
    Node.prototype.cloneNode = refuse as typeof Node.prototype.cloneNode;
  });
  await page.locator('main.wall .figure:visible').first().click();
  await expect(cover(page)).toContainText(/画面停止于 \d\d:\d\d:\d\d，10 秒后重新载入/);
  await expect(cover(page)).toContainText('This screen stopped at');
  await page.screenshot({ path: test.info().outputPath('stopped.png') });
  await renewed();
  await is_alive(page);
  await expect(cover(page)).toHaveCount(0);
  await expect.poll(() => stops_counted('panic')).toBe(before + 1);
});

test('an exception of the browser within the programme leaves no frozen picture either', async ({ page }) => {
  await open(page, '/desk');
  const { renewed } = await mark(page);
  await page.evaluate(() => {
    Performance.prototype.now = () => {
      throw new Error('no time');
    };
  });
  await expect(cover(page)).toContainText('画面停止于', { timeout: SOON_MS });
  await renewed();
  await is_alive(page);
});

test('a programme that falls silent is noticed, and its page waits for the server before it loads again', async ({ page }) => {
  await open(page, '/wall/main');
  const { renewed, kept } = await mark(page);
  await page.route(`${hall.address}/wall/main`, (route) => route.abort());
  await page.evaluate(() => void (document.documentElement.setAttribute = () => undefined));
  await expect(cover(page)).toContainText('服务器应答后重新载入', { timeout: SOON_MS });
  expect(await kept()).toBe(true);
  await page.unroute(`${hall.address}/wall/main`);
  await renewed();
  await is_alive(page);
});

test('a worker that dies takes no page with it, and pictures come back', async ({ page }) => {
  const cameras = (await hall.get('/api/v1/cameras?limit=1')) as { items: { place: Spot }[] };
  const { id } = await waiting_case(hall, cameras.items[0]?.place);
  await open(page, `/desk/case/${id}`);
  const tile = page.locator('.camera-tile').first();
  await expect(tile).toHaveAttribute('data-state', /live|delayed|key_frames/, { timeout: SOON_MS });
  const { kept } = await mark(page);
  const worker = page.workers().find((one) => one.url().includes('video-worker'));
  await worker?.evaluate(() => void setTimeout(() => { throw new Error('the worker dies'); }));
  await expect.poll(() => page.workers().filter((one) => one !== worker && one.url().includes('video-worker')).length, { timeout: SOON_MS }).toBe(1);
  await expect(tile).toHaveAttribute('data-state', /live|delayed|key_frames/, { timeout: SOON_MS });
  expect(await kept(), 'the page itself lived on').toBe(true);
  await expect(cover(page)).toHaveCount(0);
});

/** Writes the site as another build of the same sources. */
function exchange_site(word: string): void {
  const before = readFileSync(join(site, 'build.txt'), 'utf8');
  for (const name of ['wall.html', 'desk.html', 'door.html', 'build.txt']) {
    const file = join(site, name);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(before, word));
  }
}

test('a server that comes back with a newer build gets its walls by themselves and asks its desks', async ({ context, page }) => {
  const check = guard(context);
  await open(page, '/wall/main');
  const desk = await context.newPage();
  await desk.goto(`${hall.address}/desk`);
  await is_alive(desk);
  const [wall_marked, desk_marked] = [await mark(page), await mark(desk)];
  await hall.stop_server('SIGTERM');
  exchange_site('a-newer-build');
  await hall.restart_server();
  await expect(desk.locator('#newer')).toContainText('有新版本，重新载入', { timeout: SOON_MS });
  await desk.screenshot({ path: test.info().outputPath('newer.png') });
  // A wall at a moment of its own within a minute; a desk is somebody's work and waits for them.
  await wall_marked.renewed();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'a-newer-build');
  expect(await desk_marked.kept()).toBe(true);
  await desk.locator('#newer').click();
  await desk_marked.renewed();
  await is_alive(desk);
  await expect(desk.locator('html')).toHaveAttribute('data-build', 'a-newer-build');
  await expect(desk.locator('#newer')).toHaveCount(0);
  check();
});

/** Page and server of different protocols: each connection's `hello` is heard as another's, and so is the server's `welcome`. */
async function speak_otherwise(page: Page): Promise<{ dialled: () => number }> {
  let dialled = 0;
  /** The first frame of a side in another protocol: the kind of frame, the kind of message, the protocol. */
  const otherwise = (send: (frame: Buffer) => void) => {
    let greeted = false;
    return (message: string | Buffer) => {
      const bytes = Buffer.from(message);
      if (!greeted) bytes[2] = 99;
      greeted = true;
      send(bytes);
    };
  };
  await page.routeWebSocket(/\/live$/, (socket) => {
    dialled += 1;
    const server = socket.connectToServer();
    socket.onMessage(otherwise((frame) => { server.send(frame); }));
    server.onMessage(otherwise((frame) => { socket.send(frame); }));
  });
  return { dialled: () => dialled };
}

test('a server of another protocol is said, asked seldom, never taken for live, and its pages are loaded', async ({ context, page }) => {
  const check = guard(context);
  const { dialled } = await speak_otherwise(page);
  await sign_in(page);
  const started = Date.now();
  await page.goto(`${hall.address}/wall/main`);
  await is_alive(page);
  await page.evaluate(() => {
    const seen = ((globalThis as { seen?: Set<string> }).seen = new Set<string>());
    new MutationObserver(() => seen.add(document.querySelector('[data-link]')?.getAttribute('data-link') ?? '')).observe(document, { subtree: true, attributes: true });
  });
  const { renewed } = await mark(page);
  await expect(link(page)).toHaveAttribute('data-link', 'absent');
  await expect(link(page)).toContainText('服务器已是另一版本');
  await page.waitForTimeout(4_000);
  expect(await page.evaluate(() => [...((globalThis as { seen?: Set<string> }).seen ?? [])])).not.toContain('live');
  expect(dialled() / ((Date.now() - started) / 1_000), 'connections a second').toBeLessThan(1);
  await page.unrouteAll();
  await renewed();
  check();
});

test('a screen whose live connection does not come says so within three seconds, and why, and shows no figure', async ({ context, page }) => {
  const check = guard(context);
  let closed = true;
  await page.routeWebSocket(/\/live$/, (socket) => (closed ? socket.close() : void socket.connectToServer()));
  await open(page, '/wall/main');
  await expect(link(page)).toHaveAttribute('data-link', 'absent', { timeout: 10_000 });
  await expect(link(page)).toContainText('服务器有应答，实时通道不通');
  await expect(page.locator('.verified')).toHaveText('核对 –');
  for (const figure of await page.locator('.st7 .ct .figure').allInnerTexts()) expect(figure).toBe('–');
  await page.screenshot({ path: test.info().outputPath('absent.png') });
  closed = false;
  await expect(link(page)).toHaveAttribute('data-link', 'live', { timeout: SOON_MS });
  await expect(page.locator('.verified')).toHaveText('核对一致', { timeout: SOON_MS });
  check();
});

/** Writes the site as a build in which every file that is named by its content holds something else. Gives the plain names. */
function rename_all(word: string): Record<string, string> {
  const names = JSON.parse(readFileSync(join(site, 'names.json'), 'utf8')) as Record<string, string>;
  const renamed = Object.values(names).filter((name) => /^(js|pkg)\//.test(name));
  const other = (name: string) => name.replace(/-([0-9a-f]{16})\./, (_, hash: string) => `-${[...hash].reverse().join('')}.`);
  for (const name of renamed) renameSync(join(site, name), join(site, other(name)));
  // The compressed twins hold the old words under the old names, and a server answers with a twin alone.
  for (const name of renamed) for (const twin of ['br', 'gz']) rmSync(join(site, `${name}.${twin}`), { force: true });
  const texts = ['', 'js', 'pkg'].flatMap((folder) => readdirSync(join(site, folder)).map((name) => join(site, folder, name)));
  for (const file of texts.filter((name) => /\.(html|js|css|json)$/.test(name))) {
    const text = readFileSync(file, 'utf8');
    const base = (name: string) => name.slice(name.lastIndexOf('/') + 1);
    writeFileSync(file, renamed.reduce((all, name) => all.replaceAll(base(name), base(other(name))), text));
  }
  exchange_site(word);
  return names;
}

test('a page of before an upgrade asks for a part that is gone, and comes right by itself', async ({ page }) => {
  const cameras = (await hall.get('/api/v1/cameras?limit=1')) as { items: { place: Spot }[] };
  const { id, address } = await waiting_case(hall, cameras.items[0]?.place);
  await sign_in(page);
  const player = page.waitForResponse((answer) => answer.url().includes('/js/player-'));
  await page.goto(`${hall.address}/desk?open=true&stage=dispatch&text=${encodeURIComponent(address)}`);
  await is_alive(page);
  await player;
  const row = page.locator(`a[href^="/desk/case/${id}?"]`);
  await expect(row).toBeVisible({ timeout: SOON_MS });
  expect(page.workers().filter((one) => one.url().includes('video-worker')), 'the part that is loaded later').toHaveLength(0);
  const { renewed } = await mark(page);
  const old = rename_all('another-build');
  const gone = await page.request.get(`${hall.address}/${old['js/video-worker.js']}`);
  expect([gone.status(), gone.headers()['cache-control'], await gone.text()]).toEqual([404, 'no-cache', '']);
  await row.click();
  await renewed();
  await is_alive(page);
  await expect(page.locator('html')).toHaveAttribute('data-build', 'another-build');
  await expect(page).toHaveURL(new RegExp(`/desk/case/${id}`));
  await expect(page.locator('.camera-tile').first()).toHaveAttribute('data-state', /live|delayed|key_frames/, { timeout: SOON_MS });
});

test('a page whose programme is missing says so and is right again once it is there', async ({ page }) => {
  await sign_in(page);
  await page.route('**/pkg/wall-*.js', (route) => route.fulfill({ status: 404 }));
  await page.goto(`${hall.address}/wall/main`);
  await expect(page.locator('#shell-words')).toContainText('无法启动，10 秒后重试');
  await expect(page.locator('#shell-words')).toContainText('could not start');
  await page.unrouteAll();
  await is_alive(page);
});

/** Pairs a browser of its own as a wall. */
async function pair(context: BrowserContext, person: Page, name: string): Promise<Page> {
  const kiosk = await context.newPage();
  await kiosk.clock.install();
  await kiosk.goto(`${hall.address}/pair`);
  const code = await kiosk.locator('.pair-code').getAttribute('data-code');
  const { csrf } = (await (await person.request.get(`${hall.address}/api/v1/session`)).json()) as { csrf: string };
  const headers = { 'x-csrf-token': csrf, origin: hall.address };
  const approved = await person.request.post(`${hall.address}/api/v1/kiosk/approve`, { data: { code, name, wall: 'main' }, headers });
  expect(approved.status()).toBe(204);
  await kiosk.clock.runFor(5_000);
  await expect(kiosk).toHaveURL(/\/wall\/main$/);
  await is_alive(kiosk);
  return kiosk;
}

test('a paired wall leads nowhere, closes its cards, and comes back from anywhere', async ({ browser, page }) => {
  await sign_in(page);
  const { id } = await waiting_case(hall);
  const context = await browser.newContext();
  const check = guard(context);
  const kiosk = await pair(context, page, '大厅一号屏');
  await kiosk.clock.runFor(5_000);
  await expect(kiosk.locator('html')).toHaveAttribute('data-kiosk', '');
  const row = kiosk.locator(`a[href="/desk/case/${id}"]`).first();
  await expect(row).toBeVisible();
  await row.click({ force: true });
  await row.focus();
  await kiosk.keyboard.press('Enter');
  await kiosk.clock.runFor(2_000);
  await expect(kiosk).toHaveURL(/\/wall\/main$/);
  await kiosk.locator('main.wall .figure:visible').first().click();
  await expect(kiosk.locator('dialog.card')).toBeVisible();
  await expect(kiosk.locator('dialog.card a.button:visible')).toHaveCount(0);
  await kiosk.clock.runFor(40_000);
  await expect(kiosk.locator('dialog.card')).toBeVisible();
  await kiosk.clock.runFor(10_000);
  await expect(kiosk.locator('dialog.card')).toBeHidden();
  await kiosk.goto(`${hall.address}/`);
  await is_alive(kiosk);
  await kiosk.clock.runFor(100_000);
  await expect(kiosk).toHaveURL(`${hall.address}/`);
  await kiosk.clock.runFor(30_000);
  await expect(kiosk).toHaveURL(/\/wall\/main$/);
  check();
  await context.close();
});
