// Draws the rows of a placing (`app/src/bin/placing/rows.rs`) on one canvas: cases, cameras, circles of people, the
// incident, all words.
//
// What should be here: shapes and letters. What should not: where they are, and people drawn alone (`people-gl.ts`).

import { fade, type Theme, type Token, type View } from './geo.js';
import type { Lang } from './layers.js';

/** Numbers in a row: kind, x, y, half, a, b, ref, n. */
const ROW = 8;

/** One row; what `half`, `a`, `b`, `ref` and `n` are, its kind says. */
interface Row {
  x: number;
  y: number;
  half: number;
  a: number;
  b: number;
  ref: number;
  n: number;
}

/** How a camera's picture is. */
const IDLE = 0;
const SHOWN = 1;

/** How a word is set, by the number of its style: weight, colour, colour of the margin around it, space between letters in em. */
interface Style {
  weight: number;
  /** The priority's own where none is named. */
  colour?: Token;
  margin?: Token;
  space?: Record<Lang, number>;
}
const STYLES: Style[] = [
  { weight: 700, colour: 'text-hi', margin: 'panel-2' },
  { weight: 400, colour: 'text', margin: 'panel-2' },
  { weight: 400, colour: 'stale', margin: 'panel-2' },
  { weight: 400, colour: 'text-dim', margin: 'panel-2' },
  { weight: 400, colour: 'text', margin: 'panel-2' },
  { weight: 400, colour: 'data-2', space: { zh: 0.5, en: 0.06 } },
  { weight: 700, margin: 'panel-2' },
  { weight: 700, colour: 'text-hi', margin: 'panel' },
  { weight: 400, colour: 'text-hi', margin: 'panel' },
  { weight: 400, colour: 'text', margin: 'panel' },
  { weight: 400, colour: 'stale', margin: 'panel' },
];
const PLAIN: Style = { weight: 400, colour: 'text' };
const LATE = 2;
const ALIGNS: CanvasTextAlign[] = ['left', 'center', 'right'];
/** A turn that no word has: character under character. */
const DOWN = 9;
/** Size at which words are measured. */
const MEASURED = 100;
/** Outlines of the marks of priority 1, 2 and 3, in halves of their size. */
const OUTLINES: [number, number][][] = [
  [[0, -0.92], [0.94, 0.74], [-0.94, 0.74]],
  [[0, -1], [1, 0], [0, 1], [-1, 0]],
  [[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]],
];
const DIGIT_SIZES = [24, 20, 17];

/** What can be pressed; `ref` is the mark's number, or the row that was told. */
export interface Hit {
  kind: 'case' | 'cases' | 'people' | 'camera' | 'person';
  ref: number;
  n: number;
  x: number;
  y: number;
  reach: number;
}

export interface Drawn {
  rows: Float32Array;
  texts: string[];
  /** Of the named people. */
  letters: string[];
}

export class Marks {
  readonly canvas: HTMLCanvasElement;
  /** Topmost last. */
  hits: Hit[] = [];
  #theme: Theme;
  #unit = 1;
  #lang: Lang = 'zh';
  readonly #pen: CanvasRenderingContext2D;

  constructor(canvas: HTMLCanvasElement, theme: Theme) {
    const pen = canvas.getContext('2d');
    if (pen === null) throw new Error('a canvas cannot be drawn on');
    this.canvas = canvas;
    this.#pen = pen;
    this.#theme = theme;
  }

  /** How wide a word is for each unit of its size. */
  measure(text: string, style: number, theme: Theme, lang: Lang): number {
    [this.#theme, this.#lang] = [theme, lang];
    this.#font(STYLES[style] ?? PLAIN, MEASURED);
    const { width } = this.#pen.measureText(text);
    this.#pen.letterSpacing = '0px';
    return width / MEASURED;
  }

  #font({ weight, space }: Style, size: number): void {
    this.#pen.letterSpacing = `${(space?.[this.#lang] ?? 0) * size}px`;
    this.#pen.font = `${weight} ${size}px ${this.#theme.font}`;
  }

