// A day of the past at sixty times its pace, on wall and desk, from a store with a history: whether every frame comes in time.
// `cargo xtask bench replay` makes the store and names it in GRIDHALL_BENCH_STORE.
import type { Page } from '@playwright/test';
import { at_most, plain } from '../helpers/rows';
import { Hall } from '../helpers/server';
import { expect, test } from '../helpers/test';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** The hall's own zone, east of Greenwich. */
const OFFSET_MS = 8 * HOUR_MS;
/** What is watched of the day: from here on, the busiest hours of it. */
const FROM_HOUR = 9;
const WATCHED_MS = 60_000;
/** The pages have taken their snapshots, fonts and maps. */
const SETTLED_MS = 10_000;
/** No frame may take longer. */
const FRAME_MS = 100;
const SCREENS = [
  { name: 'wall', link: '当时的大屏', width: 1920, height: 1080 },
  { name: 'desk', link: '当时的坐席', width: 1366, height: 768 },
] as const;

/** What came of the frames within a while. */
interface Frames {
  gaps: number[];
  /** Work of the page itself without a pause, beyond 50 ms. */
  tasks: number[];
}

/** Every gap between two frames, and every long task, while the page is left alone. */
function frames(page: Page, length: number): Promise<Frames> {
  return page.evaluate(
    (length) =>
      new Promise<Frames>((resolve) => {
        const [gaps, tasks] = [[] as number[], [] as number[]];
        const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
        observer.observe({ type: 'longtask' });
        const until = performance.now() + length;
        let before = performance.now();
        const next = () => {
          const now = performance.now();
          gaps.push(now - before);
          before = now;
          if (now < until) requestAnimationFrame(next);
          else {
            observer.disconnect();
            resolve({ gaps, tasks });
          }
        };
        requestAnimationFrame(next);
      }),
    length,
  );
}

const longest = (numbers: number[]) => Math.max(0, ...numbers);

test('a day of the past at sixty times its pace', async ({ page }) => {
  test.setTimeout(600_000);
  const hall = await Hall.start({ settings: { GRIDHALL__STORE__DIR: process.env.GRIDHALL_BENCH_STORE ?? '' } });
  try {
    await page.goto(hall.sign_in);
    const { now } = (await hall.get('/api/v1/world')) as { now: number };
    // The last day that is over, from its first hour on.
    const from = Math.floor((now + OFFSET_MS) / DAY_MS) * DAY_MS - DAY_MS - OFFSET_MS;
    const at = from + FROM_HOUR * HOUR_MS;
    const asked = Date.now();
    await page.goto(`${hall.address}/replay?from=${from}&to=${from + DAY_MS}&at=${at}`);
    await expect(page.locator('[data-count="open"]')).toHaveText(/\d/, { timeout: 60_000 });
    plain('a day of the past: from its address to its numbers', (Date.now() - asked) / 1_000, 's');
    for (const { name, link, width, height } of SCREENS) {
      const popup = page.waitForEvent('popup');
      await page.getByRole('link', { name: link }).click();
      const screen = await popup;
      await screen.setViewportSize({ width, height });
      await expect(screen.locator('.world-band')).toContainText(/\d\d:\d\d:\d\d/, { timeout: 60_000 });
      await screen.waitForTimeout(SETTLED_MS);
      const stands = await frames(screen, WATCHED_MS / 4);
      await page.locator('[data-times="60"]').click();
      await expect(page.locator('[data-pace]')).toHaveText('60 倍速');
      const { gaps, tasks } = await frames(screen, WATCHED_MS);
      await page.locator('#replay-turn').click();
      await expect(page.locator('[data-pace]')).toHaveText('已暂停');
      const measure = `the past at ×60 on the ${name}`;
      at_most(`${measure}: the longest gap between frames`, longest(gaps), 'ms', FRAME_MS);
      at_most("the same: the longest of the page's own tasks", longest(tasks), 'ms', FRAME_MS);
      plain('the same: gaps longer than that', gaps.filter((gap) => gap > FRAME_MS).length, 'gaps');
      plain('the same: frames', gaps.length / (WATCHED_MS / 1_000), '1/s');
      plain('the same: the longest gap while the past stands', longest(stands.gaps), 'ms');
      await screen.close();
    }
  } finally {
    await hall.stop();
  }
});
