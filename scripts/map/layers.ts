// Reads GeoJSON layers, the schematic's or a city's own, into one ground of kinds that both drawings know, with names,
// places for the names, and bounds.
//
// What should be here: what a layer may say, and what is made of it. What should not: drawing.

import { ringHolds, type Bounds } from './geo.js';

export type Lang = 'zh' | 'en';
export type Spot = [number, number];

export type Shape =
  | { type: 'Polygon'; coordinates: Spot[][] }
  | { type: 'LineString'; coordinates: Spot[] }
  | { type: 'Point'; coordinates: Spot };

export interface Said {
  /** `district`, `street`, `lake`, `road`; `area`, `line`, `spot` for everything else. */
  kind: string;
  code: string;
  name_zh: string;
  name_en: string;
  short_zh: string;
  short_en: string;
  /** Of a road: `trunk`, `main`, `lane`. */
  class?: string;
  /** Where its name belongs. */
  label?: Spot;
}

export interface Feature {
  type: 'Feature';
  properties: Said;
  geometry: Shape;
}

export interface Ground {
  type: 'FeatureCollection';
  features: Feature[];
}

/** What the layers have; `missing` are addresses that gave nothing to draw. */
export interface Layers {
  ground: Ground | null;
  survey: boolean;
  missing: string[];
  bounds: Bounds | null;
}

/** What comes from a file is not known. */
type Json = Record<string, unknown>;

/** Kinds that are drawn and named as on the schematic, by the shape they must have. */
const KINDS: Record<string, Shape['type']> = { district: 'Polygon', street: 'Polygon', lake: 'Polygon', road: 'LineString' };
/** What everything else is drawn as. */
const PLAIN: Record<Shape['type'], string> = { Polygon: 'area', LineString: 'line', Point: 'spot' };
const ROAD_CLASSES = ['trunk', 'main', 'lane'];

/** One ground out of all layers, bottom first. */
export async function readGround(urls: string[]): Promise<Layers> {
  const answers = await Promise.allSettled(urls.map(fetchJson));
  const features: Feature[] = [];
  const missing: string[] = [];
  let survey = true;
  let stated: Bounds | null = null;
  for (const [index, answer] of answers.entries()) {
    const layer = answer.status === 'fulfilled' ? answer.value : {};
    const drawn = read(layer);
    const url = urls[index] ?? '';
    if (drawn.length === 0) {
      missing.push(url);
      console.warn('map:', answer.status === 'rejected' ? answer.reason : `${url} has no feature in degrees`);
      continue;
    }
    survey &&= layer['survey'] !== false;
    if (urls.length === 1) stated = bboxOf(layer['bbox']);
    for (const feature of drawn) features.push(feature);
  }
  const ground: Ground | null = features.length > 0 ? { type: 'FeatureCollection', features } : null;
  return { ground, survey, missing, bounds: stated ?? boundsOf(features) };
}

async function fetchJson(url: string): Promise<Json> {
  const answer = await fetch(url, { credentials: 'same-origin' });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return json(await answer.json());
}

