// From a dispatcher's click on a linked camera to its picture in the case, read off the painted pixels: cameras the hall
// watches already (warm) and cameras nobody watches (cold). Key frames come every five seconds.
//
// The clock strip in the picture tells its capture time; only a picture captured after the click, or for a warm camera
// within the last half second before it, counts. Reading the pixels is within the time measured.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import WebSocket from 'ws';
import { waiting_case } from '../helpers/cases';
import { video_options } from '../helpers/chromium';
import { at_most, percentile, plain } from '../helpers/rows';
import { Hall } from '../helpers/server';
import { Street } from '../helpers/street';
import { expect, test } from '../helpers/test';
import { give_eyes, READABLE } from '../player/clock';

const ROUNDS = 24;
/** A camera is cold again this long after its tile is closed. */
const LINGER_MS = 300;
const GIVE_UP_MS = 15_000;
/** Places of the two cameras in the case; the first opens by itself. */
const [COLD, WARM] = [2, 3];

let street: Street;
let hall: Hall;

test.use({ ...READABLE, launchOptions: video_options });

test.beforeAll(async () => {
  street = await Street.start({ spot: [{ code: 'first' }, { code: 'cold' }, { code: 'warm' }] }, ['--gop', '5']);
  hall = await Hall.start({ list: street.list, settings: { GRIDHALL__VIDEO__LINGER_MS: String(LINGER_MS) } });
});

test.afterAll(async () => {
  await hall?.stop();
  await street?.stop();
});

/** A viewer that keeps the camera live in the hall, as a wall would. */
async function keep_live(page: Page, camera: string): Promise<WebSocket> {
  const cookies = await page.context().cookies(hall.address);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const socket = new WebSocket(`${hall.address.replace('http', 'ws')}/api/v1/video`, { headers: { cookie, origin: hall.address } });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.send(JSON.stringify({ hello: { version: 1, mode: 'webcodecs', h265: false } }));
  socket.send(JSON.stringify({ open: { tile: 0, camera, profile: 'sub', height: 252 } }));
  await new Promise<void>((resolve) => socket.on('message', (_, binary) => binary && resolve()));
  return socket;
}

/** Clicks the closed camera at `place`; milliseconds until its picture of now is on the page. */
const click_to_painted = (page: Page, place: number, older_ms: number) =>
  page.evaluate(
    async ([at, older, give_up]) => {
      const slot = `.slot[data-camera="${at}"]`;
      const clicked = performance.now();
      const clicked_at = Date.now();
      document.querySelector<HTMLElement>(`${slot} .closed-tile`)?.click();
      for (;;) {
        const seen = await globalThis.eyes.look(slot);
        const took = performance.now() - clicked;
        if (seen !== null && seen.clock !== null && seen.clock >= clicked_at - older) return took;
        if (took > give_up) throw new Error(`camera ${at} was not painted; last seen ${JSON.stringify({ ...seen, print: undefined })}`);
        if (seen === null) await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    },
    [place, older_ms, GIVE_UP_MS] as const,
  );

const close = (page: Page, place: number) => page.locator(`.slot[data-camera="${place}"] .tile-tools button`).last().click();

/** Sessions the camera plays before each click: none when it is cold, the hall's one when it is warm. */
interface Start {
  camera: string;
  place: number;
  playing: number;
  /** How much older than the click the picture may be. */
  older_ms: number;
}

async function rounds(page: Page, { camera, place, playing, older_ms }: Start, pause: (round: number) => number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    expect((await street.sessions(camera)).playing, `sessions of the ${camera} camera before the click`).toBe(playing);
    times.push(await click_to_painted(page, place, older_ms));
    await close(page, place);
    await expect(page.locator(`.slot[data-camera="${place}"] .closed-tile`)).toBeVisible();
    await sleep(pause(round));
  }
  return times;
}

test('camera start, click to painted', async ({ page }) => {
  await page.goto(hall.sign_in);
  await give_eyes(page);
  const { id } = await waiting_case(hall, street.spot('spot'));
  await page.goto(`${hall.address}/desk/case/${id}`);
  await page.locator('.slot[data-camera="1"] .camera-tile[data-state="live"]').waitFor({ timeout: 30_000 });
  await close(page, 1);
  const keeper = await keep_live(page, 'warm');
  // Anywhere within the five seconds between two key frames.
  const warm = await rounds(page, { camera: 'warm', place: WARM, playing: 1, older_ms: 500 }, (round) => 300 + ((round * 1_370) % 2_500));
  keeper.close();
  // Longer than the camera lingers; a page's watch for closed tiles comes on top.
  const cold = await rounds(page, { camera: 'cold', place: COLD, playing: 0, older_ms: 0 }, () => LINGER_MS + 1_500);
  const what = 'case page, click to painted pixels';
  plain(`warm camera, 5 s between key frames: ${what}, p50`, percentile(warm, 0.5), 'ms');
  at_most(`warm camera, 5 s between key frames: ${what}, p95`, percentile(warm, 0.95), 'ms', 200);
  plain(`cold camera: ${what}, p50`, percentile(cold, 0.5), 'ms');
  at_most(`cold camera: ${what}, p95`, percentile(cold, 0.95), 'ms', 400);
});
