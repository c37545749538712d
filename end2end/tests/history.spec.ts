// A case with more behind it than one page of its history holds, and the mark that both powers may lie in one hand here.
import { waiting_case } from '../helpers/cases';
import { expect, test } from '../helpers/hall';

/** Events that one answer about a case holds at most, as `PAGE_MAX` of the server. */
const PAGE = 500;
/** Reported, accepted, filed. */
const STEPS = 3;

test('a history that was cut says so, and its button brings what happened earlier', async ({ page, hall }) => {
  const { id, address } = await waiting_case(hall);
  const notes = Array.from({ length: PAGE }, (_, at) => ({ note_case: { case: id, text: `备注 ${at + 1}` } }));
  await hall.commands(notes);
  await page.goto(`/desk/case/${id}?open=true&stage=dispatch&text=${encodeURIComponent(address)}`);
  const lines = page.locator('.history .notes li');
  await expect(lines).toHaveCount(PAGE);
  await expect(lines.first()).toContainText(`备注 ${PAGE}`);
  await expect(page.locator('.history .cut')).toContainText('更早的经过未显示');
  const older = page.locator('#desk-older');
  await expect(older).toHaveText('显示更早的');
  await older.click();
  await expect(lines).toHaveCount(PAGE + STEPS);
  // The beginning is at the end, and nothing is left to ask for.
  await expect(lines.last()).toContainText('井盖破损');
  await expect(page.locator('.history .cut')).toHaveCount(0);
  await page.goto(`/desk/case/${id}?open=true&stage=dispatch&lang=en`);
  await expect(older).toHaveText('Show earlier');
});

test('every screen says that supervision and disposal may lie in one hand, and on whose decision', async ({ page }) => {
  for (const path of ['/', '/desk', '/wall', '/kiosks']) {
    await page.goto(path);
    const badge = page.locator('.powers:not(.withheld)').first();
    await expect(badge, path).toContainText('监管合一');
    // The words of the demonstration's policy.
    await expect(badge, path).toHaveAttribute('title', /Demonstration on one machine by one person/);
    await page.goto(`${path}?lang=en`);
    await expect(badge, path).toContainText('Powers joined');
  }
});
