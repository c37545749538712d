// One tile in the video worker: its decoder, what is known of it, what it counts.
//
// What should be here: what happens to one tile. What should not: the socket, the canvas, orders of the page.

import { TileDecoder } from './video-decoder.ts';
import { Delays, Gathered } from './video-gather.ts';
import { KIND, nowUs, type Link, type Media } from './video-link.ts';
import type { Painter } from './video-painter.ts';
import type { Meta, Picture, Reports, Says, TileStats } from './video-types.ts';

/** After a decoder fault the camera is asked for again at once, then after these waits. */
const REOPEN_WAITS_MS = [0, 1000, 2000, 5000];
const TROUBLE_FORGOTTEN_MS = 20_000;

/** What is around a tile. */
export interface Around {
  link: Link;
  painter: Painter;
  isOpen: (tile: WorkerTile) => boolean;
  report: (report: Reports) => void;
}

interface Summary {
  latency_p50_ms: number | null;
  latency_p95_ms: number | null;
  submit_painted_p50_ms: number | null;
  submit_painted_p95_ms: number | null;
}

export class WorkerTile {
  readonly id: number;
  readonly gathered: Gathered;
  serverDropped = 0;
  /** Whether the pictures since the last count can be compared: all of them were to be painted. */
  comparable = false;
  #around: Around;
  #decoder: TileDecoder;
  #submitDelays = new Delays();
  #painted = 0;
  #superseded = 0;
  #stills = 0;
  #came = 0;
  #reported = { painted: 0, dropped: 0, came: 0, held: 0 };
  #summary: Summary | null = null;
  #firstPaintedMs: number | null = null;
  #troubles: number[] = [];
  #lastTrouble: string | null = null;

