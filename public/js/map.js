// The map of the hall: one ground (MapLibre, or SVG without WebGL2), one canvas for people, one for all other marks.
//
// `create(el, options)` answers at once; everything set before the ground has loaded is shown when it has. No request
// leaves this server. Options, all of them optional:
//   lang 'zh' | 'en', else the page's; layers URLs of GeoJSON, bottom first (`map/layers.js` says what it reads of them);
//   raster {tiles: ['/tiles/{z}/{x}/{y}.png'], tileSize, minZoom, maxZoom, opacity} and pmtiles (URL), below them, served by us;
//   attribution, approval (审图号); bounds [west, south, east, north] where the layers do not say; padding {top, right, bottom, left}; interactive; group; legend; scale;
//   staleSeconds; perSquare; priorityMax (less urgent cases are ordinary squares); fontPx (size of a count in a label); reserved [[x, y, w, h]] kept free of words;
//   backend 'auto' | 'gl' | 'svg' (`?map=svg` in the page's address wins); onClick(kind, id).

import { View, latOf, lonOf, mercatorX, mercatorY, readTheme, ringHolds, viewOf, zoomFor } from './map/geo.js';
import { GlGround, textureSizeMax } from './map/ground-gl.js';
import { openArchive } from './map/archive.js';
import { Frame } from './map/frame.js';
import { readGround } from './map/layers.js';
import { bundle, group, perSquare } from './map/layout.js';
import { Marks } from './map/marks.js';
import { People } from './map/people.js';
import { PeopleGl } from './map/people-gl.js';
import { People2d } from './map/people-2d.js';

const DEFAULTS = { lang: null, layers: ['/map/schematic.geojson'], raster: null, pmtiles: null, attribution: '', approval: '', bounds: null,
  padding: { top: 16, right: 16, bottom: 16, left: 16 }, interactive: false, group: true, legend: false, scale: true, staleSeconds: 120,
  perSquare: 14, priorityMax: 3, fontPx: 24, reserved: [], backend: 'auto', onClick: null };
/** Shown when nothing says where the city is. */
const NOWHERE = [102.5, 24.85, 102.95, 25.2];
const WORDS = {
  zh: { open: '在办', late: '位置滞后', note: '示意图 非测绘成果', label: '辖区地图：监督员、案件、摄像机', failed: '地图底图未能载入', part: '部分图层未能载入', approval: '审图号：' },
  en: { open: 'Open', late: 'Positions late', note: 'Schematic, not a survey map', label: 'Map: inspectors, cases, cameras', failed: 'The map ground did not load', part: 'Some map layers did not load', approval: 'Map approval ' },
};
/** How often groups are gathered anew while people move, in milliseconds. */
const REGROUP_MS = 500;
/** The way in CSS pixels that someone may lag behind before a frame is drawn for it: less is not seen. */
const SEEN_PX = 0.25;

export function create(el, options = {}) {
  return new HallMap(el, { ...DEFAULTS, ...options });
}

class HallMap {
  constructor(el, options) {
    this.el = el;
    // Before the theme is read: the class carries variables of its own.
    el.classList.add('map');
    // Whoever tests or tends a screen finds the map by its element.
    el.hallMap = this;
    this.langFixed = options.lang !== null;
    options.lang ??= pageLang();
    this.options = options;
    this.home = options.bounds ?? NOWHERE;
    this.people = new People();
    this.theme = readTheme(el);
    this.cases = [];
    this.ground = null;
    this.destroyed = false;
    this.scene = { brief: options.priorityMax < 3, lang: options.lang, words: WORDS[options.lang] ?? WORDS.zh, unit: options.fontPx / 24, reserved: options.reserved, people: this.people,
      staleSeconds: options.staleSeconds, urgent: [], bundles: [], groups: [], cameras: [], linked: [], named: [], late: [], counts: {},
      focus: null, areas: { districts: [], streets: [], roads: [], lakes: [] } };
    this.frameTimes = new Float32Array(512);
    this.frames = 0;
    this.frame = new Frame(el, options, this.scene.words);
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(el);
    this.pageObserver = new MutationObserver(() => this.pageChanged());
    this.pageObserver.observe(document.documentElement, { attributes: true, attributeFilter: ['lang', 'data-theme'] });
    this.listen();
    this.ready = this.start().catch((error) => {
      console.warn('map:', error);
      this.frame.fail(this.scene.words.failed);
    });
    this.tick = this.tick.bind(this);
    this.request = requestAnimationFrame(this.tick);
  }

