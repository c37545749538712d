// Main-thread end of the WebCodecs engine: starts the worker, owns the overlay canvas and keeps it over the visible
// tiles.
//
// What should be here: worker and canvas. What should not: what is on the canvas (the worker's), where tiles are
// (`player-layout.ts`), what to do when the worker fails (`player-engine.ts`).

import { missed } from './part.ts';
import type { Engine, EngineHost, EngineStats, Orders, Place, Rect, Reports, Rule } from './video-types.ts';

/** The canvas reaches this far beyond the tiles, so that scrolling seldom changes its size. */
const MARGIN = 64;
/** A canvas larger than this many times what is needed is cut back. */
const WASTE_MAX = 2.5;
const ANSWER_WAIT_MS = 5000;
/** A worker that has not said that it is ready by then is given up. */
const READY_WAIT_MS = 10_000;
/** So often it is looked whether the worker has said anything; after so many looks without, it is given up. */
const LISTEN_MS = 5000;
const SILENT_LOOKS = 3;

/** The canvas's rectangle in CSS pixels, and the pixel ratio it was made for. */
interface Box extends Rect {
  ratio: number;
}

type Answer = NonNullable<Reports['answer']>;

export class CanvasEngine implements Engine {
  readonly mode = 'webcodecs';
  #worker: Worker;
  #canvas: HTMLCanvasElement;
  #box: Box | null = null;
  #generation = 0;
  #placements = new Map<number, Box>();
  #answers = new Map<number, (answer: Answer) => void>();
  #asked = 0;
  #on: EngineHost;
  #wait: ReturnType<typeof setTimeout>;
  #watch: ReturnType<typeof setInterval>;
  #silent = 0;
  /** Orders given before the worker has said that it is ready; null from then on. */
  #queue: Partial<Orders>[] | null = [];

  constructor(url: string, on: EngineHost) {
    this.#on = on;
    this.#canvas = document.createElement('canvas');
    this.#canvas.className = 'video-overlay';
    this.#canvas.setAttribute('aria-hidden', 'true');
    document.documentElement.append(this.#canvas);
    this.#worker = new Worker(new URL('./video-worker.js', import.meta.url), { type: 'module', name: 'video' });
    this.#worker.onmessage = ({ data }: MessageEvent<Reports>) => { this.#receive(data); };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      void missed(import.meta.url, false);
      this.#fail(event.message || 'the video worker could not be started');
    };
    const canvas = this.#canvas.transferControlToOffscreen();
    this.#worker.postMessage({ start: { url, canvas } }, [canvas]);
    this.#wait = setTimeout(() => { this.#fail(`the video worker was not ready within ${READY_WAIT_MS} ms`); }, READY_WAIT_MS);
    this.#watch = setInterval(() => { this.#listen(); }, LISTEN_MS);
  }

  #fail(reason: string): void {
    this.stop();
    this.#on.failed(reason);
  }

  /** A worker that runs says so every few seconds. Counted in looks: a computer that slept has looked only once. */
  #listen(): void {
    if (this.#queue !== null) return;
    this.#silent += 1;
    if (this.#silent > SILENT_LOOKS) this.#fail('the video worker has fallen silent');
  }

  #post(message: Partial<Orders>): void {
    if (this.#queue === null) this.#worker.postMessage(message);
    else this.#queue.push(message);
  }

  #receive(data: Reports): void {
    this.#silent = 0;
    if (data.ready === true) {
      clearTimeout(this.#wait);
      const queue = this.#queue ?? [];
      this.#queue = null;
      for (const message of queue) this.#worker.postMessage(message);
      this.#on.ready();
    } else if (data.facts !== undefined) this.#on.facts(data.facts.tile, data.facts.facts);
    else if (data.last !== undefined) this.#on.last(data.last.tile, data.last.bitmap);
    else if (data.laidOut !== undefined) this.#place(data.laidOut);
    else if (data.answer !== undefined) {
      this.#answers.get(data.answer.id)?.(data.answer);
      this.#answers.delete(data.answer.id);
    }
  }

  open(tile: number, _element: HTMLElement, camera: string, profile: string, height: number): void {
    this.#post({ open: { tile, camera, profile, height } });
  }

  close(tile: number): void {
    this.#post({ close: { tile } });
  }

  resize(tile: number, height: number): void {
    this.#post({ resize: { tile, height } });
  }

  pause(tile: number, paused: boolean): void {
    this.#post({ pause: { tile, paused } });
  }

  rule(tile: number, rule: Rule): void {
    this.#post({ rule: { tile, ...rule } });
  }

  serverTime(us: number): void {
    this.#post({ serverTime: { us } });
  }

  layout(places: Place[], host: Element): void {
    if (this.#canvas.parentNode !== host) host.append(this.#canvas);
    const ratio = devicePixelRatio;
    const box = this.#boxFor(places);
    this.#box = box;
    const within = (r: Rect): Rect => ({
      x: Math.round((r.x - box.x) * ratio),
      y: Math.round((r.y - box.y) * ratio),
      w: Math.round((r.x + r.w - box.x) * ratio) - Math.round((r.x - box.x) * ratio),
      h: Math.round((r.y + r.h - box.y) * ratio) - Math.round((r.y - box.y) * ratio),
    });
    const tiles = places.map((place) => ({ ...place, ...within(place), clip: within(place.clip) }));
    this.#generation += 1;
    this.#placements.set(this.#generation, box);
    this.#post({
      layout: { generation: this.#generation, width: Math.round(box.w * ratio), height: Math.round(box.h * ratio), tiles },
    });
  }

  /** Keeps the present box while it holds all tiles and is not far too large. */
  #boxFor(rects: Place[]): Box {
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
  #place(generation: number): void {
    const box = this.#placements.get(generation);
    if (box === undefined) return;
    for (const known of this.#placements.keys()) if (known <= generation) this.#placements.delete(known);
    const { x, y, w, h } = box;
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

  #ask(order: (id: number) => Partial<Orders>, kind: string): Promise<Answer> {
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
      this.#post(order(id));
    });
  }

  async stats(): Promise<EngineStats> {
    const { stats } = await this.#ask((id) => ({ stats: { id } }), 'stats');
    if (stats === undefined) throw new Error('the video worker gave no numbers');
    return stats;
  }

  async grab(tile: number, what: string): Promise<ImageBitmap | null> {
    return (await this.#ask((id) => ({ grab: { id, tile, what } }), 'grab')).bitmap ?? null;
  }

  stop(): void {
    clearTimeout(this.#wait);
    clearInterval(this.#watch);
    this.#worker.terminate();
    this.#canvas.remove();
  }
}
