// The page's video player. A tile gives an empty element for its picture; this module keeps a camera's picture in it
// and tells the tile its state with `camerastate` events (detail: JSON text, see `video-facts.js`). It chooses the
// engine, tracks where tiles are, pauses what cannot be seen. Words, shapes and colours are the page's.

import { CanvasEngine } from './player-canvas.js';
import { ElementEngine } from './player-mse.js';
import { clippers, measure } from './player-layout.js';
import { fills } from './video-painter.js';
import { TILES_MAX } from './video-link.js';

const POLL_MS = 250;
/** After a scroll or resize every frame is measured for this long. */
const BUSY_MS = 300;
/** Out of sight for this long: the server stops sending. */
const PAUSE_AFTER_MS = 1000;
/** Height changes smaller than this share do not ask the server to think again. */
const HEIGHT_STEP = 0.05;
/** Worker failures within a minute after which the page falls back to `<video>` elements. */
const FAILURES_MAX = 3;

const tiles = new Map();
let engine = null;
let nextTile = 1;
let busyUntil = 0;
let frameAsked = false;
let told = '';
let failures = [];

class Tile {
  constructor(id, element, camera, profile) {
    this.id = id;
    this.element = element;
    this.camera = camera;
    this.profile = profile;
    this.height = 0;
    this.visible = true;
    this.hiddenSince = 0;
    this.view = null;
    this.containers = clippers(element);
    this.last = null;
    this.snapshot = null;
  }

  show(view) {
    this.view = view;
    this.element.dispatchEvent(new CustomEvent('camerastate', { detail: JSON.stringify(view), bubbles: true }));
    if (view.state === 'connecting' && view.frame_ms === null && this.snapshot === null) this.#fetchSnapshot();
    if (view.state === 'live' || view.state === 'key_frames') this.#dropSnapshot();
  }

  /** The last picture, for the page to show grey or dimmed while the live one is missing. */
  showLast(bitmap) {
    this.#dropSnapshot();
    if (this.last === null) {
      this.last = document.createElement('canvas');
      this.last.className = 'camera-last';
      this.last.setAttribute('aria-hidden', 'true');
      this.element.append(this.last);
    }
    this.last.width = bitmap.width;
    this.last.height = bitmap.height;
    const aspect = this.element.offsetWidth / Math.max(1, this.element.offsetHeight);
    this.last.classList.toggle('whole', this.profile === 'main' || !fills(bitmap.width / bitmap.height, aspect));
    this.last.getContext('bitmaprenderer').transferFromImageBitmap(bitmap);
  }

  #fetchSnapshot() {
    const image = document.createElement('img');
    image.className = 'camera-snapshot';
    image.alt = '';
    image.decoding = 'async';
    image.onerror = () => image.remove();
    image.src = `/api/v1/cameras/${encodeURIComponent(this.camera)}/snapshot.jpg`;
    this.snapshot = image;
    this.element.prepend(image);
  }

  #dropSnapshot() {
    if (this.snapshot === null) return;
    this.snapshot.remove();
    this.snapshot.removeAttribute('src');
  }

  clear() {
    this.#dropSnapshot();
    this.last?.remove();
  }
}

/**
 * Shows `camera` in `element` until `detach`. `profile` is `auto`, `main` or `sub`. Returns the tile's number, or 0
 * when the page has as many tiles as the server allows; the element is told so.
 */
export function attach(element, camera, profile = 'auto') {
  if (tiles.size >= TILES_MAX) {
    const view = { state: 'refused', cause: 'tile_limit', reason: `${TILES_MAX} tiles at most`, frame_ms: null, profile: null };
    element.dispatchEvent(new CustomEvent('camerastate', { detail: JSON.stringify(view), bubbles: true }));
    return 0;
  }
  while (tiles.has(nextTile)) nextTile = (nextTile % 65535) + 1;
  const tile = new Tile(nextTile, element, camera, profile);
  nextTile = (nextTile % 65535) + 1;
  tiles.set(tile.id, tile);
  element.dataset.tile = tile.id;
  tile.height = deviceHeight(element);
  start().open(tile.id, element, camera, profile, tile.height);
  if (document.hidden) hide(tile);
  sizes.observe(element);
  wake();
  return tile.id;
}

export function detach(id) {
  const tile = tiles.get(id);
  if (tile === undefined) return;
  tiles.delete(id);
  sizes.unobserve(tile.element);
  engine.close(id);
  tile.clear();
  delete tile.element.dataset.tile;
  wake();
}

/** The server's clock as the live feed knows it, Unix microseconds; keeps delays true on pages open for weeks. */
export function serverTime(us) {
  engine?.serverTime(us);
}

