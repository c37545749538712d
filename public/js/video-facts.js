// What is known about one tile, and the one state a person is told from it. Pure: no socket, no DOM, no timer.
// The words and shapes are the page's (`app/src/player`); this decides which state holds and fills in its numbers.

/** A live picture older than this is said to be delayed; it is live again below the second figure. */
const DELAYED_AFTER_MS = 1500;
const LIVE_AGAIN_BELOW_MS = 1000;
/** A still every second or two is normal; older ones are delayed. */
const STILL_DELAYED_AFTER_MS = 5000;
/** Without the server for this long, a tile is lost; before, its picture only grows older. */
const LINK_LOST_AFTER_MS = 4000;
/** After a reconnect the last picture stays up for this long while the camera is asked for again. */
const REOPEN_GRACE_MS = 3000;
/** The delay on a live tile changes at most this often. */
const DELAY_STEP_MS = 2000;

const SAMPLES_MAX = 256;

/** Delays of the last few hundred pictures, for percentiles. */
export class Delays {
  #ring = new Float64Array(SAMPLES_MAX);
  #count = 0;

  add(ms) {
    this.#ring[this.#count % SAMPLES_MAX] = ms;
    this.#count += 1;
  }

  /** Percentiles of what was added since the last `clear`; nulls when nothing was. */
  percentiles() {
    const sorted = this.#ring.slice(0, Math.min(this.#count, SAMPLES_MAX)).sort();
    if (sorted.length === 0) return { p50: null, p95: null };
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return { p50: at(0.5), p95: at(0.95) };
  }

  clear() {
    this.#count = 0;
  }
}

export class TileFacts {
  server = null;
  /** Set when this browser cannot decode what the server sends. */
  unsupportedCodec = null;
  /** Set when the server refused the request itself (too many tiles, not allowed). */
  refusal = null;
  paused = false;
  /** Ingest time of the newest picture, server clock, milliseconds; kept when the picture no longer counts as current. */
  pictureMs = null;
  stillIntervalMs = null;
  /** Ingest to painted. */
  delays = new Delays();
  #hasPicture = false;
  #lastDelayMs = null;
  #delayShown = null;
  #delayShownAt = 0;
  #delayed = false;
  #openedAtMs;
  #askedAtMs;

  constructor(camera, nowMs) {
    this.camera = camera;
    this.#openedAtMs = nowMs;
    this.#askedAtMs = nowMs;
  }

  /** The camera was asked for again (reconnect, decoder fault): the server's words no longer hold. */
  asked(nowMs) {
    this.server = null;
    this.refusal = null;
    this.#askedAtMs = nowMs;
  }

  serverSays(state) {
    if (state.state === 'connecting' && this.server?.state !== 'connecting') this.#openedAtMs = Date.now();
    // A picture from before an interruption is not the picture of what comes after it.
    if (!showsPicture(state.state) && state.state !== 'connecting') this.#hasPicture = false;
    this.server = state;
  }

  /** A picture has been decoded and will be on the canvas by the next animation frame. */
  pictureReady(ingestMs, still) {
    if (still && this.pictureMs !== null) this.stillIntervalMs = ingestMs - this.pictureMs;
    this.#hasPicture = true;
    this.pictureMs = ingestMs;
  }

  /** A moving picture reached the screen this long after the server had it. */
  pictureShown(delayMs) {
    this.delays.add(delayMs);
    this.#lastDelayMs = delayMs;
  }

  /**
   * The state to tell. `link` is `Link.status`, `serverNowMs` the server's clock now, `nowMs` the local one.
   * Times in the answer are the server's, waits are whole seconds.
   */
  view(link, nowMs, serverNowMs) {
    const view = this.#decide(link, nowMs, serverNowMs);
    view.profile = this.server?.profile ?? null;
    view.frame_ms = this.pictureMs === null ? null : Math.round(this.pictureMs);
    return view;
  }

