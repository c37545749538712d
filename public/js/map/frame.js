// The elements a map consists of, bottom to top: ground, people, marks, and words in the corners.

const LEGEND = {
  zh: { 1: '一级案件', 2: '二级案件', 3: '三级案件', ordinary: '常规', each: (per) => (per > 1 ? `每格 ${per} 件` : ''), person: '监督员 朝向', camera: '摄像机' },
  en: { 1: 'Priority 1', 2: 'Priority 2', 3: 'Priority 3', ordinary: 'Ordinary', each: (per) => (per > 1 ? `${per} per square` : ''), person: 'Inspector, heading', camera: 'Camera' },
};
const SHAPES = {
  1: '<path class="map-key-1" d="M12 2.5 22.5 21H1.5Z"/><text x="12" y="18.6">1</text>',
  2: '<path class="map-key-2" d="M12 1 23 12 12 23 1 12Z"/><text x="12" y="16.4">2</text>',
  3: '<rect class="map-key-3" x="3" y="3" width="18" height="18"/><text class="map-key-3t" x="12" y="16.6">3</text>',
  ordinary: '<rect class="map-key-line" x="7" y="7" width="10" height="10"/>',
  person: '<path class="map-key-person" d="M12 2 16.2 14.4A4.6 4.6 0 1 1 7.8 14.4Z"/>',
  camera: '<path class="map-key-line" d="M2 7.5h12v9H2zM16 12l6-4.5v9z"/>',
};

export class Frame {
  constructor(el, options, words) {
    this.el = el;
    el.style.setProperty('--map-unit', `${options.fontPx / 24}px`);
    el.setAttribute('role', options.interactive ? 'application' : 'group');
    el.setAttribute('aria-label', words.label);
    if (options.interactive) el.tabIndex = 0;
    this.groundEl = part('div', 'map-ground');
    this.peopleCanvas = part('canvas', 'map-people');
    this.marksCanvas = part('canvas', 'map-marks');
    this.noteEl = part('div', 'map-note');
    this.scaleEl = part('div', 'map-scale');
    this.legendEl = part('div', 'map-legend');
    this.legendEl.hidden = !options.legend;
    this.sourceEl = part('div', 'map-source');
    this.footEl = part('div', 'map-foot');
    this.footEl.append(this.noteEl, this.scaleEl, this.sourceEl);
    el.replaceChildren(this.groundEl, this.peopleCanvas, this.marksCanvas, this.legendEl, this.footEl);
    this.size();
  }

  /** Fits the canvases to the element and to the screen's pixels. */
  size() {
    const dpr = globalThis.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.el.clientWidth * dpr), Math.round(this.el.clientHeight * dpr)];
    for (const canvas of [this.peopleCanvas, this.marksCanvas]) {
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
    }
  }

  /** Words in the corner: what kind of map this is, where it comes from, its approval number. */
  say({ attribution, approval }, note, words) {
    this.noteEl.textContent = note;
    // Some write the words into the number.
    const numbered = approval && !approval.startsWith('审图号') ? `${words.approval}${approval}` : approval;
    this.sourceEl.textContent = [attribution, numbered].filter(Boolean).join('  ');
    this.el.setAttribute('aria-label', words.label);
  }

  fail(words) {
    this.noteEl.textContent = words;
    this.noteEl.classList.add('map-failed');
  }

  legend({ legend, lang, interactive, onClick }, cases, per) {
    if (!legend) return;
    // A map that can be moved stands beside the list it counts.
    this.ask = interactive ? null : onClick;
    if (lang !== this.legendLang) this.buildLegend(lang);
    const counts = { 1: 0, 2: 0, 3: 0 };
    for (const each of cases) if (each.priority in counts) counts[each.priority] += 1;
    const said = { ...counts, ordinary: (LEGEND[lang] ?? LEGEND.zh).each(per) };
    for (const [name, words] of Object.entries(said)) {
      const span = this.legendCounts[name];
      if (span.textContent !== String(words)) span.textContent = words;
    }
  }

  /** The rows stay while their counts change: whoever has one in focus keeps it. */
  buildLegend(lang) {
    this.legendLang = lang;
    this.legendCounts = {};
    const words = LEGEND[lang] ?? LEGEND.zh;
    const rows = ['1', '2', '3', 'ordinary', 'person', 'camera'].map((name) => {
      // What is counted can be asked for.
      const level = ['1', '2', '3', 'ordinary'].indexOf(name) + 1;
      const row = part(level && this.ask ? 'button' : 'div', 'map-legend-row');
      if (level && this.ask) {
        row.type = 'button';
        row.addEventListener('click', (event) => {
          // The map below would take it for a press on what lies there.
          event.stopPropagation();
          this.ask('priority', level);
        });
      }
      // The shapes are constants of this file.
      row.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${SHAPES[name]}</svg>`;
      const text = part('span', '');
      text.textContent = words[name];
      const count = part('span', name === 'ordinary' ? 'map-legend-per' : 'map-legend-count');
      if (level) this.legendCounts[name] = count;
      row.append(text, count);
      return row;
    });
    this.legendEl.replaceChildren(...rows);
  }

  /** Rectangles of this frame's own words, which names on the map keep clear of. */
  covered() {
    return [this.legendEl, this.footEl].filter((each) => !each.hidden && each.offsetWidth)
      .map((each) => [each.offsetLeft - 8, each.offsetTop - 8, (each === this.footEl ? each.offsetWidth / 2 : each.offsetWidth) + 16, each.offsetHeight + 16]);
  }

  /** A bar of a round length. */
  scaleBar(wanted, view) {
    if (!wanted) return;
    const room = 170 * (Number.parseFloat(this.el.style.getPropertyValue('--map-unit')) || 1);
    const metres = view.metresPerPixel * room;
    const power = 10 ** Math.floor(Math.log10(metres));
    const round = power * [5, 2, 1].find((step) => step * power <= metres);
    const key = `${round}:${(round / view.metresPerPixel).toFixed(0)}`;
    if (key === this.scaleKey) return;
    this.scaleKey = key;
    this.scaleEl.style.width = `${(round / view.metresPerPixel).toFixed(0)}px`;
    this.scaleEl.textContent = round >= 1000 ? `${round / 1000} km` : `${round} m`;
  }

  destroy() {
    this.el.classList.remove('map', 'map-pointing');
    this.el.replaceChildren();
    for (const name of ['ready', 'ground']) delete this.el.dataset[name];
  }
}

function part(name, className) {
  const made = document.createElement(name);
  if (className) made.className = className;
  return made;
}
