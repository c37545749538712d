// Reads what is painted: the simulator's clock strip (`docs/sim-cameras.md`), whether pictures move, how flat they are.
//
// What should be here: eyes for any page that uses `scripts/player.ts`: the desk, the wall, the player's own page. Call
// `give_eyes(page)` before `goto`; then `look` reads a tile's pixels off the canvas (cheap, for polling and measuring),
// `look_at_screen` off a screenshot (what the compositor shows, covers included), and `watch_until` waits inside the
// page, so that times are the page's own and no message between test and browser is in them. What should not: which
// cameras there are and what is expected of them.
//
// The strip needs cells of 4 pixels: a tile whose picture is 320 device pixels wide or more, wholly in sight and not
// cropped. Desk and wall tiles crop up to a quarter to fill their place; see `READABLE` for a page where they do not.
// Start the browser with `video_options` of `helpers/chromium.ts`, or painting is slowed to two pictures a second.
import type { Page } from '@playwright/test';

/** A desk page whose camera tiles show whole pictures, 448 device pixels wide: the strip can be read in each. */
export const READABLE = { viewport: { width: 2240, height: 1200 }, deviceScaleFactor: 2 };

/** What one look at a tile saw. */
export interface Look {
  /** When, by the page's wall clock (Unix ms); the simulator runs on the same machine and has the same. */
  at: number;
  /** Capture time in the painted strip (Unix ms); null when there is no strip to read. */
  clock: number | null;
  /** Spread of luma over the picture: below 4 it is one flat colour. */
  spread: number;
  /** Luma of a coarse grid; `moved` compares two. */
  print: number[];
  /** The tile's state as the screen has it (`data-state`). */
  state: string | null;
}

/** What is waited for; everything given has to hold in one look. */
export interface Wanted {
  /** The painted picture was captured after this time (Unix ms). */
  newer_than?: number;
  /** The painted picture differs from this one by more than noise. */
  moved_from?: number[];
  /** Not one flat colour. */
  lively?: boolean;
  states?: string[];
}

/** A tile watched for a while. */
export interface Followed {
  /** How far the painted clock went on. */
  advanced_ms: number;
  /** Oldest picture seen. */
  age_max_ms: number;
  age_p50_ms: number;
  /** Longest time the same picture stood. */
  gap_max_ms: number;
  /** Looks that found no readable picture. */
  blind: number;
  looks: number;
}

declare global {
  var eyes: {
    read(image: ImageData): Look;
    look(selector: string): Promise<Look | null>;
    look_at(png: string): Promise<Look>;
    wait(selector: string, wanted: Wanted, within_ms: number): Promise<{ look: Look | null; seen: boolean }>;
    follow(selector: string, for_ms: number): Promise<Followed>;
  };
}

/** Installs the readers in every document of the page. */
export async function give_eyes(page: Page): Promise<void> {
  await page.addInitScript(install);
}

/** The painted canvas inside `selector` (an element that holds one camera tile); null where nothing is painted. */
export const look = (page: Page, selector: string): Promise<Look | null> => page.evaluate((at) => globalThis.eyes.look(at), selector);

/** Waits in the page until `wanted` holds for the tile inside `selector`; fails with the last look. */
export async function watch_until(page: Page, selector: string, wanted: Wanted, within_ms: number): Promise<Look> {
  const { look, seen } = await page.evaluate(([at, what, within]) => globalThis.eyes.wait(at, what, within), [
    selector,
    wanted,
    within_ms,
  ] as const);
  if (seen && look !== null) return look;
  const last = look === null ? 'nothing painted' : JSON.stringify({ ...look, print: undefined, late_ms: look.clock && look.at - look.clock });
  throw new Error(`${selector}: not within ${within_ms} ms: ${JSON.stringify({ ...wanted, moved_from: undefined })}; last: ${last}`);
}

/** Looks at a tile with a clock ten times a second. */
export const follow = (page: Page, selector: string, for_ms: number): Promise<Followed> =>
  page.evaluate(([at, during]) => globalThis.eyes.follow(at, during), [selector, for_ms] as const);

/** The tile's picture as it stands on the screen, with everything that covers it. */
export async function look_at_screen(page: Page, selector: string): Promise<Look> {
  const box = await page.locator(`${selector} .camera-picture`).boundingBox();
  if (box === null) throw new Error(`${selector} shows no picture`);
  const png = await page.screenshot({ clip: box, scale: 'device' });
  return page.evaluate((data) => globalThis.eyes.look_at(data), png.toString('base64'));
}

