// The ground drawn by MapLibre: districts, lake, roads, other layers, base map tiles, panning and zooming.
//
// What should be here: the library and the style it draws. What should not: people, cases, words: marks lie on canvases
// above it, the same for every ground.

import { archiveLayers, archivePaints, teach, type Archive, type Paint, type StyleLayer } from './archive.js';
import { View, latOf, lonOf, mercatorX, mercatorY, roadStops, type RoadKind, type Theme } from './geo.js';
import type { GroundSettings, GroundView } from './ground.js';
import type { Ground } from './layers.js';
import type { Raster } from './svg-tiles.js';

const VENDOR = '/vendor/maplibre/6.17.0/';
/** The library draws by then, or the ground is drawn without it. */
const LOAD_MS = 20_000;

/** What we use of the library. */
interface Library {
  Map: new (options: Record<string, unknown>) => LibraryMap;
  addProtocol: (name: string, tile: unknown) => void;
}
interface Switch {
  disableRotation?: () => void;
  setWheelZoomRate?: (rate: number) => void;
}
interface LibraryMap {
  touchZoomRotate?: Switch;
  keyboard?: Switch;
  scrollZoom?: Switch;
  on: (name: string, call: (event: { error?: { status?: number; message?: string } }) => void) => void;
  once: (name: string, call: () => void) => void;
  loaded: () => boolean;
  getCenter: () => { lng: number; lat: number };
  getZoom: () => number;
  jumpTo: (camera: object) => void;
  flyTo: (camera: object) => void;
  getLayer: (id: string) => unknown;
  setPaintProperty: (layer: string, property: string, value: string) => void;
  setFilter: (layer: string, filter: unknown[]) => void;
  setLayoutProperty: (layer: string, property: string, value: string) => void;
  hasImage: (id: string) => boolean;
  updateImage: (id: string, image: object) => void;
  addImage: (id: string, image: object, options: object) => void;
  resize: () => void;
  remove: () => void;
}

let library: Promise<Library> | null = null;

/** Loads the library and its style sheet once. */
async function load(): Promise<Library> {
  library ??= (async () => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = `${VENDOR}maplibre-gl.css`;
    const styled = new Promise((done) => { link.onload = done; link.onerror = done; });
    document.head.append(link);
    const [module] = await Promise.all([import(new URL(`${VENDOR}maplibre-gl.mjs`, location.href).href) as Promise<Library>, styled]);
    return module;
  })();
  try {
    return await library;
  } catch (error) {
    library = null;
    throw error;
  }
}

export class GlGround implements GroundView {
  readonly kind = 'gl';
  readonly #map: LibraryMap;
  readonly #el: HTMLElement;
  readonly #archive: Archive | null;

  static async make(el: HTMLElement, { view, interactive, theme, ground: shapes, raster, archive, textureMax, onView }: GroundSettings): Promise<GlGround> {
    const library = await load();
    if (archive !== null) teach(library);
    const map = new library.Map({
      container: el,
      style: style(theme, shapes, raster, archive),
      center: [lonOf(view.cx), latOf(view.cy)],
      zoom: view.zoom,
      minZoom: 7,
      maxZoom: 19,
      interactive,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      rollEnabled: false,
      renderWorldCopies: false,
      fadeDuration: 0,
      localIdeographFontFamily: theme.font,
      // The library's own limit of 4096 would blur a wide wall.
      maxCanvasSize: [textureMax, textureMax],
      validateStyle: false,
    });
    map.touchZoomRotate?.disableRotation?.();
    map.keyboard?.disableRotation?.();
    map.scrollZoom?.setWheelZoomRate?.(1 / 300);
    map.on('move', onView);
    map.on('resize', onView);
    map.on('error', (event) => {
      // A set of tiles may have holes.
      if (event.error?.status !== 404) console.warn('map ground:', event.error?.message ?? event);
    });
    await begun(map);
    return new GlGround(map, el, archive);
  }

