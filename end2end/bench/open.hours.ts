// A wall and a desk that stay open for hours with everything moving: cases, inspectors, cameras. Whether their memory
// grows, and whether they are still the pages that were opened. `cargo xtask bench open --hours N` alone runs it.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from '@playwright/test';
import { video_options } from '../helpers/chromium';
import { at_most, plain, add_row } from '../helpers/rows';
import { Hall } from '../helpers/server';
import { expect, test } from '../helpers/test';
import { Usage, resident_kb } from '../helpers/usage';

const HOURS = Number(process.env.GRIDHALL_BENCH_HOURS ?? 2);
const HOUR_MS = 3_600_000;
/** Caches fill, and the first collections of garbage are over. */
const WARM_UP_SHARE = 0.2;
const LOOKS = 120;

/** What was held at one look, in hours since the first and in kilobytes. */
interface Look {
  at: number;
  kb: number;
}

/** Growth an hour by the line of least squares, as a share of what is held on average. */
function slope(looks: Look[]): number {
  const mean = (of: (look: Look) => number) => looks.reduce((sum, look) => sum + of(look), 0) / looks.length;
  const [at, kb] = [mean((look) => look.at), mean((look) => look.kb)];
  const rise = looks.reduce((sum, look) => sum + (look.at - at) * (look.kb - kb), 0);
  const run = looks.reduce((sum, look) => sum + (look.at - at) ** 2, 0);
  return rise / run / kb;
}

/** The page's own heap after its garbage is gone, in kilobytes. */
async function heap_kb(debug: CDPSession): Promise<number> {
  await debug.send('HeapProfiler.collectGarbage');
  const { metrics } = await debug.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? Number.NaN) / 1_024;
}

async function opened(page: Page, address: string): Promise<CDPSession> {
  await page.goto(address);
  await page.locator('#shell').waitFor({ state: 'detached' });
  await page.evaluate(() => Object.assign(globalThis, { same_page: true }));
  const debug = await page.context().newCDPSession(page);
  await debug.send('Performance.enable');
  return debug;
}

/** The page that was opened, and live: what `sign` finds is there. */
async function stands(page: Page, sign: string): Promise<boolean> {
  const same = await page.evaluate(() => 'same_page' in globalThis);
  return same && (await page.locator(sign).count()) > 0;
}

test.use({ viewport: { width: 3840, height: 1080 }, launchOptions: video_options });
test.setTimeout(HOURS * HOUR_MS + 600_000);

test('a wall and a desk stay open', async ({ page, context }) => {
  const hall = await Hall.start({ cameras: ['--count', '8', '--live', '4'] });
  try {
    hall.start_city(['--inspectors', '648', '--weeks', '1']);
    await page.goto(hall.sign_in);
    const wall = await opened(page, `${hall.address}/wall/1`);
    const seat = await context.newPage();
    await seat.setViewportSize({ width: 1920, height: 1080 });
    const desk = await opened(seat, `${hall.address}/desk`);
    const looks: Record<'browser' | 'wall' | 'desk' | 'server', Look[]> = { browser: [], wall: [], desk: [], server: [] };
    const began = Date.now();
    const usage = Usage.begin('sim');
    for (let look = 0; look <= LOOKS; look += 1) {
      await sleep(Math.max(0, began + (HOURS * HOUR_MS * look) / LOOKS - Date.now()));
      const heaps = { wall: await heap_kb(wall), desk: await heap_kb(desk) };
      const at = (Date.now() - began) / HOUR_MS;
      looks.wall.push({ at, kb: heaps.wall });
      looks.desk.push({ at, kb: heaps.desk });
      looks.browser.push({ at, kb: resident_kb('chromium') });
      looks.server.push({ at, kb: resident_kb('gridhall') });
      // Kept beside the rows: a run that is cut short has told what it saw.
      writeFileSync(test.info().outputPath('looks.json'), JSON.stringify(looks));
    }
    const generators = usage.share('sim');
    const per_cent = (of: Look[]) => slope(of.filter(({ at }) => at >= HOURS * WARM_UP_SHARE)) * 100;
    const measure = `wall and desk open for ${HOURS} h`;
    at_most(`${measure}: the browser's memory grows`, per_cent(looks.browser), '%/h', 1, generators);
    at_most("the same: the wall's own heap grows", per_cent(looks.wall), '%/h', 1, generators);
    at_most("the same: the desk's own heap grows", per_cent(looks.desk), '%/h', 1, generators);
    plain("the same: the server's memory grows", per_cent(looks.server), '%/h');
    plain('the same: the browser at the end', (looks.browser.at(-1)?.kb ?? Number.NaN) / 1_024, 'MiB');
    const good = (await stands(page, '[data-link=live]')) && (await stands(seat, '.grp.lamp:not(.stale):has-text("数据")'));
    add_row({ measure: 'the same: both live at the end without a reload', value: good ? 1 : 0, unit: 'yes or no', target: '1', holds: good });
    expect(good, 'wall and desk are the pages that were opened, and live').toBe(true);
  } finally {
    await hall.stop();
  }
});
