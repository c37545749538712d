// Fallback where WebCodecs is missing (plain http, old browsers): the same socket on the main thread, one `<video>`
// fed by Media Source Extensions per tile, or only JPEG stills where even that is missing.

import { Reel } from './player-reel.js';
import { KIND, Link, nowUs, parseInit } from './video-link.js';
import { TileFacts, showsPicture } from './video-facts.js';
import { fills } from './video-painter.js';

const TICK_MS = 250;
const STATS_EVERY_MS = 5000;
const STALL_MS = 2000;
const REBUILD_WAIT_MS = 1000;

const H265_MIME = 'video/mp4; codecs="hvc1.1.6.L93.B0"';

class Tile {
  reel = null;
  coming = null;
  painted = 0;
  dropped = 0;
  rebuilt = 0;
  stills = 0;
  told = '';
  lastState = null;
  reported = { painted: 0, dropped: 0 };
  #image = null;
  #imageUrl = null;
  #engine;
  #lastAppend = 0;
  #lastPaint = 0;
  #nextSeq = null;
  #rebuildTimer = 0;

  constructor(engine, id, element, camera) {
    this.#engine = engine;
    this.id = id;
    this.element = element;
    this.facts = new TileFacts(camera, Date.now());
  }

  media(media) {
    if (media.kind === KIND.init) this.#begin(media);
    else if (media.kind === KIND.fragment) this.#fragment(media);
    else if (media.kind === KIND.still) this.#still(media);
  }

  /** Parameters, or new ones: the old reel stays up until the new one has a picture. */
  #begin(media) {
    const init = parseInit(media.payload);
    if (init === null) return;
    this.facts.unsupportedCodec = null;
    if (!MediaSource.isTypeSupported(init.mime)) {
      this.facts.unsupportedCodec = init.mime;
      return;
    }
    this.coming?.dispose();
    const reel = new Reel(init.mime, (reason, unsupported) => this.#broken(reel, reason, unsupported));
    this.coming = reel;
    this.#nextSeq = null;
    this.element.append(reel.video);
    reel.append(init.segment, undefined, true);
    this.#lastPaint = performance.now();
    this.#follow(reel);
  }

  #fragment(media) {
    const reel = this.coming ?? this.reel;
    if (reel === null || this.facts.paused) return;
    if (this.#nextSeq !== null && media.seq !== this.#nextSeq && !media.key) this.dropped += 1;
    this.#nextSeq = (media.seq + 1) >>> 0;
    this.#lastAppend = performance.now();
    reel.append(media.payload, media.ingestUs, media.catchUp);
  }