/** Whatever it is, as an object. */
function json(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function read(layer: Json): Feature[] {
  const features = layer['type'] === 'Feature' ? [layer] : list(layer['features']).map(json);
  return features.flatMap((feature) => parts(json(feature['geometry'])).map((geometry, part, all) => {
    const properties = describe(json(feature['properties']), geometry);
    // Of an area in several parts the largest carries the name.
    if (geometry.type === 'Polygon' && part === largest(all)) properties.label ??= middle(geometry.coordinates[0] ?? []);
    else delete properties.label;
    return { type: 'Feature' as const, properties, geometry };
  }));
}

/** The simple shapes of a geometry; those that are not in degrees are left out. */
function parts({ type, coordinates, geometries }: Json): Shape[] {
  if (type === 'GeometryCollection') return list(geometries).flatMap((each) => parts(json(each)));
  if (typeof type === 'string' && type.startsWith('Multi')) return list(coordinates).flatMap((each) => parts({ type: type.slice(5), coordinates: each }));
  if (type === 'Polygon') {
    const rings = list(coordinates);
    return rings.length > 0 && rings.every((ring) => isLine(ring, 4)) ? [{ type, coordinates: rings as Spot[][] }] : [];
  }
  if (type === 'LineString') return isLine(coordinates, 2) ? [{ type, coordinates: coordinates as Spot[] }] : [];
  return type === 'Point' && isSpot(coordinates) ? [{ type, coordinates }] : [];
}

function isSpot(spot: unknown): spot is Spot {
  const [lon, lat] = list(spot);
  return typeof lon === 'number' && typeof lat === 'number' && Math.abs(lon) <= 180 && Math.abs(lat) <= 85;
}

function isLine(line: unknown, least: number): boolean {
  const spots = list(line);
  return spots.length >= least && spots.every(isSpot);
}

function describe(p: Json, { type }: Shape): Said {
  const wanted = word(p['kind'] ?? p['level']);
  const kind = KINDS[wanted] === type ? wanted : PLAIN[type];
  const [zh, en] = [word(p['name_zh'] ?? p['name']), word(p['name_en'])];
  const short = { short_zh: word(p['short_zh']) || zh, short_en: word(p['short_en']) || en || zh };
  const said: Said = { kind, code: word(p['code'] ?? p['adcode']), name_zh: zh, name_en: en, ...short };
  const rank = word(p['class']);
  if (kind === 'road') said.class = ROAD_CLASSES.includes(rank) ? rank : 'lane';
  if (isSpot(p['label'])) said.label = p['label'];
  return said;
}

function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function largest(shapes: Shape[]): number {
  const sizes = shapes.map((each) => (each.type === 'Polygon' ? Math.abs(centroid(each.coordinates[0] ?? []).size) : -1));
  return sizes.indexOf(Math.max(...sizes));
}

/** Twice the area of a ring, with its sign, and its centre of gravity. */
function centroid(ring: Spot[]): { size: number; x: number; y: number } {
  // Counted from the first corner: degrees squared are small numbers.
  const [ox, oy] = ring[0] ?? [0, 0];
  let [size, x, y] = [0, 0, 0];
  let [ax, ay] = [0, 0];
  for (const [lon, lat] of ring.slice(1)) {
    const [bx, by] = [lon - ox, lat - oy];
    const cross = ax * by - bx * ay;
    size += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
    [ax, ay] = [bx, by];
  }
  return size === 0 ? { size, x: ox, y: oy } : { size, x: ox + x / (3 * size), y: oy + y / (3 * size) };
}

/** A place inside a ring: the centre of gravity, or where a bent area is widest beside it. */
function middle(ring: Spot[]): Spot {
  const { x, y } = centroid(ring);
  if (ringHolds(ring, x, y)) return [x, y];
  const crossings: number[] = [];
  let [ax, ay] = ring[0] ?? [x, y];
  for (const [bx, by] of ring.slice(1)) {
    if (ay > y !== by > y) crossings.push(ax + ((y - ay) / (by - ay)) * (bx - ax));
    [ax, ay] = [bx, by];
  }
  crossings.sort((a, b) => a - b);
  let best: Spot = [x, x];
  for (let i = 1; i < crossings.length; i += 2) {
    const [from, to] = [crossings[i - 1] ?? x, crossings[i] ?? x];
    if (to - from > best[1] - best[0]) best = [from, to];
  }
  return [(best[0] + best[1]) / 2, y];
}

function bboxOf(bbox: unknown): Bounds | null {
  const edges = list(bbox);
  return edges.length === 4 && edges.every(Number.isFinite) ? (edges as Bounds) : null;
}

/** Bounds of the districts, or of everything where there are none. */
function boundsOf(features: Feature[]): Bounds | null {
  const districts = features.filter((each) => each.properties.kind === 'district');
  const spots = (districts.length > 0 ? districts : features).flatMap(({ geometry }) => {
    if (geometry.type === 'Polygon') return geometry.coordinates.flat();
    return geometry.type === 'LineString' ? geometry.coordinates : [geometry.coordinates];
  });
  const bounds: Bounds = [180, 90, -180, -90];
  for (const [lon, lat] of spots) {
    bounds[0] = Math.min(bounds[0], lon);
    bounds[1] = Math.min(bounds[1], lat);
    bounds[2] = Math.max(bounds[2], lon);
    bounds[3] = Math.max(bounds[3], lat);
  }
  return bounds[0] < bounds[2] && bounds[1] < bounds[3] ? bounds : null;
}
