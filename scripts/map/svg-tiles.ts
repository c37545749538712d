// Raster tiles under the SVG ground: the pictures in sight, of the zoom nearest to the screen's pixels.
//
// What should be here: which tiles are in sight. What should not: other parts of the ground.

import type { View } from './geo.js';

const SVG = 'http://www.w3.org/2000/svg';

/** Raster tiles served by us. */
export interface Raster {
  /** `/tiles/{z}/{x}/{y}.png` */
  tiles: string[];
  tileSize?: number;
  minZoom?: number;
  maxZoom?: number;
  opacity?: number;
}

export class SvgTiles {
  readonly el = document.createElementNS(SVG, 'g');
  readonly #template: string;
  readonly #tileSize: number;
  readonly #maxZoom: number;
  readonly #origin: [number, number];
  readonly #detail: number;
  readonly #images = new Map<string, SVGImageElement>();

  /** `origin` and `detail` as the drawing has them: unit square × detail, counted from origin. */
  constructor({ tiles, tileSize = 256, maxZoom = 18 }: Raster, origin: [number, number], detail: number) {
    this.#template = tiles[0] ?? '';
    [this.#tileSize, this.#maxZoom, this.#origin, this.#detail] = [tileSize, maxZoom, origin, detail];
    this.el.setAttribute('class', 'map-tiles');
  }

  show(view: View): void {
    const sharp = view.scale * (globalThis.devicePixelRatio || 1);
    const z = Math.max(0, Math.min(this.#maxZoom, Math.round(Math.log2(sharp / this.#tileSize))));
    const across = 2 ** z;
    const at = (part: number) => Math.max(0, Math.min(across - 1, Math.floor(part * across)));
    const [west, north] = view.at(0, 0);
    const [east, south] = view.at(view.width, view.height);
    const wanted = new Set<string>();
    for (let x = at(west); x <= at(east); x += 1) {
      for (let y = at(north); y <= at(south); y += 1) {
        const key = `${z}/${x}/${y}`;
        wanted.add(key);
        if (!this.#images.has(key)) this.#add(key, z, x, y);
      }
    }
    for (const [key, image] of this.#images) {
      if (wanted.has(key)) continue;
      image.remove();
      this.#images.delete(key);
    }
  }

  #add(key: string, z: number, x: number, y: number): void {
    const side = this.#detail / 2 ** z;
    const image = document.createElementNS(SVG, 'image');
    const [ox, oy] = this.#origin;
    const place = { x: (x / 2 ** z - ox) * this.#detail, y: (y / 2 ** z - oy) * this.#detail, width: side, height: side };
    for (const [name, value] of Object.entries(place)) image.setAttribute(name, String(value));
    image.setAttribute('preserveAspectRatio', 'none');
    image.setAttribute('href', this.#template.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y)));
    // A set with holes: nothing is drawn there.
    image.addEventListener('error', () => { image.remove(); });
    this.#images.set(key, image);
    this.el.append(image);
  }
}
