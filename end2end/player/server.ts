// A stand-in for the server's end of `docs/video-protocol.md`: serves the page under the product's content security
// policy and replays a stream in the protocol's framing, with each trouble a test asks for. It checks what the page
// says as strictly as the real server and keeps a list of it.

import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { built } from '../helpers/site';
import { fault, type Hello, type Message } from './rules';
import { FPS, FRAMES, GOP, type Stream } from './stream';

const REPO = join(import.meta.dirname, '../..');
/** Where the built scripts are. */
const SITE = process.env.GRIDHALL_SITE ?? join(REPO, 'target/site');
const FRAME_MS = 1000 / FPS;
const KIND = { configuration: 1, frame: 2, still: 3, init: 4, fragment: 5 };
const KEY = 1;
const CATCH_UP = 2;
const DISCONTINUITY = 4;
const TYPES: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' };
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "worker-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
].join('; ');

/** How a camera behaves; `skip`, `discontinuity` and `corrupt` are asked with the picture's number. */
export interface Camera {
  stream: number;
  state: string;
  sinceMs?: number;
  retryAtMs?: number | null;
  cause?: string;
  reason?: string;
  /** Only for browsers that say they can decode H.265. */
  h265?: boolean;
  /** Silent, though its state says otherwise. */
  mute?: boolean;
  noSnapshot?: boolean;
  skip?: (n: number) => boolean;
  discontinuity?: (n: number) => boolean;
  corrupt?: (n: number) => boolean;
}

interface Tile {
  id: number;
  camera: string;
  seq: number;
  paused: boolean;
  sending: boolean;
}

interface Page {
  ws: WebSocket;
  tiles: Map<number, Tile>;
  hello: Hello | null;
  frozen: boolean;
}

const now_us = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));

export async function startServer(streams: Stream[]): Promise<VideoServer> {
  const server = new VideoServer(streams);
  await server.listen();
  return server;
}

export class VideoServer {
  /** Everything pages said, oldest first. */
  heard: Message[] = [];
  cameras = new Map<string, Camera>();
  violations: string[] = [];
  accepting = true;
  clockOffsetUs = 0n;
  origin = '';
  #pages = new Set<Page>();
  #streams: Stream[];
  #http: HttpServer;
  #sockets = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 });
  #began = performance.now();
  #sent = -1;
  #timer: NodeJS.Timeout | undefined;

