// The hall of a package that was just installed: its administrator signs in with the first password and sees an empty hall.
import { join } from 'node:path';
import { expect, test } from '../helpers/test';
import { asked } from './asked';

test('the administrator signs in with the first password and sees wall and desk', async ({ page }) => {
  const hall = asked('GRIDHALL_ADDRESS');
  await page.goto(`${hall}/sign-in`);
  await page.locator('input[name=name]').fill('admin');
  await page.locator('input[name=password]').fill(asked('GRIDHALL_PASSWORD'));
  await page.locator('input[name=password]').press('Enter');
  await expect(page).not.toHaveURL(/sign-in/);
  for (const [name, path] of [['wall', '/wall/main'], ['desk', '/desk']] as const) {
    await page.goto(`${hall}${path}`);
    await expect(page.locator('.map[data-ready]').first()).toBeVisible({ timeout: 120_000 });
    if (name === 'wall') await expect(page.locator('[data-link]').first()).toHaveAttribute('data-link', 'live');
    await page.waitForTimeout(3_000);
    await page.screenshot({ path: join(asked('GRIDHALL_PICTURES'), `service-${name}.png`) });
  }
});
