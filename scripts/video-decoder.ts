// One tile's WebCodecs decoder: when to feed it, when to wait for a key frame, when to give it up. Frames come out
// through `host.frame`.
//
// What should be here: one decoder's life. What should not: painting, the server, time other than the watchdog's.

import { nowUs, parseConfiguration, type Configuration, type Media } from './video-link.ts';
import type { Meta } from './video-types.ts';

/** Frames waiting inside the decoder beyond which the picture is behind for good: skip to the next key frame. */
const QUEUE_MAX = 50;
/** Frames that come this much later than the quickest of late, for so long: reception is behind, skip to a key frame. */
const BEHIND_MS = 1500;
const BEHIND_FOR_MS = 3000;
/** The quickest arrival is forgotten at this rate, so that a clock or route that changes is followed. */
const FORGET_MS_PER_FRAME = 0.2;
/** Fed and silent for this long: the decoder has died without saying so. */
const SILENT_MS = 2000;
/** A decoder may hold back frames for reordering; fewer inputs than this prove nothing. */
const REORDER_MAX = 8;
/** Lines below which hardware decoders cost more than they save, and are few. */
const SOFTWARE_BELOW_LINES = 360;
/** Hardware decoders in use beyond which the rest decodes in software (VA-API allows 16). */
const HARDWARE_MAX = 14;
const PENDING_MAX = 256;

/** A frame inside the decoder. */
interface Pending extends Meta {
  catchUp: boolean;
  height: number;
}

interface DecoderHost {
  frame: (frame: VideoFrame, meta: Meta) => void;
  unsupported: (codec: string) => void;
  trouble: (reason: string) => void;
}

let hardwareInUse = 0;

export class TileDecoder {
  #host: DecoderHost;
  #decoder: VideoDecoder | null = null;
  #configuration: Configuration | null = null;
  #nextSeq: number | null = null;
  #needKey = true;
  #pending = new Map<number, Pending>();
  #submittedSinceOutput = 0;
  #firstSubmitAfterOutput = 0;
  #lastSubmit = 0;
  #quickest = Number.POSITIVE_INFINITY;
  #behindSince: number | null = null;
  #hardware = false;
  #preferSoftware = false;
  #anyAcceleration = false;
  /** Totals since the tile was opened. */
  counts = { submitted: 0, decoded: 0, skipped: 0, caughtUp: 0, rebuilt: 0, deltasAfterGap: 0 };

  constructor(host: DecoderHost) {
    this.#host = host;
  }

  get configuration(): Configuration | null {
    return this.#configuration;
  }

  configure(media: Media): void {
    const configuration = parseConfiguration(media.payload);
    if (configuration === null) return;
    this.#release();
    this.#configuration = configuration;
    this.#nextSeq = null;
    this.#needKey = true;
  }

