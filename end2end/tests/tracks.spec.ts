// Recorded walks through the door that stock phone apps use: they move as inspectors on the map of wall and desk, keep
// to their way, and look out of date when the phone falls silent.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Page } from '@playwright/test';
import { Hall } from '../helpers/server';
import { expect, guard, test } from '../helpers/test';

/** A position is out of date after so long: short, because the test waits for it. */
const STALE_SECONDS = 8;
/** Times the recorded pace. */
const SPEED = '40';
/** Where the walks begin, in the schematic city; the case lies 1.6 km away, so that its mark is another one. */
const START = { lat: 25.04, lon: 102.71 };
/** The map glides straight from one position to the next and so cuts corners; the walks are kilometres long. */
const OFF_TRACK_M = 150;

interface Spot {
  x: number;
  y: number;
  lon: number;
  lat: number;
  single: boolean;
  age: number;
  late: boolean;
}

interface Walk {
  code: string;
  points: { lat: number; lon: number }[];
}

/** The recordings stand beside a checkout; `GRIDHALL_DATA` names another place. */
function recordings(): string | undefined {
  if (process.env.GRIDHALL_DATA !== undefined) return join(process.env.GRIDHALL_DATA, 'tracks');
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'shared/data/tracks'))) return join(folder, 'shared/data/tracks');
  }
  return undefined;
}

/** Where there are no recordings: two straight walks of our own, a fix every five seconds. */
function own_walks(hall: Hall): string {
  const one = (name: string, north: number, east: number) => {
    const fix = (i: number) => `<trkpt lat="${30 + i * north}" lon="${100 + i * east}"><time>${new Date(1.5e12 + i * 5_000).toISOString()}</time></trkpt>`;
    const fixes = Array.from({ length: 600 }, (_, i) => fix(i)).join('');
    return hall.write(name, `<?xml version="1.0"?><gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>${fixes}</trkseg></trk></gpx>`);
  };
  one('north.gpx', 6e-5, 0);
  return dirname(one('east.gpx', 0, 6e-5));
}

/** The walks as they lie in the city. */
function walks(folder: string): Walk[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.gpx'));
  return files.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const fixes = [...text.matchAll(/<trkpt[^>]*lat="([^"]+)"[^>]*lon="([^"]+)"[^>]*>(.*?)<\/trkpt>/gs)].filter(([, , , inside]) => inside?.includes('<time>'));
    const points = fixes.map(([, lat, lon]) => ({ lat: Number(lat), lon: Number(lon) }));
    const [first] = points;
    if (first === undefined || points.length < 2) return [];
    const there = points.map(({ lat, lon }) => ({ lat: lat - first.lat + START.lat, lon: lon - first.lon + START.lon }));
    return [{ code: name.replace(/\.gpx$/, '').replace(/[^A-Za-z0-9_-]/g, ''), points: there }];
  });
}

const metres = (a: { lat: number; lon: number }, b: { lat: number; lon: number }) =>
  Math.hypot((a.lat - b.lat) * 111_195, (a.lon - b.lon) * 111_195 * Math.cos((a.lat * Math.PI) / 180));

/** How far a place lies from a walk. */
function off_track(place: { lat: number; lon: number }, { points }: Walk): number {
  const scale = Math.cos((place.lat * Math.PI) / 180);
  const flat = (point: { lat: number; lon: number }) => [(point.lon - place.lon) * 111_195 * scale, (point.lat - place.lat) * 111_195] as const;
  return points.slice(1).reduce((best, point, i) => {
    const [[ax, ay], [bx, by]] = [flat(points[i] ?? point), flat(point)];
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const part = length === 0 ? 0 : Math.max(0, Math.min(1, -(ax * (bx - ax) + ay * (by - ay)) / length));
    return Math.min(best, Math.hypot(ax + part * (bx - ax), ay + part * (by - ay)));
  }, Infinity);
}

/** Where the page's map draws an inspector. */
async function spot_of(page: Page, index: number): Promise<Spot | null> {
  return page.locator('.map').evaluate((map, index) => (map as unknown as { hallMap: { whereIs(index: number): Spot | null } }).hallMap.whereIs(index), index);
}

