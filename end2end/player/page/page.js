// Builds tiles as the page's component does and keeps what they were told: the player's tests drive it.
import { attach, detach, rule } from '/js/player.js';

/** As the page's component does: what a tile says changes with time as well. */
const TICK_MS = 1000;

const wall = document.querySelector('#wall');
const log = [];
let judged = 0;

/** A tile of the page: facts go to the judge, what it answers is told and obeyed. */
class Tile {
  state = 'connecting';
  #judged = (judged += 1);
  #told = '';
  #ruled = '';

  constructor(camera, element, picture) {
    this.camera = camera;
    this.element = element;
    picture.addEventListener('camerafacts', (event) => void this.decide(event.detail));
    this.timer = setInterval(() => void this.decide(null), TICK_MS);
  }

  async decide(facts) {
    const { told, rule: ruled } = await globalThis.decideTile({ tile: this.#judged, at_ms: Math.round(performance.now()), facts });
    this.state = told.state;
    this.element.dataset.state = told.state;
    if (this.#told !== JSON.stringify(told)) log.push({ at: Date.now(), camera: this.camera, ...told });
    this.#told = JSON.stringify(told);
    if (this.#ruled !== JSON.stringify(ruled)) rule(this.id, ruled.show, ruled.snapshot, ruled.standing_after_ms);
    this.#ruled = JSON.stringify(ruled);
  }
}

globalThis.harness = {
  log,
  tiles: new Map(),
  add(camera, { profile = 'auto', height = 180, width = null } = {}) {
    const element = document.createElement('figure');
    element.className = 'camera-tile';
    element.innerHTML =
      '<div class="camera-view"><div class="camera-picture"></div></div><figcaption class="camera-bar"><span class="camera-name"></span></figcaption>';
    const picture = element.querySelector('.camera-picture');
    const view = element.querySelector('.camera-view');
    view.style.height = `${height}px`;
    if (width !== null) view.style.width = `${width}px`;
    element.querySelector('.camera-name').textContent = camera;
    wall.append(element);
    const tile = new Tile(camera, element, picture);
    tile.id = attach(picture, camera, profile);
    this.tiles.set(camera, tile);
    return tile.id;
  },
  remove(camera) {
    const { id, element, timer } = this.tiles.get(camera);
    clearInterval(timer);
    detach(id);
    element.remove();
    this.tiles.delete(camera);
  },
  /** Brightness of the sixteen squares on top of the picture that carry its number; null when nothing is shown. */
  async squares(camera, what) {
    const image = await globalThis.gridhallPlayer.grab(this.tiles.get(camera).id, what);
    if (image === null) return null;
    const y = Math.floor(image.height / 12);
    return Array.from(
      { length: 16 },
      (_, cell) => image.data[4 * (y * image.width + Math.floor(((cell + 0.5) * image.width) / 16)) + 1],
    );
  },
  /** What the player counts, with the state each tile is told. */
  async stats() {
    const stats = await globalThis.gridhallPlayer.stats();
    return { ...stats, tiles: stats.tiles.map((tile) => ({ ...tile, state: this.tiles.get(tile.camera)?.state ?? null })) };
  },
};
