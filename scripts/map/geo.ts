// Web Mercator and colours: the arithmetic that both grounds and all marks are drawn with.
//
// What should be here: projection, colours, widths of roads. What should not: drawing, or where marks and words stand.

/** Circumference of the Web Mercator world in metres. */
const WORLD_M = 40075016.686;
/** Size of the world in CSS pixels at zoom 0, as MapLibre counts it. */
const WORLD_PX = 512;

/** Longitude to the unit square, 0 in the west. */
export const mercatorX = (lon: number): number => (lon + 180) / 360;

/** Latitude to the unit square, 0 in the north. */
export const mercatorY = (lat: number): number => {
  const clamped = Math.max(-85, Math.min(85, lat));
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + (clamped * Math.PI) / 360)) / (2 * Math.PI);
};

export const lonOf = (x: number): number => x * 360 - 180;
export const latOf = (y: number): number => (Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) * 360) / Math.PI - 90;

/** What is seen: centre in the unit square, CSS pixels per unit, size of the element. */
export class View {
  readonly scale: number;
  readonly cx: number;
  readonly cy: number;
  readonly zoom: number;
  readonly width: number;
  readonly height: number;

  constructor(cx: number, cy: number, zoom: number, width: number, height: number) {
    [this.cx, this.cy, this.zoom, this.width, this.height] = [cx, cy, zoom, width, height];
    this.scale = WORLD_PX * 2 ** zoom;
  }

  x(mx: number): number { return (mx - this.cx) * this.scale + this.width / 2; }

  y(my: number): number { return (my - this.cy) * this.scale + this.height / 2; }

  /** Unit square position of a CSS pixel. */
  at(px: number, py: number): [number, number] {
    return [(px - this.width / 2) / this.scale + this.cx, (py - this.height / 2) / this.scale + this.cy];
  }

  /** Metres on the ground per CSS pixel at the centre. */
  get metresPerPixel(): number {
    return (WORLD_M * Math.cos((latOf(this.cy) * Math.PI) / 180)) / this.scale;
  }

  same(other: View | null): boolean {
    return other !== null && this.cx === other.cx && this.cy === other.cy && this.zoom === other.zoom
      && this.width === other.width && this.height === other.height;
  }
}

/** West, south, east, north in degrees. */
export type Bounds = [number, number, number, number];

/** CSS pixels kept free around what is shown. */
export interface Padding {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

/** The view that shows the bounds within the padding. */
export function viewOf([west, south, east, north]: Bounds, padding: Padding, width: number, height: number, zoomMax = 18): View {
  const [x0, x1, y0, y1] = [mercatorX(west), mercatorX(east), mercatorY(north), mercatorY(south)];
  const across = Math.max(8, width - padding.left - padding.right);
  const down = Math.max(8, height - padding.top - padding.bottom);
  const scale = Math.min(across / Math.max(1e-9, x1 - x0), down / Math.max(1e-9, y1 - y0));
  const zoom = Math.min(zoomMax, Math.log2(scale / WORLD_PX));
  const px = WORLD_PX * 2 ** zoom;
  const cx = (x0 + x1) / 2 + (padding.right - padding.left) / 2 / px;
  const cy = (y0 + y1) / 2 + (padding.bottom - padding.top) / 2 / px;
  return new View(cx, cy, zoom, width, height);
}

/** The zoom at which `metres` span `pixels` at a latitude. */
export function zoomFor(metres: number, pixels: number, lat: number): number {
  return Math.log2((WORLD_M * Math.cos((lat * Math.PI) / 180) * pixels) / (metres * WORLD_PX));
}

/** Whether a ring of [lon, lat] holds the point. Even-odd rule. */
export function ringHolds(ring: [number, number][], lon: number, lat: number): boolean {
  let inside = false;
  let [xj, yj] = ring.at(-1) ?? [0, 0];
  for (const [xi, yi] of ring) {
    if (yi > lat !== yj > lat && lon < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) inside = !inside;
    [xj, yj] = [xi, yi];
  }
  return inside;
}

const TOKENS = ['bg', 'panel', 'panel-2', 'edge', 'edge-strong', 'text-hi', 'text', 'text-dim', 'data', 'data-2', 'data-3',
  'accent', 'p1', 'p2', 'p3', 'stale', 'map-border'] as const;

export type Token = (typeof TOKENS)[number];
export type Theme = Record<Token | 'font', string>;

/** Theme tokens as the element's CSS variables state them. */
export function readTheme(el: HTMLElement): Theme {
  const style = getComputedStyle(el);
  const said = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const colours = TOKENS.map((name) => [name, said(name) || '#808080'] as const);
  return { ...(Object.fromEntries(colours) as Record<Token, string>), font: said('font') || style.fontFamily };
}

/** `#rrggbb` as three numbers 0–1. */
export function rgb(hex: string): [number, number, number] {
  const full = hex.length === 4 ? Array.from(hex.slice(1), (c) => c + c).join('') : hex.slice(1, 7);
  const value = Number.parseInt(full, 16);
  return [((value >> 16) & 255) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

/** `#rrggbb` with opacity, as CSS. */
export function fade(hex: string, alpha: number): string {
  return `rgba(${rgb(hex).map((part) => Math.round(part * 255)).join()},${alpha})`;
}

/** Widths of roads in CSS pixels by zoom; one table for both grounds. Between zooms they grow evenly in octaves. */
const ROAD_WIDTHS = {
  trunk: [[9, 2.2], [11, 5], [13, 8], [15, 18], [17, 52]],
  main: [[9, 0.8], [11, 2.2], [13, 5], [15, 12], [17, 36]],
  lane: [[11, 0.35], [12, 0.8], [13, 2], [15, 7], [17, 22]],
  border: [[9, 4], [11, 7], [13, 5], [15, 3], [17, 3]],
} satisfies Record<string, [number, number][]>;

export type RoadKind = keyof typeof ROAD_WIDTHS;

export const roadStops = (kind: RoadKind): [number, number][] => ROAD_WIDTHS[kind];

export function roadWidth(kind: RoadKind, zoom: number): number {
  let [z0, w0] = [-Infinity, 0];
  for (const [z1, w1] of roadStops(kind)) {
    if (zoom <= z1) return z0 === -Infinity ? w1 : w0 * (w1 / w0) ** ((zoom - z0) / (z1 - z0));
    [z0, w0] = [z1, w1];
  }
  return w0;
}

/** Opacity of lanes: they fade in as the map comes near. */
export const laneOpacity = (zoom: number): number => Math.max(0, Math.min(0.5, (zoom - 10.2) * 0.3));
