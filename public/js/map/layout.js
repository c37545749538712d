// Where marks and words find room: groups of people, bundles of cases, labels that lie under nothing. No drawing here.

import { mercatorX, mercatorY } from './geo.js';
import { STRIDE, UNIT } from './people.js';

/** Radius of a group's circle in units of the base size (see `map.js`). */
export const GROUP_RADIUS = 26;
/** People in one field of the map from which on they are shown as a group. */
const GROUP_FROM = 12;
const FIELD = 124;

/** Rectangles already taken, as [left, top, right, bottom]. */
export class Room {
  constructor(reserved = []) { this.taken = reserved.map(([x, y, w, h]) => [x, y, x + w, y + h]); }

  free([l, t, r, b]) { return !this.taken.some((o) => l < o[2] && r > o[0] && t < o[3] && b > o[1]); }

  /** Area in square pixels that would be covered twice. */
  clash([l, t, r, b]) {
    let sum = 0;
    for (const o of this.taken) {
      const w = Math.min(r, o[2]) - Math.max(l, o[0]);
      const h = Math.min(b, o[3]) - Math.max(t, o[1]);
      if (w > 0 && h > 0) sum += w * h;
    }
    return sum;
  }

  take(rect) { this.taken.push(rect); }
}

export const around = (x, y, half, halfHeight = half) => [x - half, y - halfHeight, x + half, y + halfHeight];

/**
 * Gathers people who stand close together into groups and hides them one by one. Fields are fixed to the ground, so a
 * group does not wander while its people walk. Groups and single people add up.
 */
export function group(people, view, unit, staleSeconds, enabled) {
  const fields = new Map();
  if (!people.count) return [];
  const step = (FIELD * unit) / (512 * 2 ** (Math.round(view.zoom * 2) / 2));
  const [ox, oy] = people.origin;
  const now = people.now();
  for (let slot = 0; slot < people.count; slot += 1) {
    const at = slot * STRIDE;
    const x = people.data[at + 2] / UNIT + ox;
    const y = people.data[at + 3] / UNIT + oy;
    people.data[at + 8] = 1;
    if (!enabled) continue;
    const key = `${Math.floor(x / step)}:${Math.floor(y / step)}`;
    let field = fields.get(key);
    if (!field) fields.set(key, field = { slots: [], x: 0, y: 0, late: 0 });
    field.slots.push(slot);
    field.x += x;
    field.y += y;
    if (people.age(slot, now) > staleSeconds) field.late += 1;
  }
  const all = [...fields.values()];
  let groups = all.filter((field) => field.slots.length >= GROUP_FROM).sort((a, b) => b.slots.length - a.slots.length);
  groups = merge(groups, (2 * GROUP_RADIUS + 10) * unit / view.scale);
  absorb(all, groups, people, (GROUP_RADIUS + 8) * unit / view.scale);
  for (const each of groups) for (const slot of each.slots) people.show(slot, false);
  return groups.map(({ x, y, slots, late }) =>
    ({ x: x / slots.length, y: y / slots.length, count: slots.length, late, ids: slots.map((slot) => people.ids[slot]) }));
}

/** Joins groups whose circles would touch, the smaller into the larger. */
function merge(groups, apart) {
  const kept = [];
  for (const each of groups) {
    const n = each.slots.length;
    const near = kept.find((other) => Math.hypot(other.x / other.slots.length - each.x / n, other.y / other.slots.length - each.y / n) < apart);
    if (!near) {
      kept.push(each);
      continue;
    }
    near.slots = near.slots.concat(each.slots);
    near.x += each.x;
    near.y += each.y;
    near.late += each.late;
  }
  return kept;
}

/** Counts single people under a group's circle into the group. */
function absorb(fields, groups, people, radius) {
  const grouped = new Set(groups.flatMap((each) => each.slots));
  const centres = groups.map((each) => [each.x / each.slots.length, each.y / each.slots.length, each]);
  const [ox, oy] = people.origin;
  for (const slot of fields.flatMap((field) => field.slots)) {
    if (grouped.has(slot)) continue;
    const x = people.data[slot * STRIDE + 2] / UNIT + ox;
    const y = people.data[slot * STRIDE + 3] / UNIT + oy;
    const hit = centres.find(([cx, cy]) => Math.hypot(cx - x, cy - y) < radius);
    if (!hit) continue;
    // The circle stays where it is: only the count changes.
    hit[2].slots.push(slot);
    hit[2].x += hit[0];
    hit[2].y += hit[1];
  }
}

