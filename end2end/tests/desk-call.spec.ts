// A call raised at the desk (吹哨): its button is in sight wherever its form has been scrolled to, and what was chosen is sent.
import { expect_accessible } from '../helpers/axe';
import { waiting_case } from '../helpers/cases';
import { expect, test } from '../helpers/hall';

interface Calls {
  items: { call: { case: number | null; title: string; called: string[] } }[];
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
