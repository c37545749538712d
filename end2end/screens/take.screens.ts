// The pictures of docs/screens: a demonstration on a working morning with a store of its own, its cameras, a simulated city
// with its past, and a walk round wall and desk at every size.
//
// GRIDHALL_SCREENS_WARM: seconds the city lives before the first picture, by default 300.
// GRIDHALL_SCREENS_ONLY: part of the file names to take, such as `desk` or `en-7680`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { Hall } from '../helpers/server';
import { expect, test } from '../helpers/test';

const ROOT = join(import.meta.dirname, '../..');
const OUT = join(ROOT, 'docs/screens');
const WARM_S = Number(process.env.GRIDHALL_SCREENS_WARM ?? 300);
const ONLY = process.env.GRIDHALL_SCREENS_ONLY ?? '';

interface Shot {
  name: string;
  page: 'wall' | 'case' | 'list';
  lang: 'zh' | 'en';
  theme?: 'seat-light';
  size: [number, number];
}

const SIZES: [string, [number, number]][] = [['1920', [1920, 1080]], ['3840', [3840, 1080]], ['7680', [7680, 2160]]];
const LANGS = ['zh', 'en'] as const;

const SHOTS: Shot[] = [
  ...SIZES.flatMap(([label, size]) => LANGS.map((lang): Shot => ({ name: `wall-${lang}-${label}`, page: 'wall', lang, size }))),
  { name: 'wall-zh-1920-light', page: 'wall', lang: 'zh', theme: 'seat-light', size: [1920, 1080] },
  ...SIZES.flatMap(([label, size]) => LANGS.map((lang): Shot => ({ name: `desk-${lang}-${label}`, page: 'case', lang, size }))),
  { name: 'desk-en-1920-light', page: 'case', lang: 'en', theme: 'seat-light', size: [1920, 1080] },
  { name: 'desk-zh-1366', page: 'case', lang: 'zh', size: [1366, 768] },
  { name: 'desk-zh-1920-list', page: 'list', lang: 'zh', size: [1920, 1080] },
];

interface Line {
  id: number;
  place: { lat: number; lon: number } | null;
}

/** A case that waits for dispatch and that a camera looks at. */
async function case_in_sight(hall: Hall): Promise<number> {
  const { items } = (await hall.get('/api/v1/cases?open=true&stage=dispatch&has_place=true&sort=due&limit=200')) as { items: Line[] };
  let best: { id: number; score: number } | undefined;
  for (const { id, place } of items) {
    if (place === null) continue;
    const near = (await hall.get(`/api/v1/cameras?near=${place.lat},${place.lon}&radius=800&limit=9`)) as { items: { sees: boolean }[] };
    const score = Math.min(3, near.items.length) + (near.items[0]?.sees ? 10 : 0);
    if (best === undefined || score > best.score) best = { id, score };
  }
  if (best === undefined || best.score === 0) throw new Error('no waiting case has a camera near');
  return best.id;
}

/** Fewer colours, chosen for the picture: a third of the size and nothing to see, where ffmpeg is there to do it. */
function lighten(file: string): void {
  const lighter = `${file}.lighter.png`;
  try {
    const filter = 'split[a][b];[a]palettegen=max_colors=256:stats_mode=full[p];[b][p]paletteuse=dither=none';
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', file, '-filter_complex', filter, '-compression_level', '100', '-pred', 'mixed', lighter]);
    if (statSync(lighter).size < statSync(file).size) renameSync(lighter, file);
  } catch (error) {
    console.warn(`${file} stays as it is: ${String(error).slice(0, 120)}`);
  }
  rmSync(lighter, { force: true });
}

function address({ page, lang, theme, size }: Shot, id: number): string {
  // The widest map is drawn as SVG: the same picture, and minutes less without a graphics card.
  const words = new URLSearchParams({ lang, theme: theme ?? 'hall-dark', ...(size[0] > 4000 && { map: 'svg' }) });
  if (page === 'wall') return `/wall/main?${words}`;
  return `${page === 'case' ? `/desk/case/${id}` : '/desk'}?open=true&stage=dispatch&sort=due&${words}`;
}

/** Everything has come: the connection, the map, the newest pictures of the cameras. */
async function settled(page: Page, shot: Shot): Promise<void> {
  if (shot.page === 'wall') await expect(page.locator('[data-link]')).toHaveAttribute('data-link', 'live', { timeout: 60_000 });
  await expect(page.locator('.map[data-ready]')).toBeVisible({ timeout: 240_000 });
  const tile = page.locator('.camera-tile').first();
  if (shot.page !== 'list') await expect(tile).toHaveAttribute('data-state', /live|delayed|key_frames/, { timeout: 120_000 });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(shot.size[0] > 4000 ? 20_000 : 8_000);
}

test('pictures of wall and desk', async ({ browser }) => {
  test.setTimeout(3_600_000);
  mkdirSync(OUT, { recursive: true });
  const hall = await Hall.start({ cameras: ['--places', join(ROOT, 'demo/cameras.csv')], words: ['--demonstration'] });
  try {
    hall.start_city(['--seed', '1']);
    console.log(`the city lives for ${WARM_S} s`);
    await new Promise((resolve) => setTimeout(resolve, WARM_S * 1_000));
    const context = await browser.newContext({ baseURL: hall.address });
    await (await context.newPage()).goto(hall.sign_in);
    for (const shot of SHOTS.filter(({ name }) => name.includes(ONLY))) {
      const id = shot.page === 'case' ? await case_in_sight(hall) : 0;
      const page = await context.newPage();
      await page.setViewportSize({ width: shot.size[0], height: shot.size[1] });
      await page.goto(address(shot, id));
      await settled(page, shot);
      const file = join(OUT, `${shot.name}.png`);
      await page.screenshot({ path: file, timeout: 600_000 });
      lighten(file);
      console.log(shot.name, Math.round(statSync(file).size / 1024), 'KiB');
      await page.close();
    }
    await context.close();
  } finally {
    await hall.stop();
  }
});