  #decide(link, nowMs, serverNowMs) {
    if (this.unsupportedCodec !== null) return { state: 'unsupported', cause: 'codec', reason: this.unsupportedCodec };
    if (!link.up && nowMs - link.downSinceMs > LINK_LOST_AFTER_MS) {
      const offset = serverNowMs - nowMs;
      return {
        state: 'lost',
        cause: 'link',
        since_ms: Math.round(link.downSinceMs + offset),
        retry_s: secondsUntil(link.retryAtMs, nowMs),
      };
    }
    if (this.refusal !== null) return { state: 'refused', reason: this.refusal };
    const age = serverNowMs - this.pictureMs;
    if (this.server === null) {
      const waiting = nowMs - this.#askedAtMs > REOPEN_GRACE_MS;
      return this.#hasPicture && !waiting ? this.#moving(serverNowMs) : this.#connecting(nowMs);
    }
    const says = this.server;
    const common = {
      since_ms: says.since_ms,
      retry_s: secondsUntil(says.retry_at_ms, serverNowMs),
      cause: says.cause ?? null,
      reason: says.reason ?? null,
    };
    switch (says.state) {
      case 'connecting':
        return this.#hasPicture && age < REOPEN_GRACE_MS ? this.#moving(serverNowMs) : this.#connecting(nowMs);
      case 'live':
        return this.#hasPicture ? this.#moving(serverNowMs) : this.#connecting(nowMs);
      case 'delayed':
        return this.#hasPicture ? this.#late(serverNowMs) : this.#connecting(nowMs);
      case 'key_frames':
        return this.#hasPicture ? { cause: common.cause, reason: common.reason, ...this.#stills(serverNowMs) } : this.#connecting(nowMs);
      case 'lost':
        return { state: 'lost', ...common };
      case 'refused':
        return { state: 'refused', ...common };
      case 'unsupported':
        return { state: 'unsupported', ...common };
      case 'gone':
        return { state: 'gone', ...common };
      default:
        // A newer server's word: say that there is a connection to come, never claim a picture.
        return this.#connecting(nowMs);
    }
  }

  #connecting(nowMs) {
    return { state: 'connecting', waited_s: Math.max(0, Math.floor((nowMs - this.#openedAtMs) / 1000)) };
  }

  #late(serverNowMs) {
    this.#delayed = true;
    return { state: 'delayed', delay_s: Math.max(1, Math.round((serverNowMs - this.pictureMs) / 1000)) };
  }

  #moving(serverNowMs) {
    const age = serverNowMs - this.pictureMs;
    if (!this.paused && age > (this.#delayed ? LIVE_AGAIN_BELOW_MS : DELAYED_AFTER_MS)) return this.#late(serverNowMs);
    this.#delayed = false;
    if (this.#lastDelayMs !== null && (this.#delayShown === null || serverNowMs - this.#delayShownAt >= DELAY_STEP_MS)) {
      // Tenths of a second: a finer figure would only flicker.
      this.#delayShown = Math.max(100, Math.round(this.#lastDelayMs / 100) * 100);
      this.#delayShownAt = serverNowMs;
    }
    return { state: 'live', delay_ms: this.#delayShown };
  }

  #stills(serverNowMs) {
    const age = serverNowMs - this.pictureMs;
    if (!this.paused && age > STILL_DELAYED_AFTER_MS) return this.#late(serverNowMs);
    const interval = this.stillIntervalMs === null ? null : Math.max(1, Math.round(this.stillIntervalMs / 1000));
    return { state: 'key_frames', interval_s: interval };
  }
}

/** States in which the newest picture stands as it comes; in all others the page greys, dims or hides it. */
export function showsPicture(state) {
  return state === 'live' || state === 'delayed' || state === 'key_frames';
}

function secondsUntil(atMs, nowMs) {
  return atMs === null || atMs === undefined ? null : Math.max(0, Math.ceil((atMs - nowMs) / 1000));
}