/** Runs in the page. */
function install(): void {
  const CROP_MAX = 0.25;
  const GRID = { across: 16, down: 9 };
  const FLAT = 4;
  const MOVED = 0.7;
  const EVERY_MS = 100;

  /** Where a 16:9 picture lies in an image of the tile: margins, or cropped, as `video-painter.ts` places it. */
  const placed = (width: number, height: number) => {
    const [picture, tile] = [16 / 9, width / height];
    const kept = Math.min(picture / tile, tile / picture);
    const crop = 1 - kept <= CROP_MAX;
    const wide = tile > picture;
    const w = wide === crop ? width : height * picture;
    const h = wide === crop ? width / picture : height;
    return { x: (width - w) / 2, y: (height - h) / 2, w, h };
  };

  const luma = (data: Uint8ClampedArray, at: number) =>
    0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);

  const strip = (image: ImageData): number | null => {
    const { x, y, w, h } = placed(image.width, image.height);
    const s = w / 80;
    const level = (i: number) => {
      const cx = x + (1.5 + (i % 32)) * s;
      const cy = y + h - (2.5 - Math.floor(i / 32)) * s;
      let [sum, count] = [0, 0];
      for (let py = Math.floor(cy - s / 4); py < cy + s / 4; py++) {
        for (let px = Math.floor(cx - s / 4); px < cx + s / 4; px++) {
          if (px < 0 || py < 0 || px >= image.width || py >= image.height) return Number.NaN;
          sum += luma(image.data, (py * image.width + px) * 4);
          count += 1;
        }
      }
      return sum / count;
    };
    const threshold = (level(0) + level(1) + level(62) + level(63)) / 4;
    const bits = Array.from({ length: 64 }, (_, i) => (level(i) > threshold ? 1 : 0));
    if (bits[0] !== 1 || bits[1] !== 0 || bits[62] !== 0 || bits[63] !== 1) return null;
    let [crc, time] = [0xfff, 0];
    for (const bit of bits.slice(2, 50)) {
      const feed = ((crc >> 11) & 1) ^ bit;
      crc = ((crc << 1) & 0xfff) ^ (feed ? 0x80f : 0);
      time = time * 2 + bit;
    }
    const check = bits.slice(50, 62).reduce<number>((sum, bit) => sum * 2 + bit, 0);
    return check === crc ? time : null;
  };

  /** Mean luma of each field of a coarse grid over the middle of the tile, which is picture in every placement. */
  const coarse = (image: ImageData): number[] => {
    const { x, y, w, h } = placed(image.width, image.height);
    const [left, top] = [Math.max(0, x), Math.max(0, y)];
    const [wide, high] = [Math.min(w, image.width), Math.min(h, image.height)];
    const print: number[] = [];
    for (let row = 0; row < GRID.down; row++) {
      for (let column = 0; column < GRID.across; column++) {
        let [sum, count] = [0, 0];
        for (let py = Math.ceil(top + (row * high) / GRID.down); py < top + ((row + 1) * high) / GRID.down - 1; py += 2) {
          for (let px = Math.ceil(left + (column * wide) / GRID.across); px < left + ((column + 1) * wide) / GRID.across - 1; px += 2) {
            sum += luma(image.data, (py * image.width + px) * 4);
            count += 1;
          }
        }
        print.push(count === 0 ? 0 : sum / count);
      }
    }
    return print;
  };

  const read = (image: ImageData) => {
    const print = coarse(image);
    const mean = print.reduce((sum, value) => sum + value, 0) / print.length;
    const spread = Math.sqrt(print.reduce((sum, value) => sum + (value - mean) ** 2, 0) / print.length);
    return { at: Date.now(), clock: strip(image), spread, print, state: null };
  };

  const look = async (selector: string) => {
    const holder = document.querySelector(selector);
    const picture = holder?.querySelector<HTMLElement>('.camera-picture') ?? null;
    if (picture === null || picture.dataset.tile === undefined) return null;
    const player = (globalThis as unknown as { gridhallPlayer: { grab(element: HTMLElement): Promise<ImageData | null> } }).gridhallPlayer;
    const image = await player.grab(picture).catch(() => null);
    if (image === null) return null;
    return { ...read(image), state: holder?.querySelector<HTMLElement>('[data-state]')?.dataset.state ?? null };
  };

  const moved = (before: number[], now: number[]) => Math.max(...before.map((value, i) => Math.abs(value - (now[i] ?? 0)))) > MOVED;

  const holds = (seen: Look, wanted: Wanted) =>
    (wanted.newer_than === undefined || (seen.clock !== null && seen.clock > wanted.newer_than)) &&
    (wanted.moved_from === undefined || moved(wanted.moved_from, seen.print)) &&
    (wanted.lively !== true || seen.spread > FLAT) &&
    (wanted.states === undefined || wanted.states.includes(seen.state ?? ''));

  globalThis.eyes = {
    read,
    look,
    async look_at(png) {
      const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
      if (context === null) throw new Error('no 2d canvas');
      context.drawImage(bitmap, 0, 0);
      return read(context.getImageData(0, 0, bitmap.width, bitmap.height));
    },
    async wait(selector, wanted, within_ms) {
      const until = Date.now() + within_ms;
      for (;;) {
        const seen = await look(selector);
        if (seen !== null && holds(seen, wanted)) return { look: seen, seen: true };
        if (Date.now() > until) return { look: seen, seen: false };
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
    },
    async follow(selector, for_ms) {
      const until = Date.now() + for_ms;
      const ages: number[] = [];
      let [first, newest, newest_at, gap_max_ms, blind] = [Number.NaN, 0, Date.now(), 0, 0];
      while (Date.now() < until) {
        const seen = await look(selector);
        const at = seen?.at ?? Date.now();
        if (seen === null || seen.clock === null) blind += 1;
        else {
          if (Number.isNaN(first)) first = seen.clock;
          ages.push(at - seen.clock);
        }
        gap_max_ms = Math.max(gap_max_ms, at - newest_at);
        if (seen !== null && seen.clock !== null && seen.clock > newest) [newest, newest_at] = [seen.clock, at];
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
      ages.sort((a, b) => a - b);
      const age_p50_ms = ages[Math.floor(ages.length / 2)] ?? Number.NaN;
      return { advanced_ms: newest - first, age_max_ms: ages.at(-1) ?? Number.NaN, age_p50_ms, gap_max_ms, blind, looks: ages.length + blind };
    },
  };
}
