// The way to the page's player: it loads when the first camera is shown, or once the page has come to rest, so that a
// screen that opens without a camera does not wait for it. What its functions do is said in `player.js`.

/** The server was away when the player was asked for: again after this. */
const AGAIN_MS = 3000;
/** A page is not loaded anew for the player's sake while it is younger than this. */
const RELOAD_AFTER_MS = 30_000;

let player = null;
let loading = null;
let failures = 0;
let lastTile = 0;
/** Tiles of this page: what they show, and the player's number for each once it has it. */
const tiles = new Map();
let serverUs = null;

function load() {
  loading ??= import('./player.js').then(take, fail);
}

function take(module) {
  player = module;
  failures = 0;
  if (serverUs !== null) player.serverTime(serverUs.us + (performance.now() - serverUs.at) * 1000);
  for (const tile of tiles.values()) tile.number = player.attach(tile.element, tile.camera, tile.profile);
}

function fail() {
  const detail = JSON.stringify({ state: 'lost', cause: 'link', since_ms: null, retry_s: AGAIN_MS / 1000, frame_ms: null, profile: null });
  for (const { element } of tiles.values()) element.dispatchEvent(new CustomEvent('camerastate', { detail, bubbles: true }));
  failures += 1;
  setTimeout(again, AGAIN_MS);
}

async function again() {
  loading = null;
  if (tiles.size === 0) return;
  if (failures > 1 && await isKept()) location.reload();
  else load();
}

/**
 * Whether only a new page can help: some browsers keep a script that once failed to load as failed for the page's life.
 * The server has it, then, and the page is neither just loaded nor being written in.
 */
async function isKept() {
  if (performance.now() < RELOAD_AFTER_MS || document.activeElement?.matches('input, textarea, select')) return false;
  try {
    const { ok } = await fetch(import.meta.resolve('./player.js'), { method: 'HEAD', cache: 'no-store' });
    return ok;
  } catch {
    // The server is away: a page loaded now would be the browser's own words.
    return false;
  }
}

/** Shows `camera` in `element` until `detach`; returns the tile's number. */
export function attach(element, camera, profile = 'auto') {
  do lastTile = (lastTile % 65535) + 1; while (tiles.has(lastTile));
  const tile = { element, camera, profile, number: 0 };
  tiles.set(lastTile, tile);
  if (player === null) load();
  else tile.number = player.attach(element, camera, profile);
  return lastTile;
}

export function detach(id) {
  const tile = tiles.get(id);
  tiles.delete(id);
  if (tile !== undefined && tile.number !== 0) player.detach(tile.number);
}

export function serverTime(us) {
  serverUs = { us, at: performance.now() };
  player?.serverTime(us);
}

(globalThis.requestIdleCallback ?? ((then) => setTimeout(then, AGAIN_MS)))(load);
