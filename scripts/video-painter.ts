// The one canvas all tiles are painted on: newest picture per tile and animation frame, nothing outside a tile's
// rectangle.
//
// What should be here: rectangles and pictures. What should not: cameras, decoders, states.

import type { Meta, Picture, Place, Rect } from './video-types.ts';

/**
 * Cropping to fill a small tile may cost at most this share of the picture; beyond, and in a tile in focus, the whole
 * picture is shown with margins: its edges carry the camera's own clock.
 */
const CROP_MAX = 0.25;

/** A picture and whether it has been reported as painted. */
interface Standing {
  picture: Picture;
  meta: Meta;
  told: boolean;
}

/** A tile on the canvas; without a place it is not visible. */
interface Entry {
  place: Place | null;
  next: Standing | null;
  shown: Standing | null;
  hidden: boolean;
  dirty: boolean;
}

export class Painter {
  #canvas: OffscreenCanvas;
  #context: OffscreenCanvasRenderingContext2D;
  #tiles = new Map<number, Entry>();
  #scheduled = false;
  #notBefore = 0;
  #wiped = false;
  #painted: (tile: number, meta: Meta) => void;
  frames = 0;
  paintMs = 0;

  /** `painted(tile, meta)` is called for each picture that reached the canvas for the first time. */
  constructor(canvas: OffscreenCanvas, painted: (tile: number, meta: Meta) => void) {
    const context = canvas.getContext('2d', { alpha: true });
    if (context === null) throw new Error('this browser gives no canvas to paint on');
    this.#canvas = canvas;
    this.#context = context;
    this.#painted = painted;
  }

