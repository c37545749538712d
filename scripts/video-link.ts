// The page's end of `docs/video-protocol.md`: framing, the one WebSocket, hello, reconnect with jitter, and which tiles
// are open. Used by the worker (WebCodecs) and by the main thread (MSE, stills).
//
// What should be here: what goes over the socket. What should not: decoding, painting, states of tiles.

import { ServerClock } from './video-clock.ts';
import type { LinkStatus, Says } from './video-types.ts';

export const PROTOCOL_VERSION = 1;
export const KIND = { configuration: 1, frame: 2, still: 3, init: 4, fragment: 5 } as const;
export const TILES_MAX = 64;

const HEADER_BYTES = 24;
const FLAG_KEY = 1;
const FLAG_CATCH_UP = 2;
const FLAG_DISCONTINUITY = 4;

const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5000;
/** Handshake and welcome together; a server that accepts and says nothing counts as absent. */
const WELCOME_WAIT_MS = 5000;
/** Up for this long, the next failure starts again from the shortest wait. */
const STEADY_MS = 5000;
/** A socket that owes us pictures and is silent for this long is half open. */
const SILENCE_MS = 6000;

/** One binary message. */
export interface Media {
  kind: number;
  tile: number;
  seq: number;
  ptsUs: number;
  ingestUs: number;
  key: boolean;
  catchUp: boolean;
  discontinuity: boolean;
  payload: Uint8Array<ArrayBuffer>;
}

export interface Configuration {
  codec: string;
  width: number;
  height: number;
  description: Uint8Array<ArrayBuffer>;
}

/** What the page can play. */
interface Hello {
  mode: string;
  h265: boolean;
}

/** Why the server did not take a message, and of which tile. */
export interface Refusal {
  tile?: number | null;
  code?: string;
  message?: string;
}

interface ServerMessage {
  welcome?: { server_time_us: number };
  state?: Says;
  dropped?: { tile: number; frames: number };
  error?: Refusal;
}

/** Who hears what comes: `up` after each welcome, before every open tile is asked for again; `down` when it is lost. */
interface LinkHost {
  media: (media: Media) => void;
  state: (state: Says) => void;
  dropped: (dropped: { tile: number; frames: number }) => void;
  refusal: (refusal: Refusal) => void;
  up: () => void;
  down: () => void;
}

/** A tile that is to be open; `quiet`: nothing is owed to it at present. */
interface Wanted {
  camera: string;
  profile: string;
  height: number;
  paused: boolean;
  quiet: boolean;
}

