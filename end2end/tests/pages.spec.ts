// The plain pages, sign-in and start, for everybody: in both languages and themes.
import { expect_accessible } from '../helpers/axe';
import { expect, test } from '../helpers/hall';
import { guard } from '../helpers/test';

for (const theme of ['hall-dark', 'seat-light']) {
  for (const lang of ['zh', 'en']) {
    test(`sign-in and start are accessible: ${theme}, ${lang}`, async ({ page, browser, hall }) => {
      await page.goto(`/?theme=${theme}&lang=${lang}`);
      await expect(page.locator('main h1')).toBeVisible();
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      await expect_accessible(page);
      const context = await browser.newContext({ baseURL: hall.address, storageState: { cookies: [], origins: [] } });
      const check = guard(context);
      const stranger = await context.newPage();
      await stranger.goto(`/sign-in?theme=${theme}&lang=${lang}`);
      await expect(stranger.locator('input[type=password]')).toBeVisible();
      await expect(stranger.locator('html')).toHaveAttribute('data-theme', theme);
      await expect_accessible(stranger);
      check();
      await context.close();
    });
  }
}
