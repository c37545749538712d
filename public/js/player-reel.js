// One `<video>` fed fragment by fragment through Media Source Extensions, kept near its live edge. A reel plays one set
// of parameters: when they change or something breaks, its owner makes another.

/** Behind the newest fragment by more than this: jump. */
const JUMP_BEHIND_S = 1.5;
/** Behind by more than this: play a little faster, until less than the second figure is left. */
const HURRY_BEHIND_S = 0.25;
const CLOSE_BEHIND_S = 0.12;
const RATE_MAX = 1.1;
/** Played pictures kept in the buffer. */
const KEEP_S = 10;
/** A catch-up burst is over when nothing of it has come for so long. */
const BURST_PAUSE_MS = 80;
/** Fragments waiting to be appended; more means the buffer has died. */
const QUEUE_MAX = 512;

/** One MediaSource and its `<video>`. Replaced as a whole when the parameters change or something breaks. */
export class Reel {
  #queue = [];
  #queued = { key: false };
  #buffer = null;
  #url;
  #marks = [];
  #failed;
  #toEdge = true;
  #burstTimer = 0;

  constructor(mime, failed) {
    this.#failed = failed;
    this.video = document.createElement('video');
    this.video.className = 'camera-video';
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.disablePictureInPicture = true;
    this.video.tabIndex = -1;
    const source = new MediaSource();
    this.#url = URL.createObjectURL(source);
    this.video.src = this.#url;
    source.addEventListener(
      'sourceopen',
      () => {
        try {
          this.#buffer = source.addSourceBuffer(mime);
          this.#buffer.mode = 'sequence';
        } catch (error) {
          failed(`source buffer: ${error.message}`, error.name === 'NotSupportedError' ? mime : null);
          return;
        }
        this.#buffer.addEventListener('updateend', () => this.#drain());
        this.#buffer.addEventListener('error', () => failed('source buffer error', null));
        this.#drain();
      },
      { once: true },
    );
    this.video.addEventListener('error', () => failed(`video element: ${this.video.error?.message}`, null));
  }

  append(bytes, ingestUs, catchUp) {
    if (this.#queue.length >= QUEUE_MAX) {
      this.#failed('append queue full', null);
      return;
    }
    this.#queue.push({ bytes, ingestUs, catchUp });
    this.#drain();
  }

  #drain() {
    const buffer = this.#buffer;
    if (buffer === null || buffer.updating || this.video.error !== null) return;
    this.#settle();
    const next = this.#queue.shift();
    if (next === undefined) return;
    this.#queued = next;
    try {
      buffer.appendBuffer(next.bytes);
    } catch (error) {
      this.#failed(`append: ${error.message}`, null);
    }
  }

  /** After an append: remember whose picture ends where, jump over a catch-up burst, drop what was played. */
  #settle() {
    const ranges = this.#buffer.buffered;
    if (ranges.length === 0) return;
    const end = ranges.end(ranges.length - 1);
    if (this.#queued.ingestUs !== undefined) {
      this.#marks.push({ end, ingestUs: this.#queued.ingestUs });
      if (this.#marks.length > QUEUE_MAX) this.#marks.shift();
      if (this.#queued.catchUp) this.#awaitEdge();
      else if (this.#toEdge) this.#reachEdge();
      this.#queued = {};
    }
    const start = ranges.start(0);
    const now = this.video.currentTime;
    if (now - start > 2 * KEEP_S) this.#buffer.remove(start, now - KEEP_S);
  }

  /** Each seek decodes from the key frame again: one at the end of the burst, not one for each of its fragments. */
  #awaitEdge() {
    this.#toEdge = true;
    clearTimeout(this.#burstTimer);
    this.#burstTimer = setTimeout(() => this.#reachEdge(), BURST_PAUSE_MS);
  }

  #reachEdge() {
    clearTimeout(this.#burstTimer);
    const ranges = this.#buffer?.buffered;
    if (ranges === undefined || ranges.length === 0) return;
    this.#toEdge = false;
    this.#seek(ranges.end(ranges.length - 1));
  }

  /** Still taking in old pictures: what the element shows meanwhile is none to look at. */
  get catchingUp() {
    return this.#toEdge;
  }

  #seek(end) {
    const ranges = this.#buffer.buffered;
    this.video.currentTime = Math.max(ranges.start(ranges.length - 1), end - 0.05);
    if (this.video.paused) this.video.play().catch(() => {});
  }

  /** Keeps play near the newest fragment. Called on each tick. */
  chase() {
    if (this.#buffer === null || this.#toEdge || this.#buffer.buffered.length === 0) return;
    if (this.video.paused) this.video.play().catch(() => {});
    const end = this.#buffer.buffered.end(this.#buffer.buffered.length - 1);
    const behind = end - this.video.currentTime;
    if (behind > JUMP_BEHIND_S || behind < -0.5) this.#seek(end);
    const hurrying = this.video.playbackRate > 1;
    const rate = behind > (hurrying ? CLOSE_BEHIND_S : HURRY_BEHIND_S) ? RATE_MAX : 1;
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }

  /** Ingest time of the picture standing at media time `at`, or null. */
  ingestAt(at) {
    while (this.#marks.length > 1 && this.#marks[0].end <= at) this.#marks.shift();
    return this.#marks.length === 0 ? null : this.#marks[0].ingestUs;
  }

  dispose() {
    clearTimeout(this.#burstTimer);
    this.#buffer = null;
    this.#queue.length = 0;
    this.video.removeAttribute('src');
    this.video.load();
    this.video.remove();
    URL.revokeObjectURL(this.#url);
  }
}
