// The elements a map consists of, bottom to top: ground, people, marks, and words in the corners.
//
// What should be here: elements and their sizes. What should not: the words themselves (the screen's programme says them).

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
  /** Rows of the legend: priorities 1 to 3, ordinary cases, inspectors. */
  legend: string[];
  /** How many cases a square stands for, `{per}` in place of the number. */
  each: string;
}

/** Before the words have come. */
export const SILENT: Words = { lang: 'zh', open: '', late: '', note: '', label: '', failed: '', part: '', approval: '', legend: [], each: '' };

/** What a frame follows of a map's options. */
export interface Framed {
  interactive: boolean;
  legend: boolean;
  scale: boolean;
  fontPx: number;
  attribution: string;
  approval: string;
  onClick: ((kind: string, id: unknown) => void) | null;
}

const ROWS = ['1', '2', '3', 'ordinary', 'person'] as const;
type RowName = (typeof ROWS)[number];

const SHAPES: Record<RowName, string> = {
  1: '<path class="map-key-1" d="M12 2.5 22.5 21H1.5Z"/><text x="12" y="18.6">1</text>',
  2: '<path class="map-key-2" d="M12 1 23 12 12 23 1 12Z"/><text x="12" y="16.4">2</text>',
  3: '<rect class="map-key-3" x="3" y="3" width="18" height="18"/><text class="map-key-3t" x="12" y="16.6">3</text>',
  ordinary: '<rect class="map-key-line" x="7" y="7" width="10" height="10"/>',
  person: '<path class="map-key-person" d="M12 2 16.2 14.4A4.6 4.6 0 1 1 7.8 14.4Z"/>',
};
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
  readonly #legendEl = part('div', 'map-legend');
  readonly #sourceEl = part('div', 'map-source');
  readonly #footEl = part('div', 'map-foot');
  readonly #el: HTMLElement;
  #unit = 1;
  #scale = '';
  #legendWords: Words | null = null;
  #counts = new Map<RowName, HTMLElement>();

  constructor(el: HTMLElement, options: Framed) {
    this.#el = el;
    el.setAttribute('role', options.interactive ? 'application' : 'group');
    if (options.interactive) el.tabIndex = 0;
    this.#footEl.append(this.#noteEl, this.#scaleEl, this.#sourceEl);
    el.replaceChildren(this.groundEl, this.peopleCanvas, this.marksCanvas, this.#legendEl, this.#footEl);
    this.manner(options);
    this.size();
  }

  /** Follows the size of the words and whether there is room for a legend. */
  manner({ fontPx, legend }: Framed): void {
    this.#unit = fontPx / 24;
    this.#el.style.setProperty('--map-unit', `${this.#unit}px`);
    this.#legendEl.hidden = !legend;
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

  legend(options: Framed, words: Words, cases: { priority: number }[], per: number): void {
    if (!options.legend) return;
    if (words !== this.#legendWords) this.#buildLegend(options, words);
    const count = (level: number) => String(cases.reduce((sum, each) => sum + (each.priority === level ? 1 : 0), 0));
    const said: [RowName, string][] = [['1', count(1)], ['2', count(2)], ['3', count(3)], ['ordinary', per > 1 ? words.each.replace('{per}', String(per)) : '']];
    for (const [name, text] of said) {
      const span = this.#counts.get(name);
      if (span !== undefined && span.textContent !== text) span.textContent = text;
    }
  }

  /** The rows stay while their counts change: whoever has one in focus keeps it. */
  #buildLegend({ interactive, onClick }: Framed, words: Words): void {
    this.#legendWords = words;
    this.#counts = new Map();
    // A map that can be moved stands beside the list it counts.
    const ask = interactive ? null : onClick;
    const rows = ROWS.map((name, index) => {
      const counted = name !== 'person';
      // What is counted can be asked for.
      const row = part(counted && ask !== null ? 'button' : 'div', 'map-legend-row');
      if (counted && ask !== null) {
        row.setAttribute('type', 'button');
        row.addEventListener('click', (event) => {
          // The map below would take it for a press on what lies there.
          event.stopPropagation();
          ask('priority', index + 1);
        });
      }
      // The shapes are constants of this file.
      row.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${SHAPES[name]}</svg>`;
      const text = part('span', '');
      text.textContent = words.legend[index] ?? '';
      const count = part('span', name === 'ordinary' ? 'map-legend-per' : 'map-legend-count');
      if (counted) this.#counts.set(name, count);
      row.append(text, count);
      return row;
    });
    this.#legendEl.replaceChildren(...rows);
  }

  /** Rectangles of this frame's own words, which marks and names on the map keep clear of. */
  covered(): [number, number, number, number][] {
    const [note, source] = [this.#noteEl, this.#sourceEl];
    const foot = this.#footEl;
    const inFoot = [note, this.#scaleEl, source].filter((each) => each.offsetWidth > 0 && each.textContent !== '');
    const all = [...inFoot.map((each) => ({ each, left: foot.offsetLeft + each.offsetLeft, top: foot.offsetTop + each.offsetTop }))];
    if (!this.#legendEl.hidden) all.push({ each: this.#legendEl, left: this.#legendEl.offsetLeft, top: this.#legendEl.offsetTop });
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
