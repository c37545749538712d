// Names on the map: districts with their counts, streets, the lake, roads. Words give way to marks, never the other way.

import { latOf, lonOf, ringHolds } from './geo.js';
import { around, placeLabel } from './layout.js';
import { words } from './marks.js';

/** From this zoom on street names are written, from the next on road names. */
const STREETS_FROM = 12.2;
const ROADS_FROM = 13.6;

/** Finds room for names of areas. Returns the drawing of them, to be called when marks are done. */
export function drawDistricts(pen, scene, view, theme, room, u) {
  const drawings = [];
  if (view.zoom < 15) {
    for (const each of scene.areas.districts) {
      const drawing = district(pen, each, scene, view, theme, room, u);
      if (drawing) drawings.push(drawing);
    }
  }
  if (view.zoom >= STREETS_FROM && view.zoom < 15.5) {
    for (const each of scene.areas.streets) {
      const [x, y] = [view.x(each.label[0]), view.y(each.label[1])];
      const name = each.name[scene.lang];
      pen.font = `400 ${22 * u}px ${theme.font}`;
      const rect = around(x, y, pen.measureText(name).width / 2 + 4 * u, 14 * u);
      if (!inside(rect, view) || !room.free(rect)) continue;
      room.take(rect);
      drawings.push(() => words(pen, name, x, y, 'center', `400 ${22 * u}px ${theme.font}`, theme['text-dim'], theme['panel-2'], u));
    }
  }
  if (view.zoom < 15) {
    for (const lake of scene.areas.lakes) drawings.push(() => drawLake(pen, lake, scene, view, theme, room, u));
  }
  return () => drawings.forEach((draw) => draw());
}

function district(pen, each, scene, view, theme, room, u) {
  const title = each.short[scene.lang];
  const count = scene.counts[each.code];
  const number = count?.toLocaleString('en-US') ?? '';
  // On a small wall the number alone: every word there lies on something else.
  const line = number && !scene.brief ? `${scene.words.open} ${number}` : number;
  const late = scene.late.find((other) => other.code === each.code);
  const note = late ? `${scene.words.late} ${late.text ?? ''}`.trim() : '';
  // Long names on a narrow wall are set smaller, so that they need not lie on each other.
  const size = scene.brief && scene.lang !== 'zh' ? 25 : 30;
  pen.font = `700 ${size * u}px ${theme.font}`;
  let width = pen.measureText(title).width;
  pen.font = `400 ${24 * u}px ${theme.font}`;
  width = Math.max(width, pen.measureText(line).width, note ? pen.measureText(note).width + 34 * u : 0);
  const height = (32 + (line ? 30 : 0) + (note ? 31 : 0)) * u;
  const [hx, hy] = [view.x(each.label[0]), view.y(each.label[1])];
  if (hx < -width || hy < -height || hx > view.width + width || hy > view.height + height) return null;
  const holds = (area, x, y) => ringHolds(area.ring, lonOf(view.at(x, y)[0]), latOf(view.at(x, y)[1]));
  // Best inside the district; else over its border towards where no other one is, rather than on a mark.
  const price = (x, y) => {
    const margin = 14 * u;
    if (x < width / 2 + margin || x > view.width - width / 2 - margin || y < height / 2 + margin || y > view.height - height / 2 - margin) return Infinity;
    const corners = [[-0.45, -0.4], [0.45, -0.4], [-0.45, 0.4], [0.45, 0.4]].map(([dx, dy]) => [x + dx * width, y + dy * height]);
    const out = corners.filter(([cx, cy]) => !holds(each, cx, cy));
    if (!out.length) return 0;
    const foreign = out.filter(([cx, cy]) => scene.areas.districts.some((other) => other !== each && holds(other, cx, cy)));
    if (foreign.length > 1 || out.length > 2) return Infinity;
    return (out.length * 50 + foreign.length * 320) * u;
  };
  const spot = placeLabel(room, hx, hy, width / 2 + 4 * u, height / 2 + 2 * u, 10 * u, 170 * u, price);
  // Counted several times: a name rather lies on a mark than on another name.
  for (let times = 0; times < 8; times += 1) room.take(around(spot.x, spot.y, width / 2 + 6 * u, height / 2 + 2 * u));
  const left = spot.x - width / 2;
  const top = spot.y - height / 2;
  return () => {
    words(pen, title, left, top + 16 * u, 'left', `700 ${size * u}px ${theme.font}`, theme['text-hi'], theme['panel-2'], u);
    if (line) words(pen, line, left, top + 47 * u, 'left', `400 ${24 * u}px ${theme.font}`, theme.text, theme['panel-2'], u);
    if (!note) return;
    hatchMark(pen, left + 11 * u, top + 77 * u, 20 * u, theme, u);
    words(pen, note, left + 32 * u, top + 78 * u, 'left', `400 ${24 * u}px ${theme.font}`, theme.stale, theme['panel-2'], u);
  };
}