  draw({ rows, texts, letters }: Drawn, view: View, theme: Theme, unit: number, lang: Lang): void {
    const pen = this.#pen;
    [this.#theme, this.#unit, this.#lang] = [theme, unit, lang];
    const dpr = this.canvas.width / view.width;
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.clearRect(0, 0, view.width, view.height);
    pen.lineJoin = 'round';
    this.hits = [];
    for (let at = 0; at + ROW <= rows.length; at += ROW) {
      const [kind = 0, x = 0, y = 0, half = 0, a = 0, b = 0, ref = 0, n = 0] = rows.subarray(at, at + ROW);
      pen.textAlign = 'center';
      pen.textBaseline = 'middle';
      this.#row(kind, { x, y, half, a, b, ref, n }, texts, letters);
    }
  }

  #row(kind: number, row: Row, texts: string[], letters: string[]): void {
    switch (kind) {
      case 0: this.#square(row); break;
      case 1: this.#group(row); break;
      case 2: this.#ring(row); break;
      case 3: this.#spot(row); break;
      case 4: this.#cone(row); break;
      case 5: this.#camera(row); break;
      case 6: this.#person(row, letters[row.ref] ?? ''); break;
      case 7: this.#urgent(row); break;
      case 8: this.#line(row); break;
      default: this.#word(row, texts[row.ref] ?? '');
    }
  }

