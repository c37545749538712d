// The running server as a visitor and a machine meet it, before any screen is looked at.
import { randomUUID } from 'node:crypto';
import { expect, test } from '../helpers/hall';
import { Hall } from '../helpers/server';

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
  await late.dispose();
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
