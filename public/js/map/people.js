// Where inspectors are: the newest position of each, moved smoothly from the one before it. Numbers only, no drawing.
//
// The graphics card does the moving (`people-gl.js`), so a frame costs the same for ten people and ten thousand.

import { mercatorX, mercatorY } from './geo.js';

/** Metres per unit of the unit square at the equator: keeps 32-bit numbers exact to centimetres across a city. */
export const UNIT = 40075016.686;
/** Numbers per person in `data`: from x, y, to x, y, from time, to time, heading, time of the fix, shown. */
export const STRIDE = 9;
/** Steps of a trail that are kept. */
const TRAIL = 6;
/** A way taken in one step longer than this is a jump, not a walk. */
const JUMP_M = 3000;
/** Clocks are shifted before 32-bit seconds get coarse. */
const REBASE_S = 4096;

export class People {
  constructor() {
    this.origin = null;
    this.started = performance.now() / 1000;
    this.data = new Float32Array(STRIDE * 256);
    this.trails = new Float32Array(TRAIL * 2 * 256);
    this.trailLength = new Uint8Array(256);
    /** Place in `data` by the index the server gave. */
    this.slots = new Map();
    this.ids = [];
    this.count = 0;
    /** Seconds until which somebody moves. */
    this.busyUntil = 0;
    /** Metres per second of the fastest, lately. */
    this.fastest = 0;
    this.changed = 0;
  }

  now() { return performance.now() / 1000 - this.started; }

  /**
   * Takes rows of five whole numbers: index, longitude and latitude in 1e-5 degrees, heading in degrees (−1 stands
   * still), age of the fix in seconds (−1 has gone). `trailStep_m` is the way between two kept trail points.
   */
  update(rows, trailStepM) {
    if (this.now() > REBASE_S) this.rebase();
    const now = this.now();
    this.fastest *= 0.9;
    for (let i = 0; i + 4 < rows.length; i += 5) {
      if (rows[i + 4] < 0) this.remove(rows[i]);
      else this.place(rows[i], rows[i + 1] / 1e5, rows[i + 2] / 1e5, rows[i + 3], rows[i + 4], now, trailStepM);
    }
    this.changed += 1;
  }

  place(id, lon, lat, heading, age, now, trailStepM) {
    this.origin ??= [mercatorX(lon), mercatorY(lat)];
    const x = (mercatorX(lon) - this.origin[0]) * UNIT;
    const y = (mercatorY(lat) - this.origin[1]) * UNIT;
    let slot = this.slots.get(id);
    const fresh = slot === undefined;
    if (fresh) slot = this.add(id);
    const at = slot * STRIDE;
    const { data } = this;
    const part = fresh ? 1 : progress(now, data[at + 4], data[at + 5]);
    let fromX = fresh ? x : data[at] + (data[at + 2] - data[at]) * part;
    let fromY = fresh ? y : data[at + 1] + (data[at + 3] - data[at + 1]) * part;
    if (Math.hypot(x - fromX, y - fromY) > JUMP_M) {
      [fromX, fromY] = [x, y];
      this.trailLength[slot] = 0;
    }
    // Arrive about when the next fix is due, judged by the wait for this one.
    const wait = fresh ? 0 : Math.max(0.25, Math.min(2.5, (now - data[at + 4]) * 1.1));
    data[at] = fromX;
    data[at + 1] = fromY;
    data[at + 2] = x;
    data[at + 3] = y;
    data[at + 4] = now;
    data[at + 5] = now + wait;
    data[at + 6] = heading < 0 ? -10 : (heading * Math.PI) / 180;
    data[at + 7] = now - age;
    if (fromX !== x || fromY !== y) {
      this.busyUntil = Math.max(this.busyUntil, now + wait);
      this.fastest = Math.max(this.fastest, Math.hypot(x - fromX, y - fromY) / wait);
    }
    this.leave(slot, x, y, trailStepM);
  }

  add(id) {
    if (this.count * STRIDE === this.data.length) this.grow();
    const slot = this.count;
    this.count += 1;
    this.slots.set(id, slot);
    this.ids[slot] = id;
    this.trailLength[slot] = 0;
    this.data[slot * STRIDE + 8] = 1;
    return slot;
  }

  remove(id) {
    const slot = this.slots.get(id);
    if (slot === undefined) return;
    const last = this.count - 1;
    this.data.copyWithin(slot * STRIDE, last * STRIDE, (last + 1) * STRIDE);
    this.trails.copyWithin(slot * TRAIL * 2, last * TRAIL * 2, (last + 1) * TRAIL * 2);
    this.trailLength[slot] = this.trailLength[last];
    this.ids[slot] = this.ids[last];
    this.slots.set(this.ids[slot], slot);
    this.slots.delete(id);
    this.count = last;
    this.ids.length = last;
  }

  clear() {
    this.slots.clear();
    this.ids.length = 0;
    this.count = 0;
    this.changed += 1;
  }

  grow() {
    const wider = (from) => {
      const to = new from.constructor(from.length * 2);
      to.set(from);
      return to;
    };
    this.data = wider(this.data);
    this.trails = wider(this.trails);
    this.trailLength = wider(this.trailLength);
  }

  rebase() {
    const shift = this.now();
    this.started += shift;
    for (let at = 0; at < this.count * STRIDE; at += STRIDE) {
      for (const time of [4, 5, 7]) this.data[at + time] -= shift;
    }
    this.busyUntil -= shift;
  }

  /** Keeps a trail point when the last one is far enough away. */
  leave(slot, x, y, stepM) {
    const base = slot * TRAIL * 2;
    const length = this.trailLength[slot];
    if (length) {
      const last = base + (length - 1) * 2;
      if (Math.hypot(x - this.trails[last], y - this.trails[last + 1]) < stepM) return;
    }
    if (length === TRAIL) this.trails.copyWithin(base, base + 2, base + TRAIL * 2);
    const at = base + Math.min(length, TRAIL - 1) * 2;
    this.trails[at] = x;
    this.trails[at + 1] = y;
    this.trailLength[slot] = Math.min(TRAIL, length + 1);
  }

  /** Trail points of a slot, oldest first, as [x0, y0, x1, y1 …] in metres. */
  trail(slot) {
    return this.trails.subarray(slot * TRAIL * 2, slot * TRAIL * 2 + this.trailLength[slot] * 2);
  }

  /** Unit square position of a slot at a time. */
  where(slot, now) {
    const at = slot * STRIDE;
    const { data } = this;
    const part = progress(now, data[at + 4], data[at + 5]);
    return [
      (data[at] + (data[at + 2] - data[at]) * part) / UNIT + this.origin[0],
      (data[at + 1] + (data[at + 3] - data[at + 1]) * part) / UNIT + this.origin[1],
    ];
  }

  /** Seconds since the fix of a slot was taken. */
  age(slot, now) { return now - this.data[slot * STRIDE + 7]; }

  show(slot, shown) { this.data[slot * STRIDE + 8] = shown ? 1 : 0; }
}

const progress = (now, from, to) => (to <= from ? 1 : Math.max(0, Math.min(1, (now - from) / (to - from))));
