// The one canvas all tiles are painted on: newest picture per tile and animation frame, nothing outside a tile's
// rectangle. Knows rectangles and pictures, not cameras, decoders or states.

/**
 * Cropping to fill a small tile may cost at most this share of the picture; beyond, and in a tile in focus, the whole
 * picture is shown with margins: its edges carry the camera's own clock.
 */
const CROP_MAX = 0.25;

export class Painter {
  #canvas;
  #context;
  #tiles = new Map();
  #scheduled = false;
  #notBefore = 0;
  #wiped = false;
  #painted;
  frames = 0;
  paintMs = 0;

  /** `painted(tile, meta)` is called for each picture that reached the canvas for the first time. */
  constructor(canvas, painted) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: true });
    this.#painted = painted;
  }

  /** `tiles`: `{tile, x, y, w, h, clip: {x, y, w, h}, aspect, whole, holes}` in canvas pixels; tiles not listed are not visible. */
  layout(width, height, tiles) {
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    for (const entry of this.#tiles.values()) entry.rect = null;
    for (const rect of tiles) this.#entry(rect.tile).rect = rect;
    this.#wiped = true;
    this.#schedule();
  }

  /** Takes ownership of `picture` (a VideoFrame or ImageBitmap). Returns false when it replaced one not yet painted. */
  show(tile, picture, meta) {
    const entry = this.#entry(tile);
    const superseded = entry.next !== null;
    if (superseded) entry.next.picture.close();
    entry.next = { picture, meta };
    this.#schedule();
    return !superseded;
  }

  /** Pictures of a hidden tile are kept but not painted. */
  setHidden(tile, hidden) {
    const entry = this.#entry(tile);
    if (entry.hidden === hidden) return;
    entry.hidden = hidden;
    entry.dirty = true;
    this.#schedule();
  }

  remove(tile) {
    const entry = this.#tiles.get(tile);
    if (entry === undefined) return;
    entry.next?.picture.close();
    entry.shown?.picture.close();
    this.#tiles.delete(tile);
    this.#wiped = true;
    this.#schedule();
  }

  /** The newest picture of a tile, still owned by the painter; null when there is none. */
  newest(tile) {
    const entry = this.#tiles.get(tile);
    return entry?.next?.picture ?? entry?.shown?.picture ?? null;
  }

  /** What stands on the canvas in the tile's rectangle now; null when it is not visible. */
  async read(tile) {
    const rect = this.#tiles.get(tile)?.rect;
    if (!rect || rect.clip.w < 1 || rect.clip.h < 1) return null;
    const { x, y, w, h } = rect.clip;
    return createImageBitmap(this.#canvas, x, y, w, h);
  }

  #entry(tile) {
    let entry = this.#tiles.get(tile);
    if (entry === undefined) {
      entry = { rect: null, next: null, shown: null, hidden: true, dirty: false };
      this.#tiles.set(tile, entry);
    }
    return entry;
  }

  /** Painting takes at most two thirds of the worker's time: on a slow machine the rest is needed to receive and decode. */
  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const paint = () => requestAnimationFrame(() => this.#paint());
    const wait = this.#notBefore - performance.now();
    if (wait < 1) paint();
    else setTimeout(paint, wait);
  }

  #paint() {
    this.#scheduled = false;
    const began = performance.now();
    if (this.#wiped) this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    for (const [tile, entry] of this.#tiles) {
      const fresh = entry.next;
      if (fresh === null && !entry.dirty && !this.#wiped) continue;
      if (fresh !== null) {
        entry.shown?.picture.close();
        entry.shown = fresh;
        entry.next = null;
      }
      entry.dirty = false;
      const drawn = this.#draw(entry);
      if (fresh !== null && drawn) this.#painted(tile, fresh.meta);
    }
    this.#wiped = false;
    this.frames += 1;
    const ended = performance.now();
    this.paintMs += ended - began;
    this.#notBefore = ended + (ended - began) / 2;
  }

  #draw({ rect, shown, hidden }) {
    if (rect === null || rect.clip.w < 1 || rect.clip.h < 1) return false;
    const context = this.#context;
    if (hidden || shown === null) {
      context.clearRect(rect.clip.x, rect.clip.y, rect.clip.w, rect.clip.h);
      return false;
    }
    const width = shown.picture.displayWidth ?? shown.picture.width;
    const height = shown.picture.displayHeight ?? shown.picture.height;
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
    for (const hole of rect.holes) context.clearRect(hole.x, hole.y, hole.w, hole.h);
    return true;
  }
}

/** Whether a picture of one shape may be cropped to fill a tile of another. */
export function fills(picture, tile) {
  return 1 - Math.min(picture / tile, tile / picture) <= CROP_MAX;
}

/**
 * Which part of the picture goes where in the tile. `rect.aspect` is the tile's shape as laid out: on a wall that
 * stretches the page it differs from the rectangle's, and the picture is stretched with everything else.
 */
export function place(width, height, rect) {
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
export function intersect(a, b) {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const w = Math.min(a.x + a.w, b.x + b.w) - x;
  const h = Math.min(a.y + a.h, b.y + b.h) - y;
  return w >= 1 && h >= 1 ? { x, y, w, h } : null;
}
