// One `<video>` fed fragment by fragment through Media Source Extensions, kept near its live edge. A reel plays one set
// of parameters: when they change or something breaks, its owner makes another.
//
// What should be here: one element and its buffer. What should not: the socket, states of tiles.

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

/** A piece of the stream; without `ingestUs` it is none that shows a picture. */
interface Piece {
  bytes: Uint8Array<ArrayBuffer>;
  ingestUs: number | undefined;
  catchUp: boolean;
}

/** `unsupported`: the MIME type that this browser cannot play after all. */
type Failed = (reason: string, unsupported: string | null) => void;

/** One MediaSource and its `<video>`. Replaced as a whole when the parameters change or something breaks. */
export class Reel {
  readonly video = document.createElement('video');
  #queue: Piece[] = [];
  #queued: Piece | null = null;
  #buffer: SourceBuffer | null = null;
  #url: string;
  #marks: { end: number; ingestUs: number }[] = [];
  #failed: Failed;
  #toEdge = true;
  #burstTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(mime: string, failed: Failed) {
    this.#failed = failed;
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
        let buffer;
        try {
          buffer = source.addSourceBuffer(mime);
          buffer.mode = 'sequence';
        } catch (error) {
          const unsupported = error instanceof DOMException && error.name === 'NotSupportedError';
          failed(`source buffer: ${String(error)}`, unsupported ? mime : null);
          return;
        }
        this.#buffer = buffer;
        buffer.addEventListener('updateend', () => { this.#drain(); });
        buffer.addEventListener('error', () => { failed('source buffer error', null); });
        this.#drain();
      },
      { once: true },
    );
    this.video.addEventListener('error', () => { failed(`video element: ${this.video.error?.message ?? ''}`, null); });
  }

  append(bytes: Uint8Array<ArrayBuffer>, ingestUs: number | undefined, catchUp: boolean): void {
    if (this.#queue.length >= QUEUE_MAX) {
      this.#failed('append queue full', null);
      return;
    }
    this.#queue.push({ bytes, ingestUs, catchUp });
    this.#drain();
  }

  #drain(): void {
    const buffer = this.#buffer;
    if (buffer === null || buffer.updating || this.video.error !== null) return;
    this.#settle(buffer);
    const next = this.#queue.shift();
    if (next === undefined) return;
    this.#queued = next;
    try {
      buffer.appendBuffer(next.bytes);
    } catch (error) {
      this.#failed(`append: ${String(error)}`, null);
    }
  }

  /** After an append: remember whose picture ends where, jump over a catch-up burst, drop what was played. */
  #settle(buffer: SourceBuffer): void {
    const ranges = buffer.buffered;
    if (ranges.length === 0) return;
    const end = ranges.end(ranges.length - 1);
    const queued = this.#queued;
    if (queued?.ingestUs !== undefined) {
      this.#marks.push({ end, ingestUs: queued.ingestUs });
      if (this.#marks.length > QUEUE_MAX) this.#marks.shift();
      if (queued.catchUp) this.#awaitEdge();
      else if (this.#toEdge) this.#reachEdge();
      this.#queued = null;
    }
    const start = ranges.start(0);
    const now = this.video.currentTime;
    if (now - start > 2 * KEEP_S) buffer.remove(start, now - KEEP_S);
  }

  /** Each seek decodes from the key frame again: one at the end of the burst, not one for each of its fragments. */
  #awaitEdge(): void {
    this.#toEdge = true;
    clearTimeout(this.#burstTimer);
    this.#burstTimer = setTimeout(() => { this.#reachEdge(); }, BURST_PAUSE_MS);
  }

  #reachEdge(): void {
    clearTimeout(this.#burstTimer);
    const ranges = this.#buffer?.buffered;
    if (ranges === undefined || ranges.length === 0) return;
    this.#toEdge = false;
    this.#seek(ranges);
  }

  /** Still taking in old pictures: what the element shows meanwhile is none to look at. */
  get catchingUp(): boolean {
    return this.#toEdge;
  }

  #seek(ranges: TimeRanges): void {
    const last = ranges.length - 1;
    this.video.currentTime = Math.max(ranges.start(last), ranges.end(last) - 0.05);
    this.#play();
  }

  /** A browser that does not let a muted picture play says so in the next `chase`, too. */
  #play(): void {
    if (this.video.paused) this.video.play().catch(() => undefined);
  }

  /** Keeps play near the newest fragment. Called on each tick. */
  chase(): void {
    const ranges = this.#buffer?.buffered;
    if (ranges === undefined || this.#toEdge || ranges.length === 0) return;
    this.#play();
    const end = ranges.end(ranges.length - 1);
    const behind = end - this.video.currentTime;
    if (behind > JUMP_BEHIND_S || behind < -0.5) this.#seek(ranges);
    const hurrying = this.video.playbackRate > 1;
    const rate = behind > (hurrying ? CLOSE_BEHIND_S : HURRY_BEHIND_S) ? RATE_MAX : 1;
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }

  /** Ingest time of the picture standing at media time `at`, or null. */
  ingestAt(at: number): number | null {
    while (this.#marks.length > 1 && (this.#marks[0]?.end ?? 0) <= at) this.#marks.shift();
    return this.#marks[0]?.ingestUs ?? null;
  }

  dispose(): void {
    clearTimeout(this.#burstTimer);
    this.#buffer = null;
    this.#queue.length = 0;
    this.video.removeAttribute('src');
    this.video.load();
    this.video.remove();
    URL.revokeObjectURL(this.#url);
  }
}
