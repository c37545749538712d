// The page's video worker: one WebSocket, a WebCodecs decoder per tile, one OffscreenCanvas. This file wires them and
// speaks with `player-canvas.js` on the main thread; each part has a file of its own.

import { KIND, Link, nowUs } from './video-link.js';
import { TileDecoder } from './video-decoder.js';
import { Painter } from './video-painter.js';
import { Delays, TileFacts, showsPicture } from './video-facts.js';

const TICK_MS = 250;
const STATS_EVERY_MS = 5000;
/** After a decoder fault the camera is asked for again at once, then after these waits. */
const REOPEN_WAITS_MS = [0, 1000, 2000, 5000];
const TROUBLE_FORGOTTEN_MS = 20000;

const H265_PROBE = { codec: 'hvc1.1.6.L93.B0', codedWidth: 640, codedHeight: 360 };

let link = null;
let painter = null;
const tiles = new Map();

class Tile {
  constructor(id, order) {
    this.id = id;
    this.facts = new TileFacts(order.camera, Date.now());
    this.submitDelays = new Delays();
    this.painted = 0;
    this.superseded = 0;
    this.stills = 0;
    this.serverDropped = 0;
    this.reported = { painted: 0, dropped: 0 };
    this.told = '';
    this.lastPictureSent = false;
    this.troubles = [];
    this.decoder = new TileDecoder({
      frame: (frame, meta) => this.#frame(frame, meta),
      unsupported: (codec) => {
        this.facts.unsupportedCodec = codec;
        tell(this);
      },
      trouble: (reason) => this.#trouble(reason),
    });
  }

  media(media) {
    switch (media.kind) {
      case KIND.configuration:
        this.facts.unsupportedCodec = null;
        this.decoder.configure(media);
        break;
      case KIND.frame:
        if (!this.facts.paused) this.decoder.push(media, (link.serverNowUs() - media.ingestUs) / 1000);
        break;
      case KIND.still:
        this.#still(media);
        break;
      default:
        // MSE segments are for pages that said hello in that mode.
        break;
    }
  }

  dropped() {
    return this.superseded + this.decoder.counts.skipped + this.serverDropped;
  }

  #frame(frame, meta) {
    if (!painter.show(this.id, frame, meta)) this.superseded += 1;
    this.facts.pictureReady(meta.ingestUs / 1000, meta.still === true);
    if (!showsPicture(this.lastState)) tell(this);
  }

  async #still(media) {
    this.stills += 1;
    try {
      const picture = await createImageBitmap(new Blob([media.payload], { type: 'image/jpeg' }));
      if (tiles.get(this.id) !== this) picture.close();
      else this.#frame(picture, { ingestUs: media.ingestUs, submittedUs: nowUs(), still: true });
    } catch {
      this.decoder.counts.skipped += 1;
    }
  }

  #trouble(reason) {
    const now = performance.now();
    this.troubles = this.troubles.filter((at) => now - at < TROUBLE_FORGOTTEN_MS);
    const wait = REOPEN_WAITS_MS[Math.min(this.troubles.length, REOPEN_WAITS_MS.length - 1)];
    this.troubles.push(now);
    this.lastTrouble = reason;
    setTimeout(() => {
      if (tiles.get(this.id) !== this || !link.status.up) return;
      this.facts.asked(Date.now());
      link.reopen(this.id);
    }, wait);
  }
}

/** Works out the tile's state and tells the page when it differs from what was told last. */
function tell(tile) {
  const view = tile.facts.view(link.status, Date.now(), link.serverNowUs() / 1000);
  tile.lastState = view.state;
  const visible = showsPicture(view.state);
  painter.setHidden(tile.id, !visible);
  if (visible) tile.lastPictureSent = false;
  else sendLastPicture(tile);
  const words = JSON.stringify(view);
  if (words === tile.told) return;
  tile.told = words;
  postMessage({ view: { tile: tile.id, view } });
}

/** When the picture no longer stands as it is, the page shows the last one itself: grey, hatched, dimmed. */
async function sendLastPicture(tile) {
  if (tile.lastPictureSent) return;
  const newest = painter.newest(tile.id);
  if (newest === null) return;
  tile.lastPictureSent = true;
  const width = newest.displayWidth ?? newest.width;
  const bitmap = await createImageBitmap(newest, { resizeWidth: Math.min(width, 960), resizeQuality: 'low' });
  postMessage({ last: { tile: tile.id, bitmap } }, [bitmap]);
}

function painted(id, meta) {
  const tile = tiles.get(id);
  if (tile === undefined) return;
  tile.painted += 1;
  tile.firstPaintedMs ??= Date.now();
  // The newest picture of a catch-up burst is as old as the camera made it; its age says nothing about this path.
  if (meta.still || meta.catchUp) return;
  const now = nowUs();
  tile.submitDelays.add((now - meta.submittedUs) / 1000);
  tile.facts.pictureShown(Math.max(0, (now + link.offsetUs - meta.ingestUs) / 1000));
}

