// When a map is drawn, and with what: on demand, so that nothing runs while nothing changes.
//
// What should be here: frames, and what each of them needs. What should not: where anything stands (the placing), what is
// shown (`map.ts`).

import type { Frame, Words } from './frame.js';
import type { Theme, View } from './geo.js';
import type { GroundView } from './ground.js';
import { Marks } from './marks.js';
import type { Case, Named, Options } from './options.js';
import { People } from './people.js';
import { People2d, type Painter } from './people-2d.js';
import { PeopleGl } from './people-gl.js';
import { flatRows, seconds, type Placing, type Told } from './placing.js';

/** How often groups are gathered anew while people move, and while the view does, in milliseconds. */
const REGROUP_MS = 500;
const REGROUP_TURNED_MS = 120;
/** The way in CSS pixels that someone may lag behind before a frame is drawn for it: less is not seen. */
const SEEN_PX = 0.25;
/** How often people are drawn for their age alone, and how near the next frame is near enough to be asked for at once. */
const AGED_MS = 1000;
const NEXT_MS = 20;
/** Trails are drawn up to this zoom and this many people. */
const TRAILS = { zoom: 15.5, people: 3000 };
/** Our work of the last frames is remembered. */
const TIMES = 512;

/** What is shown of a map. */
export interface Staged {
  readonly el: HTMLElement;
  readonly options: Options;
  readonly told: Told;
  readonly cases: Case[];
  readonly named: Named[];
  readonly districts: string[];
  readonly words: Words;
  readonly theme: Theme;
  /** Seconds after which a position is out of date. */
  readonly stale: number;
  readonly ground: GroundView | null;
}

export class Stage {
  readonly marks: Marks;
  readonly #map: Staged;
  readonly #frame: Frame;
  readonly #people = new People();
  readonly #times = new Float32Array(TIMES);
  #painter: Painter | null = null;
  #late = '';
  #per = 1;
  #frames = 0;
  #request: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drawn: View | null = null;
  #dirty = true;
  #moved = false;
  #ungathered = true;
  #gathered = -Infinity;
  #painted = 0;
  #gone = false;

