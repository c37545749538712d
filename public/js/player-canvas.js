// Main-thread end of the WebCodecs engine: starts the worker, owns the overlay canvas and keeps it over the visible
// tiles. What is on the canvas is the worker's business, where tiles are is `player-layout.js`'s.

/** The canvas reaches this far beyond the tiles, so that scrolling seldom changes its size. */
const MARGIN = 64;
/** A canvas larger than this many times what is needed is cut back. */
const WASTE_MAX = 2.5;
const ANSWER_WAIT_MS = 5000;

export class CanvasEngine {
  mode = 'webcodecs';
  #worker;
  #canvas;
  #box = null;
  #generation = 0;
  #placements = new Map();
  #answers = new Map();
  #asked = 0;
  #on;

  /** `on`: `view(tile, view)`, `last(tile, bitmap)`, `failed(reason)`. */
  constructor(url, on) {
    this.#on = on;
    this.#canvas = document.createElement('canvas');
    this.#canvas.className = 'video-overlay';
    this.#canvas.setAttribute('aria-hidden', 'true');
    document.documentElement.append(this.#canvas);
    this.#worker = new Worker(new URL('./video-worker.js', import.meta.url), { type: 'module', name: 'video' });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      on.failed(event.message || 'the video worker could not be started');
    };
    const canvas = this.#canvas.transferControlToOffscreen();
    this.#worker.postMessage({ start: { url, canvas } }, [canvas]);
    this.#queue = [];
  }

  /** Orders given before the worker has said that it is ready. */
  #queue = null;

  #post(message) {
    if (this.#queue === null) this.#worker.postMessage(message);
    else this.#queue.push(message);
  }

  #receive(data) {
    if (data.ready) {
      const queue = this.#queue;
      this.#queue = null;
      for (const message of queue) this.#worker.postMessage(message);
    } else if (data.view !== undefined) this.#on.view(data.view.tile, data.view.view);
    else if (data.last !== undefined) this.#on.last(data.last.tile, data.last.bitmap);
    else if (data.laidOut !== undefined) this.#place(data.laidOut);
    else if (data.answer !== undefined) {
      this.#answers.get(data.answer.id)?.(data.answer);
      this.#answers.delete(data.answer.id);
    }
  }

  open(tile, _element, camera, profile, height) {
    this.#post({ open: { tile, camera, profile, height } });
  }

  close(tile) {
    this.#post({ close: { tile } });
  }

  resize(tile, height) {
    this.#post({ resize: { tile, height } });
  }

  pause(tile, paused) {
    this.#post({ pause: { tile, paused } });
  }

  serverTime(us) {
    this.#post({ serverTime: { us } });
  }

  /** `rects` in CSS pixels of the viewport: `{tile, x, y, w, h, clip, aspect, whole, holes}`. */
  layout(rects, host) {
    if (this.#canvas.parentNode !== host) host.append(this.#canvas);
    const ratio = devicePixelRatio;
    const box = this.#boxFor(rects);
    const resized = this.#box === null || box.w !== this.#box.w || box.h !== this.#box.h || box.ratio !== this.#box.ratio;
    this.#box = box;
    const within = (r) => ({
      x: Math.round((r.x - box.x) * ratio),
      y: Math.round((r.y - box.y) * ratio),
      w: Math.round((r.x + r.w - box.x) * ratio) - Math.round((r.x - box.x) * ratio),
      h: Math.round((r.y + r.h - box.y) * ratio) - Math.round((r.y - box.y) * ratio),
    });
    const tiles = rects.map((r) => ({
      tile: r.tile,
      ...within(r),
      clip: within(r.clip),
      aspect: r.aspect,
      whole: r.whole,
      holes: r.holes.map(within),
    }));
    this.#generation += 1;
    this.#placements.set(this.#generation, { box, resized });
    this.#post({
      layout: { generation: this.#generation, width: Math.round(box.w * ratio), height: Math.round(box.h * ratio), tiles },
    });
  }

  /** Keeps the present box while it holds all tiles and is not far too large. */
  #boxFor(rects) {
    const ratio = devicePixelRatio;
    if (rects.length === 0) return this.#box ?? { x: 0, y: 0, w: MARGIN, h: MARGIN, ratio };
    const x0 = Math.min(...rects.map((r) => r.clip.x));
    const y0 = Math.min(...rects.map((r) => r.clip.y));
    const x1 = Math.max(...rects.map((r) => r.clip.x + r.clip.w));
    const y1 = Math.max(...rects.map((r) => r.clip.y + r.clip.h));
    const old = this.#box;
    if (old !== null && old.ratio === ratio) {
      const holds = old.x <= x0 && old.y <= y0 && old.x + old.w >= x1 && old.y + old.h >= y1;
      const needed = (x1 - x0 + 2 * MARGIN) * (y1 - y0 + 2 * MARGIN);
      if (holds && old.w * old.h <= WASTE_MAX * needed) return old;
    }
    const x = Math.max(0, Math.floor(x0) - MARGIN);
    const y = Math.max(0, Math.floor(y0) - MARGIN);
    return {
      x,
      y,
      w: Math.min(innerWidth, Math.ceil(x1) + MARGIN) - x,
      h: Math.min(innerHeight, Math.ceil(y1) + MARGIN) - y,
      ratio,
    };
  }

  /** Moves the canvas once the worker has painted for the new place. */
  #place(generation) {
    const placement = this.#placements.get(generation);
    if (placement === undefined) return;
    for (const known of this.#placements.keys()) if (known <= generation) this.#placements.delete(known);
    const { x, y, w, h } = placement.box;
    const style = this.#canvas.style;
    style.left = `${x}px`;
    style.top = `${y}px`;
    style.width = `${w}px`;
    style.height = `${h}px`;
    // Inside a transformed dialog `fixed` is not relative to the viewport: correct by what came out.
    const got = this.#canvas.getBoundingClientRect();
    if (Math.abs(got.left - x) > 0.5 || Math.abs(got.top - y) > 0.5) {
      style.left = `${2 * x - got.left}px`;
      style.top = `${2 * y - got.top}px`;
    }
  }

  #ask(kind, order) {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#answers.delete(id);
        reject(new Error(`the video worker did not answer \`${kind}\` within ${ANSWER_WAIT_MS} ms`));
      }, ANSWER_WAIT_MS);
      this.#answers.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#post({ [kind]: { id, ...order } });
    });
  }

  async stats() {
    return (await this.#ask('stats', {})).stats;
  }

  /** `what`: `canvas` (as painted) or `frame` (the newest picture in its own size). */
  async grab(tile, what) {
    return (await this.#ask('grab', { tile, what })).bitmap;
  }

  stop() {
    this.#worker.terminate();
    this.#canvas.remove();
  }
}
