// What a real wall and a real desk ask of their server, beside what the simulated screens of the load generator ask: the
// same, or what is measured is not what hangs in the hall.
import { spawnSync } from 'node:child_process';
import type { Page } from '@playwright/test';
import { expect, test } from '../helpers/hall';
import { Hall, SIMULATOR } from '../helpers/server';

/** Longer than a screen's timers, so that a page that polls is seen to. */
const LOOK_MS = 12_000;

/** What a page has asked, with how often, and how often it has connected. */
interface Asked {
  what: Map<string, number>;
  connections: number;
}

/** An address without what differs from one asking to the next. Snapshots keep their topic. */
function plain(address: string): string {
  const { pathname, searchParams } = new URL(address, 'http://hall');
  const topic = searchParams.get('topic');
  return topic === null ? pathname : `${pathname}?topic=${topic}`;
}

/** The topic of a binary subscription: kind, variant, length, text. */
function topic_of(payload: string | Buffer): string | undefined {
  if (typeof payload === 'string' || payload[0] !== 1 || payload[1] !== 1) return undefined;
  return payload.subarray(3, 3 + (payload[2] ?? 0)).toString('utf8');
}

/** The API and the ground of the map; pictures are another socket and another measurement. */
function counts(path: string): boolean {
  const picture = path.startsWith('/api/v1/video') || path.endsWith('.jpg');
  return (path.startsWith('/api/') || path.startsWith('/map/')) && !picture;
}

function listen(page: Page): Asked {
  const asked: Asked = { what: new Map(), connections: 0 };
  const note = (what: string) => asked.what.set(what, (asked.what.get(what) ?? 0) + 1);
  page.on('request', (request) => {
    if (counts(new URL(request.url()).pathname)) note(`${request.method()} ${plain(request.url())}`);
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).pathname !== '/live') return;
    asked.connections += 1;
    socket.on('framesent', ({ payload }) => {
      const topic = topic_of(payload);
      if (topic !== undefined) note(`WS ${topic}`);
    });
  });
  return asked;
}

function simulated(hall: Hall, page: 'wall' | 'desk'): string[] {
  const words = ['screen', '--server', new URL(hall.address).host, '--token', hall.token, '--as', page];
  const ran = spawnSync(SIMULATOR, words, { encoding: 'utf8' });
  expect(ran.status, ran.stderr).toBe(0);
  const lines = ran.stdout.trim().split('\n');
  return [...new Set(lines.map((line) => line.replace(/^(GET) (.*)$/, (_, method, path) => `${method} ${plain(path)}`)))].sort();
}

test.describe('what is asked', () => {
  test.beforeAll(async ({ shared }) => {
    const { areas, classes, sources } = (await shared.hall.get('/api/v1/catalogue')) as Record<string, { code: string; level: string }[]>;
    const street = areas?.find(({ level }) => level === 'street');
    const report = { source: sources?.[0]?.code, class: classes?.[0]?.code, area: street?.code, place: { lat: 25.04, lon: 102.72 }, priority: 'first' };
    const [answer] = (await shared.hall.commands([{ report_case: { report } }])) as { taken?: { case: number } }[];
    const id = answer?.taken?.case;
    await shared.hall.commands([{ accept_case: { case: id } }, { file_case: { case: id } }]);
  });

  for (const [name, address] of [['wall', '/wall/main'], ['desk', '/desk']] as const) {
    test(`a ${name} asks what the simulated ${name} asks, each once, and nothing on a timer`, async ({ hall, page }) => {
      const expected = simulated(hall, name);
      const asked = listen(page);
      await page.goto(address);
      await expect.poll(() => [...asked.what.keys()].sort()).toEqual(expected);
      await page.waitForTimeout(LOOK_MS);
      expect([...asked.what.keys()].sort()).toEqual(expected);
      // A machine so busy that the connection is lost asks once more for each.
      const again = [...asked.what].filter(([, count]) => count > asked.connections);
      expect(again, 'asked more than once').toEqual([]);
    });
  }
});