  constructor(streams: Stream[]) {
    this.#streams = streams;
    this.#http = createServer((request, response) => void this.#serve(request, response));
    this.#http.on('upgrade', (request, socket, head) => {
      const known = request.url === '/api/v1/video' && request.headers.origin === this.origin;
      if (!this.accepting || !known) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#accept(ws));
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    this.origin = `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
    this.#timer = setInterval(() => this.#tick(), 5);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.dropSockets();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  camera(code: string): Camera {
    const known = this.cameras.get(code) ?? { stream: 0, state: 'live' };
    this.cameras.set(code, known);
    return known;
  }

  /** Changes a camera's state and tells every page that shows it. */
  say(code: string, changes: Partial<Camera>): void {
    const camera = Object.assign(this.camera(code), changes);
    camera.sinceMs = Number((now_us() + this.clockOffsetUs) / 1000n);
    this.#each(code, (page, tile) => {
      this.#state(page, tile);
      if (playable(camera.state)) this.#begin(page, tile);
    });
  }

  /** New parameters in the middle of the stream. */
  switchStream(code: string, stream: number): void {
    this.camera(code).stream = stream;
    this.#each(code, (page, tile) => this.#begin(page, tile));
  }

  dropSockets(): void {
    for (const page of this.#pages) page.ws.terminate();
  }

  /** Stops sending without closing, as a dead network does. */
  freeze(): void {
    for (const page of this.#pages) page.frozen = true;
  }

  said(name: string): Record<string, unknown>[] {
    return this.heard.map((message) => message[name]).filter((found) => found !== undefined);
  }

  get openTiles(): number {
    return [...this.#pages].reduce((sum, page) => sum + page.tiles.size, 0);
  }

  /** Number of the newest picture sent. */
  get newest(): number {
    return this.#sent % FRAMES;
  }

  #each(code: string, act: (page: Page, tile: Tile) => void): void {
    for (const page of this.#pages) for (const tile of page.tiles.values()) if (tile.camera === code) act(page, tile);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', this.origin).pathname));
    const snapshot = /^\/api\/v1\/cameras\/([^/]+)\/snapshot\.jpg$/.exec(path)?.[1];
    const headers = { 'content-security-policy': POLICY, 'cache-control': 'no-store' };
    if (snapshot !== undefined) {
      const camera = this.camera(snapshot);
      if (camera.noSnapshot) response.writeHead(404, headers).end();
      else response.writeHead(200, { ...headers, 'content-type': 'image/jpeg' }).end(this.#stream(camera).stills[0]);
      return;
    }
    const folder = path.startsWith('/js/') ? SITE : join(REPO, path.startsWith('/style/') ? '' : 'end2end/player/page');
    try {
      // The page of these tests names the script without the hash of what it holds.
      const file = await readFile(join(folder, path === '/' ? '/index.html' : path === '/js/player.js' ? built(path) : path));
      response.writeHead(200, { ...headers, 'content-type': TYPES[extname(path)] ?? TYPES['.html'] }).end(file);
    } catch {
      response.writeHead(404, headers).end();
    }
  }

  #accept(ws: WebSocket): void {
    const page: Page = { ws, tiles: new Map(), hello: null, frozen: false };
    this.#pages.add(page);
    ws.on('close', () => this.#pages.delete(page));
    ws.on('message', (data, binary) => {
      const message: Message | null = binary ? null : JSON.parse(data.toString());
      const problem = message === null ? 'binary message' : fault(message, page.hello !== null, (tile) => page.tiles.has(tile));
      if (message === null || problem !== null) {
        this.violations.push(problem ?? '');
        ws.close(1008, problem ?? '');
        return;
      }
      this.heard.push(message);
      this.#obey(page, message);
    });
  }

  #obey(page: Page, message: Message): void {
    const { hello, open, close, pause, resume } = message as Record<string, never>;
    if (hello !== undefined) {
      page.hello = hello;
      page.ws.send(JSON.stringify({ welcome: { version: 1, server_time_us: Number(now_us() + this.clockOffsetUs) } }));
    } else if (open !== undefined) {
      const { tile: id, camera } = open as { tile: number; camera: string };
      const tile = { id, camera, seq: 0, paused: false, sending: false };
      page.tiles.set(id, tile);
      this.#state(page, tile);
      this.#begin(page, tile);
    } else if (close !== undefined) page.tiles.delete((close as { tile: number }).tile);
    const moved = page.tiles.get(((pause ?? resume) as { tile: number } | undefined)?.tile ?? -1);
    if (moved === undefined) return;
    moved.paused = pause !== undefined;
    if (!moved.paused) this.#begin(page, moved);
  }

  #stream(camera: Camera): Stream {
    const stream = this.#streams[camera.stream];
    if (stream === undefined) throw new Error(`no stream ${camera.stream}`);
    return stream;
  }

  #state(page: Page, { id, camera: code }: Tile): void {
    const camera = this.camera(code);
    const state = camera.h265 && !page.hello?.h265 ? 'unsupported' : camera.state;
    const since_ms = camera.sinceMs ?? Date.now();
    const { retryAtMs = null, cause = null, reason = null } = camera;
    page.ws.send(JSON.stringify({ state: { tile: id, state, since_ms, retry_at_ms: retryAtMs, cause, reason, profile: 'sub' } }));
  }

  /** Parameters and the last group of pictures, as a joining page gets them. */
  #begin(page: Page, tile: Tile): void {
    const camera = this.camera(tile.camera);
    const mode = page.hello?.mode;
    tile.sending = playable(camera.state) && !(camera.h265 && !page.hello?.h265);
    if (!tile.sending || camera.mute || tile.paused || camera.state === 'key_frames' || mode === 'still') return;
    const stream = this.#stream(camera);
    tile.seq = 0;
    if (mode === 'mse') {
      const mime = Buffer.from(`video/mp4; codecs="${stream.codec}"`);
      this.#media(page, tile, KIND.init, this.#sent, 0, Buffer.concat([Buffer.from([mime.length]), mime, stream.init]));
    } else {
      const size = Buffer.alloc(4);
      size.writeUInt16LE(stream.width, 0);
      size.writeUInt16LE(stream.height, 2);
      const codec = Buffer.from(stream.codec);
      const payload = Buffer.concat([Buffer.from([codec.length]), codec, size, stream.record]);
      this.#media(page, tile, KIND.configuration, this.#sent, 0, payload);
    }
    for (let n = Math.floor(this.#sent / GOP) * GOP; n <= this.#sent; n += 1) this.#frame(page, tile, camera, n, CATCH_UP);
  }

  #tick(): void {
    const due = Math.floor((performance.now() - this.#began) / FRAME_MS);
    while (this.#sent < due) {
      this.#sent += 1;
      for (const page of this.#pages)
        for (const tile of page.tiles.values()) {
          const camera = this.camera(tile.camera);
          if (!tile.sending || tile.paused || camera.mute) continue;
          if (camera.state === 'key_frames' || page.hello?.mode === 'still') this.#still(page, tile, camera);
          else this.#frame(page, tile, camera, this.#sent, 0);
        }
    }
  }

  #still(page: Page, tile: Tile, camera: Camera): void {
    const { stills } = this.#stream(camera);
    const still = stills[(this.#sent / FPS) % stills.length];
    if (still === undefined) return;
    const data = camera.corrupt?.(this.#sent) ? Buffer.alloc(still.length, 255) : still;
    this.#media(page, tile, KIND.still, this.#sent, KEY, data);
  }

  #frame(page: Page, tile: Tile, camera: Camera, n: number, flags: number): void {
    if (camera.skip?.(n)) {
      // The frame is lost between camera and page: its number is used up.
      tile.seq += 1;
      return;
    }
    const stream = this.#stream(camera);
    const frame = stream.frames[n % FRAMES];
    const fragment = stream.fragments[n % FRAMES];
    if (frame === undefined || fragment === undefined) return;
    const mse = page.hello?.mode === 'mse';
    const whole = mse ? fragment : frame.data;
    const data = camera.corrupt?.(n) ? Buffer.alloc(whole.length, 255) : whole;
    const marks = flags | (frame.key ? KEY : 0) | (camera.discontinuity?.(n) ? DISCONTINUITY : 0);
    this.#media(page, tile, mse ? KIND.fragment : KIND.frame, n, marks, data);
  }

  #media(page: Page, tile: Tile, kind: number, n: number, flags: number, payload: Buffer): void {
    if (page.frozen || page.ws.readyState !== 1) return;
    const header = Buffer.alloc(24);
    header.writeUInt8(kind, 0);
    header.writeUInt16LE(tile.id, 1);
    header.writeUInt32LE(kind === KIND.frame || kind === KIND.fragment ? tile.seq++ : 0, 3);
    header.writeBigInt64LE(BigInt(Math.round(n * FRAME_MS * 1000)), 7);
    // Pictures of a catch-up burst came in when they were due, not now.
    const late = BigInt(Math.round((this.#sent - n) * FRAME_MS * 1000));
    header.writeBigInt64LE(now_us() + this.clockOffsetUs - late, 15);
    header.writeUInt8(flags, 23);
    page.ws.send(Buffer.concat([header, payload]));
  }
}

function playable(state: string): boolean {
  return state === 'live' || state === 'delayed' || state === 'key_frames';
}