function tick() {
  for (const tile of tiles.values()) {
    if (!tile.facts.paused) tile.decoder.watch();
    tell(tile);
  }
}

function report() {
  for (const tile of tiles.values()) {
    const { p50, p95 } = tile.facts.delays.percentiles();
    if (p50 !== null && tile.facts.server?.state === 'live' && !tile.facts.paused) {
      link.stats(tile.id, {
        painted: tile.painted - tile.reported.painted,
        dropped: tile.dropped() - tile.reported.dropped,
        latency_p50_ms: round(p50),
        latency_p95_ms: round(p95),
      });
    }
    tile.reported = { painted: tile.painted, dropped: tile.dropped() };
    tile.summary = summary(tile);
    tile.facts.delays.clear();
    tile.submitDelays.clear();
  }
}

function summary(tile) {
  const delay = tile.facts.delays.percentiles();
  const submit = tile.submitDelays.percentiles();
  return {
    latency_p50_ms: round(delay.p50),
    latency_p95_ms: round(delay.p95),
    submit_painted_p50_ms: round(submit.p50),
    submit_painted_p95_ms: round(submit.p95),
  };
}

function statsOf(tile) {
  const fresh = summary(tile);
  return {
    tile: tile.id,
    camera: tile.facts.camera,
    state: tile.lastState ?? 'connecting',
    server_state: tile.facts.server?.state ?? null,
    codec: tile.decoder.configuration?.codec ?? null,
    width: tile.decoder.configuration?.width ?? null,
    height: tile.decoder.configuration?.height ?? null,
    painted: tile.painted,
    first_painted_ms: tile.firstPaintedMs ?? null,
    dropped: tile.dropped(),
    superseded: tile.superseded,
    stills: tile.stills,
    paused: tile.facts.paused,
    trouble: tile.lastTrouble ?? null,
    ...tile.decoder.counts,
    ...(fresh.latency_p50_ms === null && tile.summary ? tile.summary : fresh),
  };
}

function round(number) {
  return number === null ? null : Math.round(number * 100) / 100;
}

const orders = {
  open(order) {
    tiles.set(order.tile, new Tile(order.tile, order));
    link.open(order.tile, order.camera, order.profile, order.height);
    tell(tiles.get(order.tile));
  },
  close({ tile }) {
    tiles.get(tile)?.decoder.close();
    tiles.delete(tile);
    painter.remove(tile);
    link.close(tile);
  },
  resize({ tile, height }) {
    link.resize(tile, height);
  },
  pause({ tile, paused }) {
    const known = tiles.get(tile);
    if (known === undefined || known.facts.paused === paused) return;
    known.facts.paused = paused;
    if (paused) {
      link.pause(tile);
      known.decoder.suspend();
    } else {
      // What stands there is as old as the pause: the age is told until the newest picture comes.
      link.resume(tile);
    }
  },
  layout({ width, height, tiles: rects, generation }) {
    painter.layout(width, height, rects);
    requestAnimationFrame(() => postMessage({ laidOut: generation }));
  },
  serverTime({ us }) {
    link.serverTime(us);
  },
  async grab({ id, tile, what }) {
    const newest = painter.newest(tile);
    const bitmap = what === 'canvas' ? await painter.read(tile) : newest && (await createImageBitmap(newest));
    postMessage({ answer: { id, bitmap } }, bitmap ? [bitmap] : []);
  },
  stats({ id }) {
    postMessage({
      answer: {
        id,
        stats: {
          link: link.status,
          offset_us: link.offsetUs,
          paint: { frames: painter.frames, ms: painter.paintMs },
          tiles: [...tiles.values()].map(statsOf),
        },
      },
    });
  },
};

async function start({ url, canvas }) {
  painter = new Painter(canvas, painted);
  let h265 = false;
  try {
    h265 = (await VideoDecoder.isConfigSupported(H265_PROBE)).supported === true;
  } catch {
    h265 = false;
  }
  link = new Link(
    url,
    { mode: 'webcodecs', h265 },
    {
      media: (media) => tiles.get(media.tile)?.media(media),
      state: (state) => {
        const tile = tiles.get(state.tile);
        if (tile === undefined) return;
        tile.facts.serverSays(state);
        tell(tile);
      },
      dropped: ({ tile, frames }) => {
        const known = tiles.get(tile);
        if (known !== undefined) known.serverDropped += frames;
      },
      refusal: ({ tile, message }) => {
        const known = tiles.get(tile);
        if (known !== undefined) known.facts.refusal = message ?? '';
      },
      up: () => {
        for (const tile of tiles.values()) {
          tile.facts.asked(Date.now());
          tile.decoder.suspend();
        }
      },
      down: () => tick(),
    },
  );
  setInterval(tick, TICK_MS);
  setInterval(report, STATS_EVERY_MS);
  self.onmessage = ({ data }) => {
    for (const [name, order] of Object.entries(data)) orders[name]?.(order);
  };
  postMessage({ ready: true });
}

self.onmessage = ({ data }) => {
  if (data.start !== undefined) start(data.start);
};
