// The page's video player. A tile gives an empty element for its picture; this module keeps a camera's picture in it
// and passes on what is known of it with `camerafacts` events (detail: `domain::video::Facts`).
//
// What should be here: which engine plays, where tiles are, pausing what cannot be seen. What should not: which state
// holds (`domain::video`), words, shapes and colours (the page's).

import { CanvasEngine } from './player-canvas.ts';
import { EngineState } from './player-engine.ts';
import { measure, type Edges } from './player-layout.ts';
import { ElementEngine } from './player-mse.ts';
import { PlayerTile, pass } from './player-tile.ts';
import { TILES_MAX } from './video-link.ts';
import type { Engine, EngineHost, Facts, Place } from './video-types.ts';
import { base } from './world.ts';

/** What cuts tiles off is looked up anew at most this often. */
const LEARN_MS = 250;
/** After a scroll or resize every frame is measured for this long. */
const BUSY_MS = 300;
/** Out of sight for this long: the server stops sending. */
const PAUSE_AFTER_MS = 1000;
/** Height changes smaller than this share do not ask the server to think again. */
const HEIGHT_STEP = 0.05;

const tiles = new Map<number, PlayerTile>();
const engines = new EngineState<Engine>(make);
let nextTile = 1;
let busyUntil = 0;
let frameAsked = false;
let told = '';

/**
 * Shows `camera` in `element` until `detach`. `profile` is `auto`, `main` or `sub`. Returns the tile's number, or 0
 * when the page has as many tiles as the server allows; the element is told so.
 */
export function attach(element: HTMLElement, camera: string, profile = 'auto'): number {
  if (tiles.size >= TILES_MAX) {
    pass(element, { full: true });
    return 0;
  }
  while (tiles.has(nextTile)) nextTile = (nextTile % 65535) + 1;
  const tile = new PlayerTile(nextTile, element, camera, profile);
  nextTile = (nextTile % 65535) + 1;
  tiles.set(tile.id, tile);
  element.dataset.tile = String(tile.id);
  tile.height = deviceHeight(element);
  // An engine that is just made asks for all tiles; one that has failed, when it is made again.
  if (engines.start()) openAll();
  else if (engines.engine !== null) open(engines.engine, tile);
  else tile.tell(failed());
  sizes.observe(element);
  wake();
  return tile.id;
}

export function detach(id: number): void {
  const tile = tiles.get(id);
  if (tile === undefined) return;
  tiles.delete(id);
  sizes.unobserve(tile.element);
  engines.engine?.close(id);
  tile.clear();
  delete tile.element.dataset.tile;
  wake();
}

/** Does with a tile what the page has decided: `domain::video::Rule`. */
export function rule(id: number, show: boolean, snapshot: boolean, standingAfterMs: number): void {
  const tile = tiles.get(id);
  if (tile === undefined) return;
  engines.engine?.rule(id, { show, standing_after_ms: standingAfterMs });
  if (snapshot) tile.precede();
}

/** The server's clock as the live feed knows it, Unix microseconds; keeps delays true on pages open for weeks. */
export function serverTime(us: number): void {
  engines.engine?.serverTime(us);
}