/** Local wall clock in microseconds; monotonic within a page. */
export function nowUs(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** Splits one binary message; null when it is not of this protocol. */
export function parseMedia(buffer: ArrayBuffer): Media | null {
  if (buffer.byteLength < HEADER_BYTES) return null;
  const view = new DataView(buffer);
  const kind = view.getUint8(0);
  if (kind < KIND.configuration || kind > KIND.fragment) return null;
  const flags = view.getUint8(23);
  return {
    kind,
    tile: view.getUint16(1, true),
    seq: view.getUint32(3, true),
    ptsUs: Number(view.getBigInt64(7, true)),
    ingestUs: Number(view.getBigInt64(15, true)),
    key: (flags & FLAG_KEY) !== 0,
    catchUp: (flags & FLAG_CATCH_UP) !== 0,
    discontinuity: (flags & FLAG_DISCONTINUITY) !== 0,
    payload: new Uint8Array(buffer, HEADER_BYTES),
  };
}

/** Payload of kind 1: `u8 length` + codec, `u16 width`, `u16 height`, decoder configuration record. */
export function parseConfiguration(payload: Uint8Array<ArrayBuffer>): Configuration | null {
  const length = payload[0];
  if (length === undefined || payload.length < 1 + length + 4) return null;
  const view = new DataView(payload.buffer, payload.byteOffset + 1 + length, 4);
  return {
    codec: ascii(payload.subarray(1, 1 + length)),
    width: view.getUint16(0, true),
    height: view.getUint16(2, true),
    description: payload.slice(1 + length + 4),
  };
}

/** Payload of kind 4: `u8 length` + MIME type, then the ISO BMFF init segment. */
export function parseInit(payload: Uint8Array<ArrayBuffer>): { mime: string; segment: Uint8Array<ArrayBuffer> } | null {
  const length = payload[0];
  if (length === undefined || payload.length < 1 + length) return null;
  return { mime: ascii(payload.subarray(1, 1 + length)), segment: payload.slice(1 + length) };
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Waiting time before attempt `n` (0 = first retry): doubling, between half and the whole of each step. */
export function retryDelay(n: number, random = Math.random): number {
  const step = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (n + 1));
  return Math.max(RETRY_MIN_MS, step / 2 + (random() * step) / 2);
}

/** The socket, and the tiles that are to be open on it. */
export class Link {
  #url: string;
  #hello: Hello;
  #on: LinkHost;
  #socket: WebSocket | null = null;
  #welcomed = false;
  #tiles = new Map<number, Wanted>();
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #guard: ReturnType<typeof setInterval>;
  #upAt = 0;
  #helloAtUs = 0;
  #heardAt = 0;
  #stopped = false;
  #clock = new ServerClock();
  /** For the words on a tile: is the socket usable, since when not, and when the next try starts (local ms). */
  status: LinkStatus = { up: false, downSinceMs: nowUs() / 1000, retryAtMs: null, reconnects: 0 };

  constructor(url: string, hello: Hello, on: LinkHost) {
    this.#url = url;
    this.#hello = hello;
    this.#on = on;
    this.#guard = setInterval(() => { this.#watch(); }, 1000);
    this.#connect();
  }

  open(tile: number, camera: string, profile: string, height: number): void {
    this.#tiles.set(tile, { camera, profile, height, paused: false, quiet: true });
    this.#send({ open: { tile, camera, profile, height } });
  }

  /** Asks for a tile from the beginning: parameters and the last group of pictures come again. */
  reopen(tile: number): void {
    const wanted = this.#tiles.get(tile);
    if (wanted === undefined) return;
    this.#send({ close: { tile } });
    this.#send({ open: { tile, camera: wanted.camera, profile: wanted.profile, height: wanted.height } });
    if (wanted.paused) this.#send({ pause: { tile } });
  }

  close(tile: number): void {
    if (this.#tiles.delete(tile)) this.#send({ close: { tile } });
  }

  resize(tile: number, height: number): void {
    const wanted = this.#tiles.get(tile);
    if (wanted === undefined || wanted.height === height) return;
    wanted.height = height;
    this.#send({ resize: { tile, height } });
  }

  pause(tile: number): void {
    const wanted = this.#tiles.get(tile);
    if (wanted === undefined || wanted.paused) return;
    wanted.paused = true;
    this.#send({ pause: { tile } });
  }

  resume(tile: number): void {
    const wanted = this.#tiles.get(tile);
    if (wanted === undefined || !wanted.paused) return;
    wanted.paused = false;
    this.#heardAt = performance.now();
    this.#send({ resume: { tile } });
  }

  stats(tile: number, numbers: Record<string, number>): void {
    this.#send({ stats: { tile, ...numbers } });
  }

  /** The live feed has heard the server's clock. */
  serverTime(serverUs: number): void {
    this.#clock.heard(serverUs, nowUs());
  }

  /** Server clock minus local clock, microseconds. */
  get offsetUs(): number {
    return this.#clock.offsetUs;
  }

  /** The clock of `status`, milliseconds. */
  nowMs(): number {
    return nowUs() / 1000;
  }

  serverNowUs(): number {
    return nowUs() + this.#clock.offsetUs;
  }

  /** Ends for good. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#guard);
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #send(message: object): void {
    if (this.#welcomed) this.#socket?.send(JSON.stringify(message));
  }

  #connect(): void {
    if (this.#stopped) return;
    this.status.retryAtMs = null;
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#timer = setTimeout(() => { socket.close(); }, WELCOME_WAIT_MS);
    socket.onopen = () => {
      this.#helloAtUs = nowUs();
      socket.send(JSON.stringify({ hello: { version: PROTOCOL_VERSION, ...this.#hello } }));
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => { this.#receive(data); };
    socket.onclose = (event) => { this.#lost(socket, event.code); };
  }

  #receive(data: string | ArrayBuffer): void {
    this.#heardAt = performance.now();
    if (typeof data !== 'string') {
      const media = parseMedia(data);
      if (media === null) return;
      if (media.kind === KIND.frame && !media.catchUp) this.#clock.stamped(media.ingestUs, nowUs());
      this.#on.media(media);
      return;
    }
    let message: ServerMessage;
    try {
      message = JSON.parse(data) as ServerMessage;
    } catch {
      return;
    }
    if (message.welcome !== undefined) this.#welcome(message.welcome);
    else if (message.state !== undefined) {
      const wanted = this.#tiles.get(message.state.tile);
      if (wanted !== undefined) wanted.quiet = message.state.state !== 'live';
      this.#on.state(message.state);
    } else if (message.dropped !== undefined) this.#on.dropped(message.dropped);
    else if (message.error !== undefined) this.#on.refusal(message.error);
  }

  #welcome(welcome: { server_time_us: number }): void {
    clearTimeout(this.#timer);
    const now = nowUs();
    // Half the round trip is the best guess at when the server read its clock.
    this.#clock.set(welcome.server_time_us, now - (now - this.#helloAtUs) / 2);
    this.#welcomed = true;
    this.#upAt = performance.now();
    this.status.up = true;
    this.#on.up();
    for (const [tile, wanted] of this.#tiles) {
      wanted.quiet = true;
      this.#send({ open: { tile, camera: wanted.camera, profile: wanted.profile, height: wanted.height } });
      if (wanted.paused) this.#send({ pause: { tile } });
    }
  }

  #lost(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    const steady = this.#welcomed && performance.now() - this.#upAt > STEADY_MS;
    if (this.status.up) this.status.downSinceMs = this.nowMs();
    this.#welcomed = false;
    this.status.up = false;
    this.status.reconnects += 1;
    if (steady) this.#attempt = 0;
    // 1008: the server found fault with what we said; saying it again soon will not help.
    const delay = code === 1008 ? RETRY_MAX_MS : retryDelay(this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 8);
    if (this.#stopped) return;
    this.status.retryAtMs = this.nowMs() + delay;
    this.#on.down();
    this.#timer = setTimeout(() => { this.#connect(); }, delay);
  }

  /** A half-open connection sends nothing and never ends by itself. */
  #watch(): void {
    const socket = this.#socket;
    if (!this.#welcomed || socket === null) return;
    let owed = false;
    for (const wanted of this.#tiles.values()) owed ||= !wanted.paused && !wanted.quiet;
    if (!owed || performance.now() - this.#heardAt < SILENCE_MS) return;
    socket.close();
    // Closing a dead peer waits for its answer; do not.
    this.#lost(socket, 1006);
    socket.onclose = null;
    socket.onmessage = null;
  }
}
