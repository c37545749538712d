// Raster tiles under the SVG ground: the pictures in sight, of the zoom nearest to the screen's pixels.

const SVG = 'http://www.w3.org/2000/svg';

export class SvgTiles {
  /** `origin` and `detail` as the drawing has them: unit square × detail, counted from origin. */
  constructor({ tiles, tileSize = 256, maxZoom = 18 }, origin, detail) {
    Object.assign(this, { template: tiles[0], tileSize, maxZoom, origin, detail });
    this.el = document.createElementNS(SVG, 'g');
    this.el.setAttribute('class', 'map-tiles');
    this.images = new Map();
  }

  show(view) {
    const sharp = view.scale * (globalThis.devicePixelRatio || 1);
    const z = Math.max(0, Math.min(this.maxZoom, Math.round(Math.log2(sharp / this.tileSize))));
    const across = 2 ** z;
    const at = (part) => Math.max(0, Math.min(across - 1, Math.floor(part * across)));
    const [west, north] = view.at(0, 0);
    const [east, south] = view.at(view.width, view.height);
    const wanted = new Set();
    for (let x = at(west); x <= at(east); x += 1) {
      for (let y = at(north); y <= at(south); y += 1) {
        const key = `${z}/${x}/${y}`;
        wanted.add(key);
        if (!this.images.has(key)) this.add(key, z, x, y);
      }
    }
    for (const [key, image] of this.images) {
      if (wanted.has(key)) continue;
      image.remove();
      this.images.delete(key);
    }
  }

  add(key, z, x, y) {
    const side = this.detail / 2 ** z;
    const image = document.createElementNS(SVG, 'image');
    const place = { x: (x / 2 ** z - this.origin[0]) * this.detail, y: (y / 2 ** z - this.origin[1]) * this.detail, width: side, height: side };
    for (const [name, value] of Object.entries(place)) image.setAttribute(name, value);
    image.setAttribute('preserveAspectRatio', 'none');
    image.setAttribute('href', this.template.replace('{z}', z).replace('{x}', x).replace('{y}', y));
    // A set with holes: nothing is drawn there.
    image.addEventListener('error', () => image.remove());
    this.images.set(key, image);
    this.el.append(image);
  }
}
