// Web Mercator and colours: the arithmetic that both grounds and all marks share. No drawing here.

/** Circumference of the Web Mercator world in metres. */
const WORLD_M = 40075016.686;
/** Size of the world in CSS pixels at zoom 0, as MapLibre counts it. */
const WORLD_PX = 512;

/** Longitude to the unit square, 0 in the west. */
export const mercatorX = (lon) => (lon + 180) / 360;

/** Latitude to the unit square, 0 in the north. */
export const mercatorY = (lat) => {
  const clamped = Math.max(-85, Math.min(85, lat));
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + (clamped * Math.PI) / 360)) / (2 * Math.PI);
};

export const lonOf = (x) => x * 360 - 180;
export const latOf = (y) => (Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) * 360) / Math.PI - 90;

/** What is seen: centre in the unit square, CSS pixels per unit, size of the element. */
export class View {
  constructor(cx, cy, zoom, width, height) {
    Object.assign(this, { cx, cy, zoom, width, height, scale: WORLD_PX * 2 ** zoom });
  }

  x(mx) { return (mx - this.cx) * this.scale + this.width / 2; }

  y(my) { return (my - this.cy) * this.scale + this.height / 2; }

  /** Unit square position of a CSS pixel. */
  at(px, py) {
    return [(px - this.width / 2) / this.scale + this.cx, (py - this.height / 2) / this.scale + this.cy];
  }

  /** Metres on the ground per CSS pixel at the centre. */
  get metresPerPixel() {
    return (WORLD_M * Math.cos((latOf(this.cy) * Math.PI) / 180)) / this.scale;
  }

  same(other) {
    return other && this.cx === other.cx && this.cy === other.cy && this.zoom === other.zoom
      && this.width === other.width && this.height === other.height;
  }
}

/** The view that shows [west, south, east, north] within the padding {top, right, bottom, left}. */
export function viewOf([west, south, east, north], padding, width, height, zoomMax = 18) {
  const [x0, x1, y0, y1] = [mercatorX(west), mercatorX(east), mercatorY(north), mercatorY(south)];
  const room = [Math.max(8, width - padding.left - padding.right), Math.max(8, height - padding.top - padding.bottom)];
  const scale = Math.min(room[0] / Math.max(1e-9, x1 - x0), room[1] / Math.max(1e-9, y1 - y0));
  const zoom = Math.min(zoomMax, Math.log2(scale / WORLD_PX));
  const px = WORLD_PX * 2 ** zoom;
  const cx = (x0 + x1) / 2 + (padding.right - padding.left) / 2 / px;
  const cy = (y0 + y1) / 2 + (padding.bottom - padding.top) / 2 / px;
  return new View(cx, cy, zoom, width, height);
}

/** The zoom at which `metres` span `pixels` at a latitude. */
export function zoomFor(metres, pixels, lat) {
  return Math.log2((WORLD_M * Math.cos((lat * Math.PI) / 180) * pixels) / (metres * WORLD_PX));
}

/** Whether a ring of [lon, lat] holds the point. Even-odd rule. */
export function ringHolds(ring, lon, lat) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [xi, yi] = ring[i];
    const [xj, yj] = ring[j];
    if (yi > lat !== yj > lat && lon < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

const TOKENS = ['bg', 'panel', 'panel-2', 'edge', 'edge-strong', 'text-hi', 'text', 'text-dim', 'data', 'data-2', 'data-3',
  'accent', 'p1', 'p2', 'p3', 'stale', 'map-border'];

/** Theme tokens as the element's CSS variables state them. */
export function readTheme(el) {
  const style = getComputedStyle(el);
  const theme = Object.fromEntries(TOKENS.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || '#808080']));
  theme.font = style.getPropertyValue('--font').trim() || style.fontFamily;
  return theme;
}

/** `#rrggbb` as three numbers 0–1. */
export function rgb(hex) {
  const full = hex.length === 4 ? [...hex.slice(1)].map((c) => c + c).join('') : hex.slice(1, 7);
  const value = Number.parseInt(full, 16);
  return [(value >> 16 & 255) / 255, (value >> 8 & 255) / 255, (value & 255) / 255];
}

/** `#rrggbb` with opacity, as CSS. */
export function fade(hex, alpha) {
  const [r, g, b] = rgb(hex).map((part) => Math.round(part * 255));
  return `rgba(${r},${g},${b},${alpha})`;
}

/** Widths of roads in CSS pixels by zoom; one table for both grounds. Between zooms they grow evenly in octaves. */
const ROAD_WIDTHS = {
  trunk: [[9, 2.2], [11, 5], [13, 8], [15, 18], [17, 52]],
  main: [[9, 0.8], [11, 2.2], [13, 5], [15, 12], [17, 36]],
  lane: [[11, 0.35], [12, 0.8], [13, 2], [15, 7], [17, 22]],
  border: [[9, 4], [11, 7], [13, 5], [15, 3], [17, 3]],
};

export const roadStops = (kind) => ROAD_WIDTHS[kind];

export function roadWidth(kind, zoom) {
  const stops = ROAD_WIDTHS[kind];
  if (zoom <= stops[0][0]) return stops[0][1];
  for (let i = 1; i < stops.length; i += 1) {
    const [z1, w1] = stops[i];
    const [z0, w0] = stops[i - 1];
    if (zoom <= z1) return w0 * (w1 / w0) ** ((zoom - z0) / (z1 - z0));
  }
  return stops[stops.length - 1][1];
}

/** Opacity of lanes: they fade in as the map comes near. */
export const laneOpacity = (zoom) => Math.max(0, Math.min(0.5, (zoom - 10.2) * 0.3));