async function drawn(page: Page, index: number): Promise<Spot> {
  await expect.poll(() => spot_of(page, index)).not.toBeNull();
  const spot = await spot_of(page, index);
  if (spot === null) throw new Error(`inspector ${index} is not on the map`);
  return spot;
}

/** Follows one inspector: drawn on the walk, moving along it. */
async function expect_walking(page: Page, index: number, walk: Walk): Promise<void> {
  const before = await drawn(page, index);
  expect(off_track(before, walk), `${walk.code} keeps to its way`).toBeLessThan(OFF_TRACK_M);
  await expect.poll(async () => (await drawn(page, index)).late, { message: `${walk.code} is up to date` }).toBe(false);
  await expect.poll(async () => metres(await drawn(page, index), before), { message: `${walk.code} moves` }).toBeGreaterThan(50);
  expect(off_track(await drawn(page, index), walk), `${walk.code} keeps to its way`).toBeLessThan(OFF_TRACK_M);
}

async function case_at_start(hall: Hall): Promise<number> {
  const { areas, classes, sources } = (await hall.get('/api/v1/catalogue')) as Record<string, { code: string; level: string }[]>;
  const area = areas?.find(({ level }) => level === 'district');
  const report = { source: sources?.[0]?.code, class: classes?.[0]?.code, area: area?.code, address: '试验路 1 号', description: '井盖破损', place: { ...START, lat: START.lat + 0.0145 } };
  const [answer] = (await hall.commands([{ report_case: { report } }])) as { taken?: { case: number } }[];
  if (answer?.taken === undefined) throw new Error(`case not reported: ${JSON.stringify(answer)}`);
  return answer.taken.case;
}

test('recorded walks move on wall and desk, and their silence is seen', async ({ browser }) => {
  const hall = await Hall.start({ policy: `position_stale_seconds = ${STALE_SECONDS}` });
  const context = await browser.newContext({ baseURL: hall.address });
  const check = guard(context);
  try {
    const folder = recordings() ?? own_walks(hall);
    const all = walks(folder);
    expect(all.length).toBeGreaterThan(0);
    const id = await case_at_start(hall);
    const replay = hall.start_tracks(['--dir', folder, '--start-at', `${START.lat},${START.lon}`, '--speed', SPEED]);
    const [wall, desk] = [await context.newPage(), await context.newPage()];
    await wall.goto(hall.sign_in);
    await wall.goto('/wall/main');
    await desk.goto(`/desk/case/${id}?map=svg`);
    for (const page of [wall, desk]) await expect(page.locator('.map[data-ready]')).toBeVisible();

    // The wall counts them, the desk names them with the codes they report under.
    await expect(wall.locator('.mh .figure.second')).toHaveText(String(all.length));
    for (const { code } of all) await expect(desk.locator('.near.people')).toContainText(code);
    const { items } = (await hall.get('/api/v1/positions')) as { items: { index: number; inspector: string }[] };
    for (const walk of all) {
      const index = items.find(({ inspector }) => inspector === walk.code)?.index ?? -1;
      for (const page of [wall, desk]) await expect_walking(page, index, walk);
    }
    // A press on the mark says who it is.
    const one = await drawn(wall, items[0]?.index ?? -1);
    const box = await wall.locator('.map').boundingBox();
    await wall.mouse.click((box?.x ?? 0) + one.x, (box?.y ?? 0) + one.y);
    await expect(wall.getByRole('dialog')).toContainText(/监督员/);
    await expect(wall.getByRole('dialog')).toContainText(new RegExp(all.map(({ code }) => code).join('|')));
    await wall.keyboard.press('Escape');

    // The phones fall silent: nobody disappears, and everybody sees that the positions are old.
    await replay.stop();
    await expect(wall.locator('.mh .stale')).toHaveText(`滞后 ${all.length} 人`);
    await expect(wall.locator('.mh .figure.second')).toHaveText('0');
    await expect(desk.locator('.person.stale')).toHaveCount(Math.min(3, all.length));
    for (const { index } of items) for (const page of [wall, desk]) expect((await drawn(page, index)).late).toBe(true);
    check();
  } finally {
    await context.close();
    await hall.stop();
  }
});
