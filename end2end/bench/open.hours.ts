// A wall that stays open for hours with everything moving: cases, inspectors, cameras. Whether its memory grows, and
// whether it is still the page that was opened. `cargo xtask bench open --hours N` alone runs it.
import { setTimeout as sleep } from 'node:timers/promises';
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

test.use({ viewport: { width: 3840, height: 1080 }, launchOptions: video_options });
test.setTimeout(HOURS * HOUR_MS + 300_000);

test('a wall stays open', async ({ page, context }) => {
  const hall = await Hall.start({ cameras: ['--count', '8', '--live', '4'] });
  try {
    hall.start_city(['--inspectors', '648', '--weeks', '0']);
    await page.goto(hall.sign_in);
    await page.goto(`${hall.address}/wall/1`);
    await page.locator('#shell').waitFor({ state: 'detached' });
    await page.evaluate(() => Object.assign(globalThis, { same_page: true }));
    const debug = await context.newCDPSession(page);
    await debug.send('Performance.enable');
    const browser: Look[] = [];
    const script: Look[] = [];
    const server: Look[] = [];
    const began = Date.now();
    const usage = Usage.begin('sim');
    for (let look = 0; look <= LOOKS; look += 1) {
      await sleep(Math.max(0, began + (HOURS * HOUR_MS * look) / LOOKS - Date.now()));
      await debug.send('HeapProfiler.collectGarbage');
      const { metrics } = await debug.send('Performance.getMetrics');
      const heap = metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? Number.NaN;
      const at = (Date.now() - began) / HOUR_MS;
      browser.push({ at, kb: resident_kb('chromium') });
      script.push({ at, kb: heap / 1_024 });
      server.push({ at, kb: resident_kb('gridhall') });
    }
    const generators = usage.share('sim');
    const per_cent = (looks: Look[]) => slope(looks.filter(({ at }) => at >= HOURS * WARM_UP_SHARE)) * 100;
    const measure = `wall open for ${HOURS} h`;
    at_most(`${measure}: the browser's memory grows`, per_cent(browser), '%/h', 1, generators);
    at_most("the same: the page's own heap grows", per_cent(script), '%/h', 1, generators);
    plain("the same: the server's memory grows", per_cent(server), '%/h');
    plain('the same: the browser at the end', (browser.at(-1)?.kb ?? Number.NaN) / 1_024, 'MiB');
    const same = await page.evaluate(() => 'same_page' in globalThis);
    const live = (await page.locator('[data-link]').first().getAttribute('data-link')) === 'live';
    add_row({ measure: 'the same: live at the end without a reload', value: same && live ? 1 : 0, unit: 'walls', target: '1', holds: same && live });
    expect(same && live, 'the wall is the page that was opened, and live').toBe(true);
  } finally {
    await hall.stop();
  }
});
