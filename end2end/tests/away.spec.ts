// A wall that was cut off while ten thousand things happened: right again, with nothing closed shown as open.
import type { BrowserContext } from '@playwright/test';
import { Hall } from '../helpers/server';
import { expect, guard, test } from '../helpers/test';

/** More than anybody is led through event by event. */
const EVENTS = 10_001;
const BATCH = 1_000;
/** Hashes come every ten seconds. */
const HASHES_MS = 12_000;

test('a wall and a desk away for 10,001 events are right again', async ({ browser }) => {
  // A hall of its own: nobody else's cases are counted, and nobody else has so long a history.
  const hall = await Hall.start();
  const context = await browser.newContext({ baseURL: hall.address });
  const check = guard(context);
  try {
    await leave_and_return(hall, context);
    check();
  } finally {
    await context.close();
    await hall.stop();
  }
});

async function leave_and_return(hall: Hall, context: BrowserContext): Promise<void> {
  const { areas, classes, sources } = (await hall.get('/api/v1/catalogue')) as Record<string, { code: string; level: string }[]>;
  const street = areas?.find(({ level }) => level === 'street');
  const report = { source: sources?.[0]?.code, class: classes?.[0]?.code, area: street?.code, place: { lat: 25.04, lon: 102.72 } };
  const opened = (await hall.commands(Array.from({ length: 3 }, () => ({ report_case: { report } })))) as { taken: { case: number } }[];
  const [first, second] = opened.map(({ taken }) => taken.case);

  let away = false;
  const [page, desk] = [await context.newPage(), await context.newPage()];
  await page.goto(hall.sign_in);
  for (const one of [page, desk]) {
    await one.routeWebSocket(/\/live$/, async (socket) => {
      if (away) return socket.close();
      const server = socket.connectToServer();
      // A connection that stands when the screen goes away ends with it.
      const cut = setInterval(() => {
        if (!away) return;
        clearInterval(cut);
        void socket.close();
        void server.close();
      }, 50);
    });
  }
  await page.goto('/wall/main');
  await desk.goto('/desk');
  const link = page.locator('[data-link]');
  await expect(link).toHaveAttribute('data-link', 'live');
  const open = page.locator('.stages .ph .second');
  await expect(open).toHaveText('3');

  away = true;
  await expect(link).toHaveAttribute('data-link', 'lost');
  // One case goes all the way, another only on; that it is taken in hand, again and again, is the rest.
  const steps = ['accept_case', 'file_case'].map((name) => ({ [name]: { case: first } }));
  const department = ((await hall.get('/api/v1/catalogue')) as { departments: { code: string }[] }).departments[0]?.code;
  const rest = ['finish_disposal', 'give_feedback', 'pass_check', 'close_case'].map((name) => ({ [name]: { case: first, note: '' } }));
  const taken = await hall.commands([...steps, { dispatch_case: { case: first, department } }, ...rest, { accept_case: { case: second } }]);
  expect(taken.every((answer) => Object.hasOwn(answer as object, 'taken')), JSON.stringify(taken)).toBe(true);
  for (let sent = 0; sent < EVENTS; sent += BATCH) {
    const count = Math.min(BATCH, EVENTS - sent);
    await hall.commands(Array.from({ length: count }, () => ({ claim_case: { case: second } })));
  }
  away = false;
  await expect(link).toHaveAttribute('data-link', 'live');
  await expect(open).toHaveText('2');
  await page.waitForTimeout(HASHES_MS);
  await expect(page.locator('[data-divergences]')).toHaveAttribute('data-divergences', '0');
  await expect(link).toHaveAttribute('data-link', 'live');
  // The desk counts its queues from the cases it holds.
  const queue = (name: string) => desk.locator('.rail .queue', { hasText: name }).locator('b');
  await expect(queue('待结案')).toHaveText('0');
  await expect(queue('待立案')).toHaveText('1');
}
