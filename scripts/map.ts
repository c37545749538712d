// The map of the hall: one ground (MapLibre, or SVG), one canvas for people, one for all other marks.
//
// What should be here: what a screen tells its map, and how one begins and ends. What should not: where marks and words
// stand (the placing decides, `domain/src/map.rs`), when they are drawn (`map/stage.ts`). No request leaves this server.

import type { Archive } from './map/archive.js';
import { Frame, SILENT, type Words } from './map/frame.js';
import { View, latOf, lonOf, mercatorX, mercatorY, readTheme, viewOf, zoomFor, type Bounds, type Theme } from './map/geo.js';
import type { GroundView } from './map/ground.js';
import { readGround, type Feature } from './map/layers.js';
import type { Marks } from './map/marks.js';
import { DEFAULTS, type Case, type Focus, type Linked, type Named, type Options, type Wanted } from './map/options.js';
import { Told, flatRows, placing, seconds, tellGround, type Placing } from './map/placing.js';
import { listen } from './map/press.js';
import { Stage } from './map/stage.js';
import { textureSizeMax } from './map/webgl.js';
import { missed } from './part.ts';

/** Shown when nothing says where the city is. */
const NOWHERE: Bounds = [102.5, 24.85, 102.95, 25.2];
/** Pictures as the placing numbers them; any other is lost. */
const STATES: Record<string, number> = { idle: 0, live: 1, delayed: 1 };
const LOST = 2;

export function create(el: HTMLElement, wanted: Wanted = {}): HallMap {
  return new HallMap(el, wanted);
}

export class HallMap {
  readonly el: HTMLElement;
  readonly options: Options;
  readonly told = new Told();
  readonly marks: Marks;
  readonly #stage: Stage;
  /** Settles when the map has been drawn, or cannot be. */
  readonly ready: Promise<void>;
  cases: Case[] = [];
  linked: Linked[] = [];
  named: Named[] = [];
  districts: string[] = [];
  readonly #frame: Frame;
  readonly #resize: ResizeObserver;
  #pixels: MediaQueryList | null = null;
  readonly #page: MutationObserver;
  words: Words = SILENT;
  theme: Theme;
  ground: GroundView | null = null;
  #features: Feature[] = [];
  #counts: Record<string, number> = {};
  stale: number;
  #home: Bounds;
  #pending: (() => View) | null = null;
  #note: ('note' | 'part' | '')[] = [];
  #gone = false;

