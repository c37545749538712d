// What the player's tests share: a server for each test, and how they read the page.

import type { Page, TestInfo } from '@playwright/test';
import { video_options } from '../helpers/chromium';
import { bound } from '../helpers/long';
import { expect, test } from '../helpers/test';
import { Judge } from './judge';
import { startServer, type VideoServer } from './server';
import { FRAMES, makeStream, readNumber, type Stream } from './stream';

export interface TileStats {
  camera: string;
  state: string;
  painted: number;
  /** Given to the decoder. */
  submitted: number;
  superseded: number;
  stills: number;
  skipped: number;
  caughtUp: number;
  rebuilt: number;
  deltasAfterGap: number;
  width: number;
  paused: boolean;
  latency_p50_ms: number;
  latency_p95_ms: number;
  submit_painted_p50_ms: number;
}
export interface Stats {
  mode: string;
  engine: string;
  link: { up: boolean; reconnects: number };
  tiles: TileStats[];
}
export interface Said {
  camera: string;
  at: number;
  state: string;
  cause?: string;
  since_ms?: number;
  retry_s?: number;
  interval_s?: number;
  /** Pictures a second shown, of those sent, where some are left out. */
  left?: [number, number] | null;
}
export interface Harness {
  log: Said[];
  add(camera: string, options?: object): number;
  remove(camera: string): void;
  squares(camera: string, what: string): Promise<number[] | null>;
  stats(): Promise<Stats>;
  tiles: Map<string, { state: string }>;
}
declare global {
  var harness: Harness;
  var gridhallPlayer: { mode: string | null; stats(): Promise<Stats> };
}

let streams: Stream[];
/** The server of the test that runs. */
export let server: VideoServer;
let judge: Judge;

/** To be called once at the top of a file of tests. */
export function withServer(): void {
  test.use({ viewport: { width: 1400, height: 900 }, launchOptions: video_options });
  // Outer bounds are generous: what is asserted is a state and not how soon a busy machine comes to it.
  test.describe.configure({ timeout: 180_000 });

  test.beforeAll(() => {
    streams = [makeStream({ width: 640, height: 360 }), makeStream({ width: 320, height: 180, hue: 120 })];
  });

  test.beforeEach(async ({ page }) => {
    server = await startServer(streams);
    judge = new Judge();
    await judge.serve(page);
    page.on('console', (message) => {
      const expected = /404|503|WebSocket/.test(message.text());
      if (message.type() === 'error' && !expected) server.violations.push(`console: ${message.text()}`);
    });
  });

  test.afterEach(async ({ page }) => {
    await page.close();
    judge.stop();
    await server.close();
    expect(server.violations).toEqual([]);
  });
}

export async function open(page: Page, cameras: string[]): Promise<void> {
  await page.goto(`${server.origin}/`);
  await page.waitForFunction(() => globalThis.harness !== undefined);
  for (const camera of cameras) await page.evaluate((code) => globalThis.harness.add(code), camera);
}

export const stats = (page: Page): Promise<Stats> => page.evaluate(() => globalThis.harness.stats());

export async function tileOf(page: Page, camera: string): Promise<TileStats> {
  const found = (await stats(page)).tiles.find((tile) => tile.camera === camera);
  if (found === undefined) throw new Error(`no tile shows ${camera}`);
  return found;
}

export const log = (page: Page, camera: string): Promise<Said[]> =>
  page.evaluate((code) => globalThis.harness.log.filter((entry) => entry.camera === code), camera);

export const statesOf = async (page: Page, camera: string): Promise<string[]> =>
  (await log(page, camera)).map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]);

export async function inState(page: Page, camera: string, state: string, timeout?: number): Promise<void> {
  const told = () => page.evaluate((code) => globalThis.harness.tiles.get(code)?.state, camera);
  await expect.poll(told, { timeout, intervals: [50] }).toBe(state);
}

/** Number of the picture on the page and how many pictures it was behind what had been sent when asked. */
export async function look(page: Page, camera: string, what = 'canvas'): Promise<{ number: number | null; behind: number }> {
  const newest = server.newest;
  const squares = await page.evaluate(([code, kind]) => globalThis.harness.squares(code ?? '', kind ?? ''), [camera, what]);
  const number = squares === null ? null : readNumber(squares);
  if (number === null) return { number, behind: Number.POSITIVE_INFINITY };
  const behind = (newest - number + FRAMES) % FRAMES;
  return { number, behind: behind > FRAMES / 2 ? behind - FRAMES : behind };
}

/** A picture that is shown now is one of the last half second; on a busy machine of the last two, of a stream of ten. */
const NOW_PICTURES = bound(50, 13);

/** Waits until the picture on the page is the present one. */
export async function paintsNow(page: Page, camera: string): Promise<void> {
  await expect.poll(async () => (await look(page, camera)).behind).toBeLessThan(NOW_PICTURES);
}

export const picture = (page: Page, info: TestInfo, name: string) => page.screenshot({ path: info.outputPath(`${name}.png`) });
