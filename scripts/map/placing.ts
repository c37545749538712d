// Brings the placing (`app/src/bin/placing`) to a map: loads it, hands it lists as numbers, keeps what is told before it has
// come.
//
// What should be here: the way to that programme. What should not: an opinion about where anything stands.

import { missed } from '../part.ts';
import type { Feature, Lang, Spot } from './layers.js';

/** The programme's own interface; `app/src/bin/placing` says what each of it means. */
export interface Placing {
  measureAnew: () => void;
  look: (x: number, y: number, zoom: number, width: number, height: number) => void;
  positions: (rows: Int32Array, now: number) => void;
  clearPositions: () => void;
  gather: (now: number) => boolean;
  plan: (now: number) => Float32Array;
  texts: () => string[];
  members: (mark: number) => Uint32Array;
  late: () => Uint32Array;
  perSquare: () => number;
  people: () => Float32Array<ArrayBuffer>;
  trails: () => Float32Array<ArrayBuffer>;
  motion: () => Float64Array;
  personAt: (x: number, y: number, now: number) => number | undefined;
  districtAt: (x: number, y: number) => number | undefined;
  whereIs: (index: number, now: number) => Float64Array;
  sizes: (unit: number, urgentMax: number, perSquare: number, staleSeconds: number) => void;
  ways: (brief: boolean, latin: boolean, grouped: boolean) => void;
  words: (open: string, late: string) => void;
  own: (rects: Float64Array) => void;
  clearGround: () => void;
  area: (kind: string, name: string, lon: number, lat: number, ring: Float64Array) => void;
  road: (name: string, lane: boolean, line: Float64Array) => void;
  cases: (rows: Float64Array) => void;
  counts: (counts: string[]) => void;
  cameras: (rows: Float64Array) => void;
  focus: (lon: number, lat: number, radiusM: number, title: string, note: string) => void;
  clearFocus: () => void;
  named: (indexes: Uint32Array, names: string[]) => void;
  free: () => void;
}

export type Measure = (text: string, style: number) => number;

interface Programme {
  default: (options: { module_or_path: string }) => Promise<unknown>;
  Placing: new (measure: Measure) => Placing;
}

const SCRIPT = '/pkg/placing.js';
const COMPILED = '/pkg/placing_bg.wasm';
/** Between two tries while the server does not answer. */
const AGAIN_MS = 3000;
/** Numbers of a row of positions, the first of which says whose it is. */
const POSITION = 5;

let programme: Promise<Programme> | null = null;
let tries = 0;

/** Loads the programme once for all maps of the page. */
async function load(): Promise<Programme> {
  const url = new URL(SCRIPT, location.href);
  // Some browsers keep a script that once failed to load as failed for the page's life: another address is another script.
  if (tries > 0) url.searchParams.set('again', String(tries));
  tries += 1;
  const module = (await import(url.href)) as Programme;
  await module.default({ module_or_path: COMPILED });
  return module;
}

/** Tries until it is there; `failed` hears of each failure, `gone` says that nobody waits any more. */
export async function placing(measure: Measure, failed: () => void, gone: () => boolean): Promise<Placing | null> {
  for (;;) {
    try {
      programme ??= load();
      const { Placing } = await programme;
      return new Placing(measure);
    } catch (error) {
      programme = null;
      console.warn('map: the placing did not load:', error);
      failed();
      void missed(SCRIPT, false);
      await new Promise((done) => { setTimeout(done, AGAIN_MS); });
      if (gone()) return null;
    }
  }
}

/** What a map has been told, by the name of each list: the newest of each counts, and is told to a placing that comes later. */
export class Told {
  placing: Placing | null = null;
  readonly #lists = new Map<string, (placing: Placing) => void>();
  readonly #waiting = new Map<number, Int32Array>();

  say(name: string, act: (placing: Placing) => void): void {
    if (this.placing !== null) act(this.placing);
    else this.#lists.set(name, act);
  }

  /** Positions: rows of five numbers, the newest of each person. */
  move(rows: Int32Array, now: number): void {
    if (this.placing !== null) {
      this.placing.positions(rows, now);
      return;
    }
    for (let at = 0; at + POSITION <= rows.length; at += POSITION) this.#waiting.set(rows[at] ?? 0, rows.slice(at, at + POSITION));
  }

  forget(): void {
    this.#waiting.clear();
    this.placing?.clearPositions();
  }

  begin(placing: Placing, now: number): void {
    this.placing = placing;
    for (const act of this.#lists.values()) act(placing);
    for (const row of this.#waiting.values()) placing.positions(row, now);
    this.#lists.clear();
    this.#waiting.clear();
  }
}

/** The ground's areas and roads, with their names in the language. */
export function tellGround(placing: Placing, features: Feature[], lang: Lang): void {
  placing.clearGround();
  for (const { properties: p, geometry } of features) {
    if (p.name_zh === '') continue;
    const name = (lang === 'en' ? p.name_en : '') || p.name_zh;
    const short = (lang === 'en' ? p.short_en : p.short_zh) || name;
    if (geometry.type === 'LineString') {
      if (p.kind === 'road') placing.road(name, p.class === 'lane', flat(geometry.coordinates));
    } else if (geometry.type === 'Polygon' && p.label !== undefined) {
      placing.area(p.kind, p.kind === 'district' ? short : name, p.label[0], p.label[1], flat(geometry.coordinates[0] ?? []));
    }
  }
}

function flat(spots: Spot[]): Float64Array {
  return flatRows(spots, ([lon, lat]) => [lon, lat]);
}

/** Lists of objects as rows of numbers. */
export function flatRows<T>(list: T[], row: (each: T) => number[]): Float64Array {
  return Float64Array.from(list.flatMap(row));
}

/** Seconds by the page's clock, which only runs on. */
export function seconds(): number {
  return performance.now() / 1000;
}
