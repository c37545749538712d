// Everyone as the placing last gave them: numbers for the two drawings of people.
//
// What should be here: holding the numbers. What should not: drawing, or what they are (`domain/src/map/people.rs`).

/** Metres per unit of the unit square at the equator. */
export const UNIT = 40075016.686;
/** Numbers per person: from x, y, to x, y, from time, to time, heading, time of the fix, drawn alone. */
export const STRIDE = 9;
/** Numbers per piece of a trail: tail x, y, head from x, y, head to x, y, from time, to time. */
export const SEGMENT = 8;

export class People {
  data = new Float32Array(0);
  segments = new Float32Array(0);
  /** What metres are counted from, in the unit square, and seconds. */
  origin = { x: 0, y: 0 };
  began = 0;
  /** Until when somebody moves, and metres a second of the fastest. */
  busyUntil = 0;
  fastest = 0;

  take(data: Float32Array<ArrayBuffer>, segments: Float32Array<ArrayBuffer>, motion: Float64Array): void {
    const [x = 0, y = 0, began = 0, busyUntil = 0, fastest = 0] = motion;
    Object.assign(this, { data, segments, origin: { x, y }, began, busyUntil, fastest });
  }

  get count(): number { return this.data.length / STRIDE; }

  /** Seconds as the numbers count them. */
  now(): number { return performance.now() / 1000 - this.began; }

  /** How many are drawn alone. */
  single(): number {
    let sum = 0;
    for (let at = STRIDE - 1; at < this.data.length; at += STRIDE) sum += this.data[at] ?? 0;
    return sum;
  }
}

/** Which part of the way from one fix to the next is behind someone. */
export function progress(now: number, from: number, to: number): number {
  return to <= from ? 1 : Math.max(0, Math.min(1, (now - from) / (to - from)));
}