function socketUrl(): string {
  const url = new URL(`${base()}/api/v1/video`, location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

function canUseWebCodecs(): boolean {
  const here = globalThis as { VideoDecoder?: unknown; OffscreenCanvas?: unknown };
  const canvas: { transferControlToOffscreen?: unknown } = HTMLCanvasElement.prototype;
  return [here.VideoDecoder, here.OffscreenCanvas, canvas.transferControlToOffscreen].every((part) => typeof part === 'function');
}

function make(simple: boolean): Engine {
  const on: EngineHost = {
    ready: () => { engines.ready(); },
    facts: (id, facts) => { tiles.get(id)?.tell(facts); },
    last: (id, bitmap) => {
      const tile = tiles.get(id);
      if (tile === undefined) bitmap.close();
      else tile.showLast(bitmap);
    },
    failed: replace,
  };
  return canUseWebCodecs() && !simple ? new CanvasEngine(socketUrl(), on) : new ElementEngine(socketUrl(), on);
}

function open(engine: Engine, tile: PlayerTile): void {
  engine.open(tile.id, tile.element, tile.camera, tile.profile, tile.height);
  tile.visible = true;
  tile.hiddenSince = 0;
  if (document.hidden) hide(engine, tile);
}

function openAll(): void {
  const { engine } = engines;
  if (engine === null) return;
  told = '';
  for (const tile of tiles.values()) open(engine, tile);
  wake();
}

/** The engine died: every tile says so until another plays. */
function replace(reason: string): void {
  console.warn(`video: ${reason}`);
  const wait = engines.fail(Date.now());
  for (const tile of tiles.values()) tile.tell(failed());
  setTimeout(() => {
    if (engines.again()) openAll();
  }, wait);
}

function failed(): Facts {
  return { engine: 'failed', engine_retry_ms: engines.retryMs, now_ms: Date.now() };
}

function deviceHeight(element: HTMLElement): number {
  return Math.min(65535, Math.max(1, Math.round(element.getBoundingClientRect().height * devicePixelRatio)));
}

const sizes = new ResizeObserver(() => { wake(); });

function wake(): void {
  busyUntil = performance.now() + BUSY_MS;
  ask();
}

function ask(): void {
  if (frameAsked || document.hidden) return;
  frameAsked = true;
  requestAnimationFrame(() => {
    frameAsked = false;
    if (engines.engine !== null) place(engines.engine);
    if (performance.now() < busyUntil) ask();
  });
}

/** Measures all tiles and passes on what changed. */
function place(engine: Engine): void {
  const places: Place[] = [];
  const containers = new Map<HTMLElement, Edges>();
  const now = performance.now();
  let host: Element = document.documentElement;
  for (const tile of tiles.values()) {
    const measured = measure(tile.element, tile.containers, containers);
    see(engine, tile, measured !== null, now);
    if (measured === null) continue;
    places.push({ tile: tile.id, whole: tile.profile === 'main', ...measured });
    // Tiles in the top layer are above everything; the canvas has to be there as well.
    host = document.fullscreenElement ?? tile.element.closest('dialog[open]') ?? host;
    const height = deviceHeight(tile.element);
    if (Math.abs(height - tile.height) > HEIGHT_STEP * tile.height) {
      tile.height = height;
      engine.resize(tile.id, height);
    }
  }
  const words = JSON.stringify([devicePixelRatio, innerWidth, innerHeight, places]);
  if (words === told) return;
  told = words;
  engine.layout(places, host);
}

/** Pauses a tile that has been out of sight for a while, resumes it as soon as it is seen. */
function see(engine: Engine, tile: PlayerTile, visible: boolean, now: number): void {
  if (visible) {
    tile.hiddenSince = 0;
    if (!tile.visible) engine.pause(tile.id, false);
    tile.visible = true;
    return;
  }
  if (tile.hiddenSince === 0) {
    tile.hiddenSince = now;
    setTimeout(ask, PAUSE_AFTER_MS + BUSY_MS);
  }
  if (tile.visible && now - tile.hiddenSince > PAUSE_AFTER_MS) hide(engine, tile);
}

function pageVisibility(): void {
  const { engine } = engines;
  if (engine === null) return;
  if (!document.hidden) wake();
  else for (const tile of tiles.values()) hide(engine, tile);
}

function hide(engine: Engine, tile: PlayerTile): void {
  tile.visible = false;
  engine.pause(tile.id, true);
}

addEventListener('scroll', wake, { capture: true, passive: true });
addEventListener('resize', wake, { passive: true });
document.addEventListener('transitionend', wake, { passive: true });
document.addEventListener('fullscreenchange', wake);
document.addEventListener('visibilitychange', pageVisibility);
document.addEventListener('load', wake, { capture: true, passive: true });
document.fonts.addEventListener('loadingdone', wake);

/** A page that changes may move a tile that itself has not changed; one that rests costs nothing. */
let learning: ReturnType<typeof setTimeout> | null = null;
new MutationObserver((changes) => {
  if (tiles.size === 0) return;
  ask();
  if (changes.every(({ type }) => type === 'characterData')) return;
  learning ??= setTimeout(() => {
    learning = null;
    for (const tile of tiles.values()) tile.learnContainers();
    ask();
  }, LEARN_MS);
}).observe(document.documentElement, {
  subtree: true,
  childList: true,
  characterData: true,
  attributes: true,
  attributeFilter: ['class', 'style', 'open', 'hidden'],
});

/** For tests and for support: what each tile does, and what it shows. */
const inside = {
  get mode(): string | null {
    return engines.engine?.mode ?? null;
  },
  async stats() {
    const { engine, name } = engines;
    const numbers = engine === null ? { tiles: [] } : await engine.stats();
    const more = (id: number) => ({ facts: tiles.get(id)?.facts ?? null, visible: tiles.get(id)?.visible ?? false });
    return { mode: this.mode, engine: name, ...numbers, tiles: numbers.tiles.map((tile) => ({ ...tile, ...more(tile.tile) })) };
  },
  /** `tile`: number or the picture element. `what`: `canvas` = as it stands on the page, `frame` = newest picture in its own size. */
  async grab(tile: number | HTMLElement, what = 'canvas'): Promise<ImageData | null> {
    const id = typeof tile === 'number' ? tile : Number(tile.dataset.tile);
    const bitmap = (await engines.engine?.grab(id, what)) ?? null;
    if (bitmap === null) return null;
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context?.drawImage(bitmap, 0, 0);
    bitmap.close();
    return context?.getImageData(0, 0, canvas.width, canvas.height) ?? null;
  },
};
Object.assign(globalThis, { gridhallPlayer: inside });
