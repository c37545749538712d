// A wall whose server is taken away for a minute by `kill -9`: how soon it is live again after the server listens, in a
// browser, which has a patience of its own with sockets that fail.
import { setTimeout as sleep } from 'node:timers/promises';
import { at_most } from '../helpers/rows';
import { expect, test } from '../helpers/hall';

const AWAY_MS = 60_000;

test('a wall comes back', async ({ page, hall }) => {
  await page.goto('/wall/1');
  await page.locator('#shell').waitFor({ state: 'detached' });
  const state = page.locator('[data-link]').first();
  await expect(state).toHaveAttribute('data-link', 'live', { timeout: 20_000 });
  await page.evaluate(() => Object.assign(globalThis, { same_page: true }));
  const killed = Date.now();
  await hall.stop_server('SIGKILL');
  await expect(state).toHaveAttribute('data-link', 'lost', { timeout: 10_000 });
  const announced = Date.now() - killed;
  await sleep(AWAY_MS);
  const back = hall.restart_server();
  // Polls until the port answers, beside the restart that does the same more slowly.
  const listened = await (async () => {
    for (;;) {
      if (await fetch(`${hall.address}/healthz`).then((answer) => answer.ok).catch(() => false)) return Date.now();
      await sleep(5);
    }
  })();
  await expect(state).toHaveAttribute('data-link', 'live', { timeout: 30_000 });
  const live = Date.now() - listened;
  await back;
  at_most('wall in a browser: lost server announced after', announced / 1_000, 's', 3);
  at_most(`wall in a browser, server ${AWAY_MS / 1_000} s away: live again after it listens`, live / 1_000, 's', 2);
  expect(await page.evaluate(() => 'same_page' in globalThis), 'it healed without a reload').toBe(true);
});
