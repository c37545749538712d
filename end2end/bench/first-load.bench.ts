// The first load of each screen in a browser that has never been here: shell, then programme; and what came over the wire.
import { test } from '../helpers/hall';
import { add_row, percentile } from '../helpers/rows';

const LOADS = 5;
const SCREENS = [
  { name: 'wall', address: '/wall/1' },
  { name: 'desk', address: '/desk' },
];
/** What arrives behind a working screen: the font's slices and the ground of the map. */
const BEHIND = '/vendor/';

for (const { name, address } of SCREENS) {
  test(`first load of the ${name}`, async ({ browser, hall, shared }) => {
    const shell_ms: number[] = [];
    const programme_ms: number[] = [];
    let before = 0;
    let behind = 0;
    for (let load = 0; load < LOADS; load += 1) {
      // A new context has an empty cache.
      const context = await browser.newContext({ storageState: shared.session, baseURL: hall.address });
      const page = await context.newPage();
      const started = Date.now();
      await page.goto(address, { waitUntil: 'commit' });
      await page.locator('#shell').waitFor({ state: 'detached' });
      programme_ms.push(Date.now() - started);
      const painted = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
      shell_ms.push(painted ?? Number.NaN);
      await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {});
      const sent = await page.evaluate(() =>
        [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map((entry) => ({
          path: new URL(entry.name).pathname,
          bytes: (entry as PerformanceResourceTiming).encodedBodySize,
        })),
      );
      const files = sent.filter(({ path }) => !path.startsWith('/api/'));
      const sum = (some: typeof files) => some.reduce((total, { bytes }) => total + bytes, 0);
      before = sum(files.filter(({ path }) => !path.startsWith(BEHIND)));
      behind = sum(files.filter(({ path }) => path.startsWith(BEHIND)));
      await context.close();
    }
    const inform = { target: null, holds: null };
    add_row({ measure: `first load of the ${name}: shell painted, p50 of 5`, value: percentile(shell_ms, 0.5), unit: 'ms', ...inform });
    add_row({ measure: `first load of the ${name}: programme running, p50 of 5`, value: percentile(programme_ms, 0.5), unit: 'ms', ...inform });
    add_row({ measure: `first load of the ${name}: received before it works`, value: Math.ceil(before / 1024), unit: 'KiB', ...inform });
    add_row({ measure: `first load of the ${name}: font and map ground behind it`, value: Math.ceil(behind / 1024), unit: 'KiB', ...inform });
  });
}