function socketUrl() {
  const url = new URL('/api/v1/video', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

function canUseWebCodecs() {
  return (
    typeof VideoDecoder === 'function' &&
    typeof OffscreenCanvas === 'function' &&
    typeof HTMLCanvasElement.prototype.transferControlToOffscreen === 'function'
  );
}

function start() {
  if (engine !== null) return engine;
  const on = {
    view: (id, view) => tiles.get(id)?.show(view),
    last: (id, bitmap) => {
      const tile = tiles.get(id);
      if (tile === undefined) bitmap.close();
      else tile.showLast(bitmap);
    },
    failed: (reason) => replaceEngine(reason),
  };
  engine =
    canUseWebCodecs() && failures.length < FAILURES_MAX ? new CanvasEngine(socketUrl(), on) : new ElementEngine(socketUrl(), on);
  return engine;
}

/** The worker died: start another, and after a few in a row do without. */
function replaceEngine(reason) {
  console.warn(`video: ${reason}`);
  engine.stop();
  engine = null;
  told = '';
  const now = Date.now();
  failures = [...failures.filter((at) => now - at < 60000), now];
  setTimeout(() => {
    for (const tile of tiles.values()) start().open(tile.id, tile.element, tile.camera, tile.profile, tile.height);
    wake();
  }, 250 * failures.length);
}

function deviceHeight(element) {
  return Math.min(65535, Math.max(1, Math.round(element.getBoundingClientRect().height * devicePixelRatio)));
}

const sizes = new ResizeObserver(() => wake());

function wake() {
  busyUntil = performance.now() + BUSY_MS;
  ask();
}

function ask() {
  if (frameAsked || document.hidden) return;
  frameAsked = true;
  requestAnimationFrame(() => {
    frameAsked = false;
    place();
    if (performance.now() < busyUntil) ask();
  });
}

/** Measures all tiles and passes on what changed. */
function place() {
  if (engine === null) return;
  const rects = [];
  const containerRects = new Map();
  const now = performance.now();
  let host = document.documentElement;
  for (const tile of tiles.values()) {
    const holes = tile.element.parentElement?.querySelectorAll('[data-over-picture]') ?? [];
    const rect = measure(tile.element, tile.containers, holes, containerRects);
    see(tile, rect !== null, now);
    if (rect === null) continue;
    rects.push({ tile: tile.id, whole: tile.profile === 'main', ...rect });
    // Tiles in the top layer are above everything; the canvas has to be there as well.
    host = document.fullscreenElement ?? tile.element.closest('dialog[open]') ?? host;
    const height = deviceHeight(tile.element);
    if (Math.abs(height - tile.height) > HEIGHT_STEP * tile.height) {
      tile.height = height;
      engine.resize(tile.id, height);
    }
  }
  const words = JSON.stringify([devicePixelRatio, innerWidth, innerHeight, rects]);
  if (words === told) return;
  told = words;
  engine.layout(rects, host);
}

/** Pauses a tile that has been out of sight for a while, resumes it as soon as it is seen. */
function see(tile, visible, now) {
  if (visible) {
    tile.hiddenSince = 0;
    if (!tile.visible) engine.pause(tile.id, false);
    tile.visible = true;
    return;
  }
  if (tile.hiddenSince === 0) tile.hiddenSince = now;
  if (tile.visible && now - tile.hiddenSince > PAUSE_AFTER_MS) hide(tile);
}

function pageVisibility() {
  if (engine === null) return;
  if (document.hidden) {
    for (const tile of tiles.values()) hide(tile);
  } else {
    wake();
  }
}

function hide(tile) {
  tile.visible = false;
  engine.pause(tile.id, true);
}

addEventListener('scroll', wake, { capture: true, passive: true });
addEventListener('resize', wake, { passive: true });
document.addEventListener('transitionend', wake, { passive: true });
document.addEventListener('fullscreenchange', wake);
document.addEventListener('visibilitychange', pageVisibility);
setInterval(() => {
  if (tiles.size === 0 || document.hidden) return;
  for (const tile of tiles.values()) tile.containers = clippers(tile.element);
  ask();
}, POLL_MS);

/** For tests and for support: what each tile does, and what it shows. */
globalThis.gridhallPlayer = {
  get mode() {
    return engine?.mode ?? null;
  },
  async stats() {
    const numbers = engine === null ? { tiles: [] } : await engine.stats();
    return {
      mode: engine?.mode ?? null,
      ...numbers,
      tiles: numbers.tiles.map((tile) => ({
        ...tile,
        view: tiles.get(tile.tile)?.view ?? null,
        visible: tiles.get(tile.tile)?.visible ?? false,
      })),
    };
  },
  /** `tile`: number or the picture element. `what`: `canvas` = as it stands on the page, `frame` = newest picture in its own size. */
  async grab(tile, what = 'canvas') {
    const id = typeof tile === 'number' ? tile : Number(tile.dataset.tile);
    const bitmap = engine === null ? null : await engine.grab(id, what);
    if (bitmap === null || bitmap === undefined) return null;
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return context.getImageData(0, 0, canvas.width, canvas.height);
  },
};
