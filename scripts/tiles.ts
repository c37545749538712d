// The way to the page's player: it loads when the first camera is shown, or once the page has come to rest, so that a
// screen that opens without a camera does not wait for it.
//
// What should be here: loading the player, and what its tiles say until it is there. What should not: what its functions
// do (`player.ts`), whether the page is loaded anew for its sake (`start.ts`).
import { missed } from './part.ts';

/** The server was away when the player was asked for: again after this. */
const AGAIN_MS = 3000;

/** The player, as its module offers it. */
interface Player {
  attach: (element: HTMLElement, camera: string, profile: string) => number;
  detach: (number: number) => void;
  rule: (number: number, show: boolean, snapshot: boolean, standingAfterMs: number) => void;
  serverTime: (us: number) => void;
}

/** A tile of this page: what it shows, and the player's number for it once it has one, else 0. */
interface Tile {
  readonly element: HTMLElement;
  readonly camera: string;
  readonly profile: string;
  number: number;
}

let player: Player | null = null;
let loading: Promise<void> | null = null;
let failures = 0;
let lastTile = 0;
const tiles = new Map<number, Tile>();
let serverUs: { us: number; at: number } | null = null;

function load(): void {
  loading ??= import('./player.js').then((module) => { take(module); }, fail);
}

function take(module: Player): void {
  player = module;
  failures = 0;
  if (serverUs !== null) player.serverTime(serverUs.us + (performance.now() - serverUs.at) * 1000);
  for (const tile of tiles.values()) tile.number = player.attach(tile.element, tile.camera, tile.profile);
}

function fail(): void {
  const now_ms = Date.now();
  const detail = { engine: 'missing', engine_retry_ms: now_ms + AGAIN_MS, now_ms };
  for (const { element } of tiles.values()) element.dispatchEvent(new CustomEvent('camerafacts', { detail, bubbles: true }));
  failures += 1;
  setTimeout(again, AGAIN_MS);
}

function again(): void {
  loading = null;
  if (tiles.size === 0) return;
  void missed(import.meta.resolve('./player.js'), failures > 1);
  load();
}

/** Shows `camera` in `element` until `detach`; returns the tile's number. */
export function attach(element: HTMLElement, camera: string, profile = 'auto'): number {
  do lastTile = (lastTile % 65535) + 1; while (tiles.has(lastTile));
  const tile = { element, camera, profile, number: 0 };
  tiles.set(lastTile, tile);
  if (player === null) load();
  else tile.number = player.attach(element, camera, profile);
  return lastTile;
}

export function detach(id: number): void {
  const tile = tiles.get(id);
  tiles.delete(id);
  if (tile !== undefined && tile.number !== 0) player?.detach(tile.number);
}

/** What the page has decided about a tile: `domain::video::Rule`. */
export function rule(id: number, show: boolean, snapshot: boolean, standingAfterMs: number): void {
  const number = tiles.get(id)?.number ?? 0;
  if (number !== 0) player?.rule(number, show, snapshot, standingAfterMs);
}

export function serverTime(us: number): void {
  serverUs = { us, at: performance.now() };
  player?.serverTime(us);
}

// Some browsers have no `requestIdleCallback`, whatever their types say.
const atRest = (globalThis as { requestIdleCallback?: (then: () => void) => void }).requestIdleCallback;
if (atRest === undefined) setTimeout(load, AGAIN_MS);
else atRest(load);
