// Real H.264 for the player's tests: made by the ffmpeg command line, cut into access units, MSE fragments and stills.
// Each picture carries its number as black and white squares, so that a test can read which picture is on the page.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const FPS = 25;
export const GOP = 50;
export const FRAMES = 250;
const BITS = 8;

interface AccessUnit {
  key: boolean;
  /** NAL units, each behind its length in four bytes. */
  data: Buffer;
}

/** A loop of `FRAMES` pictures in the forms the protocol carries. */
export interface Stream {
  width: number;
  height: number;
  codec: string;
  /** The decoder configuration record (avcC). */
  record: Buffer;
  frames: AccessUnit[];
  init: Buffer;
  fragments: Buffer[];
  /** One JPEG a second. */
  stills: Buffer[];
}

export function makeStream({ width, height, hue = 0 }: { width: number; height: number; hue?: number }): Stream {
  const folder = mkdtempSync(join(tmpdir(), 'gridhall-player-'));
  try {
    const strip = Math.round(height / 12) * 2;
    const cell = width / (2 * BITS);
    // Bits 0 to 7 of the picture's number, then their complements: a picture that is not ours reads as no number.
    const bit = `mod(floor(N/pow(2,mod(floor(X/${cell}),${BITS}))),2)`;
    const shade = `if(lt(X,${width / 2}),${bit},1-${bit})`;
    const graph = [
      `color=black:s=${width}x${strip}:r=${FPS},format=yuv420p,geq=lum='16+219*(${shade})':cb=128:cr=128[n]`,
      `testsrc2=s=${width}x${height - strip}:r=${FPS},hue=h=${hue},format=yuv420p[p]`,
      `[n][p]vstack,format=yuv420p`,
    ].join(';');
    const x264 = [
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-tune',
      'zerolatency',
      '-g',
      `${GOP}`,
      '-x264-params',
      'aud=1:scenecut=0:sliced-threads=0',
    ];
    const annexB = join(folder, 'a.h264');
    ffmpeg(['-f', 'lavfi', '-i', graph, '-frames:v', `${FRAMES}`, ...x264, annexB]);
    ffmpeg([
      '-r',
      `${FPS}`,
      '-i',
      annexB,
      '-c',
      'copy',
      '-movflags',
      'frag_every_frame+empty_moov+default_base_moof',
      join(folder, 'a.mp4'),
    ]);
    ffmpeg(['-i', annexB, '-vf', `select=not(mod(n\\,${FPS}))`, '-vsync', '0', '-q:v', '5', join(folder, 's%03d.jpg')]);
    const stills = readdirSync(folder)
      .filter((name) => name.endsWith('.jpg'))
      .sort();
    const units = accessUnits(readFileSync(annexB));
    const { init, fragments } = fragmentsOf(readFileSync(join(folder, 'a.mp4')));
    if (units.frames.length !== FRAMES || fragments.length !== FRAMES) {
      throw new Error(`cut ${units.frames.length} access units and ${fragments.length} fragments, expected ${FRAMES}`);
    }
    return { width, height, ...units, init, fragments, stills: stills.map((name) => readFileSync(join(folder, name))) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The number in a picture from the brightness of its sixteen squares, or null when it carries none. */
export function readNumber(squares: number[]): number | null {
  const lit = squares.map((brightness) => brightness > 128);
  let number = 0;
  for (let i = 0; i < BITS; i += 1) {
    if (lit[i] === lit[BITS + i]) return null;
    if (lit[i]) number += 2 ** i;
  }
  return number;
}

function ffmpeg(args: string[]): void {
  execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function accessUnits(bytes: Buffer): Pick<Stream, 'codec' | 'record' | 'frames'> {
  const frames: { parts: Buffer[]; key: boolean }[] = [];
  let sps: Buffer | null = null;
  let pps: Buffer | null = null;
  for (const nal of nals(bytes)) {
    const type = nal.readUInt8(0) & 31;
    const current = frames.at(-1);
    if (type === 9) frames.push({ parts: [], key: false });
    else if (type === 7) sps = nal;
    else if (type === 8) pps = nal;
    else if (current !== undefined) {
      current.key ||= type === 5;
      const length = Buffer.alloc(4);
      length.writeUInt32BE(nal.length);
      current.parts.push(length, nal);
    }
  }
  if (sps === null || pps === null) throw new Error('no parameter sets in the stream');
  const record = Buffer.concat([
    Buffer.from([1]),
    sps.subarray(1, 4),
    Buffer.from([0xff, 0xe1, sps.length >> 8, sps.length & 255]),
    sps,
    Buffer.from([1, pps.length >> 8, pps.length & 255]),
    pps,
  ]);
  const codec = `avc1.${sps.toString('hex', 1, 4)}`;
  return { codec, record, frames: frames.map(({ parts, key }) => ({ key, data: Buffer.concat(parts) })) };
}

function* nals(bytes: Buffer): Generator<Buffer> {
  let start = -1;
  for (let i = 0; i + 2 < bytes.length; i += 1) {
    if (bytes[i] !== 0 || bytes[i + 1] !== 0 || bytes[i + 2] !== 1) continue;
    if (start >= 0) yield trimmed(bytes.subarray(start, i));
    start = i + 3;
    i += 2;
  }
  if (start >= 0) yield trimmed(bytes.subarray(start));
}

/** A four-byte start code leaves a zero at the end of the NAL before it. */
function trimmed(nal: Buffer): Buffer {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end -= 1;
  return nal.subarray(0, end);
}

function fragmentsOf(bytes: Buffer): Pick<Stream, 'init' | 'fragments'> {
  const init: Buffer[] = [];
  const fragments: Buffer[] = [];
  let moof = Buffer.alloc(0);
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    const name = bytes.toString('latin1', at + 4, at + 8);
    const box = Buffer.from(bytes.subarray(at, at + size));
    if (name === 'ftyp' || name === 'moov') init.push(box);
    else if (name === 'moof') moof = box;
    else if (name === 'mdat') fragments.push(Buffer.concat([moof, box]));
    at += size;
  }
  return { init: Buffer.concat(init), fragments };
}