/** Sorts cases into those drawn by priority and ordinary ones in bundles of neighbours, `per` each. */
export function bundle(cases, per, priorityMax) {
  const urgent = [];
  const ordinary = new Map();
  for (const each of cases) {
    if (!Number.isFinite(each.lon) || !Number.isFinite(each.lat)) continue;
    const at = { ...each, x: mercatorX(each.lon), y: mercatorY(each.lat) };
    if (each.priority <= Math.min(3, priorityMax)) urgent.push(at);
    else if (ordinary.has(each.area)) ordinary.get(each.area).push(at);
    else ordinary.set(each.area, [at]);
  }
  const bundles = [];
  for (const list of ordinary.values()) {
    list.sort((a, b) => weave(a) - weave(b));
    for (let i = 0; i < list.length; i += per) bundles.push(middle(list.slice(i, i + per)));
  }
  urgent.sort((a, b) => a.priority - b.priority);
  return { urgent, bundles };
}

/** How many ordinary cases one square stands for. */
export function perSquare(count, asked, zoom) {
  if (zoom > 13.5 || count <= 60) return 1;
  return Math.max(asked, Math.ceil(count / 170));
}

/** The case nearest to the middle of its neighbours stands for them, so that the square lies where a case is. */
function middle(list) {
  const x = list.reduce((sum, each) => sum + each.x, 0) / list.length;
  const y = list.reduce((sum, each) => sum + each.y, 0) / list.length;
  const nearest = list.reduce((best, each) => (Math.hypot(each.x - x, each.y - y) < Math.hypot(best.x - x, best.y - y) ? each : best));
  return { x: nearest.x, y: nearest.y, ids: list.map((each) => each.id) };
}

/** Position along a Z-shaped curve over a city-sized square: neighbours on it are neighbours on the ground. */
function weave({ x, y }) {
  const spread = (value) => {
    let bits = Math.floor((value * 2 ** 20) % 65536);
    bits = (bits | bits << 8) & 0x00ff00ff;
    bits = (bits | bits << 4) & 0x0f0f0f0f;
    bits = (bits | bits << 2) & 0x33333333;
    return (bits | bits << 1) & 0x55555555;
  };
  return (spread(x) | spread(y) << 1) >>> 0;
}

/** Puts marks of one priority that would lie on each other together, most urgent first. */
export function spread(urgent, view, sizes) {
  const kept = [];
  for (const each of urgent) {
    const x = view.x(each.x);
    const y = view.y(each.y);
    const size = sizes[each.priority];
    if (x < -size || y < -size || x > view.width + size || y > view.height + size) continue;
    const near = kept.find((other) => Math.hypot(other.px - x, other.py - y) < (size + sizes[other.priority]) * 0.46);
    if (near && near.priority === each.priority) near.ids.push(each.id);
    else if (near) kept.push({ ...aside(each, near, x, y, size, sizes), ids: [each.id] });
    else kept.push({ ...each, px: x, py: y, ids: [each.id] });
  }
  return kept;
}

/** A less urgent mark steps aside of a more urgent one, to the side it already leans to. */
function aside(each, near, x, y, size, sizes) {
  const away = Math.hypot(x - near.px, y - near.py) < 1 ? Math.PI / 4 : Math.atan2(y - near.py, x - near.px);
  const apart = (size + sizes[near.priority]) * 0.5;
  return { ...each, px: near.px + Math.cos(away) * apart, py: near.py + Math.sin(away) * apart };
}

/**
 * The free place for a label nearest to where it belongs. `price` says what it costs to lie there besides the way:
 * nothing, a number, or Infinity where it must not lie.
 */
export function placeLabel(room, x, y, halfWidth, halfHeight, step, reach, price) {
  let best = null;
  for (let ring = 0; ring * step <= reach; ring += 1) {
    const turns = ring === 0 ? 1 : 16;
    for (let turn = 0; turn < turns; turn += 1) {
      const angle = (turn / turns) * 2 * Math.PI;
      const cx = x + Math.cos(angle) * ring * step;
      const cy = y + Math.sin(angle) * ring * step * 0.8;
      const own = price(cx, cy);
      if (ring && !Number.isFinite(own)) continue;
      const extra = Number.isFinite(own) ? own : 0;
      const cost = room.clash(around(cx, cy, halfWidth, halfHeight)) + ring * step * 0.4 + extra;
      if (!best || cost < best.cost) best = { x: cx, y: cy, cost };
    }
    if (best && best.cost <= ring * step * 0.4 + 0.01) break;
  }
  return best;
}
