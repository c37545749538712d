// Fallback where WebCodecs is missing (plain http, old browsers): the same socket on the main thread, one `<video>` fed by
// Media Source Extensions per tile, or only JPEG stills where even that is missing.
//
// What should be here: the tiles of that engine. What should not: one element's buffer (`player-reel.ts`), stills
// (`player-stills.ts`), states.

import { Reel } from './player-reel.ts';
import { Stills } from './player-stills.ts';
import { Gathered } from './video-gather.ts';
import { KIND, Link, parseInit, type Media } from './video-link.ts';
import { fills } from './video-painter.ts';
import type { Engine, EngineHost, EngineStats, Rule } from './video-types.ts';

const TICK_MS = 250;
const STATS_EVERY_MS = 5000;
const STALL_MS = 2000;
const REBUILD_WAIT_MS = 1000;

const H265_MIME = 'video/mp4; codecs="hvc1.1.6.L93.B0"';

class Tile {
  readonly id: number;
  readonly element: HTMLElement;
  readonly gathered: Gathered;
  reel: Reel | null = null;
  coming: Reel | null = null;
  painted = 0;
  dropped = 0;
  rebuilt = 0;
  stills = 0;
  reported = { painted: 0, dropped: 0 };
  trouble: string | null = null;
  #pictures: Stills;
  #engine: ElementEngine;
  #lastAppend = 0;
  #lastPaint = 0;
  #nextSeq: number | null = null;
  #rebuildTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(engine: ElementEngine, id: number, element: HTMLElement, camera: string) {
    this.#engine = engine;
    this.id = id;
    this.element = element;
    this.gathered = new Gathered(camera, engine.link.serverNowUs() / 1000);
    this.#pictures = new Stills(element, {
      shown: (ingestUs) => { this.#shown(ingestUs, null, true); },
      failed: () => {
        this.dropped += 1;
      },
    });
  }

  media(media: Media): void {
    if (media.kind === KIND.init) this.#begin(media);
    else if (media.kind === KIND.fragment) this.#fragment(media);
    else if (media.kind === KIND.still) this.#still(media);
  }

  /** Parameters, or new ones: the old reel stays up until the new one has a picture. */
  #begin(media: Media): void {
    const init = parseInit(media.payload);
    if (init === null) return;
    this.gathered.unplayable = null;
    if (!MediaSource.isTypeSupported(init.mime)) {
      this.gathered.unplayable = init.mime;
      return;
    }
    this.coming?.dispose();
    const reel = new Reel(init.mime, (reason, unsupported) => { this.#broken(reel, reason, unsupported); });
    this.coming = reel;
    this.#nextSeq = null;
    this.element.append(reel.video);
    reel.append(init.segment, undefined, true);
    this.#lastPaint = performance.now();
    this.#follow(reel);
  }

  #fragment(media: Media): void {
    const reel = this.coming ?? this.reel;
    if (reel === null || this.gathered.paused) return;
    if (this.#nextSeq !== null && media.seq !== this.#nextSeq && !media.key) this.dropped += 1;
    this.#nextSeq = (media.seq + 1) >>> 0;
    this.#lastAppend = performance.now();
    reel.append(media.payload, media.ingestUs, media.catchUp);
  }

  #follow(reel: Reel): void {
    const next = (_now: number, metadata: VideoFrameCallbackMetadata): void => {
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
      this.#lastPaint = performance.now();
      const ingestUs = reel.ingestAt(metadata.mediaTime);
      if (ingestUs === null) this.painted += 1;
      else this.#shown(ingestUs, Math.max(0, (this.#engine.link.serverNowUs() - ingestUs) / 1000), false);
      reel.video.requestVideoFrameCallback(next);
    };
    reel.video.requestVideoFrameCallback(next);
  }

  #still(media: Media): void {
    this.stills += 1;
    if (!this.#pictures.show(media.payload, media.ingestUs)) this.dropped += 1;
  }

  #shown(ingestUs: number, delayMs: number | null, still: boolean): void {
    this.painted += 1;
    const first = !(this.gathered.told?.painted ?? false);
    this.gathered.painted(ingestUs / 1000, still, delayMs);
    if (first || still) this.#engine.tell(this);
  }

  /** Cropped to fill the tile, or whole with margins: by the same rule as on the canvas. */
  #fit(picture: HTMLElement, width: number, height: number): void {
    const tile = this.element.offsetWidth / Math.max(1, this.element.offsetHeight);
    picture.classList.toggle('whole', width > 0 && !fills(width / height, tile));
  }

  tick(): void {
    for (const reel of [this.reel, this.coming]) {
      const video = reel?.video;
      if (video !== undefined) this.#fit(video, video.videoWidth, video.videoHeight);
    }
    const still = this.#pictures.image;
    if (still !== null) this.#fit(still, still.naturalWidth, still.naturalHeight);
    const reel = this.reel ?? this.coming;
    reel?.chase();
    const now = performance.now();
    const fed = now - this.#lastAppend < STALL_MS / 2;
    if (this.gathered.paused || !fed || document.hidden || reel === null) return;
    if (now - this.#lastPaint > STALL_MS) this.#broken(reel, 'fed but nothing shown', null);
  }

  #broken(reel: Reel, reason: string, unsupported: string | null): void {
    if (reel !== this.reel && reel !== this.coming) return;
    this.trouble = reason;
    if (unsupported !== null) this.gathered.unplayable = unsupported;
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
        this.gathered.asked(this.#engine.link.serverNowUs() / 1000);
        this.#engine.link.reopen(this.id);
      },
      this.rebuilt === 1 ? 0 : REBUILD_WAIT_MS,
    );
  }

  /** The picture on show, for the last-picture layer and for tests. */
  async bitmap(): Promise<ImageBitmap | null> {
    const video = this.reel?.video;
    if (video !== undefined) return video.videoWidth === 0 ? null : createImageBitmap(video);
    const still = this.#pictures.image;
    return still === null ? null : createImageBitmap(still);
  }

  dispose(): void {
    clearTimeout(this.#rebuildTimer);
    this.reel?.dispose();
    this.coming?.dispose();
    this.reel = null;
    this.coming = null;
    this.#pictures.dispose();
  }
}