  async start() {
    const forced = new URLSearchParams(globalThis.location.search).get('map');
    const wanted = ['svg', 'gl'].includes(forced) ? forced : this.options.backend;
    const textureMax = wanted === 'svg' ? 0 : textureSizeMax();
    this.painter = painter(this.frame.peopleCanvas, textureMax > 0, (canvas) => { this.frame.peopleCanvas = canvas; });
    this.marks = new Marks(this.frame.marksCanvas);
    const [{ ground, survey, missing, bounds }, archive] = await Promise.all([readGround(this.options.layers), this.archive(textureMax)]);
    if (ground) this.readAreas(ground);
    Object.assign(this, { survey, lacking: missing.length > 0 || archive === undefined });
    this.home = bounds ?? this.options.bounds ?? archive?.bounds ?? NOWHERE;
    if (this.destroyed) return;
    // Few machines need it, so it is not loaded with the rest.
    const drawn = async (settings) => (await import('./map/ground-svg.js')).SvgGround.make(this.frame.groundEl, settings);
    const settings = { ...this.options, ground, archive: archive ?? null, theme: this.theme, textureMax, view: this.homeView(), onView: () => { this.moved = true; } };
    const made = textureMax > 0 ? GlGround.make(this.frame.groundEl, settings).catch((error) => {
      console.warn('map: falling back to SVG:', error);
      this.frame.groundEl.replaceChildren();
      return drawn(settings);
    }) : drawn(settings);
    this.ground = await made;
    if (this.destroyed) return this.ground.destroy();
    if (this.pending) this.ground.show(this.pending(), false);
    this.ground.setLate(this.scene.late.map((each) => each.code), this.theme);
    this.el.dataset.ground = this.ground.kind;
    this.resized();
    this.say();
    this.el.dataset.ready = 'true';
  }

  /** The tile archive; null without one, undefined where it cannot be read or drawn. */
  async archive(textureMax) {
    if (!this.options.pmtiles) return null;
    if (textureMax === 0) return undefined;
    return openArchive(this.options.pmtiles).catch((error) => void console.warn('map:', error));
  }

  /** Writes the corner: what kind of map this is, what is missing of it, whose it is. */
  say() {
    const { words } = this.scene;
    const notes = [this.survey === false && words.note, this.lacking && words.part];
    this.frame.say(this.options, notes.filter(Boolean).join('  '), words);
  }

  homeView() {
    return viewOf(this.home, this.options.padding, Math.max(1, this.el.clientWidth), Math.max(1, this.el.clientHeight));
  }

  readAreas(ground) {
    const spot = ([lon, lat]) => [mercatorX(lon), mercatorY(lat)];
    const named = ({ name_zh: zh, name_en: en }) => ({ zh, en: en || zh });
    const { areas } = this.scene;
    for (const { properties: p, geometry } of ground.features) {
      const area = p.label && p.name_zh && { code: p.code, name: named(p), short: { zh: p.short_zh, en: p.short_en }, label: spot(p.label), ring: geometry.coordinates[0] };
      if (p.kind === 'district' && area) areas.districts.push(area);
      else if (p.kind === 'street' && area) areas.streets.push(area);
      else if (p.kind === 'lake' && area) areas.lakes.push(area);
      else if (p.kind === 'road' && p.name_zh) areas.roads.push({ class: p.class, name: named(p), line: geometry.coordinates.map(spot) });
    }
  }

  // What is shown. Lists replace what was there.

  /** `[{id, lon, lat, priority 1–4, area}]`; cases without a position are counted by the lists, not drawn. */
  setCases(cases) {
    this.cases = cases;
    this.bundled = null;
    this.dirty = true;
  }

  /** `[{code, lon, lat, bearing|null, view, state}]` */
  setCameras(cameras) {
    this.scene.cameras = placed(cameras);
    this.dirty = true;
  }

  /** `[{code, number, lon, lat, bearing|null, view, state}]`, state as the player names it. */
  setLinked(linked) {
    this.scene.linked = placed(linked);
    this.dirty = true;
  }

  /** `{lon, lat, radius_m, title, note, target}` or null. */
  setFocus(focus) {
    this.scene.focus = focus && { ...focus, x: mercatorX(focus.lon), y: mercatorY(focus.lat) };
    this.dirty = true;
  }

  /** `[{index, letter, name}]`: people who matter for the incident. */
  setNamed(named) {
    this.scene.named = named;
    this.dirty = true;
  }

  /** `{code: open cases}` */
  setDistrictCounts(counts) {
    this.scene.counts = counts;
    this.dirty = true;
  }

  /** `[{code, text}]`: districts whose positions are late, with the age as text. */
  setLate(late) {
    this.scene.late = late;
    this.ground?.setLate(late.map((each) => each.code), this.theme);
    this.dirty = true;
  }

  /** Int32Array of rows: index, lon and lat in 1e-5 degrees, heading in degrees (−1 still), age in seconds (−1 gone). */
  updatePositions(rows) {
    const view = this.ground?.view() ?? this.homeView();
    this.people.update(rows, Math.max(8, 9 * this.scene.unit * view.metresPerPixel));
  }