/** The sign of late data: a hatched square. */
function hatchMark(pen, x, y, side, theme, u) {
  const half = side / 2;
  pen.save();
  pen.beginPath();
  pen.rect(x - half, y - half, side, side);
  pen.fillStyle = theme['panel-2'];
  pen.fill();
  pen.strokeStyle = theme.stale;
  pen.lineWidth = 2 * u;
  pen.stroke();
  pen.clip();
  pen.beginPath();
  for (let shift = -side; shift <= side; shift += 6 * u) {
    pen.moveTo(x - half + shift, y + half);
    pen.lineTo(x + half + shift, y - half);
  }
  pen.stroke();
  pen.restore();
}

function drawLake(pen, lake, scene, view, theme, room, u) {
  pen.save();
  pen.letterSpacing = scene.lang === 'zh' ? `${0.5 * 34 * u}px` : `${2 * u}px`;
  // A long name on a narrow wall is set smaller: it must lie on the water.
  pen.font = `400 ${(scene.brief && scene.lang !== 'zh' ? 24 : 34) * u}px ${theme.font}`;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillStyle = theme['data-2'];
  // It is drawn last and steps aside on its own water.
  const half = pen.measureText(lake.name[scene.lang]).width / 2;
  const wet = (cx, cy) => [-half, half].every((dx) => ringHolds(lake.ring, lonOf(view.at(cx + dx, cy)[0]), latOf(view.at(cx + dx, cy)[1])));
  // The lake may go on below the picture; its foot belongs to the map's own words.
  const onWater = (cx, cy) => (wet(cx, cy) && cy < view.height - 70 * u ? 0 : Infinity);
  const { x, y } = placeLabel(room, view.x(lake.label[0]), view.y(lake.label[1]), half, 20 * u, 12 * u, 180 * u, onWater);
  pen.fillText(lake.name[scene.lang], x, y);
  pen.restore();
}

/** Writes each road's name along its longest straight piece in sight. */
export function drawRoadNames(pen, scene, view, theme, room, u) {
  if (view.zoom < ROADS_FROM) return;
  const font = `400 ${21 * u}px ${theme.font}`;
  for (const road of scene.areas.roads) {
    if (road.class === 'lane' && view.zoom < 15) continue;
    const piece = longest(road.line, view);
    if (!piece) continue;
    const name = road.name[scene.lang];
    pen.font = font;
    const width = pen.measureText(name).width;
    if (piece.length < width + 30 * u) continue;
    let angle = Math.atan2(piece.dy, piece.dx);
    if (angle > Math.PI / 2 + 0.01 || angle <= -Math.PI / 2 + 0.01) angle += Math.PI;
    // A Chinese name on a street that runs up and down stands upright, character under character.
    const upright = scene.lang === 'zh' && Math.abs(Math.abs(angle) - Math.PI / 2) < 0.1;
    for (const part of [0.5, 0.25, 0.75]) {
      const x = piece.x + piece.dx * part;
      const y = piece.y + piece.dy * part;
      const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
      const rect = around(x, y, (width * cos) / 2 + 13 * u, (width * sin) / 2 + 13 * u);
      if (!room.free(rect)) continue;
      room.take(rect);
      pen.save();
      pen.translate(x, y);
      if (upright) [...name].forEach((char, i) => words(pen, char, 0, (i - (name.length - 1) / 2) * 23 * u, 'center', font, theme.text, theme['panel-2'], u * 0.6));
      else {
        pen.rotate(angle);
        words(pen, name, 0, 0, 'center', font, theme.text, theme['panel-2'], u * 0.6);
      }
      pen.restore();
      break;
    }
  }
}

/** The longest straight piece of a line within the view, clipped to it. */
function longest(line, view) {
  let best = null;
  let from = 0;
  const bend = (i) => {
    const [ax, ay, bx, by] = [line[i][0] - line[i - 1][0], line[i][1] - line[i - 1][1], line[i + 1][0] - line[i][0], line[i + 1][1] - line[i][1]];
    return Math.abs(ax * by - ay * bx) > 1e-4 * Math.hypot(ax, ay) * Math.hypot(bx, by) * 20;
  };
  for (let i = 1; i < line.length; i += 1) {
    if (i < line.length - 1 && !bend(i)) continue;
    const piece = clip(view.x(line[from][0]), view.y(line[from][1]), view.x(line[i][0]), view.y(line[i][1]), view);
    if (piece && (!best || piece.length > best.length)) best = piece;
    from = i;
  }
  return best;
}

/** Liang–Barsky: the part of a segment within the view. */
function clip(x0, y0, x1, y1, view) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  let [from, to] = [0, 1];
  for (const [p, q] of [[-dx, x0 - 8], [dx, view.width - 8 - x0], [-dy, y0 - 8], [dy, view.height - 8 - y0]]) {
    if (p === 0 && q < 0) return null;
    if (p < 0) from = Math.max(from, q / p);
    else if (p > 0) to = Math.min(to, q / p);
  }
  if (from >= to) return null;
  const piece = { x: x0 + dx * from, y: y0 + dy * from, dx: dx * (to - from), dy: dy * (to - from) };
  return { ...piece, length: Math.hypot(piece.dx, piece.dy) };
}

const inside = ([l, t, r, b], view) => l > 0 && t > 0 && r < view.width && b < view.height;
