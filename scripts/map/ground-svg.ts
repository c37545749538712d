// The ground drawn as SVG, for maps that stand still and desktops without WebGL2: the same districts, lake and roads, panning
// and zooming by hand.
//
// What should be here: shapes of the ground. What should not: marks and words; tile archives, which need WebGL2.

import { View, laneOpacity, mercatorX, mercatorY, roadWidth, type RoadKind } from './geo.js';
import type { GroundSettings, GroundView } from './ground.js';
import type { Ground, Shape, Spot } from './layers.js';
import { SvgTiles } from './svg-tiles.js';

const SVG = 'http://www.w3.org/2000/svg';
/** Units of the drawing per unit square: keeps path numbers short and exact to decimetres. */
const DETAIL = 2 ** 24;
const ZOOMS = { least: 7, most: 19 };
let grounds = 0;

export class SvgGround implements GroundView {
  readonly kind = 'svg';
  readonly #el: HTMLElement;
  readonly #svg = node('svg', { class: 'map-svg', 'aria-hidden': 'true' });
  readonly #drawing = node('g', {});
  readonly #hatch: string;
  readonly #pattern: SVGElement;
  readonly #origin: [number, number];
  readonly #tiles: SvgTiles | null;
  readonly #onView: () => void;
  #roads: [RoadKind, SVGElement][] = [];
  #late: [string, SVGElement][] = [];
  #current: View;

  constructor(el: HTMLElement, { view, interactive, ground, raster, onView }: GroundSettings) {
    [this.#el, this.#current, this.#onView] = [el, view, onView];
    this.#origin = [view.cx, view.cy];
    grounds += 1;
    this.#hatch = `map-hatch-${grounds}`;
    this.#pattern = node('pattern', { id: this.#hatch, width: 10, height: 10, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' });
    this.#pattern.append(node('rect', { width: 3, height: 10, class: 'map-hatch' }));
    const defs = node('defs', {});
    defs.append(this.#pattern);
    this.#svg.append(defs, this.#drawing);
    this.#tiles = raster === null ? null : new SvgTiles(raster, this.#origin, DETAIL);
    if (this.#tiles !== null) {
      this.#svg.classList.add('map-over-tiles');
      this.#drawing.append(this.#tiles.el);
    }
    if (ground !== null) this.#draw(ground);
    el.append(this.#svg);
    if (interactive) this.#listen();
    this.#place();
  }

  #draw({ features }: Ground): void {
    const point = ([lon, lat]: Spot) =>
      `${((mercatorX(lon) - this.#origin[0]) * DETAIL).toFixed(1)} ${((mercatorY(lat) - this.#origin[1]) * DETAIL).toFixed(1)}`;
    const path = (line: Spot[]) => `M${line.map(point).join('L')}`;
    const add = (name: string, d: string) => {
      const shape = node('path', { class: `map-${name}`, d, 'vector-effect': 'non-scaling-stroke' });
      this.#drawing.append(shape);
      return shape;
    };
    // Holes are rings of the same path; a line without length is drawn as a dot by its round ends.
    const drawn = (shape: Shape) => {
      if (shape.type === 'Polygon') return shape.coordinates.map((ring) => `${path(ring)}Z`).join('');
      return shape.type === 'LineString' ? path(shape.coordinates) : `M${point(shape.coordinates)}h0`;
    };
    const outline = (shape: Shape) => (shape.type === 'Polygon' ? `${path(shape.coordinates[0] ?? [])}Z` : '');
    const all = (kind: string, d: (shape: Shape) => string) =>
      features.filter((each) => each.properties.kind === kind).map((each) => d(each.geometry)).join('');
    for (const kind of ['lake', 'district']) add(kind, all(kind, outline));
    add('area', all('area', drawn));
    add('street', all('street', outline));
    for (const kind of ['line', 'spot']) add(kind, all(kind, drawn));
    const roads = (name: string) => features.filter((each) => each.properties.kind === 'road' && each.properties.class === name);
    this.#roads = (['lane', 'main', 'trunk'] as const).map((name) => [name, add(name, roads(name).map((each) => drawn(each.geometry)).join(''))]);
    this.#late = features.filter((each) => each.properties.kind === 'district').map((each) => {
      const shape = add('late', outline(each.geometry));
      shape.setAttribute('fill', `url(#${this.#hatch})`);
      shape.setAttribute('visibility', 'hidden');
      return [each.properties.code, shape];
    });
    this.#roads.push(['border', add('border', all('district', outline))]);
  }