  private constructor(map: LibraryMap, el: HTMLElement, archive: Archive | null) {
    [this.#map, this.#el, this.#archive] = [map, el, archive];
  }

  view(): View {
    const centre = this.#map.getCenter();
    return new View(mercatorX(centre.lng), mercatorY(centre.lat), this.#map.getZoom(), this.#el.clientWidth, this.#el.clientHeight);
  }

  show(view: View, animate: boolean): void {
    const camera = { center: [lonOf(view.cx), latOf(view.cy)], zoom: view.zoom };
    if (!animate || matchMedia('(prefers-reduced-motion: reduce)').matches) this.#map.jumpTo(camera);
    else this.#map.flyTo({ ...camera, duration: 900, essential: true });
  }

  setTheme(theme: Theme): void {
    for (const [layer, property, value] of paints(theme, this.#archive)) {
      if (this.#map.getLayer(layer) !== undefined) this.#map.setPaintProperty(layer, property, value);
    }
    addHatch(this.#map, theme);
  }

  setLate(codes: string[], theme: Theme): void {
    if (this.#map.getLayer('late') === undefined) return;
    addHatch(this.#map, theme);
    this.#map.setFilter('late', ['all', ['==', ['get', 'kind'], 'district'], ['in', ['get', 'code'], ['literal', codes]]]);
    this.#map.setLayoutProperty('late', 'visibility', codes.length > 0 ? 'visible' : 'none');
  }

  resize(): void { this.#map.resize(); }

  destroy(): void { this.#map.remove(); }
}

/** When it has begun to draw. Its worker may not load, of which it says nothing. */
function begun(map: LibraryMap): Promise<void> {
  return new Promise((done, fail) => {
    const late = setTimeout(() => {
      map.remove();
      fail(new Error('the library did not begin to draw'));
    }, LOAD_MS);
    const begun = () => {
      clearTimeout(late);
      done();
    };
    if (map.loaded()) begun();
    else map.once('load', begun);
  });
}

function widths(kind: RoadKind): unknown[] {
  return ['interpolate', ['exponential', 2], ['zoom'], ...roadStops(kind).flat()];
}

/** Colours of the layers, by theme. */
function paints(theme: Theme, archive: Archive | null): Paint[] {
  return [
    ['background', 'background-color', theme.panel],
    ['lake', 'fill-color', theme.bg],
    ['district', 'fill-color', theme['panel-2']],
    ['area', 'fill-color', theme['data-3']],
    ['area-edge', 'line-color', theme['data-2']],
    ['line', 'line-color', theme['data-2']],
    ['spot', 'circle-color', theme['data-2']],
    ['street', 'line-color', theme.edge],
    ['lane', 'line-color', theme['data-3']],
    ['main', 'line-color', theme['data-3']],
    ['trunk', 'line-color', theme['data-3']],
    ['border', 'line-color', theme['map-border']],
    ...archivePaints(archive, theme),
  ];
}

function style(theme: Theme, shapes: Ground | null, raster: Raster | null, archive: Archive | null): object {
  const sources: Record<string, unknown> = {};
  const drawn: StyleLayer[] = [{ id: 'background', type: 'background', paint: {} }];
  if (raster !== null) {
    sources['raster'] = { type: 'raster', tiles: raster.tiles.map(absolute), tileSize: raster.tileSize ?? 256,
      minzoom: raster.minZoom ?? 0, maxzoom: raster.maxZoom ?? 18 };
    drawn.push({ id: 'raster', type: 'raster', source: 'raster', paint: { 'raster-opacity': raster.opacity ?? 1 } });
  }
  if (archive !== null) {
    sources['archive'] = archive.source;
    drawn.push(...archiveLayers(archive));
  }
  if (shapes !== null) {
    sources['shapes'] = { type: 'geojson', data: shapes, tolerance: 0.1 };
    drawn.push(...shapeLayers(raster !== null || archive !== null));
  }
  for (const [id, property, value] of paints(theme, archive)) {
    const layer = drawn.find((each) => each.id === id);
    if (layer !== undefined) layer.paint[property] = value;
  }
  return { version: 8, sources, layers: drawn };
}

function absolute(url: string): string {
  return new URL(url, document.baseURI).href.replaceAll('%7B', '{').replaceAll('%7D', '}');
}

function shapeLayers(overTiles: boolean): StyleLayer[] {
  const of = (kind: string) => ['==', ['get', 'kind'], kind];
  const road = (name: string) => ['all', of('road'), ['==', ['get', 'class'], name]];
  const round = { 'line-join': 'round', 'line-cap': 'round' };
  const layer = (id: string, type: string, filter: unknown[], paint: Record<string, unknown>) => ({ id, type, source: 'shapes', filter, paint });
  const line = (id: string, filter: unknown[], paint: Record<string, unknown>) => ({ ...layer(id, 'line', filter, paint), layout: round });
  const areas = { 'fill-opacity': overTiles ? 0 : 1 };
  const lanes = ['interpolate', ['linear'], ['zoom'], 10.2, 0, 11.87, 0.5];
  return [
    layer('lake', 'fill', of('lake'), { ...areas }),
    layer('district', 'fill', of('district'), { ...areas }),
    layer('area', 'fill', of('area'), { 'fill-opacity': 0.35 }),
    line('area-edge', of('area'), { 'line-width': 1.5 }),
    line('line', of('line'), { 'line-width': 1.5 }),
    layer('spot', 'circle', of('spot'), { 'circle-radius': 3 }),
    line('street', of('street'), { 'line-width': 1.5, 'line-opacity': 0.9 }),
    line('lane', road('lane'), { 'line-width': widths('lane'), 'line-opacity': lanes }),
    line('main', road('main'), { 'line-width': widths('main'), 'line-opacity': 0.5 }),
    line('trunk', road('trunk'), { 'line-width': widths('trunk'), 'line-opacity': 0.55 }),
    { ...layer('late', 'fill', ['==', ['get', 'kind'], 'none'], { 'fill-pattern': 'hatch' }), layout: { visibility: 'none' } },
    line('border', of('district'), { 'line-width': widths('border') }),
  ];
}

/** Diagonal stripes, drawn here because a pattern must be an image. */
function addHatch(map: LibraryMap, theme: Theme): void {
  const side = 20;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [side, side];
  const pen = canvas.getContext('2d');
  if (pen === null) return;
  pen.strokeStyle = theme.stale;
  pen.globalAlpha = 0.42;
  pen.lineWidth = 4.2;
  pen.lineCap = 'square';
  for (const shift of [-side, 0, side]) {
    pen.beginPath();
    pen.moveTo(shift, side);
    pen.lineTo(shift + side, 0);
    pen.stroke();
  }
  const image = { width: side, height: side, data: pen.getImageData(0, 0, side, side).data };
  if (map.hasImage('hatch')) map.updateImage('hatch', image);
  else map.addImage('hatch', image, { pixelRatio: 1.4 });
}
