// Draws cases, cameras, groups, the incident and all words on one canvas, over any ground. Redrawn when something
// changed, not at each frame; people who walk are drawn by `people-gl.js`.

import { fade } from './geo.js';
import { GROUP_RADIUS, Room, around, placeLabel, spread } from './layout.js';
import { drawDistricts, drawRoadNames } from './words.js';

/** Sizes of the priority marks in units of the base size. */
const SIZES = { 1: 46, 2: 36, 3: 28 };
/** A linked camera is drawn at least this far from the incident, in the direction in which it really stands. */
const LINKED_APART = 66;

export class Marks {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext('2d');
    /** What can be clicked: {kind, id, x, y, reach}, topmost last. */
    this.hits = [];
  }

  draw(scene, view, theme, covered) {
    const { pen } = this;
    const dpr = this.canvas.width / view.width;
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.clearRect(0, 0, view.width, view.height);
    pen.lineJoin = 'round';
    this.hits = [];
    const u = scene.unit;
    // Counted several times: a name rather lies on a mark than on the scale or the note.
    const over = [...scene.reserved, ...covered];
    const room = new Room([...over, ...over, ...over]);
    const sizes = Object.fromEntries(Object.entries(SIZES).map(([level, size]) => [level, size * u]));
    const focus = focusAt(scene.focus, view, u);
    const linked = focus ? linkedAt(scene.linked, focus, view, u) : scene.linked.map((each) => standing(each, view));
    const urgent = spread(scene.urgent, view, sizes);
    // Counted several times: where no place is free, a word rather lies on anything else.
    for (const each of urgent) for (let times = 0; times < 3; times += 1) room.take(around(each.px, each.py, sizes[each.priority] * 0.55));
    for (const each of linked) room.take(around(each.px, each.py, 16 * u));
    if (focus) for (let times = 0; times < 4; times += 1) room.take(around(focus.x, focus.y, 30 * u));
    const named = namedAt(pen, scene, view, theme, u);
    for (const each of named) room.take(each.rect);
    // People lie where they are; names go round them.
    const groups = groupsAt(scene.groups, view, room, u);
    const labels = drawDistricts(pen, scene, view, theme, room, u, true);
    const callout = focus && placeCallout(pen, focus, scene, view, room, theme, u);
    this.squares(scene, view, theme, room, u);
    this.cameras(scene, view, theme, room, u);
    drawRoadNames(pen, scene, view, theme, room, u);
    this.groups(groups, theme, u);
    if (focus) this.ring(focus, theme, u);
    for (const each of linked) this.cone(each, theme, u);
    const [first, rest] = [urgent.filter((each) => each.priority === 1), urgent.filter((each) => each.priority > 1)];
    for (const each of rest.reverse()) this.urgent(each, sizes[each.priority], theme, u);
    for (const each of linked) this.linked(each, theme, u);
    for (const each of first.reverse()) this.urgent(each, sizes[1], theme, u);
    for (const each of urgent) if (each.ids.length > 1) this.times(each, room, sizes[each.priority] / 2, theme, u);
    if (focus?.target) this.target(focus, theme, u);
    this.named(named, theme, u);
    labels();
    if (callout) callout();
  }

  hit(kind, id, x, y, reach) { this.hits.push({ kind, id, x, y, reach }); }

  squares(scene, view, theme, room, u) {
    const { pen } = this;
    pen.strokeStyle = theme['data-2'];
    pen.globalAlpha = 0.85;
    pen.lineWidth = 2 * u;
    const side = 8 * u;
    for (const each of scene.bundles) {
      let [x, y] = [view.x(each.x), view.y(each.y)];
      if (x < 0 || y < 0 || x > view.width || y > view.height) continue;
      const spot = placeLabel(room, x, y, side, side, 7 * u, 21 * u, () => 0);
      if (spot) [x, y] = [spot.x, spot.y];
      room.take(around(x, y, side));
      pen.strokeRect(x - side / 2, y - side / 2, side, side);
      if (each.ids.length > 1) this.hit('cases', each.ids, x, y, 9 * u);
      else this.hit('case', each.ids[0], x, y, 9 * u);
    }
    pen.globalAlpha = 1;
  }

  cameras(scene, view, theme, room, u) {
    const { pen } = this;
    const linked = new Set(scene.linked.map((each) => each.code));
    const near = view.zoom > 14;
    const field = near ? 1 : 96 * u;
    const seen = new Set();
    for (const each of scene.cameras) {
      const [x, y] = [view.x(each.x), view.y(each.y)];
      if (linked.has(each.code) || x < 0 || y < 0 || x > view.width || y > view.height) continue;
      // Far away one camera a field says enough: where cameras are, not how many.
      const key = `${Math.floor(each.x * view.scale / field)}:${Math.floor(each.y * view.scale / field)}`;
      const rect = around(x, y, 13 * u);
      if (seen.has(key) || !room.free(rect)) continue;
      seen.add(key);
      room.take(rect);
      this.camera(each, x, y, theme, u, near);
      this.hit('camera', each.code, x, y, 14 * u);
    }
  }

  camera(each, x, y, theme, u, near) {
    const { pen } = this;
    if (near && each.bearing !== null) wedge(pen, x, y, each.bearing, each.view, 46 * u, fade(theme['text-hi'], 0.07));
    const lost = each.state && each.state !== 'live' && each.state !== 'idle';
    pen.save();
    pen.translate(x, y);
    pen.rotate((((each.bearing ?? 90) - 90) * Math.PI) / 180);
    pen.strokeStyle = lost ? theme.stale : theme['data-2'];
    pen.lineWidth = 2 * u;
    pen.setLineDash(lost ? [3 * u, 3 * u] : []);
    pen.strokeRect(-10 * u, -5.5 * u, 12 * u, 11 * u);
    pen.beginPath();
    pen.moveTo(4.5 * u, 0);
    pen.lineTo(10.5 * u, -5 * u);
    pen.lineTo(10.5 * u, 5 * u);
    pen.closePath();
    pen.stroke();
    pen.restore();
  }

  groups(groups, theme, u) {
    const { pen } = this;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    for (const each of groups) {
      const { px: x, py: y } = each;
      const late = each.late * 2 > each.count;
      const radius = GROUP_RADIUS * u * (each.count > 999 ? 1.25 : 1);
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.fillStyle = theme['panel-2'];
      pen.strokeStyle = late ? theme.stale : theme.data;
      pen.lineWidth = 2.5 * u;
      pen.setLineDash(late ? [5 * u, 5 * u] : []);
      pen.fill();
      pen.stroke();
      pen.setLineDash([]);
      pen.fillStyle = late ? theme.stale : theme['text-hi'];
      pen.font = `400 ${26 * u}px ${theme.font}`;
      pen.fillText(String(each.count), x, y + 1.5 * u);
      this.hit('people', each.ids, x, y, radius);
    }
  }

  urgent(each, size, theme, u) {
    const { pen } = this;
    const { px: x, py: y, priority } = each;
    const half = size / 2;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.beginPath();
    if (priority === 1) triangle(pen, x, y, half);
    else if (priority === 2) diamond(pen, x, y, half);
    else pen.rect(x - half * 0.8, y - half * 0.8, half * 1.6, half * 1.6);
    pen.strokeStyle = theme['panel-2'];
    pen.lineWidth = 7 * u;
    pen.stroke();
    const colour = theme[`p${priority}`];
    pen.fillStyle = priority === 3 ? theme['panel-2'] : colour;
    pen.fill();
    if (priority === 3) {
      pen.strokeStyle = colour;
      pen.lineWidth = 3 * u;
      pen.stroke();
    }
    pen.fillStyle = priority === 3 ? colour : theme.bg;
    pen.font = `700 ${[0, 24, 20, 17][priority] * u}px ${theme.font}`;
    pen.fillText(String(priority), x, y + (priority === 1 ? 8 : 1.2) * u);
    this.hit(each.ids.length > 1 ? 'cases' : 'case', each.ids.length > 1 ? each.ids : each.ids[0], x, y, Math.max(12, half));
  }

  /** How many cases lie under one mark. */
  times({ ids, px, py, priority }, room, half, theme, u) {
    const { pen } = this;
    const text = `×${ids.length}`;
    pen.font = `700 ${24 * u}px ${theme.font}`;
    const width = pen.measureText(text).width;
    // At the corner where it hides least.
    const corners = [[1, -1], [1, 1], [-1, -1], [-1, 1]].map(([side, row]) => {
      const [left, y] = [side > 0 ? px + half * 0.9 : px - half * 0.9 - width, py + row * half * 0.8];
      const rect = [left, y - 11 * u, left + width, y + 11 * u];
      return { x: left, y, rect, cost: room.clash(rect) };
    });
    const { x, y, rect } = corners.reduce((best, each) => (each.cost < best.cost - 20 * u ? each : best));
    room.take(rect);
    pen.textAlign = 'left';
    pen.strokeStyle = theme['panel-2'];
    pen.lineWidth = 6 * u;
    pen.strokeText(text, x, y);
    pen.fillStyle = theme[`p${priority}`];
    pen.fillText(text, x, y);
    pen.textAlign = 'center';
  }

  ring(focus, theme, u) {
    const { pen } = this;
    pen.beginPath();
    pen.arc(focus.x, focus.y, focus.radius, 0, 2 * Math.PI);
    pen.strokeStyle = theme['text-hi'];
    pen.lineWidth = 2.5 * u;
    pen.setLineDash([8 * u, 6 * u]);
    pen.stroke();
    pen.setLineDash([]);
  }

  target({ x, y }, theme, u) {
    const { pen } = this;
    pen.strokeStyle = theme.accent;
    pen.fillStyle = theme.accent;
    pen.lineWidth = 5 * u;
    pen.beginPath();
    pen.arc(x, y, 20 * u, 0, 2 * Math.PI);
    pen.stroke();
    pen.beginPath();
    pen.arc(x, y, 9 * u, 0, 2 * Math.PI);
    pen.fill();
  }

  cone(each, theme, u) {
    if (each.aim === null) return;
    const { pen } = this;
    const reach = 62 * u;
    if (each.state === 'live' || each.state === 'delayed' || each.state === 'idle') {
      wedge(pen, each.px, each.py, each.aim, Math.min(each.view ?? 60, 90), reach, fade(theme['text-hi'], 0.17));
      return;
    }
    wedge(pen, each.px, each.py, each.aim, Math.min(each.view ?? 60, 90), reach, 'transparent');
    pen.strokeStyle = theme.stale;
    pen.lineWidth = 2 * u;
    pen.setLineDash([4 * u, 4 * u]);
    pen.stroke();
    pen.setLineDash([]);
  }

  linked(each, theme, u) {
    const { pen } = this;
    const seen = each.state === 'live' || each.state === 'delayed';
    // Nobody watches it: nothing is known to be wrong.
    const idle = each.state === 'idle';
    const half = 14 * u;
    pen.beginPath();
    pen.roundRect(each.px - half, each.py - half, half * 2, half * 2, 3 * u);
    pen.fillStyle = seen ? theme['text-hi'] : theme.panel;
    pen.fill();
    if (!seen) {
      pen.strokeStyle = idle ? theme.text : theme.stale;
      pen.lineWidth = 2.5 * u;
      pen.setLineDash(idle ? [] : [5 * u, 4 * u]);
      pen.stroke();
      pen.setLineDash([]);
    }
    pen.fillStyle = seen ? theme.bg : idle ? theme['text-hi'] : theme.stale;
    pen.font = `700 ${23 * u}px ${theme.font}`;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.fillText(String(each.number), each.px, each.py + 1.5 * u);
    this.hit('camera', each.code, each.px, each.py, half + 4 * u);
  }

  /** Points from the edge to someone who is beyond it. */
  arrow(x, y, angle, colour, u) {
    const { pen } = this;
    pen.save();
    pen.translate(x, y);
    pen.rotate(angle);
    pen.beginPath();
    pen.moveTo(26 * u, 0);
    pen.lineTo(17 * u, -7 * u);
    pen.lineTo(17 * u, 7 * u);
    pen.closePath();
    pen.fillStyle = colour;
    pen.fill();
    pen.restore();
  }

  /** People who matter for the incident, with letter and name. */
  named(named, theme, u) {
    const { pen } = this;
    for (const each of named) {
      const { px: x, py: y, late } = each;
      if (each.beyond !== null) this.arrow(x, y, each.beyond, late ? theme.stale : theme['text-hi'], u);
      pen.beginPath();
      pen.arc(x, y, 15 * u, 0, 2 * Math.PI);
      pen.fillStyle = late ? theme.panel : theme['text-hi'];
      pen.fill();
      pen.strokeStyle = late ? theme.stale : theme['panel-2'];
      pen.lineWidth = 2.5 * u;
      pen.setLineDash(late ? [5 * u, 4 * u] : []);
      pen.stroke();
      pen.setLineDash([]);
      pen.fillStyle = late ? theme.stale : theme.bg;
      pen.font = `700 ${20 * u}px ${theme.font}`;
      pen.textAlign = 'center';
      pen.textBaseline = 'middle';
      pen.fillText(each.letter, x, y + u);
      if (each.name) words(pen, each.name, each.onLeft ? x - 21 * u : x + 21 * u, y, each.onLeft ? 'right' : 'left', `400 ${22 * u}px ${theme.font}`, late ? theme.stale : theme.text, theme.panel, u);
      this.hit('person', each.index, x, y, 18 * u);
    }
  }
}