export class ElementEngine implements Engine {
  readonly mode: string;
  readonly link: Link;
  #tiles = new Map<number, Tile>();
  #on: EngineHost;

  constructor(url: string, on: EngineHost) {
    this.#on = on;
    this.mode = typeof MediaSource === 'function' ? 'mse' : 'still';
    const h265 = this.mode === 'mse' && MediaSource.isTypeSupported(H265_MIME);
    this.link = new Link(
      url,
      { mode: this.mode, h265 },
      {
        media: (media) => { this.#tiles.get(media.tile)?.media(media); },
        state: (state) => {
          const tile = this.#tiles.get(state.tile);
          if (tile === undefined) return;
          tile.gathered.says = state;
          this.tell(tile);
        },
        dropped: ({ tile, frames }) => {
          const known = this.#tiles.get(tile);
          if (known !== undefined) known.dropped += frames;
        },
        refusal: (refusal) => { this.#tiles.get(refusal.tile ?? 0)?.gathered.refused(refusal); },
        up: () => {
          for (const tile of this.#tiles.values()) tile.gathered.asked(this.link.serverNowUs() / 1000);
        },
        down: () => { this.#tick(); },
      },
    );
    setInterval(() => { this.#tick(); }, TICK_MS);
    setInterval(() => { this.#report(); }, STATS_EVERY_MS);
    queueMicrotask(() => { on.ready(); });
  }

  open(id: number, element: HTMLElement, camera: string, profile: string, height: number): void {
    // A tile that is open already begins anew: nothing of the first stays behind.
    if (this.#tiles.has(id)) this.close(id);
    const tile = new Tile(this, id, element, camera);
    this.#tiles.set(id, tile);
    this.link.open(id, camera, profile, height);
    this.tell(tile);
  }

  close(id: number): void {
    this.#tiles.get(id)?.dispose();
    this.#tiles.delete(id);
    this.link.close(id);
  }

  resize(id: number, height: number): void {
    this.link.resize(id, height);
  }

  pause(id: number, paused: boolean): void {
    const tile = this.#tiles.get(id);
    if (tile === undefined || tile.gathered.paused === paused) return;
    tile.gathered.paused = paused;
    if (paused) this.link.pause(id);
    else this.link.resume(id);
  }

  rule(id: number, rule: Rule): void {
    const tile = this.#tiles.get(id);
    if (tile === undefined) return;
    tile.gathered.obey(rule);
    this.tell(tile);
  }

  serverTime(us: number): void {
    this.link.serverTime(us);
  }

  /** Elements lie where they are; there is no canvas to move. */
  layout(): void {
    return;
  }

  stats(): Promise<EngineStats> {
    const tiles = [...this.#tiles.values()].map((tile) => {
      const { p50, p95 } = tile.gathered.delays.percentiles();
      return {
        tile: tile.id,
        camera: tile.gathered.camera,
        server_state: tile.gathered.says?.state ?? null,
        painted: tile.painted,
        dropped: tile.dropped,
        stills: tile.stills,
        rebuilt: tile.rebuilt,
        paused: tile.gathered.paused,
        trouble: tile.trouble,
        latency_p50_ms: p50,
        latency_p95_ms: p95,
      };
    });
    return Promise.resolve({ link: this.link.status, offset_us: this.link.offsetUs, tiles });
  }

  async grab(id: number): Promise<ImageBitmap | null> {
    return (await this.#tiles.get(id)?.bitmap()) ?? null;
  }

  tell(tile: Tile): void {
    const facts = tile.gathered.news(this.link.status, this.link.nowMs(), this.link.serverNowUs() / 1000);
    if (facts !== null) this.#on.facts(tile.id, facts);
  }

  #tick(): void {
    for (const tile of this.#tiles.values()) {
      tile.tick();
      this.tell(tile);
    }
  }

  #report(): void {
    for (const tile of this.#tiles.values()) {
      const { p50, p95 } = tile.gathered.delays.percentiles();
      if (p50 !== null && p95 !== null && tile.gathered.says?.state === 'live' && !tile.gathered.paused) {
        this.link.stats(tile.id, {
          painted: tile.painted - tile.reported.painted,
          dropped: tile.dropped - tile.reported.dropped,
          latency_p50_ms: p50,
          latency_p95_ms: p95,
        });
        tile.gathered.delays.clear();
      }
      tile.reported = { painted: tile.painted, dropped: tile.dropped };
    }
  }
}
