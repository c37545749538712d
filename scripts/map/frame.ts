// The elements a map consists of, bottom to top: ground, people, marks, and words at its foot.
//
// What should be here: elements and their sizes. What should not: the words themselves (the screen's programme says them), and
// the legend, which is the screen's.

import type { View } from './geo.js';
import type { Lang } from './layers.js';

/** What is written on the map and in its corners, as the screen's programme says it. */
export interface Words {
  lang: Lang;
  open: string;
  late: string;
  note: string;
  label: string;
  failed: string;
  part: string;
  approval: string;
}

/** Before the words have come. */
export const SILENT: Words = { lang: 'zh', open: '', late: '', note: '', label: '', failed: '', part: '', approval: '' };

/** What a frame follows of a map's options. */
export interface Framed {
  interactive: boolean;
  /** The screen's own legend above the map: what is drawn keeps clear of it. */
  legend: HTMLElement | null;
  scale: boolean;
  fontPx: number;
  attribution: string;
  approval: string;
  onClick: ((kind: string, id: unknown) => void) | null;
}

/** Free space around the corners' words, in CSS pixels. */
const APART_PX = 8;
/** Units that a scale bar has room for. */
const SCALE_UNITS = 170;

export class Frame {
  readonly groundEl = part('div', 'map-ground');
  peopleCanvas = part('canvas', 'map-people');
  readonly marksCanvas = part('canvas', 'map-marks');
  readonly #noteEl = part('div', 'map-note');
  readonly #scaleEl = part('div', 'map-scale');
  readonly #legendEl: HTMLElement | null;
  readonly #sourceEl = part('div', 'map-source');
  readonly #footEl = part('div', 'map-foot');
  readonly #el: HTMLElement;
  #unit = 1;
  #scale = '';

  constructor(el: HTMLElement, options: Framed) {
    this.#el = el;
    this.#legendEl = options.legend;
    el.setAttribute('role', options.interactive ? 'application' : 'group');
    if (options.interactive) el.tabIndex = 0;
    this.#footEl.append(this.#noteEl, this.#scaleEl, this.#sourceEl);
    el.replaceChildren(this.groundEl, this.peopleCanvas, this.marksCanvas, this.#footEl);
    this.manner(options);
    this.size();
  }

  /** Follows the size of the words. */
  manner({ fontPx }: Framed): void {
    this.#unit = fontPx / 24;
    this.#el.style.setProperty('--map-unit', `${this.#unit}px`);
  }

  /** Fits the canvases to the element and to the screen's pixels. */
  size(): void {
    const dpr = globalThis.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.#el.clientWidth * dpr), Math.round(this.#el.clientHeight * dpr)];
    for (const canvas of [this.peopleCanvas, this.marksCanvas]) {
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
    }
  }

  /** Words in the corner: what kind of map this is, where it comes from, its approval number. */
  say({ attribution, approval }: Framed, note: string, words: Words): void {
    this.#noteEl.classList.remove('map-failed');
    this.#noteEl.textContent = note;
    // Some write the words into the number.
    const numbered = approval !== '' && !approval.startsWith('审图号') ? `${words.approval}${approval}` : approval;
    this.#sourceEl.textContent = [attribution, numbered].filter(Boolean).join('  ');
    this.#el.setAttribute('aria-label', words.label);
  }

  fail(words: string): void {
    this.#noteEl.textContent = words;
    this.#noteEl.classList.add('map-failed');
  }

  /** Rectangles of this frame's own words and of the legend, which marks and names on the map keep clear of. */
  covered(): [number, number, number, number][] {
    const [note, source] = [this.#noteEl, this.#sourceEl];
    const foot = this.#footEl;
    const inFoot = [note, this.#scaleEl, source].filter((each) => each.offsetWidth > 0 && each.textContent !== '');
    const all: { each: HTMLElement; left: number; top: number }[] = [...inFoot.map((each) => ({ each, left: foot.offsetLeft + each.offsetLeft, top: foot.offsetTop + each.offsetTop }))];
    const legend = this.#legendEl;
    if (legend !== null && legend.offsetWidth > 0) all.push({ each: legend, left: legend.offsetLeft, top: legend.offsetTop });
    return all.map(({ each, left, top }) => [left - APART_PX, top - APART_PX, each.offsetWidth + 2 * APART_PX, each.offsetHeight + 2 * APART_PX]);
  }

  /** A bar of a round length. */
  scaleBar(wanted: boolean, view: View): void {
    if (!wanted) return;
    const metres = view.metresPerPixel * SCALE_UNITS * this.#unit;
    const power = 10 ** Math.floor(Math.log10(metres));
    const round = power * ([5, 2, 1].find((step) => step * power <= metres) ?? 1);
    const length = (round / view.metresPerPixel).toFixed(0);
    if (`${round}:${length}` === this.#scale) return;
    this.#scale = `${round}:${length}`;
    this.#scaleEl.style.width = `${length}px`;
    this.#scaleEl.textContent = round >= 1000 ? `${round / 1000} km` : `${round} m`;
  }

  destroy(): void {
    this.#el.classList.remove('map', 'map-pointing');
    this.#el.replaceChildren();
    for (const name of ['ready', 'ground']) Reflect.deleteProperty(this.#el.dataset, name);
  }
}

function part<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  return made;
}