  clearPositions() { this.people.clear(); }

  setStaleSeconds(seconds) {
    this.options.staleSeconds = seconds;
    this.scene.staleSeconds = seconds;
    this.dirty = true;
  }

  /** For tests: where someone is drawn, in CSS pixels of the map, and whether alone, in a group or out of date. */
  whereIs(id) {
    const slot = this.people.slots.get(id);
    if (slot === undefined || !this.ground) return null;
    const [now, view] = [this.people.now(), this.ground.view()];
    const [mx, my] = this.people.where(slot, now);
    const age = this.people.age(slot, now);
    return { x: view.x(mx), y: view.y(my), lon: lonOf(mx), lat: latOf(my), single: this.people.data[slot * 9 + 8] === 1, age, late: age > this.scene.staleSeconds };
  }

  setLang(lang) {
    this.options.lang = lang;
    Object.assign(this.scene, { lang, words: WORDS[lang] ?? WORDS.zh });
    this.say();
    this.dirty = true;
  }

  pageChanged() {
    if (!this.langFixed && pageLang() !== this.options.lang) this.setLang(pageLang());
    this.setTheme();
  }

  /** Reads the CSS variables again. */
  setTheme() {
    this.theme = readTheme(this.el);
    this.ground?.setTheme(this.theme);
    this.dirty = true;
  }

  /** Rectangles [x, y, width, height] that words keep clear of. */
  setReserved(reserved) {
    this.scene.reserved = reserved;
    this.dirty = true;
  }

  // Where one looks. Before the ground has loaded, the last wish counts.

  fitTo(bounds) {
    this.go(() => viewOf(bounds, this.options.padding, this.el.clientWidth, this.el.clientHeight));
  }

  /** Centres a point so that `spanM` metres fit across the smaller side. */
  flyTo(lon, lat, spanM = 800) {
    this.go(() => {
      const [width, height] = [this.el.clientWidth, this.el.clientHeight];
      return new View(mercatorX(lon), mercatorY(lat), Math.min(18, zoomFor(spanM, Math.min(width, height), lat)), width, height);
    });
  }

  /** Shows the whole city again. */
  fitHome() { this.go(() => this.homeView()); }

  go(view) {
    this.pending = view;
    this.ground?.show(view(), true);
  }

  // Drawing.

  tick() {
    this.request = requestAnimationFrame(this.tick);
    if (!this.ground) return;
    const began = performance.now();
    const view = this.ground.view();
    const turned = !view.same(this.drawn);
    const changed = this.people.changed !== this.uploaded;
    const regroup = (turned || changed) && (turned ? began - (this.grouped ?? 0) > 120 || this.dirty : began - (this.grouped ?? 0) > REGROUP_MS);
    if (regroup || (changed && !this.grouped)) this.regroup(view, began);
    if (changed || regroup) {
      this.painter.upload(this.people, view.zoom < 15.5 && this.people.count < 3000);
      this.uploaded = this.people.changed;
    }
    const walking = this.people.busyUntil > this.people.now() && this.stepPx(view, began) >= SEEN_PX;
    const aged = began - (this.painted ?? 0) > 1000;
    if (turned || regroup || walking || this.dirty || aged) {
      this.painter.draw(this.people, view, this.theme, this.scene);
      this.painted = began;
    }
    if (turned || this.dirty || (this.scene.named.length && changed)) this.paintMarks(view);
    this.settle(view, turned);
    if (this.painted === began) {
      this.frameTimes[this.frames % 512] = performance.now() - began;
      this.frames += 1;
    }
  }

  /** Pixels that the fastest has gone since the last frame. */
  stepPx(view, began) {
    return (this.people.fastest / view.metresPerPixel) * ((began - (this.painted ?? 0)) / 1000);
  }

  regroup(view, began) {
    const groups = group(this.people, view, this.scene.unit, this.options.staleSeconds, this.options.group && view.zoom < 14.5);
    const look = groups.map((each) => `${each.count}:${each.late}:${Math.round(view.x(each.x) / 4)}:${Math.round(view.y(each.y) / 4)}`).join();
    if (look !== this.groupLook) {
      this.groupLook = look;
      this.scene.groups = groups;
      this.dirty = true;
    }
    this.grouped = began;
  }

  paintMarks(view) {
    const ordinary = this.cases.reduce((sum, each) => sum + (each.priority <= this.options.priorityMax ? 0 : 1), 0);
    const per = perSquare(ordinary, this.options.perSquare, view.zoom);
    if (this.bundled !== per) {
      Object.assign(this.scene, bundle(this.cases, per, this.options.priorityMax));
      this.bundled = per;
    }
    this.frame.legend(this.options, this.cases, per);
    this.marks.draw(this.scene, view, this.theme, this.frame.covered());
    this.frame.scaleBar(this.options.scale, view);
    this.drawn = view;
    this.dirty = false;
  }

