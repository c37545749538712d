// A call raised at the desk (吹哨): its button is in sight wherever its form has been scrolled to, and what was chosen is sent.
import type { Page } from '@playwright/test';
import { expect_accessible } from '../helpers/axe';
import { type Catalogue, waiting_case } from '../helpers/cases';
import { hold_clock } from '../helpers/clock';
import { expect, test } from '../helpers/hall';

interface Calls {
  items: { call: { case: number | null; title: string; called: string[] } }[];
}

/** Names of the commands that the page sends, in their order. */
function commands_of(page: Page): string[] {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'POST' || !request.url().endsWith('/api/v1/commands')) return;
    sent.push(...Object.keys((request.postDataJSON() as { command: object }).command));
  });
  return sent;
}

/** Opens the case at the desk, with a department chosen for its dispatch, and the form of a call. */
async function write_call(page: Page, id: number): Promise<void> {
  await page.goto(`/desk/case/${id}?open=true&stage=dispatch`);
  await expect(page.locator('#desk-step')).toBeVisible();
  await page.keyboard.press('1');
  await expect(page.locator('#desk-step')).toBeEnabled();
  await page.keyboard.press('w');
  await expect(page.locator('#desk-call')).toBeVisible();
}

for (const lang of ['zh', 'en']) {
  test(`a call is written and sent at 1366 × 768 without looking for its button: ${lang}`, async ({ page, hall }) => {
    const { id, address } = await waiting_case(hall);
    await page.setViewportSize({ width: 1366, height: 768 });
    await page.goto(`/desk/case/${id}?open=true&stage=dispatch&lang=${lang}`);
    await expect(page.locator('.sheet h1')).toBeVisible();
    await expect(page.locator('#desk-step')).toBeVisible();
    await page.keyboard.press('1');
    await expect(page.locator('#desk-step')).toBeEnabled();
    await page.keyboard.press('w');
    const send = page.locator('#desk-call');
    const in_sight = async () => {
      for (const top of [10_000, 0]) {
        await page.locator('.sheet-scroll').evaluate((part, to) => part.scrollTo(0, to), top);
        await expect(send).toBeInViewport({ ratio: 1 });
      }
    };
    await in_sight();
    // A name of two lines takes the room of two.
    const cut = await page.locator('.called label').evaluateAll((names) => names.filter((name) => name.scrollHeight > name.clientHeight + 1).map((name) => name.textContent));
    expect(cut).toEqual([]);
    await expect(send).toBeDisabled();
    await expect(page.locator('.hand .sent-to')).toBeVisible();
    // The step's button is not there, and Enter takes no step behind the form.
    await expect(page.locator('#desk-step')).toHaveCount(0);
    await page.locator('.sheet h1').focus();
    await page.keyboard.press('Enter');
    await expect(page.locator('.outcome p')).toHaveCount(0);
    await page.locator('.called input').first().check();
    await expect(send).toBeEnabled();
    await in_sight();
    await expect_accessible(page);
    await send.click();
    await expect(page.locator('.hand .outcome .done')).toBeVisible();
    await expect(page.locator('#desk-step')).toBeVisible();
    const { items } = (await hall.get('/api/v1/whistles?limit=100')) as Calls;
    const raised = items.filter(({ call }) => call.case === id);
    expect(raised).toHaveLength(1);
    expect(raised[0]?.call.title).toContain(address);
    expect(raised[0]?.call.called).toHaveLength(1);
  });
}

test('a second press after a call takes no step, by mouse and by Enter', async ({ page, hall }) => {
  const { id } = await waiting_case(hall);
  const clock = await hold_clock(page);
  const sent = commands_of(page);
  await write_call(page, id);
  await page.locator('.called input').first().check();
  const at = await page.locator('#desk-call').boundingBox();
  if (at === null) throw new Error('the button of the call is nowhere');
  const press = () => page.mouse.dblclick(at.x + at.width / 2, at.y + at.height / 2);
  await press();
  // The answer is there, and the step's button stands where the call's stood.
  await expect(page.locator('.outcome .done')).toBeVisible();
  await expect(page.locator('#desk-step')).toBeEnabled();
  await press();
  await page.keyboard.press('Enter');
  expect(sent).toEqual(['raise_whistle']);
  // Once the hand has rested, the step is taken as ever.
  await clock.pass(1_000);
  await page.locator('#desk-step').click();
  await expect.poll(() => sent).toEqual(['raise_whistle', 'dispatch_case']);
});

for (const field of ['.called input', '.levels input', '#desk-call-form .field']) {
  test(`Enter sends the call once from ${field}`, async ({ page, hall }) => {
    const { id } = await waiting_case(hall);
    await hold_clock(page);
    const sent = commands_of(page);
    await write_call(page, id);
    // What it lacks keeps it here.
    await page.locator(field).first().press('Enter');
    await expect(page.locator('#desk-call')).toBeVisible();
    await page.locator('.called input').first().check();
    await page.locator(field).first().press('Enter');
    await page.keyboard.press('Enter');
    await expect(page.locator('.hand .outcome .done')).toBeVisible();
    await expect(page.locator('#desk-call-form')).toHaveCount(0);
    await page.keyboard.press('Enter');
    expect(sent).toEqual(['raise_whistle']);
  });
}

test('a call that is folded, or whose case takes a step meanwhile, stays as it was written', async ({ page, hall }) => {
  const { id } = await waiting_case(hall);
  await write_call(page, id);
  const title = page.locator('#desk-call-form .field');
  const second = page.locator('.called input').nth(1);
  const level = page.locator('.levels input').last();
  const expect_kept = async () => {
    await expect(title).toHaveValue('路面塌陷');
    await expect(second).toBeChecked();
    await expect(level).toBeChecked();
  };
  await title.fill('路面塌陷');
  await level.check();
  await second.check();
  // A choice is no field one types in: the desk's keys are heard there.
  for (const fold of ['w', 'Escape']) {
    await page.keyboard.press(fold);
    await expect(title).toHaveCount(0);
    await page.keyboard.press('w');
    await expect_kept();
  }
  await title.focus();
  const catalogue = (await hall.get('/api/v1/catalogue')) as Catalogue;
  await hall.commands([{ dispatch_case: { case: id, department: catalogue.departments[0]?.code } }]);
  await expect(page.locator('.loop .cur')).toContainText('处置');
  await expect_kept();
  // Nor is the hand taken from the field.
  await expect(title).toBeFocused();
  await title.press('Enter');
  await expect(page.locator('.hand .outcome .done')).toBeVisible();
  // One that was carried out is written no more.
  await page.keyboard.press('w');
  await expect(title).not.toHaveValue('路面塌陷');
  await expect(second).not.toBeChecked();
});
