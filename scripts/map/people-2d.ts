// Draws inspectors and their trails on a plain canvas, for desktops without WebGL2: the same marks, one by one.
//
// What should be here: shapes of people. What should not: where anybody is.

import type { Theme, View } from './geo.js';
import { SEGMENT, STRIDE, UNIT, progress, type People } from './people.js';

/** How people are drawn: CSS pixels of a unit, and the age from which a position is out of date. */
export interface Look {
  unit: number;
  staleSeconds: number;
}

/** Draws people on a canvas of its own. */
export interface Painter {
  upload: (people: People) => void;
  draw: (people: People, view: View, theme: Theme, look: Look) => void;
  destroy: () => void;
}

export class People2d implements Painter {
  readonly #canvas: HTMLCanvasElement;
  readonly #pen: CanvasRenderingContext2D;

  constructor(canvas: HTMLCanvasElement) {
    const pen = canvas.getContext('2d');
    if (pen === null) throw new Error('a canvas cannot be drawn on');
    [this.#canvas, this.#pen] = [canvas, pen];
  }

  upload(): void { /* Read at each drawing. */ }

  draw(people: People, view: View, theme: Theme, { unit, staleSeconds }: Look): void {
    const pen = this.#pen;
    const dpr = this.#canvas.width / view.width;
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.clearRect(0, 0, view.width, view.height);
    const now = people.now();
    const at = (x0: number, y0: number, x1: number, y1: number, from: number, to: number): [number, number] => {
      const part = progress(now, from, to);
      return [view.x((x0 + (x1 - x0) * part) / UNIT + people.origin.x), view.y((y0 + (y1 - y0) * part) / UNIT + people.origin.y)];
    };
    const size = 9.5 * unit;
    const [walking, standing, late, trails] = [new Path2D(), new Path2D(), new Path2D(), new Path2D()];
    for (let from = 0; from < people.data.length; from += STRIDE) {
      const [x0 = 0, y0 = 0, x1 = 0, y1 = 0, began = 0, ends = 0, heading = 0, fixed = 0, alone = 0] = people.data.subarray(from, from + STRIDE);
      if (alone === 0) continue;
      const [x, y] = at(x0, y0, x1, y1, began, ends);
      if (x < -40 || y < -40 || x > view.width + 40 || y > view.height + 40) continue;
      if (now - fixed > staleSeconds) ring(late, x, y, size * 0.58);
      else if (heading < -5) ring(standing, x, y, size * 0.54);
      else drop(walking, x, y, size, heading);
    }
    for (let from = 0; from < people.segments.length; from += SEGMENT) {
      const [tx = 0, ty = 0, x0 = 0, y0 = 0, x1 = 0, y1 = 0, began = 0, ends = 0] = people.segments.subarray(from, from + SEGMENT);
      trails.moveTo(...at(tx, ty, tx, ty, 0, 0));
      trails.lineTo(...at(x0, y0, x1, y1, began, ends));
    }
    pen.lineJoin = 'round';
    pen.globalAlpha = 0.75;
    stroke(pen, trails, theme['data-2'], 2.2 * unit);
    pen.globalAlpha = 1;
    pen.fillStyle = theme.data;
    for (const path of [walking, standing]) {
      stroke(pen, path, theme['panel-2'], size * 0.34);
      pen.fill(path);
    }
    pen.setLineDash([size * 0.3, size * 0.3]);
    stroke(pen, late, theme.stale, size * 0.22);
    pen.setLineDash([]);
  }

  destroy(): void { /* The canvas goes with its map. */ }
}

function stroke(pen: CanvasRenderingContext2D, path: Path2D, colour: string, width: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(path);
}

function ring(path: Path2D, x: number, y: number, radius: number): void {
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 2 * Math.PI);
}

/** A drop whose tip shows the way. */
function drop(path: Path2D, x: number, y: number, size: number, heading: number): void {
  const [ux, uy] = [Math.sin(heading), -Math.cos(heading)];
  const [bx, by] = [x - ux * 0.38 * size, y - uy * 0.38 * size];
  const tip = Math.atan2(uy, ux);
  const open = 1.25;
  path.moveTo(x + ux * size, y + uy * size);
  path.arc(bx, by, size * 0.5, tip + open, tip - open + 2 * Math.PI);
  path.closePath();
}
