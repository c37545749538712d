// The running server as a visitor and a machine meet it, before any screen is looked at.
import { randomUUID } from 'node:crypto';
import { expect, test } from '../helpers/hall';
import { Hall } from '../helpers/server';
import { built } from '../helpers/site';

interface Catalogue {
  areas: { code: string; level: string }[];
  classes: { code: string }[];
  sources: { code: string }[];
}

interface Answers {
  results: { taken?: { case: number; number: string; replayed: boolean } }[];
}

async function report(hall: Hall): Promise<Record<string, unknown>> {
  const { areas, classes, sources } = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const street = areas.find(({ level }) => level === 'street');
  return {
    report_case: { report: { source: sources[0]?.code, class: classes[0]?.code, area: street?.code, description: '井盖缺失' } },
  };
}

test('a one-time link signs in once', async ({ hall, playwright, page }) => {
  // The fixture has used the link; this page carries its session.
  const session = await page.request.get('/api/v1/session');
  expect(session.status()).toBe(200);
  const late = await playwright.request.newContext({ storageState: { cookies: [], origins: [] } });
  await late.get(hall.sign_in);
  expect((await late.get(`${hall.address}/api/v1/session`)).status()).toBe(401);
  const answer = await late.get(hall.sign_in);
  expect(answer.url()).toContain('/sign-in?link=spent');
  await late.dispose();
  await page.goto(hall.sign_in);
  await expect(page.getByRole('alert')).toContainText('这个登录链接已用过或已过期');
});

test('an address that leads nowhere says so on a page of ours', async ({ page }) => {
  for (const lost of ['/nothing/here', '/desk/nothing', '/desk/case/nothing']) {
    const answer = await page.goto(lost);
    expect(answer?.status(), lost).toBe(404);
    await expect(page.getByRole('heading')).toContainText('没有这一页');
  }
  expect((await page.goto('/desk/case/1'))?.status(), 'a case may have the number').toBe(200);
  const script = await page.request.get('/js/nothing.js');
  expect([script.status(), await script.text()]).toEqual([404, '']);
  // What changes its name with its content is kept for ever; an older build's name leads nowhere, and nobody remembers that.
  const kept = async (path: string) => (await page.request.get(path)).headers()['cache-control'];
  expect(await kept(built('/js/player.js'))).toContain('immutable');
  expect(await kept('/js/player-0123456789abcdef.js')).toBe('no-cache');
  expect(await kept('/wall/main')).toBe('no-cache');
  expect((await page.request.get('/api/v1/nothing')).headers()['content-type']).toContain('json');
  await page.goto('/wall');
  await expect(page).toHaveURL(/\/wall\/main$/);
});

test('a reported case survives a power cut, is repeated safely, and found', async () => {
  // A server of its own: a restart signs everybody out.
  const hall = await Hall.start();
  try {
    const row = { key: randomUUID(), command: await report(hall) };
    const first = (await hall.post('/api/v1/commands', { commands: [row] })) as Answers;
    const taken = first.results[0]?.taken;
    await hall.stop_server('SIGKILL');
    await hall.restart_server();
    const again = (await hall.post('/api/v1/commands', { commands: [row] })) as Answers;
    expect(again.results[0]?.taken).toMatchObject({ case: taken?.case, number: taken?.number, replayed: true });
    const found = (await hall.get(`/api/v1/cases/${taken?.case}`)) as { case: { report: { description: string }; stage: string } };
    expect(found.case.report.description).toBe('井盖缺失');
    expect(found.case.stage).toBe('accept');
  } finally {
    await hall.stop();
  }
});

test('pages forbid scripts and connections from elsewhere', async ({ page }) => {
  const answer = await page.goto('/');
  const policy = answer?.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'self'");
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(policy).not.toContain('http');
});