/** Text with a margin in the ground's colour, so that no line runs through it. */
export function words(pen, text, x, y, align, font, colour, halo, u) {
  pen.font = font;
  pen.textAlign = align;
  pen.textBaseline = 'middle';
  pen.strokeStyle = halo;
  pen.lineWidth = 6 * u;
  pen.lineJoin = 'round';
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

function triangle(pen, x, y, half) {
  pen.moveTo(x, y - half * 0.92);
  pen.lineTo(x + half * 0.94, y + half * 0.74);
  pen.lineTo(x - half * 0.94, y + half * 0.74);
  pen.closePath();
}

function diamond(pen, x, y, half) {
  pen.moveTo(x, y - half);
  pen.lineTo(x + half, y);
  pen.lineTo(x, y + half);
  pen.lineTo(x - half, y);
  pen.closePath();
}

function wedge(pen, x, y, bearing, width, reach, fill) {
  const aim = ((bearing - 90) * Math.PI) / 180;
  const half = (Math.min(width ?? 60, 330) * Math.PI) / 360;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.arc(x, y, reach, aim - half, aim + half);
  pen.closePath();
  pen.fillStyle = fill;
  pen.fill();
}

/** The incident on the screen; its circle never shrinks to nothing. */
function focusAt(focus, view, u) {
  if (!focus) return null;
  const radius = (focus.radius_m ?? 0) / view.metresPerPixel;
  return { ...focus, x: view.x(focus.x), y: view.y(focus.y), radius: Math.max(radius, 84 * u), real: radius >= 84 * u };
}

/** People who matter, where they are now, with the room that letter and name take. */
function namedAt(pen, scene, view, theme, u) {
  const { people } = scene;
  const now = people.now();
  pen.font = `400 ${22 * u}px ${theme.font}`;
  return scene.named.filter((each) => people.slots.has(each.index)).map((each) => {
    const slot = people.slots.get(each.index);
    const [mx, my] = people.where(slot, now);
    const [x, y] = [view.x(mx), view.y(my)];
    const edge = 30 * u;
    const px = Math.max(edge, Math.min(view.width - edge, x));
    const py = Math.max(edge, Math.min(view.height - edge, y));
    const beyond = px === x && py === y ? null : Math.atan2(y - py, x - px);
    const width = each.name ? pen.measureText(each.name).width + 8 * u : 0;
    const onLeft = px - 17 * u - width > 0;
    const rect = onLeft ? [px - 17 * u - width, py - 17 * u, px + 17 * u, py + 17 * u] : [px - 17 * u, py - 17 * u, px + 17 * u + width, py + 17 * u];
    return { ...each, px, py, beyond, onLeft, rect, late: people.age(slot, now) > scene.staleSeconds };
  });
}

/** Groups step aside of what is urgent, but not far. */
function groupsAt(groups, view, room, u) {
  const radius = (GROUP_RADIUS + 2) * u;
  return groups.map((each) => {
    const [x, y] = [view.x(each.x), view.y(each.y)];
    const spot = placeLabel(room, x, y, radius, radius, 6 * u, 48 * u, () => 0);
    room.take(around(spot.x, spot.y, radius));
    return { ...each, px: spot.x, py: spot.y };
  });
}

const standing = (each, view) => ({ ...each, px: view.x(each.x), py: view.y(each.y), aim: each.bearing });

/** Linked cameras around the incident. Seen from far they stand apart in their true direction and aim at it. */
function linkedAt(linked, focus, view, u) {
  const placed = [];
  for (const each of linked) {
    const [x, y] = [view.x(each.x), view.y(each.y)];
    const away = Math.hypot(x - focus.x, y - focus.y);
    if (away >= LINKED_APART * u) {
      placed.push({ ...each, px: x, py: y, aim: each.bearing });
      continue;
    }
    let angle = away < 0.01 ? -Math.PI / 2 : Math.atan2(y - focus.y, x - focus.x);
    const near = () => placed.find((other) => Math.abs(Math.atan2(Math.sin(angle - other.angle), Math.cos(angle - other.angle))) < 0.8);
    for (let tries = 0; tries < 8 && near(); tries += 1) angle += 0.82;
    const [px, py] = [focus.x + Math.cos(angle) * LINKED_APART * u, focus.y + Math.sin(angle) * LINKED_APART * u];
    placed.push({ ...each, px, py, angle, aim: (angle * 180) / Math.PI + 270 });
  }
  return placed;
}

/** Finds room beside the circle for the incident's title; returns the drawing of it. */
function placeCallout(pen, focus, scene, view, room, theme, u) {
  if (!focus.title) return null;
  pen.font = `700 ${26 * u}px ${theme.font}`;
  let width = pen.measureText(focus.title).width;
  pen.font = `400 ${26 * u}px ${theme.font}`;
  width = Math.max(width, focus.note ? pen.measureText(focus.note).width : 0);
  const height = (focus.note ? 64 : 32) * u;
  let best = null;
  for (const side of [1, -1]) {
    for (const slope of [0.7, 0, -0.7]) {
      for (const arm of [16, 70, 130]) {
        const edge = [focus.x + side * focus.radius * Math.cos(slope), focus.y + focus.radius * Math.sin(slope)];
        const elbow = [edge[0] + side * 16 * u, edge[1] + Math.sign(slope) * 16 * u];
        const end = [elbow[0] + side * arm * u, elbow[1]];
        const left = side > 0 ? end[0] + 12 * u : end[0] - 12 * u - width;
        const rect = [left - 4 * u, end[1] - 22 * u, left + width + 4 * u, end[1] - 22 * u + height];
        const outside = Math.max(0, -rect[0]) + Math.max(0, rect[2] - view.width) + Math.max(0, -rect[1]) + Math.max(0, rect[3] - view.height);
        const cost = room.clash(rect) + outside * 1000 + arm * u;
        if (!best || cost < best.cost) best = { edge, elbow, end, left, rect, cost };
      }
    }
  }
  room.take(best.rect);
  return () => {
    pen.beginPath();
    pen.moveTo(...best.edge);
    pen.lineTo(...best.elbow);
    pen.lineTo(...best.end);
    pen.strokeStyle = theme['text-hi'];
    pen.lineWidth = 2.5 * u;
    pen.stroke();
    words(pen, focus.title, best.left, best.end[1] - 6 * u, 'left', `700 ${26 * u}px ${theme.font}`, theme['text-hi'], theme.panel, u);
    if (focus.note) words(pen, focus.note, best.left, best.end[1] + 26 * u, 'left', `400 ${26 * u}px ${theme.font}`, theme['text-hi'], theme.panel, u);
  };
}