  constructor(around: Around, id: number, camera: string) {
    this.#around = around;
    this.id = id;
    this.gathered = new Gathered(camera, around.link.serverNowUs() / 1000);
    this.#decoder = new TileDecoder({
      frame: (frame, meta) => { this.#frame(frame, meta); },
      unsupported: (codec) => {
        this.gathered.unplayable = codec;
        this.tell();
      },
      trouble: (reason) => { this.trouble(reason); },
    });
  }

  media(media: Media): void {
    if (media.kind === KIND.configuration) {
      this.gathered.unplayable = null;
      this.#decoder.configure(media);
    } else if (media.kind === KIND.still) {
      void this.#still(media);
    } else if (media.kind === KIND.frame && !this.gathered.paused) {
      if (!media.catchUp) this.#came += 1;
      this.#decoder.push(media, (this.#around.link.serverNowUs() - media.ingestUs) / 1000);
    }
  }

  says(says: Says): void {
    this.gathered.says = says;
    this.tell();
  }

  /** The socket is there again, and the camera is being asked for. */
  again(): void {
    this.gathered.asked(this.#around.link.serverNowUs() / 1000);
    this.comparable = false;
    this.#decoder.suspend();
  }

  pause(paused: boolean): void {
    if (this.gathered.paused === paused) return;
    this.gathered.paused = paused;
    this.comparable = false;
    if (paused) {
      this.#around.link.pause(this.id);
      this.#decoder.suspend();
    } else {
      // What stands there is as old as the pause: the age is told until the newest picture comes.
      this.#around.link.resume(this.id);
    }
  }

  /** Something failed for this tile alone: the camera is asked for again, sooner the first time than the third. */
  trouble(reason: string): void {
    const now = performance.now();
    this.#troubles = this.#troubles.filter((at) => now - at < TROUBLE_FORGOTTEN_MS);
    const wait = REOPEN_WAITS_MS[Math.min(this.#troubles.length, REOPEN_WAITS_MS.length - 1)];
    this.#troubles.push(now);
    this.#lastTrouble = reason;
    this.comparable = false;
    setTimeout(() => {
      const { link } = this.#around;
      if (!this.#around.isOpen(this) || !link.status.up) return;
      this.gathered.asked(link.serverNowUs() / 1000);
      link.reopen(this.id);
    }, wait);
  }

  close(): void {
    this.#decoder.close();
    this.#around.painter.remove(this.id);
    this.#around.link.close(this.id);
  }

  /** To be called a few times a second. */
  look(): void {
    if (!this.gathered.paused) this.#decoder.watch();
    this.tell();
  }

  /** Passes the facts on when they have changed. */
  tell(): void {
    const { link } = this.#around;
    const facts = this.gathered.news(link.status, link.nowMs(), link.serverNowUs() / 1000);
    if (facts !== null) this.#around.report({ facts: { tile: this.id, facts } });
  }

  /** A picture of this tile is on the canvas. */
  hasPainted(meta: Meta, now: number): void {
    this.#firstPaintedMs ??= Date.now();
    this.#painted += 1;
    // The newest picture of a catch-up burst is as old as the camera made it; its age says nothing about this path.
    const moving = meta.still !== true && meta.catchUp !== true;
    if (moving) this.#submitDelays.add((now - meta.submittedUs) / 1000);
    const delay = moving ? Math.max(0, (now + this.#around.link.offsetUs - meta.ingestUs) / 1000) : null;
    this.gathered.painted(meta.ingestUs / 1000, meta.still === true, delay);
    if (this.gathered.told?.painted !== true) this.tell();
  }

  /** What came and what was painted in the last `seconds`, for the server and for the tile's own words. */
  count(seconds: number): void {
    const { gathered } = this;
    const { p50, p95 } = gathered.delays.percentiles();
    const plays = gathered.says?.state === 'live' && !gathered.paused;
    const now = { painted: this.#painted, dropped: this.#dropped(), came: this.#came, held: this.serverDropped };
    const since = (name: keyof typeof now): number => now[name] - this.#reported[name];
    if (p50 !== null && p95 !== null && plays) {
      const latency = { latency_p50_ms: round(p50), latency_p95_ms: round(p95) };
      this.#around.link.stats(this.id, { painted: since('painted'), dropped: since('dropped'), ...latency });
    }
    const rate = (number: number): number => Math.max(0, Math.round(number / seconds));
    const sent_per_s = rate(since('came') + since('held'));
    const counts = { sent_per_s, painted_per_s: rate(since('painted')), held_back_per_s: rate(since('held')) };
    gathered.counted(plays && this.comparable ? counts : null);
    this.comparable = plays;
    this.#reported = now;
    this.#summary = this.#summed();
    gathered.delays.clear();
    this.#submitDelays.clear();
  }

  stats(): TileStats & Record<string, unknown> {
    const fresh = this.#summed();
    const latest = fresh.latency_p50_ms === null ? (this.#summary ?? fresh) : fresh;
    const { configuration, counts } = this.#decoder;
    return {
      tile: this.id,
      camera: this.gathered.camera,
      server_state: this.gathered.says?.state ?? null,
      codec: configuration?.codec ?? null,
      width: configuration?.width ?? null,
      height: configuration?.height ?? null,
      painted: this.#painted,
      first_painted_ms: this.#firstPaintedMs,
      dropped: this.#dropped(),
      superseded: this.#superseded,
      stills: this.#stills,
      paused: this.gathered.paused,
      trouble: this.#lastTrouble,
      ...counts,
      ...latest,
    };
  }

  #dropped(): number {
    return this.#superseded + this.#decoder.counts.skipped + this.serverDropped;
  }

  #frame(frame: Picture, meta: Meta): void {
    if (!this.#around.painter.show(this.id, frame, meta)) this.#superseded += 1;
  }

  async #still(media: Media): Promise<void> {
    this.#stills += 1;
    try {
      const picture = await createImageBitmap(new Blob([media.payload], { type: 'image/jpeg' }));
      if (this.#around.isOpen(this)) this.#frame(picture, { ingestUs: media.ingestUs, submittedUs: nowUs(), still: true });
      else picture.close();
    } catch {
      this.#decoder.counts.skipped += 1;
    }
  }

  #summed(): Summary {
    const [delay, submit] = [this.gathered.delays.percentiles(), this.#submitDelays.percentiles()];
    const figure = (number: number | null): number | null => (number === null ? null : round(number));
    return {
      latency_p50_ms: figure(delay.p50),
      latency_p95_ms: figure(delay.p95),
      submit_painted_p50_ms: figure(submit.p50),
      submit_painted_p95_ms: figure(submit.p95),
    };
  }
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}