  view(): View { return this.#current; }

  show(view: View): void {
    this.#current = view;
    this.#place();
    this.#onView();
  }

  setTheme(): void { /* CSS variables do it. */ }

  setLate(codes: string[]): void {
    for (const [code, shape] of this.#late) shape.setAttribute('visibility', codes.includes(code) ? 'visible' : 'hidden');
  }

  resize(): void {
    const { cx, cy, zoom } = this.#current;
    this.show(new View(cx, cy, zoom, this.#el.clientWidth, this.#el.clientHeight));
  }

  #place(): void {
    const view = this.#current;
    const k = view.scale / DETAIL;
    const [x, y] = [view.x(this.#origin[0]), view.y(this.#origin[1])];
    this.#drawing.setAttribute('transform', `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${k})`);
    this.#tiles?.show(view);
    this.#pattern.setAttribute('patternTransform', `scale(${1 / k}) rotate(45)`);
    for (const [name, shape] of this.#roads) {
      shape.style.strokeWidth = `${roadWidth(name, view.zoom).toFixed(2)}px`;
      if (name === 'lane') shape.style.strokeOpacity = laneOpacity(view.zoom).toFixed(2);
    }
  }

  #listen(): void {
    let drag: { x: number; y: number; view: View } | null = null;
    const local = (event: MouseEvent) => {
      const box = this.#el.getBoundingClientRect();
      return { x: (event.clientX - box.left) * (this.#el.clientWidth / box.width), y: (event.clientY - box.top) * (this.#el.clientHeight / box.height) };
    };
    this.#svg.addEventListener('pointerdown', (event) => {
      drag = { ...local(event), view: this.#current };
      this.#svg.setPointerCapture(event.pointerId);
    });
    this.#svg.addEventListener('pointermove', (event) => {
      if (drag === null) return;
      const { x, y } = local(event);
      const { cx, cy, zoom, width, height, scale } = drag.view;
      this.show(new View(cx - (x - drag.x) / scale, cy - (y - drag.y) / scale, zoom, width, height));
    });
    for (const end of ['pointerup', 'pointercancel']) this.#svg.addEventListener(end, () => { drag = null; });
    this.#svg.addEventListener('wheel', (event) => {
      event.preventDefault();
      const { x, y } = local(event);
      this.#zoomAt(x, y, -event.deltaY / 300);
    }, { passive: false });
    this.#el.addEventListener('keydown', (event) => {
      const steps: Record<string, number> = { '+': 0.5, '=': 0.5, '-': -0.5 };
      const step = steps[event.key];
      if (step !== undefined) this.#zoomAt(this.#el.clientWidth / 2, this.#el.clientHeight / 2, step);
    });
  }

  #zoomAt(x: number, y: number, step: number): void {
    const view = this.#current;
    const zoom = Math.max(ZOOMS.least, Math.min(ZOOMS.most, view.zoom + step));
    const [mx, my] = view.at(x, y);
    const { scale } = new View(0, 0, zoom, view.width, view.height);
    this.show(new View(mx - (x - view.width / 2) / scale, my - (y - view.height / 2) / scale, zoom, view.width, view.height));
  }

  destroy(): void { this.#svg.remove(); }
}

function node<Name extends keyof SVGElementTagNameMap>(name: Name, attributes: Record<string, string | number>): SVGElementTagNameMap[Name] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