  /** Places are in canvas pixels; tiles without one are not visible. */
  layout(width: number, height: number, places: Place[]): void {
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    for (const entry of this.#tiles.values()) entry.place = null;
    for (const place of places) this.#entry(place.tile).place = place;
    this.#wiped = true;
    this.#schedule();
  }

  /** Takes ownership of `picture`. Returns false when it replaced one not yet painted. */
  show(tile: number, picture: Picture, meta: Meta): boolean {
    const entry = this.#entry(tile);
    const superseded = entry.next;
    superseded?.picture.close();
    entry.next = { picture, meta, told: false };
    this.#schedule();
    return superseded === null;
  }

  /** Pictures of a hidden tile are kept but not painted. */
  setHidden(tile: number, hidden: boolean): void {
    const entry = this.#entry(tile);
    if (entry.hidden === hidden) return;
    entry.hidden = hidden;
    entry.dirty = true;
    this.#schedule();
  }

  remove(tile: number): void {
    const entry = this.#tiles.get(tile);
    if (entry === undefined) return;
    entry.next?.picture.close();
    entry.shown?.picture.close();
    this.#tiles.delete(tile);
    this.#wiped = true;
    this.#schedule();
  }

  /** Gives the newest picture of a tile away, and keeps none; null when there is none. */
  take(tile: number): Picture | null {
    const entry = this.#entry(tile);
    const { next, shown } = entry;
    if (next !== null) shown?.picture.close();
    entry.next = null;
    entry.shown = null;
    entry.dirty = true;
    this.#schedule();
    return (next ?? shown)?.picture ?? null;
  }

  /** The newest picture of a tile, still owned by the painter; null when there is none. */
  newest(tile: number): Picture | null {
    const entry = this.#tiles.get(tile);
    return entry?.next?.picture ?? entry?.shown?.picture ?? null;
  }

  /** What stands on the canvas in the tile's rectangle now; null when it is not visible. */
  async read(tile: number): Promise<ImageBitmap | null> {
    const place = this.#tiles.get(tile)?.place ?? null;
    if (place === null || place.clip.w < 1 || place.clip.h < 1) return null;
    const { x, y, w, h } = place.clip;
    return createImageBitmap(this.#canvas, x, y, w, h);
  }

  #entry(tile: number): Entry {
    let entry = this.#tiles.get(tile);
    if (entry === undefined) {
      entry = { place: null, next: null, shown: null, hidden: false, dirty: false };
      this.#tiles.set(tile, entry);
    }
    return entry;
  }

  /** Painting takes at most two thirds of the worker's time: on a slow machine the rest is needed to receive and decode. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const paint = (): void => {
      requestAnimationFrame(() => { this.#paint(); });
    };
    const wait = this.#notBefore - performance.now();
    if (wait < 1) paint();
    else setTimeout(paint, wait);
  }

  #paint(): void {
    this.#scheduled = false;
    const began = performance.now();
    if (this.#wiped) this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    for (const [tile, entry] of this.#tiles) {
      if (entry.next === null && !entry.dirty && !this.#wiped) continue;
      if (entry.next !== null) {
        entry.shown?.picture.close();
        entry.shown = entry.next;
        entry.next = null;
      }
      entry.dirty = false;
      const { shown } = entry;
      if (!this.#draw(entry) || shown === null || shown.told) continue;
      shown.told = true;
      this.#painted(tile, shown.meta);
    }
    this.#wiped = false;
    this.frames += 1;
    const ended = performance.now();
    this.paintMs += ended - began;
    this.#notBefore = ended + (ended - began) / 2;
  }

  #draw({ place: rect, shown, hidden }: Entry): boolean {
    if (rect === null || rect.clip.w < 1 || rect.clip.h < 1) return false;
    const context = this.#context;
    if (hidden || shown === null) {
      context.clearRect(rect.clip.x, rect.clip.y, rect.clip.w, rect.clip.h);
      return false;
    }
    const { width, height } = sizeOf(shown.picture);
    const { source, target } = place(width, height, rect);
    const cut = intersect(target, rect.clip);
    if (target.w < rect.w || target.h < rect.h) context.clearRect(rect.clip.x, rect.clip.y, rect.clip.w, rect.clip.h);
    if (cut === null) return false;
    const across = source.w / target.w;
    const down = source.h / target.h;
    context.drawImage(
      shown.picture,
      source.x + (cut.x - target.x) * across,
      source.y + (cut.y - target.y) * down,
      cut.w * across,
      cut.h * down,
      cut.x,
      cut.y,
      cut.w,
      cut.h,
    );
    return true;
  }
}

/** A picture's size as it is to be seen. */
export function sizeOf(picture: Picture): { width: number; height: number } {
  if ('displayWidth' in picture) return { width: picture.displayWidth, height: picture.displayHeight };
  return { width: picture.width, height: picture.height };
}

/** Whether a picture of one shape may be cropped to fill a tile of another. */
export function fills(picture: number, tile: number): boolean {
  return 1 - Math.min(picture / tile, tile / picture) <= CROP_MAX;
}

/**
 * Which part of the picture goes where in the tile. `aspect` is the tile's shape as laid out: on a wall that
 * stretches the page it differs from the rectangle's, and the picture is stretched with everything else.
 */
export function place(width: number, height: number, rect: Place): { source: Rect; target: Rect } {
  const picture = width / height;
  const whole = { x: 0, y: 0, w: width, h: height };
  const kept = Math.min(picture / rect.aspect, rect.aspect / picture);
  if (!rect.whole && fills(picture, rect.aspect)) {
    if (picture > rect.aspect) whole.w = height * rect.aspect;
    else whole.h = width / rect.aspect;
    whole.x = (width - whole.w) / 2;
    whole.y = (height - whole.h) / 2;
    return { source: whole, target: { x: rect.x, y: rect.y, w: rect.w, h: rect.h } };
  }
  const target = { x: rect.x, y: rect.y, w: rect.w, h: rect.h };
  if (picture > rect.aspect) target.h = Math.round(rect.h * kept);
  else target.w = Math.round(rect.w * kept);
  target.x += Math.round((rect.w - target.w) / 2);
  target.y += Math.round((rect.h - target.h) / 2);
  return { source: whole, target };
}

/** The common part of two rectangles, or null. */
export function intersect(a: Rect, b: Rect): Rect | null {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const w = Math.min(a.x + a.w, b.x + b.w) - x;
  const h = Math.min(a.y + a.h, b.y + b.h) - y;
  return w >= 1 && h >= 1 ? { x, y, w, h } : null;
}