  constructor(el: HTMLElement, wanted: Wanted) {
    this.el = el;
    // Before the theme is read: the class carries variables of its own.
    el.classList.add('map');
    // Whoever tests or tends a screen finds the map by its element.
    Object.assign(el, { hallMap: this });
    this.options = { ...DEFAULTS, ...wanted };
    this.#size();
    [this.theme, this.stale, this.#home] = [readTheme(el), this.options.staleSeconds, this.options.bounds ?? NOWHERE];
    this.#frame = new Frame(el, this.options);
    this.#stage = new Stage(this, this.#frame);
    this.marks = this.#stage.marks;
    this.#resize = new ResizeObserver(this.#resized);
    this.#watch();
    this.#page = new MutationObserver(() => { this.#themed(); });
    this.#page.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    this.#manner();
    listen(this);
    this.ready = this.#start().catch((error: unknown) => {
      console.warn('map:', error);
      this.#frame.fail(this.words.failed);
      // A part of it may be gone from the server; then so is this file, which names it.
      void missed(import.meta.url, false);
    });
  }

  #watch(): void {
    this.#resize.observe(this.el);
    this.#followPixels();
  }

  /** The size of the element stays when its pixels become others. A query holds for one sharpness: the next is asked after each change. */
  #followPixels(): void {
    this.#pixels?.removeEventListener('change', this.#sharpened);
    this.#pixels = matchMedia(`(resolution: ${globalThis.devicePixelRatio}dppx)`);
    this.#pixels.addEventListener('change', this.#sharpened);
  }

  async #start(): Promise<void> {
    const forced = new URLSearchParams(location.search).get('map');
    const wanted = forced === 'svg' || forced === 'gl' ? forced : this.options.backend;
    const textureMax = wanted === 'svg' ? 0 : textureSizeMax();
    this.#stage.begin(textureMax > 0);
    const measure = (text: string, style: number) => this.marks.measure(text, style, this.theme, this.words.lang);
    const decides = placing(measure, () => { this.#frame.fail(this.words.failed); }, () => this.#gone);
    const [{ ground, survey, missing, bounds }, archive] = await Promise.all([readGround(this.options.layers), this.#archive(textureMax)]);
    this.#features = ground?.features ?? [];
    const districts = this.#features.filter(({ properties: p }) => p.kind === 'district' && p.label !== undefined && p.name_zh !== '');
    this.districts = districts.map(({ properties: p }) => p.code);
    this.#home = bounds ?? this.options.bounds ?? archive?.bounds ?? NOWHERE;
    // The library is large: it is for tiles, and for moving about. Districts and roads that stand still are drawn without it.
    const library = textureMax > 0 && (wanted === 'gl' || this.options.interactive || this.options.raster !== null || this.options.pmtiles !== null);
    const settings = { interactive: this.options.interactive, raster: this.options.raster, ground, archive: archive ?? null, theme: this.theme, textureMax,
      view: this.#homeView(), onView: () => { this.#stage.wake(); } };
    const drawn = async (): Promise<GroundView> => new (await import('./map/ground-svg.js')).SvgGround(this.#frame.groundEl, settings);
    const gl = async (): Promise<GroundView> => (await import('./map/ground-gl.js')).GlGround.make(this.#frame.groundEl, settings);
    const made = library ? gl().catch((error: unknown) => {
      console.warn('map: falling back to SVG:', error);
      this.#frame.groundEl.replaceChildren();
      return drawn();
    }) : drawn();
    const [shown, decided] = await Promise.all([made, decides]);
    if (this.#gone || decided === null) {
      shown.destroy();
      return;
    }
    this.ground = shown;
    this.#note = [survey ? '' : 'note', missing.length > 0 || archive === undefined ? 'part' : ''];
    this.#begin(shown, decided);
  }

  #begin(ground: GroundView, decided: Placing): void {
    this.#say();
    tellGround(decided, this.#features, this.words.lang);
    this.told.begin(decided, seconds());
    this.#tellCases();
    if (this.#pending !== null) ground.show(this.#pending(), false);
    this.el.dataset['ground'] = ground.kind;
    this.#resized();
    document.fonts.addEventListener('loadingdone', this.#fontsCame);
    this.#stage.paint();
    this.el.dataset['ready'] = 'true';
  }

  readonly #fontsCame = (): void => {
    this.told.placing?.measureAnew();
    this.#stage.changed();
  };

  /** The tile archive; null without one, undefined where it cannot be read or drawn. */
  async #archive(textureMax: number): Promise<Archive | null | undefined> {
    if (this.options.pmtiles === null) return null;
    if (textureMax === 0) return undefined;
    const address = this.options.pmtiles;
    return import('./map/archive.js').then((archive) => archive.openArchive(address)).catch((error: unknown) => {
      console.warn('map:', error);
      return undefined;
    });
  }

  /** Writes the corner: what kind of map this is, what is missing of it, whose it is. */
  #say(): void {
    const notes = this.#note.map((name) => (name === '' ? '' : this.words[name]));
    this.#frame.say(this.options, notes.filter(Boolean).join('  '), this.words);
  }

  #homeView(): View {
    return viewOf(this.#home, this.options.padding, Math.max(1, this.el.clientWidth), Math.max(1, this.el.clientHeight));
  }

  /** Options that depend on the size of the map and of the words around it: a panel's unit, elsewhere the page's. */
  #size(): void {
    const own = Number.parseFloat(getComputedStyle(this.el).getPropertyValue('--u'));
    const unit = own > 0 ? own : Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    Object.assign(this.options, this.options.onSize?.(this.el.clientWidth, unit));
  }

  /** Sizes and manners as the placing takes them. */
  #manner(): void {
    const { fontPx, priorityMax, group, perSquare } = this.options;
    this.#frame.manner(this.options);
    this.#tell('sizes', (placing) => { placing.sizes(fontPx / 24, priorityMax, perSquare, this.stale); });
    this.#tell('ways', (placing) => { placing.ways(priorityMax < 3, this.words.lang !== 'zh', group); });
    this.#tell('words', (placing) => { placing.words(this.words.open, this.words.late); });
  }

  // What is shown. Lists replace what was there.

  #tell(name: string, act: (placing: Placing) => void): void {
    this.told.say(name, act);
    this.#stage.changed();
  }

  /** Cases without a position are counted by the lists, not drawn. */
  setCases(cases: Case[]): void {
    this.cases = cases.filter((each) => Number.isFinite(each.lon) && Number.isFinite(each.lat));
    this.#tellCases();
  }

  #tellCases(): void {
    const areas = new Map(this.districts.map((code, index) => [code, index]));
    const area = (code: string | null) => areas.get(code ?? '') ?? areas.size;
    this.#tell('cases', (placing) => { placing.cases(flatRows(this.cases, (each) => [Number(each.id), each.lon, each.lat, each.priority, area(each.area)])); });
    this.#tellCounts();
  }

  setLinked(linked: Linked[]): void {
    this.linked = linked;
    const row = (each: Linked) => [each.lon, each.lat, each.bearing ?? Number.NaN, each.view ?? 60, each.number, STATES[each.state] ?? LOST];
    this.#tell('cameras', (placing) => { placing.cameras(flatRows(linked, row)); });
  }

  setFocus(focus: Focus | null): void {
    this.#tell('focus', (placing) => {
      if (focus === null) placing.clearFocus();
      else placing.focus(focus.lon, focus.lat, focus.radius_m, focus.title ?? '', focus.note ?? '');
    });
  }

  setNamed(named: Named[]): void {
    this.named = named;
    this.#tell('named', (placing) => { placing.named(Uint32Array.from(named, (each) => each.index), named.map((each) => each.name ?? '')); });
  }

  /** Open cases by the districts' codes. */
  setDistrictCounts(counts: Record<string, number>): void {
    this.#counts = counts;
    this.#tellCounts();
  }

  #tellCounts(): void {
    this.#tell('counts', (placing) => { placing.counts(this.districts.map((code) => this.#counts[code]?.toLocaleString('en-US') ?? '')); });
  }

  /** Rows of index, lon and lat in 1e-5 degrees, heading in degrees (−1 still), age in seconds (−1 gone). */
  updatePositions(rows: Int32Array): void {
    this.told.move(rows, seconds());
    this.#stage.moved();
  }

  clearPositions(): void {
    this.told.forget();
    this.#stage.moved();
  }

  setStaleSeconds(stale: number): void {
    this.stale = stale;
    this.#manner();
  }

  /** For tests: where someone is drawn, in CSS pixels of the map, and whether alone, in a group or out of date. */
  whereIs(id: number): object | null {
    const [mx, my, alone, age = 0] = this.told.placing?.whereIs(id, seconds()) ?? [];
    if (mx === undefined || my === undefined || this.ground === null) return null;
    const view = this.ground.view();
    return { x: view.x(mx), y: view.y(my), lon: lonOf(mx), lat: latOf(my), single: alone === 1, age, late: age > this.stale };
  }

  /** What is written, and the language in which the ground is named. */
  setWords(words: Words): void {
    this.words = words;
    this.told.placing?.measureAnew();
    this.#manner();
    if (this.ground !== null) this.#tell('ground', (placing) => { tellGround(placing, this.#features, words.lang); });
    this.#say();
  }

  #themed(): void {
    this.theme = readTheme(this.el);
    this.ground?.setTheme(this.theme);
    this.#stage.changed();
  }

  /** Centres a point so that `spanM` metres fit across the smaller side. Before the ground has loaded, the last wish counts. */
  flyTo(lon: number, lat: number, spanM = 800): void {
    this.#pending = () => {
      const [width, height] = [this.el.clientWidth, this.el.clientHeight];
      return new View(mercatorX(lon), mercatorY(lat), Math.min(18, zoomFor(spanM, Math.min(width, height), lat)), width, height);
    };
    this.ground?.show(this.#pending(), true);
    this.#stage.wake();
  }

  readonly #sharpened = (): void => {
    this.#followPixels();
    this.#resized();
  };

  readonly #resized = (): void => {
    if (this.el.clientWidth === 0 || this.el.clientHeight === 0) return;
    this.#size();
    this.#manner();
    this.#frame.size();
    this.ground?.resize();
    if (!this.options.interactive) this.ground?.show(this.#pending?.() ?? this.#homeView(), false);
    this.#stage.changed();
  };

  /** For tests and the health report. */
  stats(): object { return this.#stage.stats(); }

  destroy(): void {
    this.#gone = true;
    this.#stage.destroy();
    document.fonts.removeEventListener('loadingdone', this.#fontsCame);
    this.#resize.disconnect();
    this.#page.disconnect();
    this.#pixels?.removeEventListener('change', this.#sharpened);
    this.ground?.destroy();
    this.told.placing?.free();
    this.told.placing = null;
    this.#frame.destroy();
  }
}
