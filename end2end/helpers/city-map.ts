// A city's own map for tests: two GeoJSON layers, a folder of raster tiles, PMTiles archives, each in a colour of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

/** West, south, east, north of the district that the layer draws; far from the schematic city. */
const DISTRICT = [118.7, 32.0, 118.9, 32.15] as const;
/** Tiles are there down to this zoom. */
export const ZOOM_MAX = 4;

export type Rgb = [number, number, number];
export const TILE_COLOUR: Rgb = [180, 40, 160];
export const ARCHIVE_COLOUR: Rgb = [30, 150, 60];

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A PNG of 256 × 256 pixels in one colour. */
function png(colour: Rgb): Buffer {
  const side = 256;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.concat(Array.from({ length: side }, () => Buffer.from(colour)))]);
  const picture = deflateSync(Buffer.concat(Array.from({ length: side }, () => row)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', picture), chunk('IEND', Buffer.alloc(0))]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

/** A vector tile whose layer `water` fills it. */
function water(): Buffer {
  const part = (field: number, bytes: number[]) => [field * 8 + 2, ...varint(bytes.length), ...bytes];
  const zigzag = (value: number) => varint(value < 0 ? -2 * value - 1 : 2 * value);
  const steps = [[4096, 0], [0, 4096], [-4096, 0]].flatMap((step) => step.flatMap(zigzag));
  const ring = [...varint(9), ...zigzag(0), ...zigzag(0), ...varint(26), ...steps, ...varint(15)];
  const feature = [3 * 8, 3, ...part(4, ring)];
  const layer = [15 * 8, 2, ...part(1, [...Buffer.from('water')]), ...part(2, feature), 5 * 8, ...varint(4096)];
  return Buffer.from(part(3, layer));
}

/** A PMTiles archive, version 3, with the same tile everywhere. `type` as its header numbers it: 1 vector, 2 PNG. */
function pmtiles(tile: Buffer, type: 1 | 2): Buffer {
  const addressed = (4 ** (ZOOM_MAX + 1) - 1) / 3;
  // One entry: from tile 0, so many in a row, so long, at offset 0.
  const root = Buffer.from([1, 0, ...varint(addressed), ...varint(tile.length), 1]);
  const about = Buffer.from(JSON.stringify(type === 1 ? { vector_layers: [{ id: 'water', fields: {} }] } : {}));
  const head = Buffer.alloc(127);
  head.write('PMTiles');
  head[7] = 3;
  const [at_root, at_about] = [127, 127 + root.length];
  const at_tiles = at_about + about.length;
  const sizes = [at_root, root.length, at_about, about.length, at_tiles, 0, at_tiles, tile.length, addressed, 1, 1];
  for (const [index, size] of sizes.entries()) head.writeBigUInt64LE(BigInt(size), 8 + index * 8);
  head.set([1, 1, 1, type, 0, ZOOM_MAX], 96);
  for (const [index, degrees] of [-180, -85, 180, 85].entries()) head.writeInt32LE(degrees * 1e7, 102 + index * 4);
  return Buffer.concat([head, root, about, tile]);
}

/** Files of a map in a folder of their own. */
export class CityMap {
  private readonly folder = mkdtempSync(join(tmpdir(), 'gridhall-map-'));
  readonly districts = this.write('districts.geojson', JSON.stringify(layer([district()])));
  readonly parks = this.write('parks.geojson', JSON.stringify(layer([park()])));
  readonly raster_archive = this.write('raster.pmtiles', pmtiles(png(ARCHIVE_COLOUR), 2));
  readonly vector_archive = this.write('vector.pmtiles', pmtiles(water(), 1));
  readonly tiles = join(this.folder, 'tiles');

  constructor() {
    const picture = png(TILE_COLOUR);
    for (let z = 0; z <= ZOOM_MAX; z += 1) {
      for (let x = 0; x < 2 ** z; x += 1) {
        mkdirSync(join(this.tiles, `${z}/${x}`), { recursive: true });
        for (let y = 0; y < 2 ** z; y += 1) writeFileSync(join(this.tiles, `${z}/${x}/${y}.png`), picture);
      }
    }
  }

  private write(name: string, bytes: string | Buffer): string {
    const path = join(this.folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const layer = (features: unknown[]) => ({ type: 'FeatureCollection', features });

function ring(west: number, south: number, east: number, north: number): number[][] {
  return [[west, south], [east, south], [east, north], [west, north], [west, south]];
}

/** In the words of lists of administrative areas: `level`, `adcode`, `name`. */
function district(): unknown {
  const [west, south, east, north] = DISTRICT;
  const far = ring(east + 0.02, south, east + 0.05, south + 0.03);
  return { type: 'Feature', properties: { level: 'district', adcode: 320102, name: '玄武区' },
    geometry: { type: 'MultiPolygon', coordinates: [[ring(west, south, east, north)], [far]] } };
}

function park(): unknown {
  return { type: 'Feature', properties: { name: '公园' }, geometry: { type: 'Polygon', coordinates: [ring(118.78, 32.05, 118.84, 32.09)] } };
}