  /** Once the view has come to rest, groups are gathered for it. */
  settle(view, turned) {
    if (turned) this.unsettled = true;
    else if (this.unsettled && performance.now() - (this.grouped ?? 0) > 120) {
      this.unsettled = false;
      this.regroup(view, performance.now());
      this.painter.upload(this.people, view.zoom < 15.5 && this.people.count < 3000);
      this.painter.draw(this.people, view, this.theme, this.scene);
      this.paintMarks(view);
    }
  }

  resized() {
    if (!this.el.clientWidth || !this.el.clientHeight) return;
    this.frame.size();
    if (this.ground) {
      this.ground.resize();
      if (!this.options.interactive) this.ground.show((this.pending ?? (() => this.homeView()))(), false);
    }
    this.dirty = true;
  }

  // Being used.

  listen() {
    let down = null;
    this.el.addEventListener('pointerdown', (event) => { down = [event.clientX, event.clientY]; });
    this.el.addEventListener('click', (event) => {
      if (!this.options.onClick || !this.ground) return;
      if (down && Math.hypot(event.clientX - down[0], event.clientY - down[1]) > 6) return;
      const hit = this.hitAt(event);
      if (hit) this.options.onClick(hit.kind, hit.id);
    });
    this.el.addEventListener('pointermove', (event) => {
      if (!this.options.onClick || !this.ground || event.buttons) return;
      this.el.classList.toggle('map-pointing', Boolean(this.hitAt(event, true)));
    });
  }

  /** What lies under the pointer: the topmost mark, else a person, else the district. */
  hitAt(event, marksOnly = false) {
    const box = this.el.getBoundingClientRect();
    // A wall may be stretched by a CSS transform; the ratio takes it back.
    const x = (event.clientX - box.left) * (this.el.clientWidth / box.width);
    const y = (event.clientY - box.top) * (this.el.clientHeight / box.height);
    const mark = this.marks.hits.findLast((each) => Math.hypot(each.x - x, each.y - y) <= Math.max(each.reach, 12));
    if (mark || marksOnly) return mark ?? null;
    return this.personAt(x, y) ?? this.districtAt(x, y);
  }

  personAt(x, y) {
    const view = this.ground.view();
    const now = this.people.now();
    for (let slot = 0; slot < this.people.count; slot += 1) {
      if (!this.people.data[slot * 9 + 8]) continue;
      const [mx, my] = this.people.where(slot, now);
      if (Math.hypot(view.x(mx) - x, view.y(my) - y) <= 14) return { kind: 'person', id: this.people.ids[slot] };
    }
    return null;
  }

  districtAt(x, y) {
    const [mx, my] = this.ground.view().at(x, y);
    const found = this.scene.areas.districts.find((each) => ringHolds(each.ring, lonOf(mx), latOf(my)));
    return found ? { kind: 'district', id: found.code } : null;
  }

  /** For tests and the health report: ground, people, groups, 95th percentile of our work per frame. */
  stats() {
    const times = [...this.frameTimes.subarray(0, Math.min(this.frames, 512))].sort((a, b) => a - b);
    const single = Array.from({ length: this.people.count }, (_, slot) => this.people.data[slot * 9 + 8]).reduce((sum, shown) => sum + shown, 0);
    return { ground: this.ground?.kind ?? null, people: this.people.count, single, grouped: this.scene.groups.reduce((sum, each) => sum + each.count, 0),
      groups: this.scene.groups.length, frames: this.frames, frameP50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
      frameP95Ms: times[Math.floor(times.length * 0.95)] ?? 0, marks: this.marks?.hits.length ?? 0, zoom: this.ground?.view().zoom ?? 0 };
  }

  destroy() {
    this.destroyed = true;
    cancelAnimationFrame(this.request);
    this.observer.disconnect();
    this.pageObserver.disconnect();
    this.ground?.destroy();
    this.painter?.destroy();
    this.frame.destroy();
  }
}

const pageLang = () => (document.documentElement.lang.startsWith('en') ? 'en' : 'zh');

/** WebGL2 where it is, else a plain canvas; a canvas that failed at one cannot become the other. */
function painter(canvas, withGl, replace) {
  if (withGl) {
    try {
      return new PeopleGl(canvas);
    } catch (error) {
      console.warn('map: drawing people without WebGL2:', error);
      const fresh = canvas.cloneNode();
      canvas.replaceWith(fresh);
      replace(fresh);
      return new People2d(fresh);
    }
  }
  return new People2d(canvas);
}

const placed = (list) => list.filter((each) => Number.isFinite(each.lon) && Number.isFinite(each.lat))
  .map((each) => ({ ...each, bearing: each.bearing ?? null, x: mercatorX(each.lon), y: mercatorY(each.lat) }));
