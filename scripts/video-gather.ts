// What is known of one tile, gathered for whoever decides on it: `domain::video` in the page's programme. It passes facts
// on when something has changed that matters, and has no opinion about them.
//
// What should be here: keeping and comparing facts, pure. What should not: sockets, elements, timers, states.

import type { Counts, Facts, LinkStatus, Rule, Says } from './video-types.ts';

/** The delay of a live tile and the age of a standing picture are passed on at most this often. */
const DELAY_STEP_MS = 2000;
const AGE_STEP_MS = 1000;
/** A delay this near to what was told is told as before. */
const DELAY_BAND_MS = 70;
/** A server's clock that is found to be off by less is not news. */
const CLOCK_STEP_MS = 500;

const SAMPLES_MAX = 256;

/** Delays of the last few hundred pictures, for percentiles. */
export class Delays {
  #ring = new Float64Array(SAMPLES_MAX);
  #count = 0;

  add(ms: number): void {
    this.#ring[this.#count % SAMPLES_MAX] = ms;
    this.#count += 1;
  }

  /** Percentiles of what was added since the last `clear`; nulls when nothing was. */
  percentiles(): { p50: number | null; p95: number | null } {
    const sorted = this.#ring.slice(0, Math.min(this.#count, SAMPLES_MAX)).sort();
    const at = (share: number): number | null => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
    return { p50: at(0.5), p95: at(0.95) };
  }

  clear(): void {
    this.#count = 0;
  }
}

/** The facts of one tile, and the rule it is under. Times are milliseconds, instants on the server's clock. */
export class Gathered {
  readonly camera: string;
  paused = false;
  /** As long as nobody has decided otherwise. */
  rule: Rule = { show: true, standing_after_ms: 1500 };
  /** Ingest to painted. */
  delays = new Delays();
  /** What was passed on last. */
  told: Facts | null = null;
  unplayable: string | null = null;
  says: Says | null = null;
  #askedMs: number;
  #full = false;
  #refusal: string | null = null;
  #pictureMs: number | null = null;
  #painted = false;
  #delayMs: number | null = null;
  #delayTold: number | null = null;
  #delayToldAt = 0;
  #ageTold: number | null = null;
  #stillEveryMs: number | null = null;
  #counts: Counts | null = null;
  #key = '';

  constructor(camera: string, serverNowMs: number) {
    this.camera = camera;
    this.#askedMs = serverNowMs;
  }

  /** The camera was asked for again (reconnect, decoder fault): the server's words no longer hold. */
  asked(serverNowMs: number): void {
    this.says = null;
    this.#refusal = null;
    this.#full = false;
    this.#counts = null;
    this.#askedMs = serverNowMs;
  }

  refused({ code, message }: { code?: string; message?: string }): void {
    if (code === 'too_many_tiles') this.#full = true;
    else this.#refusal = message ?? '';
  }

  obey(rule: Rule): void {
    this.rule = rule;
    if (!rule.show) this.#painted = false;
  }

  /** A picture has reached the screen. `delayMs`: since the server had it; null where that says nothing about the way. */
  painted(ingestMs: number, still: boolean, delayMs: number | null): void {
    if (still && this.#pictureMs !== null) this.#stillEveryMs = ingestMs - this.#pictureMs;
    this.#pictureMs = ingestMs;
    this.#painted = this.rule.show;
    if (delayMs === null) return;
    this.delays.add(delayMs);
    this.#delayMs = delayMs;
  }

  /** Pictures a second over the last seconds; null when they cannot be compared. */
  counted(counts: Counts | null): void {
    this.#counts = counts;
  }

  /** The facts, when something that matters has changed since they were last asked for; else null. */
  news(status: LinkStatus, localNowMs: number, serverNowMs: number): Facts | null {
    const offset = serverNowMs - localNowMs;
    const standing = this.#standing(serverNowMs);
    const facts: Facts = {
      asked_ms: Math.round(this.#askedMs),
      down_since_ms: status.up ? null : Math.round(status.downSinceMs + offset),
      redial_ms: status.retryAtMs === null ? null : Math.round(status.retryAtMs + offset),
      full: this.#full,
      refusal: this.#refusal,
      unplayable: this.unplayable,
      says: this.says,
      painted: this.#painted,
      standing,
      delay_ms: this.#steppedDelay(serverNowMs),
      still_every_ms: this.#stillEveryMs === null ? null : Math.max(0, Math.round(this.#stillEveryMs / 1000) * 1000),
      ...this.#counts,
    };
    const key = JSON.stringify([facts, this.#age(standing), Math.round(offset / CLOCK_STEP_MS)]);
    if (key === this.#key) return null;
    this.#key = key;
    facts.now_ms = Math.round(serverNowMs);
    facts.picture_ms = this.#pictureMs === null ? null : Math.round(this.#pictureMs);
    this.told = facts;
    return facts;
  }

  #standing(serverNowMs: number): boolean {
    if (this.paused || !this.#painted || this.#pictureMs === null) return false;
    return serverNowMs - this.#pictureMs > this.rule.standing_after_ms;
  }

  /** In tenths of a second. A figure that changes with each picture would be news with each picture. */
  #steppedDelay(serverNowMs: number): number | null {
    const [delay, told] = [this.#delayMs, this.#delayTold];
    if (delay === null || (told !== null && serverNowMs - this.#delayToldAt < DELAY_STEP_MS)) return told;
    // Beside the edge of a step it would come and go.
    if (told === null || Math.abs(delay - told) > DELAY_BAND_MS) this.#delayTold = Math.round(delay / 100) * 100;
    this.#delayToldAt = serverNowMs;
    return this.#delayTold;
  }

  /** How old a standing picture is goes on by itself; that it was replaced by another that is late as well is news. */
  #age(standing: boolean): number | null {
    if (!standing || this.#pictureMs === null) this.#ageTold = null;
    else if (this.#ageTold === null || Math.abs(this.#pictureMs - this.#ageTold) >= AGE_STEP_MS) this.#ageTold = this.#pictureMs;
    return this.#ageTold;
  }
}
