// A due time beyond the days the calendar knows may still move: the list says so as the open case does.
import { waiting_case } from '../helpers/cases';
import { Hall } from '../helpers/server';
import { expect, guard, test } from '../helpers/test';

/** A calendar that knows the kind of no day to come: every due time in working time lies beyond it. */
const POLICY = `
dispatch_limit = { amount = 4, unit = "work_hour" }
[calendar]
spans = [{ from = 480, to = 720 }, { from = 840, to = 1080 }]
weekdays = [0, 1, 2, 3, 4]
work_day_minutes = 480
reaches_to = "2020-12-28"
`;

test('a provisional due time is called so in the list, in the open case and in both languages', async ({ browser }) => {
  const hall = await Hall.start({ policy: POLICY });
  const context = await browser.newContext({ baseURL: hall.address });
  const check = guard(context);
  try {
    const { id } = await waiting_case(hall);
    const page = await context.newPage();
    await page.goto(hall.sign_in);
    await page.goto(`/desk/case/${id}?open=true&stage=dispatch`);
    const due = page.locator(`#case-${id} .due-in`);
    await expect(due.locator('small')).toHaveText('暂定');
    await expect(page.locator('.sheet .cdx')).toContainText('到期时间为暂定');
    // Nothing of the word is cut off, and the row is as high as the others.
    const fits = (cell: Element): boolean => cell.scrollWidth <= cell.clientWidth && cell.scrollHeight <= cell.clientHeight;
    expect(await due.evaluate(fits)).toBe(true);
    await page.goto(`/desk/case/${id}?open=true&stage=dispatch&lang=en`);
    await expect(due.locator('small')).toHaveText('provisional');
    expect(await due.evaluate(fits)).toBe(true);
    check();
  } finally {
    await context.close();
    await hall.stop();
  }
});
