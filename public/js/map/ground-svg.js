// The ground drawn as SVG, for desktops without WebGL2: the same districts, lake and roads, panning and zooming by hand.
// Raster tiles lie below; a tile archive needs WebGL2 and is not drawn here.

import { View, laneOpacity, mercatorX, mercatorY, roadWidth } from './geo.js';
import { SvgTiles } from './svg-tiles.js';

const SVG = 'http://www.w3.org/2000/svg';
/** Units of the drawing per unit square: keeps path numbers short and exact to decimetres. */
const DETAIL = 2 ** 24;
let grounds = 0;

export class SvgGround {
  static async make(el, options) {
    return new SvgGround(el, options);
  }

  constructor(el, { view, interactive, ground, raster, onView }) {
    this.kind = 'svg';
    this.el = el;
    this.current = view;
    this.onView = onView;
    this.svg = node('svg', { class: 'map-svg', 'aria-hidden': 'true' });
    this.origin = [view.cx, view.cy];
    this.hatchId = `map-hatch-${grounds += 1}`;
    this.drawing = node('g', {});
    this.svg.append(this.hatch(), this.drawing);
    if (raster) {
      this.tiles = new SvgTiles(raster, this.origin, DETAIL);
      this.svg.classList.add('map-over-tiles');
      this.drawing.append(this.tiles.el);
    }
    if (ground) this.draw(ground);
    el.append(this.svg);
    if (interactive) this.listen();
    this.place();
  }

  hatch() {
    const defs = node('defs', {});
    const pattern = node('pattern', { id: this.hatchId, width: 10, height: 10, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' });
    pattern.append(node('rect', { width: 3, height: 10, class: 'map-hatch' }));
    this.pattern = pattern;
    defs.append(pattern);
    return defs;
  }

  draw(ground) {
    const point = ([lon, lat]) =>
      `${((mercatorX(lon) - this.origin[0]) * DETAIL).toFixed(1)} ${((mercatorY(lat) - this.origin[1]) * DETAIL).toFixed(1)}`;
    const path = (line) => `M${line.map(point).join('L')}`;
    const { features } = ground;
    const rings = (kind) => features.filter((each) => each.properties.kind === kind);
    const roads = (name) => features.filter((each) => each.properties.kind === 'road' && each.properties.class === name);
    const add = (name, d) => {
      const shape = node('path', { class: `map-${name}`, d, 'vector-effect': 'non-scaling-stroke' });
      this.drawing.append(shape);
      return shape;
    };
    const outlines = (kind) => rings(kind).map((each) => path(each.geometry.coordinates[0]) + 'Z').join('');
    add('lake', outlines('lake'));
    add('district', outlines('district'));
    const shapes = (kind, d) => rings(kind).map((each) => d(each.geometry.coordinates)).join('');
    // Holes are rings of the same path.
    add('area', shapes('area', (all) => all.map((ring) => path(ring) + 'Z').join('')));
    add('street', outlines('street'));
    add('line', shapes('line', path));
    // A line without length is drawn as a dot by its round ends.
    add('spot', shapes('spot', (spot) => `M${point(spot)}h0`));
    this.roads = ['lane', 'main', 'trunk'].map((name) =>
      [name, add(name, roads(name).map((each) => path(each.geometry.coordinates)).join(''))]);
    this.late = rings('district').map((each) => {
      const shape = add('late', path(each.geometry.coordinates[0]) + 'Z');
      shape.setAttribute('fill', `url(#${this.hatchId})`);
      shape.setAttribute('visibility', 'hidden');
      return [each.properties.code, shape];
    });
    this.roads.push(['border', add('border', outlines('district'))]);
  }

  view() { return this.current; }

  show(view) {
    this.current = view;
    this.place();
    this.onView();
  }

  setTheme() { /* CSS variables do it. */ }

  setLate(codes) {
    for (const [code, shape] of this.late ?? []) shape.setAttribute('visibility', codes.includes(code) ? 'visible' : 'hidden');
  }

  resize() {
    const { cx, cy, zoom } = this.current;
    this.show(new View(cx, cy, zoom, this.el.clientWidth, this.el.clientHeight));
  }

  place() {
    const view = this.current;
    const k = view.scale / DETAIL;
    const x = view.x(this.origin[0]);
    const y = view.y(this.origin[1]);
    this.drawing.setAttribute('transform', `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${k})`);
    this.tiles?.show(view);
    this.pattern.setAttribute('patternTransform', `scale(${1 / k}) rotate(45)`);
    for (const [name, shape] of this.roads ?? []) {
      shape.style.strokeWidth = `${roadWidth(name, view.zoom).toFixed(2)}px`;
      if (name === 'lane') shape.style.strokeOpacity = laneOpacity(view.zoom).toFixed(2);
    }
  }

  listen() {
    let drag = null;
    const local = (event) => {
      const box = this.el.getBoundingClientRect();
      return [(event.clientX - box.left) * (this.el.clientWidth / box.width), (event.clientY - box.top) * (this.el.clientHeight / box.height)];
    };
    this.svg.addEventListener('pointerdown', (event) => {
      drag = { from: local(event), view: this.current };
      this.svg.setPointerCapture(event.pointerId);
    });
    this.svg.addEventListener('pointermove', (event) => {
      if (!drag) return;
      const [x, y] = local(event);
      const { cx, cy, zoom, width, height, scale } = drag.view;
      this.show(new View(cx - (x - drag.from[0]) / scale, cy - (y - drag.from[1]) / scale, zoom, width, height));
    });
    for (const end of ['pointerup', 'pointercancel']) this.svg.addEventListener(end, () => { drag = null; });
    this.svg.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoomAt(local(event), -event.deltaY / 300);
    }, { passive: false });
    this.el.addEventListener('keydown', (event) => {
      const step = { '+': 0.5, '=': 0.5, '-': -0.5 }[event.key];
      if (step) this.zoomAt([this.el.clientWidth / 2, this.el.clientHeight / 2], step);
    });
  }

  zoomAt([x, y], step) {
    const view = this.current;
    const zoom = Math.max(7, Math.min(19, view.zoom + step));
    const [mx, my] = view.at(x, y);
    const next = new View(0, 0, zoom, view.width, view.height);
    this.show(new View(mx - (x - view.width / 2) / next.scale, my - (y - view.height / 2) / next.scale, zoom, view.width, view.height));
  }

  destroy() { this.svg.remove(); }
}

function node(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
