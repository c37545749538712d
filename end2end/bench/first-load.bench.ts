// The first load of the wall in a browser that has never been here: shell, then programme, then numbers.
import { test } from '../helpers/hall';
import { add_row, percentile } from '../helpers/rows';

const LOADS = 5;

test('first load', async ({ browser, hall, shared }) => {
  const shell_ms: number[] = [];
  const programme_ms: number[] = [];
  for (let load = 0; load < LOADS; load += 1) {
    // A new context has an empty cache.
    const context = await browser.newContext({ storageState: shared.session, baseURL: hall.address });
    const page = await context.newPage();
    const started = Date.now();
    await page.goto('/wall/1', { waitUntil: 'commit' });
    await page.locator('#shell').waitFor({ state: 'detached' });
    programme_ms.push(Date.now() - started);
    const painted = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    shell_ms.push(painted ?? Number.NaN);
    await context.close();
  }
  add_row({ measure: 'first load: shell painted, p50 of 5', value: percentile(shell_ms, 0.5), unit: 'ms', target: null, holds: null });
  add_row({ measure: 'first load: programme running, p50 of 5', value: percentile(programme_ms, 0.5), unit: 'ms', target: null, holds: null });
});
