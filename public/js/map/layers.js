// Reads GeoJSON layers, the schematic's or a city's own, into one ground of kinds that both drawings know, with names,
// places for the names, and bounds. No drawing here.

import { ringHolds } from './geo.js';

/** Kinds that are drawn and named as on the schematic, by the shape they must have. */
const KINDS = { district: 'Polygon', street: 'Polygon', lake: 'Polygon', road: 'LineString' };
/** What everything else is drawn as. */
const PLAIN = { Polygon: 'area', LineString: 'line', Point: 'spot' };
const ROAD_CLASSES = ['trunk', 'main', 'lane'];

/** One ground out of all layers, bottom first. `missing` are addresses that gave nothing to draw. */
export async function readGround(urls) {
  const answers = await Promise.allSettled(urls.map(fetchJson));
  const ground = { type: 'FeatureCollection', features: [] };
  const missing = [];
  let survey = true;
  let stated = null;
  for (const [index, answer] of answers.entries()) {
    const features = answer.status === 'fulfilled' ? read(answer.value) : [];
    if (!features.length) {
      missing.push(urls[index]);
      console.warn('map:', answer.reason ?? `${urls[index]} has no feature in degrees`);
      continue;
    }
    survey &&= answer.value.survey !== false;
    if (urls.length === 1) stated = bboxOf(answer.value.bbox);
    for (const feature of features) ground.features.push(feature);
  }
  return { ground: ground.features.length ? ground : null, survey, missing, bounds: stated ?? boundsOf(ground.features) };
}

async function fetchJson(url) {
  const answer = await fetch(url, { credentials: 'same-origin' });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

function read(layer) {
  const features = layer?.type === 'Feature' ? [layer] : Array.isArray(layer?.features) ? layer.features : [];
  return features.flatMap((feature) => parts(feature?.geometry).map((geometry, part, all) => {
    const properties = describe(feature.properties ?? {}, geometry);
    // Of an area in several parts the largest carries the name.
    const named = geometry.type === 'Polygon' && part === largest(all);
    if (named) properties.label ??= middle(geometry.coordinates[0]);
    else delete properties.label;
    return { type: 'Feature', properties, geometry };
  }));
}

/** The simple shapes of a geometry; those that are not in degrees are left out. */
function parts(geometry) {
  const { type, coordinates, geometries } = geometry ?? {};
  if (type === 'GeometryCollection') return (geometries ?? []).flatMap(parts);
  if (type?.startsWith('Multi')) return (coordinates ?? []).flatMap((each) => parts({ type: type.slice(5), coordinates: each }));
  if (type === 'Polygon') return coordinates?.length && coordinates.every((ring) => isLine(ring, 4)) ? [{ type, coordinates }] : [];
  if (type === 'LineString') return isLine(coordinates, 2) ? [{ type, coordinates }] : [];
  return type === 'Point' && isSpot(coordinates) ? [{ type, coordinates }] : [];
}

const isSpot = (spot) => Array.isArray(spot) && Math.abs(spot[0]) <= 180 && Math.abs(spot[1]) <= 85;
const isLine = (line, least) => Array.isArray(line) && line.length >= least && line.every(isSpot);

function describe(p, { type }) {
  const wanted = p.kind ?? p.level;
  const kind = KINDS[wanted] === type ? wanted : PLAIN[type];
  const zh = word(p.name_zh ?? p.name);
  const en = word(p.name_en);
  const said = { kind, code: word(p.code ?? p.adcode), name_zh: zh, name_en: en, short_zh: word(p.short_zh) || zh, short_en: word(p.short_en) || en || zh };
  if (kind === 'road') said.class = ROAD_CLASSES.includes(p.class) ? p.class : 'lane';
  if (isSpot(p.label)) said.label = p.label;
  return said;
}

const word = (value) => (value === undefined || value === null ? '' : String(value));

function largest(shapes) {
  const sizes = shapes.map((each) => (each.type === 'Polygon' ? Math.abs(centroid(each.coordinates[0]).size) : -1));
  return sizes.indexOf(Math.max(...sizes));
}

/** Twice the area of a ring, with its sign, and its centre of gravity. */
function centroid(ring) {
  // Counted from the first corner: degrees squared are small numbers.
  const [ox, oy] = ring[0];
  let [size, x, y] = [0, 0, 0];
  for (let i = 1; i < ring.length; i += 1) {
    const [ax, ay, bx, by] = [ring[i - 1][0] - ox, ring[i - 1][1] - oy, ring[i][0] - ox, ring[i][1] - oy];
    const cross = ax * by - bx * ay;
    size += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  return size === 0 ? { size, x: ox, y: oy } : { size, x: ox + x / (3 * size), y: oy + y / (3 * size) };
}

/** A place inside a ring: the centre of gravity, or where a bent area is widest beside it. */
function middle(ring) {
  const { x, y } = centroid(ring);
  if (ringHolds(ring, x, y)) return [x, y];
  const crossings = [];
  for (let i = 1; i < ring.length; i += 1) {
    const [[ax, ay], [bx, by]] = [ring[i - 1], ring[i]];
    if (ay > y !== by > y) crossings.push(ax + ((y - ay) / (by - ay)) * (bx - ax));
  }
  crossings.sort((a, b) => a - b);
  let best = [x, x];
  for (let i = 1; i < crossings.length; i += 2) {
    if (crossings[i] - crossings[i - 1] > best[1] - best[0]) best = [crossings[i - 1], crossings[i]];
  }
  return [(best[0] + best[1]) / 2, y];
}

const bboxOf = (bbox) => (Array.isArray(bbox) && bbox.length === 4 && bbox.every(Number.isFinite) ? bbox : null);

/** Bounds of the districts, or of everything where there are none. */
function boundsOf(features) {
  const districts = features.filter((each) => each.properties.kind === 'district');
  const bounds = [180, 90, -180, -90];
  const take = (coordinates) => {
    if (typeof coordinates[0] !== 'number') return coordinates.forEach(take);
    const [lon, lat] = coordinates;
    bounds[0] = Math.min(bounds[0], lon);
    bounds[1] = Math.min(bounds[1], lat);
    bounds[2] = Math.max(bounds[2], lon);
    bounds[3] = Math.max(bounds[3], lat);
  };
  for (const each of districts.length ? districts : features) take(each.geometry.coordinates);
  return bounds[0] < bounds[2] && bounds[1] < bounds[3] ? bounds : null;
}
