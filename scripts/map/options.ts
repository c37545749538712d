// What a map is created with, and what it is told: the shapes in which the screen's programme speaks to it.
//
// What should be here: types and what holds when nothing is said. What should not: what is done with them.

import type { Bounds, Padding } from './geo.js';
import type { Framed } from './frame.js';
import type { Raster } from './svg-tiles.js';

export interface Options extends Framed {
  /** GeoJSON, bottom first; `layers.ts` says what is read of it. */
  layers: string[];
  /** Tiles below the layers, and a tile archive; both served by us. */
  raster: Raster | null;
  pmtiles: string | null;
  /** Where the city is, when the layers do not say. */
  bounds: Bounds | null;
  padding: Padding;
  /** People who stand close together are a circle. */
  group: boolean;
  staleSeconds: number;
  /** Ordinary cases under one square, at least. */
  perSquare: number;
  /** Less urgent cases are ordinary squares. */
  priorityMax: number;
  /** Rectangles x, y, width, height in CSS pixels that marks and words keep clear of. */
  reserved: [number, number, number, number][];
  /** `?map=svg` in the page's address wins. */
  backend: 'auto' | 'gl' | 'svg';
  /** Answers with those options that depend on the size; asked at first and whenever it changes. */
  onSize: ((width: number, rem: number) => Partial<Options>) | null;
  /** Told how many ordinary cases a square stands for, whenever that changes. */
  onPerSquare: ((per: number) => void) | null;
}

/** Options as a page says them: each may be left out. */
export type Wanted = Partial<Options>;

export const DEFAULTS: Options = {
  layers: ['/map/schematic.geojson'], raster: null, pmtiles: null, attribution: '', approval: '', bounds: null,
  padding: { top: 16, right: 16, bottom: 16, left: 16 }, interactive: false, group: true, legend: null, scale: true, staleSeconds: 120,
  perSquare: 14, priorityMax: 3, fontPx: 24, reserved: [], backend: 'auto', onClick: null, onSize: null, onPerSquare: null,
};

export interface Case {
  id: number | bigint;
  lon: number;
  lat: number;
  /** 1 (most urgent) to 4. */
  priority: number;
  /** Code of the district it is counted in. */
  area: string | null;
}

/** A camera of the incident. */
export interface Linked {
  code: string;
  number: number;
  lon: number;
  lat: number;
  bearing: number | null;
  view: number | null;
  /** As the player names it; `idle` while nobody watches. */
  state: string;
}

export interface Focus {
  lon: number;
  lat: number;
  radius_m: number;
  title?: string;
  note?: string;
}

/** Someone who matters for the incident. */
export interface Named {
  index: number;
  letter: string;
  name?: string;
}