  #follow(reel) {
    const next = (_now, metadata) => {
      if (reel !== this.reel && reel !== this.coming) return;
      if (reel.catchingUp) {
        reel.video.requestVideoFrameCallback(next);
        return;
      }
      if (reel === this.coming) {
        this.reel?.dispose();
        this.reel = reel;
        this.coming = null;
      }
      this.painted += 1;
      this.#lastPaint = performance.now();
      const ingestUs = reel.ingestAt(metadata.mediaTime);
      if (ingestUs !== null) {
        const link = this.#engine.link;
        this.facts.pictureReady(ingestUs / 1000, false);
        this.facts.pictureShown(Math.max(0, (nowUs() + link.offsetUs - ingestUs) / 1000));
      }
      if (!showsPicture(this.lastState)) this.#engine.tell(this);
      reel.video.requestVideoFrameCallback(next);
    };
    reel.video.requestVideoFrameCallback(next);
  }

  #still(media) {
    this.stills += 1;
    const url = URL.createObjectURL(new Blob([media.payload], { type: 'image/jpeg' }));
    if (this.#image === null) {
      this.#image = document.createElement('img');
      this.#image.className = 'camera-still';
      this.#image.alt = '';
      this.element.append(this.#image);
    }
    const before = this.#imageUrl;
    this.#imageUrl = url;
    this.#image.onload = () => {
      this.painted += 1;
      this.facts.pictureReady(media.ingestUs / 1000, true);
      if (before !== null) URL.revokeObjectURL(before);
      this.#engine.tell(this);
    };
    this.#image.onerror = () => {
      this.dropped += 1;
    };
    this.#image.src = url;
  }

  /** Cropped to fill the tile, or whole with margins: by the same rule as on the canvas. */
  #fit(picture, width, height) {
    const tile = this.element.offsetWidth / Math.max(1, this.element.offsetHeight);
    picture.classList.toggle('whole', width > 0 && !fills(width / height, tile));
  }

  tick() {
    for (const { video } of [this.reel, this.coming].filter((reel) => reel !== null)) {
      this.#fit(video, video.videoWidth, video.videoHeight);
    }
    if (this.#image !== null) this.#fit(this.#image, this.#image.naturalWidth, this.#image.naturalHeight);
    (this.reel ?? this.coming)?.chase();
    const now = performance.now();
    const fed = now - this.#lastAppend < STALL_MS / 2;
    if (this.facts.paused || !fed || document.hidden || (this.reel ?? this.coming) === null) return;
    if (now - this.#lastPaint > STALL_MS) this.#broken(this.reel ?? this.coming, 'fed but nothing shown', null);
  }

  #broken(reel, reason, unsupported) {
    if (reel !== this.reel && reel !== this.coming) return;
    this.trouble = reason;
    if (unsupported !== null) this.facts.unsupportedCodec = unsupported;
    this.rebuilt += 1;
    this.#lastPaint = performance.now();
    if (reel === this.coming) {
      reel.dispose();
      this.coming = null;
    }
    clearTimeout(this.#rebuildTimer);
    if (unsupported !== null) return;
    this.#rebuildTimer = setTimeout(
      () => {
        this.facts.asked(Date.now());
        this.#engine.link.reopen(this.id);
      },
      this.rebuilt === 1 ? 0 : REBUILD_WAIT_MS,
    );
  }

  /** The picture on show, for the last-picture layer and for tests. */
  async bitmap() {
    const source = this.reel?.video ?? (this.#image?.complete ? this.#image : null);
    if (source === null || (source.videoWidth ?? source.naturalWidth) === 0) return null;
    return createImageBitmap(source);
  }

  dispose() {
    clearTimeout(this.#rebuildTimer);
    this.reel?.dispose();
    this.coming?.dispose();
    this.reel = null;
    this.coming = null;
    this.#image?.remove();
    if (this.#imageUrl !== null) URL.revokeObjectURL(this.#imageUrl);
  }
}

export class ElementEngine {
  #tiles = new Map();
  #on;

  /** `on` as for `CanvasEngine`. */
  constructor(url, on) {
    this.#on = on;
    this.mode = typeof MediaSource === 'function' ? 'mse' : 'still';
    const h265 = this.mode === 'mse' && MediaSource.isTypeSupported(H265_MIME);
    this.link = new Link(
      url,
      { mode: this.mode, h265 },
      {
        media: (media) => this.#tiles.get(media.tile)?.media(media),
        state: (state) => {
          const tile = this.#tiles.get(state.tile);
          if (tile === undefined) return;
          tile.facts.serverSays(state);
          this.tell(tile);
        },
        dropped: ({ tile, frames }) => {
          const known = this.#tiles.get(tile);
          if (known !== undefined) known.dropped += frames;
        },
        refusal: ({ tile, message }) => {
          const known = this.#tiles.get(tile);
          if (known !== undefined) known.facts.refusal = message ?? '';
        },
        up: () => {
          for (const tile of this.#tiles.values()) tile.facts.asked(Date.now());
        },
        down: () => this.#tick(),
      },
    );
    setInterval(() => this.#tick(), TICK_MS);
    setInterval(() => this.#report(), STATS_EVERY_MS);
  }

  open(id, element, camera, profile, height) {
    const tile = new Tile(this, id, element, camera);
    this.#tiles.set(id, tile);
    this.link.open(id, camera, profile, height);
    this.tell(tile);
  }

  close(id) {
    this.#tiles.get(id)?.dispose();
    this.#tiles.delete(id);
    this.link.close(id);
  }

  resize(id, height) {
    this.link.resize(id, height);
  }

  pause(id, paused) {
    const tile = this.#tiles.get(id);
    if (tile === undefined || tile.facts.paused === paused) return;
    tile.facts.paused = paused;
    if (paused) this.link.pause(id);
    else this.link.resume(id);
  }

  serverTime(us) {
    this.link.serverTime(us);
  }

  /** Elements lie where they are; there is no canvas to move. */
  layout() {}

  async stats() {
    const tiles = [...this.#tiles.values()].map((tile) => {
      const { p50, p95 } = tile.facts.delays.percentiles();
      return {
        tile: tile.id,
        camera: tile.facts.camera,
        state: tile.lastState,
        server_state: tile.facts.server?.state ?? null,
        painted: tile.painted,
        dropped: tile.dropped,
        stills: tile.stills,
        rebuilt: tile.rebuilt,
        paused: tile.facts.paused,
        trouble: tile.trouble ?? null,
        latency_p50_ms: p50,
        latency_p95_ms: p95,
      };
    });
    return { link: this.link.status, offset_us: this.link.offsetUs, tiles };
  }

  async grab(id) {
    return (await this.#tiles.get(id)?.bitmap()) ?? null;
  }

  tell(tile) {
    const view = tile.facts.view(this.link.status, Date.now(), this.link.serverNowUs() / 1000);
    tile.lastState = view.state;
    const words = JSON.stringify(view);
    if (words === tile.told) return;
    tile.told = words;
    this.#on.view(tile.id, view);
  }

  #tick() {
    for (const tile of this.#tiles.values()) {
      tile.tick();
      this.tell(tile);
    }
  }

  #report() {
    for (const tile of this.#tiles.values()) {
      const { p50, p95 } = tile.facts.delays.percentiles();
      if (p50 !== null && tile.facts.server?.state === 'live' && !tile.facts.paused) {
        this.link.stats(tile.id, {
          painted: tile.painted - tile.reported.painted,
          dropped: tile.dropped - tile.reported.dropped,
          latency_p50_ms: p50,
          latency_p95_ms: p95,
        });
        tile.facts.delays.clear();
      }
      tile.reported = { painted: tile.painted, dropped: tile.dropped };
    }
  }
}
