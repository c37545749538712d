// One tile of the player on the page: its element, and what lies in it besides the moving picture.
//
// What should be here: the last picture, the stored one, passing facts on. What should not: engines, where tiles are.

import { clippers } from './player-layout.ts';
import { fills } from './video-painter.ts';
import type { Facts } from './video-types.ts';
import { base } from './world.ts';

export class PlayerTile {
  readonly id: number;
  readonly element: HTMLElement;
  readonly camera: string;
  readonly profile: string;
  /** In device pixels. */
  height = 0;
  visible = true;
  hiddenSince = 0;
  /** What was passed on last. */
  facts: Facts | null = null;
  /** What cuts off the tile where it scrolls. */
  containers: HTMLElement[];
  #last: HTMLCanvasElement | null = null;
  #snapshot: HTMLImageElement | null = null;

  constructor(id: number, element: HTMLElement, camera: string, profile: string) {
    this.id = id;
    this.element = element;
    this.camera = camera;
    this.profile = profile;
    this.containers = clippers(element);
  }

  learnContainers(): void {
    this.containers = clippers(this.element);
  }

  tell(facts: Facts): void {
    this.facts = facts;
    if (facts.painted === true) this.#dropSnapshot();
    pass(this.element, facts);
  }

  /** The camera's stored picture, for the page to show dim until it gives one itself. */
  precede(): void {
    if (this.#snapshot !== null) return;
    const image = document.createElement('img');
    image.className = 'camera-snapshot';
    image.alt = '';
    image.decoding = 'async';
    image.onerror = () => { image.remove(); };
    image.src = `${base()}/api/v1/cameras/${encodeURIComponent(this.camera)}/snapshot.jpg`;
    this.#snapshot = image;
    this.element.prepend(image);
  }

  /** The last picture, for the page to show grey or dimmed while the live one is missing. */
  showLast(bitmap: ImageBitmap): void {
    this.#dropSnapshot();
    if (this.#last === null) {
      this.#last = document.createElement('canvas');
      this.#last.className = 'camera-last';
      this.#last.setAttribute('aria-hidden', 'true');
      this.element.append(this.#last);
    }
    this.#last.width = bitmap.width;
    this.#last.height = bitmap.height;
    const aspect = this.element.offsetWidth / Math.max(1, this.element.offsetHeight);
    this.#last.classList.toggle('whole', this.profile === 'main' || !fills(bitmap.width / bitmap.height, aspect));
    this.#last.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap);
  }

  clear(): void {
    this.#dropSnapshot();
    this.#last?.remove();
  }

  #dropSnapshot(): void {
    if (this.#snapshot === null) return;
    this.#snapshot.remove();
    this.#snapshot.removeAttribute('src');
  }
}

/** Behind the caller's back: whoever attaches a tile has its number before anything is said of it. */
export function pass(element: HTMLElement, detail: Facts): void {
  queueMicrotask(() => element.dispatchEvent(new CustomEvent('camerafacts', { detail, bubbles: true })));
}
