// A page whose own clock goes on only when a test lets it: what a page tells apart by a second is then told apart however
// slow the machine is.
import type { Page } from '@playwright/test';

/** Call before `goto`. Timers go on; what the page measures by `performance.now` stands still but for `pass`. */
export async function hold_clock(page: Page): Promise<{ pass(ms: number): Promise<void> }> {
  await page.addInitScript(() => {
    const held = { now: performance.now() };
    Object.assign(globalThis, { held });
    performance.now = () => held.now;
  });
  const pass = (ms: number) => page.evaluate((ms) => { (globalThis as unknown as { held: { now: number } }).held.now += ms; }, ms);
  return { pass };
}
