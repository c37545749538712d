// Builds tiles as the page's component does and keeps what they were told: the player's tests drive it.
import { attach, detach } from '/js/player.js';

const wall = document.querySelector('#wall');
const log = [];

globalThis.harness = {
  log,
  tiles: new Map(),
  add(camera, { profile = 'auto', height = 180, width = null } = {}) {
    const tile = document.createElement('figure');
    tile.className = 'camera-tile';
    tile.innerHTML =
      '<div class="camera-view"><div class="camera-picture"></div></div><figcaption class="camera-bar"><span class="camera-name"></span></figcaption>';
    const picture = tile.querySelector('.camera-picture');
    const view = tile.querySelector('.camera-view');
    view.style.height = `${height}px`;
    if (width !== null) view.style.width = `${width}px`;
    tile.querySelector('.camera-name').textContent = camera;
    wall.append(tile);
    picture.addEventListener('camerastate', (event) => {
      const said = JSON.parse(event.detail);
      tile.dataset.state = said.state;
      log.push({ at: Date.now(), camera, ...said });
    });
    const id = attach(picture, camera, profile);
    this.tiles.set(camera, { id, tile, picture });
    return id;
  },
  remove(camera) {
    const { id, tile } = this.tiles.get(camera);
    detach(id);
    tile.remove();
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
  async stats() {
    return globalThis.gridhallPlayer.stats();
  },
};
