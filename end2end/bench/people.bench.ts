// Ten thousand inspectors in the product's own wall: the real server, real walkers, cases as they come, groups and words
// on. What the page's own code takes of the main thread between two frames, and whether anything blocks it for long.
//
// All code of ours runs in callbacks of the browser: frames, messages of sockets and workers, timers. Each is timed, with
// the microtasks that it leaves, and the sum is cut at every frame.
import { add_row, at_most, plain } from '../helpers/rows';
import { Hall } from '../helpers/server';
import { expect, test } from '../helpers/test';
import { Usage } from '../helpers/usage';

const INSPECTORS = 10_000;
const WATCHED_MS = 30_000;

interface Busy {
  frames: number[];
  long: number[];
}

interface Map {
  stats(): { people: number; grouped: number; groups: number; frameP95Ms: number; ground: string };
}

let hall: Hall;

test.use({ viewport: { width: 3840, height: 1080 } });

test.beforeAll(async () => {
  hall = await Hall.start();
  hall.start_city(['--inspectors', String(INSPECTORS), '--weeks', '0']);
});
test.afterAll(async () => hall?.stop());

/** Put into the page before its own scripts. */
function watch_frames(): void {
  const busy: Busy = { frames: [], long: [] };
  Object.assign(globalThis, { busy });
  let sum = 0;
  let depth = 0;
  const timed = <T extends unknown[]>(call: (...words: T) => unknown) =>
    function (this: unknown, ...words: T): unknown {
      if (depth > 0) return call.apply(this, words);
      depth += 1;
      const began = performance.now();
      try {
        return call.apply(this, words);
      } finally {
        depth -= 1;
        // A task's microtasks run after it: the last of them to be asked for tells when they are done.
        queueMicrotask(() => queueMicrotask(() => (sum += performance.now() - began)));
      }
    };
  const frame = globalThis.requestAnimationFrame.bind(globalThis);
  globalThis.requestAnimationFrame = (call) => frame(timed(call));
  for (const name of ['setTimeout', 'setInterval'] as const) {
    const set = globalThis[name].bind(globalThis) as (call: TimerHandler, ...words: unknown[]) => number;
    const wrapped = (call: TimerHandler, ...words: unknown[]) => set(typeof call === 'function' ? timed(call as () => unknown) : call, ...words);
    Object.assign(globalThis, { [name]: wrapped });
  }
  for (const kind of [WebSocket, Worker, MessagePort] as { prototype: object }[]) {
    const known = Object.getOwnPropertyDescriptor(kind.prototype, 'onmessage');
    if (known?.set === undefined) continue;
    const set = known.set;
    Object.defineProperty(kind.prototype, 'onmessage', { ...known, set(call: unknown) { set.call(this, typeof call === 'function' ? timed(call as () => unknown) : call); } });
  }
  const listen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (name: string, call, options) {
    const message = name === 'message' && typeof call === 'function';
    listen.call(this, name, message ? (timed(call as () => unknown) as EventListener) : call, options);
  };
  const cut = () => {
    busy.frames.push(sum);
    sum = 0;
    frame(cut);
  };
  frame(cut);
  new PerformanceObserver((list) => busy.long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
}

test('10,000 inspectors in the wall', async ({ page }) => {
  await page.addInitScript(watch_frames);
  await page.goto(hall.sign_in);
  await page.goto(`${hall.address}/wall/1`);
  await page.locator('#shell').waitFor({ state: 'detached' });
  const stats = () => page.evaluate(() => (document.querySelector('.map') as unknown as { hallMap: Map } | null)?.hallMap.stats() ?? null);
  await expect.poll(async () => (await stats())?.people ?? 0, { timeout: 120_000, intervals: [1_000] }).toBeGreaterThanOrEqual(INSPECTORS);
  await page.waitForTimeout(5_000);
  await page.evaluate(() => Object.assign((globalThis as unknown as { busy: Busy }).busy, { frames: [], long: [] }));
  const usage = Usage.begin('sim', 'gridhall');
  await page.waitForTimeout(WATCHED_MS);
  const generators = usage.share('sim');
  const { frames, long } = await page.evaluate(() => (globalThis as unknown as { busy: Busy }).busy);
  const seen = await stats();
  const sorted = [...frames].sort((a, b) => a - b);
  const measure = `${INSPECTORS} inspectors in the product's own wall`;
  at_most(`${measure}: our code between two frames, p95`, sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN, 'ms', 8, generators);
  at_most('the same: longest task of the main thread', Math.max(0, ...long), 'ms', 50, generators);
  plain("the same: the map's part of a frame, p95", seen?.frameP95Ms ?? Number.NaN, 'ms');
  plain(`the same: frames, ground drawn by ${seen?.ground}`, frames.length, 'frames');
  const grouped = seen?.grouped ?? 0;
  add_row({ measure: 'the same: inspectors shown in groups', value: grouped, unit: 'people', target: null, holds: null });
});
