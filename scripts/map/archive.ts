// Reads tiles out of one PMTiles archive on our server, for the ground that MapLibre draws. Loaded only where one is set.
//
// What should be here: the reader's library, and an archive as layers of a style. What should not: the map's own layers.

import type { Bounds, Theme, Token } from './geo.js';

/** Kinds of tiles as the archive's header numbers them. */
const VECTOR = 1;
const PICTURES = [2, 3, 4, 5];

/** What we use of the library. */
interface Reader {
  PMTiles: new (address: string) => Opened;
  Protocol: new () => Protocol;
}
interface Opened {
  getHeader: () => Promise<{ tileType: number; minLon: number; minLat: number; maxLon: number; maxLat: number }>;
  getMetadata: () => Promise<{ vector_layers?: { id: unknown }[] } | null>;
}
interface Protocol {
  add: (archive: Opened) => void;
  tile: unknown;
}

/** What an archive holds, for a style of MapLibre. */
export interface Archive {
  source: Record<string, unknown>;
  vector: boolean;
  layers: string[];
  bounds: Bounds | null;
}

/** A layer of a MapLibre style. */
export interface StyleLayer {
  id: string;
  type: string;
  paint: Record<string, unknown>;
  [more: string]: unknown;
}

let loading: Promise<Reader> | null = null;
let protocol: Protocol | null = null;

/** The library comes as a plain script that leaves one name behind. */
async function load(): Promise<Reader> {
  loading ??= new Promise((done, fail) => {
    const script = document.createElement('script');
    script.src = new URL('/vendor/pmtiles/4.5.0/pmtiles.js', location.href).href;
    script.onload = () => { done((globalThis as unknown as { pmtiles: Reader }).pmtiles); };
    script.onerror = () => { fail(new Error('the reader of tile archives did not load')); };
    document.head.append(script);
  });
  try {
    return await loading;
  } catch (error) {
    loading = null;
    throw error;
  }
}

export async function openArchive(url: string): Promise<Archive> {
  const { PMTiles, Protocol } = await load();
  const address = new URL(url, document.baseURI).href;
  const archive = new PMTiles(address);
  const header = await archive.getHeader();
  const vector = header.tileType === VECTOR;
  if (!vector && !PICTURES.includes(header.tileType)) throw new Error(`${url} holds tiles of an unknown kind (${header.tileType})`);
  const named = vector ? (await archive.getMetadata())?.vector_layers : [];
  protocol ??= new Protocol();
  protocol.add(archive);
  const bounds: Bounds = [header.minLon, header.minLat, header.maxLon, header.maxLat];
  const source = { type: vector ? 'vector' : 'raster', url: `pmtiles://${address}`, ...(vector ? {} : { tileSize: 256 }) };
  return { source, vector, layers: (named ?? []).map((each) => String(each.id)), bounds: bounds[0] < bounds[2] && bounds[1] < bounds[3] ? bounds : null };
}

/** Lets MapLibre ask the archives opened before. */
export function teach(library: { addProtocol: (name: string, tile: unknown) => void }): void {
  library.addProtocol('pmtiles', protocol?.tile);
}

/** Layers of the style: pictures as they are, vector tiles as plain areas and lines. */
export function archiveLayers(archive: Archive): StyleLayer[] {
  if (!archive.vector) return [{ id: 'archive', type: 'raster', source: 'archive', paint: {} }];
  const of = (name: string, type: string) => ({ source: 'archive', 'source-layer': name, filter: ['==', ['geometry-type'], type] });
  const widths = ['interpolate', ['exponential', 2], ['zoom'], 10, 0.6, 17, 6];
  const fills = archive.layers.map((name) => ({ id: `archive-fill-${name}`, type: 'fill', ...of(name, 'Polygon'), paint: {} }));
  const lines = archive.layers.map((name) => ({ id: `archive-line-${name}`, type: 'line', ...of(name, 'LineString'),
    paint: { 'line-opacity': 0.6, 'line-width': widths } }));
  return [...fills, ...lines];
}

/** A colour of a layer: its name, the property, the colour. */
export type Paint = [string, string, string];

/** Their colours. */
export function archivePaints(archive: Archive | null, theme: Theme): Paint[] {
  const water = (name: string): Token => (/water|ocean|river|lake/i.test(name) ? 'bg' : 'panel-2');
  return (archive?.layers ?? []).flatMap((name): Paint[] => [
    [`archive-fill-${name}`, 'fill-color', theme[water(name)]],
    [`archive-line-${name}`, 'line-color', theme['data-3']],
  ]);
}
