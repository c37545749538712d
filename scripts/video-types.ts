// What the parts of the player say to each other: types only, no line of it is sent to a browser.
//
// What should be here: messages between page, worker and server that more than one file names. What should not: what
// they mean (`docs/video-protocol.md`, `domain::video`).

/** What a browser gives as a picture. */
export type Picture = VideoFrame | ImageBitmap;

/** How long a picture has been under way. */
export interface Meta {
  ingestUs: number;
  submittedUs: number;
  catchUp?: boolean;
  still?: boolean;
}

export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Where a tile lies, and how much of it is to be seen. `aspect`: its shape as laid out; `whole`: never cropped. */
export interface Place extends Rect {
  tile: number;
  clip: Rect;
  aspect: number;
  whole: boolean;
}

/** The server's word on a stream. */
export interface Says {
  tile: number;
  state: string;
  since_ms: number;
  retry_at_ms: number | null;
  cause: string | null;
  reason: string | null;
}

/** Pictures a second over the last seconds. */
export interface Counts {
  sent_per_s: number;
  painted_per_s: number;
  held_back_per_s: number;
}

/** `domain::video::Facts`: what is not given is not known. */
export interface Facts extends Partial<Counts> {
  now_ms?: number;
  engine?: 'running' | 'missing' | 'failed';
  engine_retry_ms?: number | null;
  asked_ms?: number;
  down_since_ms?: number | null;
  redial_ms?: number | null;
  full?: boolean;
  refusal?: string | null;
  unplayable?: string | null;
  says?: Says | null;
  picture_ms?: number | null;
  painted?: boolean;
  standing?: boolean;
  delay_ms?: number | null;
  still_every_ms?: number | null;
}

/** `domain::video::Rule`, as far as it concerns whoever paints. */
export interface Rule {
  show: boolean;
  standing_after_ms: number;
}

/** The socket's health; times on the clock of `Link.nowMs`. */
export interface LinkStatus {
  up: boolean;
  downSinceMs: number;
  retryAtMs: number | null;
  reconnects: number;
}

/** A tile's numbers, for tests and support. */
export interface TileStats {
  tile: number;
  camera: string;
  server_state: string | null;
  painted: number;
  dropped: number;
  stills: number;
  paused: boolean;
  trouble: string | null;
  latency_p50_ms: number | null;
  latency_p95_ms: number | null;
}

export interface EngineStats {
  link: LinkStatus;
  offset_us: number;
  paint?: { frames: number; ms: number };
  tiles: TileStats[];
}

/** What plays the pictures of a page. */
export interface Engine {
  readonly mode: string;
  open: (tile: number, element: HTMLElement, camera: string, profile: string, height: number) => void;
  close: (tile: number) => void;
  resize: (tile: number, height: number) => void;
  pause: (tile: number, paused: boolean) => void;
  rule: (tile: number, rule: Rule) => void;
  serverTime: (us: number) => void;
  /** `places` in CSS pixels of the viewport; `host` is what the canvas has to lie in. */
  layout: (places: Place[], host: Element) => void;
  stats: () => Promise<EngineStats>;
  /** `what`: `canvas` (as painted) or `frame` (the newest picture in its own size). */
  grab: (tile: number, what: string) => Promise<ImageBitmap | null>;
}

/** What an engine tells the page. */
export interface EngineHost {
  ready: () => void;
  facts: (tile: number, facts: Facts) => void;
  last: (tile: number, bitmap: ImageBitmap) => void;
  failed: (reason: string) => void;
}

/** What the page orders of its worker; each message has one of them. */
export interface Orders {
  open: { tile: number; camera: string; profile: string; height: number };
  close: { tile: number };
  rule: Rule & { tile: number };
  resize: { tile: number; height: number };
  pause: { tile: number; paused: boolean };
  layout: { generation: number; width: number; height: number; tiles: Place[] };
  serverTime: { us: number };
  grab: { id: number; tile: number; what: string };
  stats: { id: number };
}

/** What the worker says to its page; each message has one of them. */
export interface Reports {
  ready?: true;
  alive?: true;
  facts?: { tile: number; facts: Facts };
  last?: { tile: number; bitmap: ImageBitmap };
  laidOut?: number;
  answer?: { id: number; bitmap?: ImageBitmap | null; stats?: EngineStats };
}
