// Draws inspectors and their trails on a plain canvas, for desktops without WebGL2: the same marks, one by one.

import { STRIDE, UNIT } from './people.js';

export class People2d {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext('2d');
    this.withTrails = true;
  }

  upload(people, withTrails) { this.withTrails = withTrails; }

  draw(people, view, theme, { unit, staleSeconds }) {
    const { pen, canvas } = this;
    const dpr = canvas.width / view.width;
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.clearRect(0, 0, view.width, view.height);
    if (!people.count) return;
    const now = people.now();
    const size = 9.5 * unit;
    const walking = new Path2D();
    const standing = new Path2D();
    const late = new Path2D();
    const trails = new Path2D();
    for (let slot = 0; slot < people.count; slot += 1) {
      if (!people.data[slot * STRIDE + 8]) continue;
      const [mx, my] = people.where(slot, now);
      const [x, y] = [view.x(mx), view.y(my)];
      if (x < -40 || y < -40 || x > view.width + 40 || y > view.height + 40) continue;
      const heading = people.data[slot * STRIDE + 6];
      if (people.age(slot, now) > staleSeconds) ring(late, x, y, size * 0.58);
      else if (heading < -5) ring(standing, x, y, size * 0.54);
      else drop(walking, x, y, size, heading);
      if (this.withTrails) trail(trails, people, slot, view, x, y);
    }
    pen.lineJoin = 'round';
    pen.globalAlpha = 0.75;
    pen.strokeStyle = theme['data-2'];
    pen.lineWidth = 2.2 * unit;
    pen.stroke(trails);
    pen.globalAlpha = 1;
    pen.strokeStyle = theme['panel-2'];
    pen.lineWidth = size * 0.34;
    pen.fillStyle = theme.data;
    for (const path of [walking, standing]) {
      pen.stroke(path);
      pen.fill(path);
    }
    pen.strokeStyle = theme.stale;
    pen.lineWidth = size * 0.22;
    pen.setLineDash([size * 0.3, size * 0.3]);
    pen.stroke(late);
    pen.setLineDash([]);
  }

  destroy() {}
}

function ring(path, x, y, radius) {
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 2 * Math.PI);
}

/** A drop whose tip shows the way. */
function drop(path, x, y, size, heading) {
  const [ux, uy] = [Math.sin(heading), -Math.cos(heading)];
  const [bx, by] = [x - ux * 0.38 * size, y - uy * 0.38 * size];
  const tip = Math.atan2(uy, ux);
  const open = 1.25;
  path.moveTo(x + ux * size, y + uy * size);
  path.arc(bx, by, size * 0.5, tip + open, tip - open + 2 * Math.PI);
  path.closePath();
}

function trail(path, people, slot, view, x, y) {
  const points = people.trail(slot);
  if (points.length < 2) return;
  for (let i = 0; i < points.length; i += 2) {
    const px = view.x(points[i] / UNIT + people.origin[0]);
    const py = view.y(points[i + 1] / UNIT + people.origin[1]);
    if (i) path.lineTo(px, py);
    else path.moveTo(px, py);
  }
  path.lineTo(x, y);
}
