// Reads tiles out of one PMTiles archive on our server, for the ground that MapLibre draws. Loaded only where one is set.

const SCRIPT = new URL('/vendor/pmtiles/4.5.0/pmtiles.js', import.meta.url);
/** Kinds of tiles as the archive's header numbers them. */
const VECTOR = 1;
const PICTURES = [2, 3, 4, 5];
let loading;
let protocol;

/** The library comes as a plain script that leaves one name behind. */
function load() {
  loading ??= new Promise((done, fail) => {
    const script = document.createElement('script');
    script.src = SCRIPT.href;
    script.onload = () => done(globalThis.pmtiles);
    script.onerror = () => fail(new Error('the reader of tile archives did not load'));
    document.head.append(script);
  });
  loading.catch(() => { loading = undefined; });
  return loading;
}

/** What an archive holds: `{source, vector, layers, bounds}`. */
export async function openArchive(url) {
  const { PMTiles, Protocol } = await load();
  const address = new URL(url, document.baseURI).href;
  const archive = new PMTiles(address);
  const header = await archive.getHeader();
  const vector = header.tileType === VECTOR;
  if (!vector && !PICTURES.includes(header.tileType)) throw new Error(`${url} holds tiles of an unknown kind (${header.tileType})`);
  const layers = vector ? ((await archive.getMetadata())?.vector_layers ?? []).map((each) => String(each.id)) : [];
  protocol ??= new Protocol();
  protocol.add(archive);
  const bounds = [header.minLon, header.minLat, header.maxLon, header.maxLat];
  const source = { type: vector ? 'vector' : 'raster', url: `pmtiles://${address}`, ...(vector ? {} : { tileSize: 256 }) };
  return { source, vector, layers, bounds: bounds[0] < bounds[2] && bounds[1] < bounds[3] ? bounds : null };
}

/** Lets MapLibre ask the archives opened before. */
export function teach(library) {
  library.addProtocol('pmtiles', protocol.tile);
}

/** Layers of the style: pictures as they are, vector tiles as plain areas and lines. */
export function archiveLayers(archive) {
  if (!archive.vector) return [{ id: 'archive', type: 'raster', source: 'archive', paint: {} }];
  const of = (name, type) => ({ source: 'archive', 'source-layer': name, filter: ['==', ['geometry-type'], type] });
  const fills = archive.layers.map((name) => ({ id: `archive-fill-${name}`, type: 'fill', ...of(name, 'Polygon'), paint: {} }));
  const lines = archive.layers.map((name) => ({ id: `archive-line-${name}`, type: 'line', ...of(name, 'LineString'),
    paint: { 'line-opacity': 0.6, 'line-width': ['interpolate', ['exponential', 2], ['zoom'], 10, 0.6, 17, 6] } }));
  return [...fills, ...lines];
}

/** Their colours. */
export function archivePaints(archive, theme) {
  return (archive?.layers ?? []).flatMap((name) => [
    [`archive-fill-${name}`, 'fill-color', /water|ocean|river|lake/i.test(name) ? theme.bg : theme['panel-2']],
    [`archive-line-${name}`, 'line-color', theme['data-3']],
  ]);
}
