// The page's end of `docs/video-protocol.md`: framing, the one WebSocket, hello, reconnect with jitter, and which
// tiles are open. Used by the worker (WebCodecs) and by the main thread (MSE, stills). Decoding, painting and words
// about a tile's state belong elsewhere.

export const PROTOCOL_VERSION = 1;
export const KIND = Object.freeze({ configuration: 1, frame: 2, still: 3, init: 4, fragment: 5 });
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

/** Local wall clock in microseconds; monotonic within a page. */
export function nowUs() {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** Splits one binary message; null when it is not of this protocol. */
export function parseMedia(buffer) {
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
export function parseConfiguration(payload) {
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
export function parseInit(payload) {
  const length = payload[0];
  if (length === undefined || payload.length < 1 + length) return null;
  return { mime: ascii(payload.subarray(1, 1 + length)), segment: payload.slice(1 + length) };
}

function ascii(bytes) {
  return String.fromCharCode(...bytes);
}

/** Waiting time before attempt `n` (0 = first retry): doubling, between half and the whole of each step. */
export function retryDelay(n, random = Math.random) {
  const step = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (n + 1));
  return Math.max(RETRY_MIN_MS, step / 2 + (random() * step) / 2);
}

/**
 * The socket. `on` receives: `media(m)`, `state(s)`, `dropped(d)`, `refusal(e)` from the server; `up()` after each
 * welcome, when every open tile has been asked for again; `down()` when the socket is lost.
 */
export class Link {
  #url;
  #hello;
  #on;
  #socket = null;
  #welcomed = false;
  #tiles = new Map();
  #attempt = 0;
  #timer = 0;
  #guard = 0;
  #upAt = 0;
  #helloAtUs = 0;
  #heardAt = 0;
  #stopped = false;
  /** Server clock minus local clock, microseconds. */
  offsetUs = 0;
  /** For the words on a tile: is the socket usable, since when not, and when the next try starts (local ms). */
  status = { up: false, downSinceMs: Date.now(), retryAtMs: null, reconnects: 0 };

  constructor(url, hello, on) {
    this.#url = url;
    this.#hello = hello;
    this.#on = on;
    this.#guard = setInterval(() => this.#watch(), 1000);
    this.#connect();
  }

  open(tile, camera, profile, height) {
    this.#tiles.set(tile, { camera, profile, height, paused: false, quiet: true });
    this.#send({ open: { tile, camera, profile, height } });
  }

  /** Asks for a tile from the beginning: parameters and the last group of pictures come again. */
  reopen(tile) {
    const wanted = this.#tiles.get(tile);
    if (wanted === undefined) return;
    this.#send({ close: { tile } });
    this.#send({ open: { tile, camera: wanted.camera, profile: wanted.profile, height: wanted.height } });
    if (wanted.paused) this.#send({ pause: { tile } });
  }

  close(tile) {
    if (this.#tiles.delete(tile)) this.#send({ close: { tile } });
  }

  resize(tile, height) {
    const wanted = this.#tiles.get(tile);
    if (wanted === undefined || wanted.height === height) return;
    wanted.height = height;
    this.#send({ resize: { tile, height } });
  }

  pause(tile) {
    const wanted = this.#tiles.get(tile);
    if (wanted === undefined || wanted.paused) return;
    wanted.paused = true;
    this.#send({ pause: { tile } });
  }

  resume(tile) {
    const wanted = this.#tiles.get(tile);
    if (wanted === undefined || !wanted.paused) return;
    wanted.paused = false;
    this.#heardAt = performance.now();
    this.#send({ resume: { tile } });
  }

  stats(tile, numbers) {
    this.#send({ stats: { tile, ...numbers } });
  }

  /** A better idea of the server's clock, from whoever has one (the live feed's heartbeat). */
  serverTime(serverUs, atLocalUs = nowUs()) {
    this.offsetUs = serverUs - atLocalUs;
  }

  serverNowUs() {
    return nowUs() + this.offsetUs;
  }

  /** Ends for good. */
  stop() {
    this.#stopped = true;
    clearInterval(this.#guard);
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #send(message) {
    if (this.#welcomed) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    if (this.#stopped) return;
    this.status.retryAtMs = null;
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#timer = setTimeout(() => socket.close(), WELCOME_WAIT_MS);
    socket.onopen = () => {
      this.#helloAtUs = nowUs();
      socket.send(JSON.stringify({ hello: { version: PROTOCOL_VERSION, ...this.#hello } }));
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#lost(socket, event.code);
  }

  #receive(data) {
    this.#heardAt = performance.now();
    if (typeof data !== 'string') {
      const media = parseMedia(data);
      if (media === null) return;
      // A frame cannot arrive before it was taken in: the clocks have drifted apart since the welcome.
      if (media.kind === KIND.frame && !media.catchUp) {
        const ahead = media.ingestUs - this.serverNowUs();
        if (ahead > 0) this.offsetUs += ahead;
      }
      this.#on.media(media);
      return;
    }
    let message;
    try {
      message = JSON.parse(data);
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

  #welcome(welcome) {
    clearTimeout(this.#timer);
    const now = nowUs();
    // Half the round trip is the best guess at when the server read its clock.
    this.serverTime(welcome.server_time_us, now - (now - this.#helloAtUs) / 2);
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

  #lost(socket, code) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    const steady = this.#welcomed && performance.now() - this.#upAt > STEADY_MS;
    if (this.status.up) this.status.downSinceMs = Date.now();
    this.#welcomed = false;
    this.status.up = false;
    this.status.reconnects += 1;
    if (steady) this.#attempt = 0;
    // 1008: the server found fault with what we said; saying it again soon will not help.
    const delay = code === 1008 ? RETRY_MAX_MS : retryDelay(this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 8);
    if (this.#stopped) return;
    this.status.retryAtMs = Date.now() + delay;
    this.#on.down();
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  /** A half-open connection sends nothing and never ends by itself. */
  #watch() {
    if (!this.#welcomed) return;
    let owed = false;
    for (const wanted of this.#tiles.values()) owed ||= !wanted.paused && !wanted.quiet;
    if (!owed || performance.now() - this.#heardAt < SILENCE_MS) return;
    const socket = this.#socket;
    socket.close();
    // Closing a dead peer waits for its answer; do not.
    this.#lost(socket, 1006);
    socket.onclose = null;
    socket.onmessage = null;
  }
}