  /** `ageMs`: how long ago the server had taken the frame in. */
  push(media: Media, ageMs: number): void {
    const configuration = this.#configuration;
    if (configuration === null) {
      this.counts.skipped += 1;
      return;
    }
    const gap = media.discontinuity || (this.#nextSeq !== null && media.seq !== this.#nextSeq);
    this.#nextSeq = (media.seq + 1) >>> 0;
    if (gap) this.#needKey = true;
    if (!media.catchUp && this.#decoder !== null && this.#decoder.decodeQueueSize > QUEUE_MAX) this.#needKey = true;
    if (!media.catchUp && this.#fallenBehind(ageMs)) this.#needKey = true;
    if (this.#needKey && !media.key) {
      this.counts.skipped += 1;
      return;
    }
    const decoder = this.#decoder ?? this.#build(configuration);
    if (decoder === null) return;
    const afterGap = this.#needKey;
    this.#needKey = false;
    this.#decode(decoder, configuration, media, afterGap);
  }

  /** A pause is caught up by decoding faster; only when that does not help for a while are frames left out. */
  #fallenBehind(ageMs: number): boolean {
    this.#quickest = Math.min(ageMs, this.#quickest + FORGET_MS_PER_FRAME);
    const now = performance.now();
    if (ageMs - this.#quickest < BEHIND_MS) this.#behindSince = null;
    else this.#behindSince ??= now;
    if (this.#behindSince === null || now - this.#behindSince < BEHIND_FOR_MS) return false;
    this.#behindSince = null;
    return true;
  }

  /** Stops decoding but keeps the parameters: play goes on at the next key frame. */
  suspend(): void {
    this.#release();
    this.#needKey = true;
    this.#nextSeq = null;
  }

  /** To be called about twice a second. */
  watch(): void {
    if (this.#decoder === null || this.#submittedSinceOutput < REORDER_MAX) return;
    const now = performance.now();
    if (now - this.#firstSubmitAfterOutput < SILENT_MS || now - this.#lastSubmit > SILENT_MS / 2) return;
    this.#preferSoftware = true;
    this.#fail('decoder silent');
  }

  close(): void {
    this.#release();
    this.#configuration = null;
  }

  #build({ codec, width, height, description }: Configuration): VideoDecoder | null {
    const software = this.#preferSoftware || height < SOFTWARE_BELOW_LINES || hardwareInUse >= HARDWARE_MAX;
    const decoder = new VideoDecoder({
      output: (frame) => { this.#output(decoder, frame); },
      error: (error) => { this.#broken(decoder, error); },
    });
    const config: VideoDecoderConfig = { codec, codedWidth: width, codedHeight: height, optimizeForLatency: true };
    config.hardwareAcceleration = software && !this.#anyAcceleration ? 'prefer-software' : 'no-preference';
    if (description.length > 0) config.description = description;
    try {
      decoder.configure(config);
    } catch {
      // A codec string nobody knows throws at once.
      this.#host.unsupported(codec);
      return null;
    }
    this.#hardware = !software;
    if (this.#hardware) hardwareInUse += 1;
    this.#decoder = decoder;
    this.#submittedSinceOutput = 0;
    return decoder;
  }

  #decode(decoder: VideoDecoder, { height }: Configuration, media: Media, afterGap: boolean): void {
    if (afterGap && !media.key) this.counts.deltasAfterGap += 1;
    const now = performance.now();
    let timestamp = media.ptsUs;
    while (this.#pending.has(timestamp)) timestamp += 1;
    try {
      decoder.decode(new EncodedVideoChunk({ type: media.key ? 'key' : 'delta', timestamp, data: media.payload }));
    } catch (error) {
      this.#broken(decoder, error);
      return;
    }
    this.#pending.set(timestamp, {
      ingestUs: media.ingestUs,
      catchUp: media.catchUp,
      submittedUs: nowUs(),
      height,
    });
    const [oldest] = this.#pending.keys();
    if (oldest !== undefined && this.#pending.size > PENDING_MAX) this.#pending.delete(oldest);
    this.counts.submitted += 1;
    if (this.#submittedSinceOutput === 0) this.#firstSubmitAfterOutput = now;
    this.#submittedSinceOutput += 1;
    this.#lastSubmit = now;
  }

  #output(decoder: VideoDecoder, frame: VideoFrame): void {
    if (decoder !== this.#decoder) {
      frame.close();
      return;
    }
    this.#submittedSinceOutput = 0;
    this.counts.decoded += 1;
    const meta = this.#pending.get(frame.timestamp);
    this.#pending.delete(frame.timestamp);
    // Of a catch-up burst only the newest picture is shown; the others exist to be decoded from.
    if (meta === undefined || (meta.catchUp && this.#newerPending(frame.timestamp))) {
      this.counts.caughtUp += 1;
      frame.close();
      return;
    }
    this.#host.frame(frame, meta);
  }

  #newerPending(timestamp: number): boolean {
    for (const pending of this.#pending.keys()) if (pending > timestamp) return true;
    return false;
  }

  #broken(decoder: VideoDecoder, error: unknown): void {
    if (decoder !== this.#decoder) return;
    const words = error instanceof Error ? error.message : String(error);
    if (error instanceof DOMException && error.name === 'NotSupportedError') {
      const codec = this.#configuration?.codec ?? '';
      if (this.#anyAcceleration) {
        this.#release();
        this.#host.unsupported(codec);
        return;
      }
      this.#anyAcceleration = true;
    }
    this.#fail(`decoder error: ${words}`);
  }

  #fail(reason: string): void {
    this.counts.rebuilt += 1;
    this.suspend();
    this.#host.trouble(reason);
  }

  #release(): void {
    if (this.#decoder === null) return;
    const decoder = this.#decoder;
    this.#decoder = null;
    if (this.#hardware) hardwareInUse -= 1;
    this.#hardware = false;
    this.#pending.clear();
    this.#submittedSinceOutput = 0;
    if (decoder.state !== 'closed') decoder.close();
  }
}