  #hit(kind: Hit['kind'], { ref, n, x, y }: Row, reach: number): void {
    this.hits.push({ kind, ref, n, x, y, reach });
  }

  #stroke(colour: string, width: number, dash: number[] = []): void {
    const pen = this.#pen;
    pen.strokeStyle = colour;
    pen.lineWidth = width * this.#unit;
    pen.setLineDash(dash.map((each) => each * this.#unit));
    pen.stroke();
    pen.setLineDash([]);
  }

  #circle({ x, y }: Row, radius: number): void {
    this.#pen.beginPath();
    this.#pen.arc(x, y, radius, 0, 2 * Math.PI);
  }

  #fill(colour: string): void {
    this.#pen.fillStyle = colour;
    this.#pen.fill();
  }

  #digits(text: string, x: number, y: number, weight: number, size: number, colour: string): void {
    this.#pen.fillStyle = colour;
    this.#pen.font = `${weight} ${size * this.#unit}px ${this.#theme.font}`;
    this.#pen.fillText(text, x, y);
  }

  #square(row: Row): void {
    const { x, y, half } = row;
    this.#pen.globalAlpha = 0.85;
    this.#pen.beginPath();
    this.#pen.rect(x - half, y - half, half * 2, half * 2);
    this.#stroke(this.#theme['data-2'], 2);
    this.#pen.globalAlpha = 1;
    this.#hit(row.n > 1 ? 'cases' : 'case', row, 9 * this.#unit);
  }

  #group(row: Row): void {
    const late = row.a === 1;
    this.#circle(row, row.half);
    this.#fill(this.#theme['panel-2']);
    this.#stroke(late ? this.#theme.stale : this.#theme.data, 2.5, late ? [5, 5] : []);
    this.#digits(String(row.n), row.x, row.y + 1.5 * this.#unit, 400, 26, late ? this.#theme.stale : this.#theme['text-hi']);
    this.#hit('people', row, row.half);
  }

  #ring(row: Row): void {
    this.#circle(row, row.half);
    this.#stroke(this.#theme['text-hi'], 2.5, [8, 6]);
  }

  #spot(row: Row): void {
    this.#circle(row, row.half - 2.5 * this.#unit);
    this.#stroke(this.#theme.accent, 5);
    this.#circle(row, row.half * 0.45);
    this.#fill(this.#theme.accent);
  }

  #cone({ x, y, half, a: aim, b: width, n: state }: Row): void {
    const [turn, side] = [((aim - 90) * Math.PI) / 180, (width * Math.PI) / 360];
    this.#pen.beginPath();
    this.#pen.moveTo(x, y);
    this.#pen.arc(x, y, half, turn - side, turn + side);
    this.#pen.closePath();
    if (state === IDLE || state === SHOWN) this.#fill(fade(this.#theme['text-hi'], 0.17));
    else this.#stroke(this.#theme.stale, 2, [4, 4]);
  }

  #camera(row: Row): void {
    const { x, y, half, a: digit, b: beyond, n: state } = row;
    const theme = this.#theme;
    const [seen, idle] = [state === SHOWN, state === IDLE];
    const colour = idle ? theme.text : theme.stale;
    this.#arrow(row, beyond, seen ? theme['text-hi'] : colour);
    this.#pen.beginPath();
    this.#pen.roundRect(x - half, y - half, half * 2, half * 2, 3 * this.#unit);
    this.#fill(seen ? theme['text-hi'] : theme.panel);
    if (!seen) this.#stroke(colour, 2.5, idle ? [] : [5, 4]);
    const written = idle ? theme['text-hi'] : theme.stale;
    this.#digits(String(digit), x, y + 1.5 * this.#unit, 700, digit > 9 ? 18 : 23, seen ? theme.bg : written);
    this.#hit('camera', row, half + 4 * this.#unit);
  }

  #person(row: Row, letter: string): void {
    const [theme, late] = [this.#theme, row.a === 1];
    this.#arrow(row, row.b, late ? theme.stale : theme['text-hi']);
    this.#circle(row, row.half);
    this.#fill(late ? theme.panel : theme['text-hi']);
    this.#stroke(late ? theme.stale : theme['panel-2'], 2.5, late ? [5, 4] : []);
    this.#digits(letter, row.x, row.y + this.#unit, 700, 20, late ? theme.stale : theme.bg);
    this.#hit('person', row, row.half + 3 * this.#unit);
  }

  /** Points from the edge to what is beyond it. */
  #arrow({ x, y }: Row, angle: number, colour: string): void {
    if (Number.isNaN(angle)) return;
    const [pen, u] = [this.#pen, this.#unit];
    pen.save();
    pen.translate(x, y);
    pen.rotate(angle);
    pen.beginPath();
    for (const [tx, ty] of [[27, 0], [18, -7], [18, 7]] as const) pen.lineTo(tx * u, ty * u);
    pen.closePath();
    this.#fill(colour);
    pen.restore();
  }

  #urgent(row: Row): void {
    const { x, y, half, a: priority, n } = row;
    const colour = this.#theme[priority === 1 ? 'p1' : priority === 2 ? 'p2' : 'p3'];
    const ground = this.#theme['panel-2'];
    const open = priority === 3;
    this.#pen.beginPath();
    for (const [dx, dy] of OUTLINES[priority - 1] ?? []) this.#pen.lineTo(x + dx * half, y + dy * half);
    this.#pen.closePath();
    this.#stroke(ground, 7);
    this.#fill(open ? ground : colour);
    if (open) this.#stroke(colour, 3);
    const down = priority === 1 ? 8 : 1.2;
    this.#digits(String(priority), x, y + down * this.#unit, 700, DIGIT_SIZES[priority - 1] ?? 17, open ? colour : this.#theme.bg);
    this.#hit(n > 1 ? 'cases' : 'case', row, Math.max(12, half));
  }

  #line({ x, y, half: toX, a: toY, b: incident }: Row): void {
    this.#pen.beginPath();
    this.#pen.moveTo(x, y);
    this.#pen.lineTo(toX, toY);
    if (incident === 1) this.#stroke(this.#theme['text-hi'], 2.5);
    else this.#stroke(this.#theme['text-dim'], 1.5);
  }

  #word({ x, y, half: size, a: turn, b: priority, n: set }: Row, text: string): void {
    const [pen, u] = [this.#pen, this.#unit];
    const style = STYLES[set % 16] ?? PLAIN;
    const margin = style.margin === undefined ? null : this.#theme[style.margin];
    if (set % 16 === LATE) this.#hatched(x - 23 * u, y, 20 * u);
    this.#font(style, size);
    pen.textAlign = ALIGNS[Math.floor(set / 16)] ?? 'center';
    pen.fillStyle = this.#theme[style.colour ?? (priority === 1 ? 'p1' : priority === 2 ? 'p2' : 'p3')];
    pen.save();
    pen.translate(x, y);
    if (turn === DOWN) {
      const letters = Array.from(text);
      letters.forEach((letter, i) => { this.#letters(letter, (i - (letters.length - 1) / 2) * size * 1.1, margin, 3.6); });
    } else {
      pen.rotate(turn);
      this.#letters(text, 0, margin, turn === 0 ? 6 : 3.6);
    }
    pen.restore();
    pen.letterSpacing = '0px';
  }

  /** Text with a margin in the ground's colour, so that no line runs through it. */
  #letters(text: string, y: number, margin: string | null, width: number): void {
    const pen = this.#pen;
    if (margin !== null) {
      pen.strokeStyle = margin;
      pen.lineWidth = width * this.#unit;
      pen.strokeText(text, 0, y);
    }
    pen.fillText(text, 0, y);
  }

  /** The sign of late data: a hatched square. */
  #hatched(x: number, y: number, side: number): void {
    const pen = this.#pen;
    const half = side / 2;
    pen.save();
    pen.beginPath();
    pen.rect(x - half, y - half, side, side);
    this.#fill(this.#theme['panel-2']);
    this.#stroke(this.#theme.stale, 2);
    pen.clip();
    pen.beginPath();
    for (let shift = -side; shift <= side; shift += 6 * this.#unit) {
      pen.moveTo(x - half + shift, y + half);
      pen.lineTo(x + half + shift, y - half);
    }
    pen.stroke();
    pen.restore();
  }
}