  constructor(map: Staged, frame: Frame) {
    [this.#map, this.#frame] = [map, frame];
    this.marks = new Marks(frame.marksCanvas, map.theme);
  }

  begin(withGl: boolean): void { this.#painter = painter(this.#frame, withGl); }

  /** Marks or words are others. */
  changed(): void {
    this.#dirty = true;
    this.wake();
  }

  /** People are elsewhere. */
  moved(): void {
    this.#moved = true;
    this.wake();
  }

  wake(): void {
    if (this.#map.ground !== null && !this.#gone) this.#request ??= requestAnimationFrame(this.paint);
  }

  readonly paint = (): void => {
    if (this.#request !== null) cancelAnimationFrame(this.#request);
    this.#request = null;
    const { told: { placing }, ground } = this.#map;
    if (this.#gone || placing === null || ground === null || this.#painter === null || this.#map.el.clientWidth === 0) return;
    const began = performance.now();
    const view = ground.view();
    const turned = !view.same(this.#drawn);
    if (turned) placing.look(view.cx, view.cy, view.zoom, view.width, view.height);
    this.#ungathered ||= turned || this.#moved;
    const due = (turned ? REGROUP_TURNED_MS : REGROUP_MS) - (began - this.#gathered);
    if (this.#ungathered && due <= 0) this.#gather(placing, began);
    const marks = turned || this.#dirty || (this.#map.named.length > 0 && this.#moved);
    if (marks) this.#paintMarks(placing, view, ground);
    // Afterwards: a circle that finds no room falls into its people.
    if (this.#moved || marks) this.#upload(placing, view, this.#painter);
    const aged = began - this.#painted >= AGED_MS;
    if (turned || this.#moved || this.#dirty || aged || this.#lagPx(view, began) >= SEEN_PX) {
      this.#painter.draw(this.#people, view, this.#map.theme, { unit: this.#map.options.fontPx / 24, staleSeconds: this.#map.stale });
      this.#painted = began;
      this.#times[this.#frames % TIMES] = performance.now() - began;
      this.#frames += 1;
    }
    [this.#drawn, this.#dirty, this.#moved] = [view, false, false];
    this.#next(view, due);
  };

  #gather(placing: Placing, began: number): void {
    this.#dirty = placing.gather(seconds()) || this.#dirty;
    [this.#gathered, this.#ungathered, this.#moved] = [began, false, true];
  }

  #upload(placing: Placing, view: View, painter: Painter): void {
    const data = placing.people();
    const trails = view.zoom < TRAILS.zoom && data.length < TRAILS.people * 9;
    this.#people.take(data, trails ? placing.trails() : new Float32Array(0), placing.motion());
    painter.upload(this.#people);
  }

  /** Pixels that the fastest has gone since the last frame. */
  #lagPx(view: View, began: number): number {
    if (this.#people.busyUntil <= seconds()) return 0;
    return (this.#people.fastest / view.metresPerPixel) * ((began - this.#painted) / 1000);
  }

  /** When the next frame is due by itself, unless something asks for one earlier. */
  #next(view: View, due: number): void {
    const walking = this.#people.busyUntil > seconds();
    const walk = walking ? (1000 * SEEN_PX * view.metresPerPixel) / Math.max(0.1, this.#people.fastest) : Infinity;
    const ms = Math.min(walk, this.#people.count > 0 ? AGED_MS : Infinity, this.#ungathered ? Math.max(NEXT_MS, due) : Infinity);
    clearTimeout(this.#timer);
    if (ms < NEXT_MS) this.wake();
    else if (Number.isFinite(ms)) this.#timer = setTimeout(() => { this.wake(); }, ms);
  }

  #paintMarks(placing: Placing, view: View, ground: GroundView): void {
    this.#frame.scaleBar(this.#map.options.scale, view);
    placing.own(flatRows([...this.#map.options.reserved, ...this.#frame.covered()], (rect) => [...rect]));
    const rows = placing.plan(seconds());
    const per = placing.perSquare();
    if (per !== this.#per) this.#map.options.onPerSquare?.(per);
    this.#per = per;
    const drawn = { rows, texts: placing.texts(), letters: this.#map.named.map((each) => each.letter) };
    this.marks.draw(drawn, view, this.#map.theme, this.#map.options.fontPx / 24, this.#map.words.lang);
    const late = [...placing.late()].map((district) => this.#map.districts[district] ?? '');
    if (late.join() === this.#late) return;
    this.#late = late.join();
    ground.setLate(late, this.#map.theme);
  }

  /** Ground, people, groups, our work per frame. */
  stats(): object {
    const times = [...this.#times.subarray(0, Math.min(this.#frames, TIMES))].sort((a, b) => a - b);
    const groups = this.marks.hits.filter((each) => each.kind === 'people');
    const part = (share: number) => times[Math.floor(times.length * share)] ?? 0;
    const ground = this.#map.ground;
    return { ground: ground?.kind ?? null, people: this.#people.count, single: this.#people.single(), grouped: groups.reduce((sum, each) => sum + each.n, 0),
      groups: groups.length, frames: this.#frames, frameP50Ms: part(0.5), frameP95Ms: part(0.95), frameMaxMs: times.at(-1) ?? 0, marks: this.marks.hits.length,
      zoom: ground?.view().zoom ?? 0 };
  }

  destroy(): void {
    this.#gone = true;
    if (this.#request !== null) cancelAnimationFrame(this.#request);
    clearTimeout(this.#timer);
    this.#painter?.destroy();
  }
}

/** WebGL2 where it is, else a plain canvas; a canvas that failed at one cannot become the other. */
function painter(frame: Frame, withGl: boolean): Painter {
  if (withGl) {
    try {
      return new PeopleGl(frame.peopleCanvas);
    } catch (error) {
      console.warn('map: drawing people without WebGL2:', error);
      const fresh = frame.peopleCanvas.cloneNode() as HTMLCanvasElement;
      frame.peopleCanvas.replaceWith(fresh);
      frame.peopleCanvas = fresh;
    }
  }
  return new People2d(frame.peopleCanvas);
}
