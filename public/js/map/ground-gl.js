// The ground drawn by MapLibre: districts, lake, roads, other layers, base map tiles, panning and zooming.
// No people, cases or words here: marks lie on canvases above it, the same for every ground.

import { archiveLayers, archivePaints, teach } from './archive.js';
import { View, latOf, lonOf, mercatorX, mercatorY, roadStops } from './geo.js';

const VENDOR = new URL('/vendor/maplibre/6.17.0/', import.meta.url);
let library;

/** Loads the library and its style sheet once. */
function load() {
  library ??= (async () => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = new URL('maplibre-gl.css', VENDOR).href;
    const styled = new Promise((done) => { link.onload = done; link.onerror = done; });
    document.head.append(link);
    const [module] = await Promise.all([import(new URL('maplibre-gl.mjs', VENDOR).href), styled]);
    return module;
  })();
  library.catch(() => { library = undefined; });
  return library;
}

/** Largest side of a texture, 0 where WebGL2 is missing. */
export function textureSizeMax() {
  try {
    const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: false });
    const size = gl ? gl.getParameter(gl.MAX_TEXTURE_SIZE) : 0;
    gl?.getExtension('WEBGL_lose_context')?.loseContext();
    return size;
  } catch {
    return 0;
  }
}

export class GlGround {
  static async make(el, { view, interactive, theme, ground: shapes, raster, archive, textureMax, onView }) {
    const library = await load();
    if (archive) teach(library);
    const { Map } = library;
    const map = new Map({
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
    map.touchZoomRotate?.disableRotation();
    map.keyboard?.disableRotation?.();
    map.scrollZoom?.setWheelZoomRate?.(1 / 300);
    const ground = new GlGround(map, el, archive);
    map.on('move', () => onView());
    map.on('resize', () => onView());
    map.on('error', (event) => {
      // A set of tiles may have holes.
      if (event.error?.status !== 404) console.warn('map ground:', event.error?.message ?? event);
    });
    await new Promise((done) => { if (map.loaded()) done(); else map.once('load', done); });
    return ground;
  }

  constructor(map, el, archive) {
    this.map = map;
    this.archive = archive;
    this.el = el;
    this.kind = 'gl';
  }

  view() {
    const centre = this.map.getCenter();
    return new View(mercatorX(centre.lng), mercatorY(centre.lat), this.map.getZoom(), this.el.clientWidth, this.el.clientHeight);
  }

  show(view, animate) {
    const camera = { center: [lonOf(view.cx), latOf(view.cy)], zoom: view.zoom };
    const still = !animate || matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (still) this.map.jumpTo(camera);
    else this.map.flyTo({ ...camera, duration: 900, essential: true });
  }

  setTheme(theme) {
    for (const [layer, property, value] of paints(theme, this.archive)) if (this.map.getLayer(layer)) this.map.setPaintProperty(layer, property, value);
    addHatch(this.map, theme);
  }

  /** Hatches the districts whose positions are late. */
  setLate(codes, theme) {
    if (!this.map.getLayer('late')) return;
    addHatch(this.map, theme);
    this.map.setFilter('late', ['all', ['==', ['get', 'kind'], 'district'], ['in', ['get', 'code'], ['literal', codes]]]);
    this.map.setLayoutProperty('late', 'visibility', codes.length ? 'visible' : 'none');
  }

  resize() { this.map.resize(); }

  destroy() { this.map.remove(); }
}

const widths = (kind) => ['interpolate', ['exponential', 2], ['zoom'], ...roadStops(kind).flat()];

/** Colours of the layers, by theme. */
function paints(theme, archive) {
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

function style(theme, shapes, raster, archive) {
  const sources = {};
  const drawn = [{ id: 'background', type: 'background', paint: {} }];
  if (raster) {
    sources.raster = { type: 'raster', tiles: raster.tiles.map(absolute), tileSize: raster.tileSize ?? 256,
      minzoom: raster.minZoom ?? 0, maxzoom: raster.maxZoom ?? 18 };
    drawn.push({ id: 'raster', type: 'raster', source: 'raster', paint: { 'raster-opacity': raster.opacity ?? 1 } });
  }
  if (archive) {
    sources.archive = archive.source;
    drawn.push(...archiveLayers(archive));
  }
  if (shapes) {
    sources.shapes = { type: 'geojson', data: shapes, tolerance: 0.1 };
    drawn.push(...shapeLayers(Boolean(raster ?? archive)));
  }
  const colours = new globalThis.Map(paints(theme, archive).map(([id, property, value]) => [`${id}/${property}`, [id, property, value]]));
  for (const [id, property, value] of colours.values()) {
    const layer = drawn.find((each) => each.id === id);
    if (layer) layer.paint[property] = value;
  }
  return { version: 8, sources, layers: drawn };
}

const absolute = (url) => new URL(url, document.baseURI).href.replaceAll('%7B', '{').replaceAll('%7D', '}');

function shapeLayers(overTiles) {
  const of = (kind) => ['==', ['get', 'kind'], kind];
  const road = (name) => ['all', of('road'), ['==', ['get', 'class'], name]];
  const round = { 'line-join': 'round', 'line-cap': 'round' };
  const line = (id, filter, paint) => ({ id, type: 'line', source: 'shapes', filter, layout: round, paint });
  const areas = overTiles ? 0 : 1;
  return [
    { id: 'lake', type: 'fill', source: 'shapes', filter: of('lake'), paint: { 'fill-opacity': areas } },
    { id: 'district', type: 'fill', source: 'shapes', filter: of('district'), paint: { 'fill-opacity': areas } },
    { id: 'area', type: 'fill', source: 'shapes', filter: of('area'), paint: { 'fill-opacity': 0.35 } },
    line('area-edge', of('area'), { 'line-width': 1.5 }),
    line('line', of('line'), { 'line-width': 1.5 }),
    { id: 'spot', type: 'circle', source: 'shapes', filter: of('spot'), paint: { 'circle-radius': 3 } },
    line('street', of('street'), { 'line-width': 1.5, 'line-opacity': 0.9 }),
    line('lane', road('lane'), { 'line-width': widths('lane'), 'line-opacity': ['interpolate', ['linear'], ['zoom'], 10.2, 0, 11.87, 0.5] }),
    line('main', road('main'), { 'line-width': widths('main'), 'line-opacity': 0.5 }),
    line('trunk', road('trunk'), { 'line-width': widths('trunk'), 'line-opacity': 0.55 }),
    { id: 'late', type: 'fill', source: 'shapes', filter: ['==', ['get', 'kind'], 'none'], layout: { visibility: 'none' },
      paint: { 'fill-pattern': 'hatch' } },
    line('border', of('district'), { 'line-width': widths('border') }),
  ];
}

/** Diagonal stripes, drawn here because a pattern must be an image. */
function addHatch(map, theme) {
  const side = 20;
  const canvas = document.createElement('canvas');
  canvas.width = side;
  canvas.height = side;
  const pen = canvas.getContext('2d');
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
  const { data } = pen.getImageData(0, 0, side, side);
  const image = { width: side, height: side, data };
  if (map.hasImage('hatch')) map.updateImage('hatch', image);
  else map.addImage('hatch', image, { pixelRatio: 1.4 });
}
