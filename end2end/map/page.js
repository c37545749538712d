// Feeds the map by itself with cases, an incident and walkers on the schematic's roads, the same at every load.
// Query: w, h size in pixels; n walkers; hz position ticks per second; scene hall|desk|bare; lang; theme; font; group=0; map=svg.

import { create } from '/js/map.js';

const query = new URLSearchParams(location.search);
const number = (name, fallback) => Number(query.get(name) ?? fallback);
const box = document.getElementById('map');
if (query.has('w')) box.style.width = `${number('w')}px`;
if (query.has('h')) box.style.height = `${number('h')}px`;
document.documentElement.dataset.theme = query.get('theme') ?? 'hall-dark';

let seed = 20210331;
const chance = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
const pick = (list) => list[Math.floor(chance() * list.length)];

const city = await (await fetch('/map/schematic.geojson')).json();
const of = (kind) => city.features.filter((each) => each.properties.kind === kind);
const roads = of('road').filter((each) => each.geometry.coordinates.length > 1);
const districts = of('district');
const holds = (ring, [x, y]) => {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    if (ring[i][1] > y !== ring[j][1] > y && x < ((ring[j][0] - ring[i][0]) * (y - ring[i][1])) / (ring[j][1] - ring[i][1]) + ring[i][0]) inside = !inside;
  }
  return inside;
};
const districtOf = (spot) => districts.find((each) => holds(each.geometry.coordinates[0], spot))?.properties.code;
const onRoad = () => {
  const line = pick(roads).geometry.coordinates;
  const at = Math.floor(chance() * (line.length - 1));
  const part = chance();
  return [line[at][0] + (line[at + 1][0] - line[at][0]) * part, line[at][1] + (line[at + 1][1] - line[at][1]) * part];
};

const clicks = [];
const scene = query.get('scene') ?? 'hall';
const map = create(box, {
  interactive: scene === 'desk', legend: scene === 'hall' && number('legend', 1) === 1, fontPx: number('font', 24),
  group: query.get('group') !== '0', padding: { top: 30, right: 40, bottom: 40, left: 40 },
  attribution: query.get('attribution') ?? '', approval: query.get('approval') ?? '',
  raster: query.has('raster') ? { tiles: [query.get('raster')], tileSize: 256 } : null,
  onClick: (kind, id) => clicks.push([kind, id]),
});
Object.assign(globalThis, { map, clicks });
const WORDS = {
  zh: { lang: 'zh', open: '在办', late: '位置滞后', note: '示意图 非测绘成果', label: '地图', failed: '', part: '', approval: '审图号：', legend: ['一级案件', '二级案件', '三级案件', '常规', '监督员'], each: '每格至多 {per} 件' },
  en: { lang: 'en', open: 'Open', late: 'Positions late', note: 'Schematic, not a survey map', label: 'Map', failed: '', part: '', approval: 'Map approval ', legend: ['Priority 1', 'Priority 2', 'Priority 3', 'Ordinary', 'Inspector'], each: 'up to {per} per square' },
};
map.setWords(WORDS[query.get('lang') ?? 'zh']);

const cases = [];
const shares = [[1, 2], [2, 9], [3, 23], [4, 1792]];
for (const [priority, count] of shares) {
  for (let i = 0; i < count; i += 1) {
    const [lon, lat] = onRoad();
    cases.push({ id: cases.length + 1, lon, lat, priority, area: districtOf([lon, lat]) });
  }
}
const INCIDENT = [102.7517, 25.1133];
Object.assign(cases[0], { lon: INCIDENT[0], lat: INCIDENT[1], area: '530103' });

const walkers = Array.from({ length: scene === 'desk' ? 0 : number('n', 648) }, (_, index) => {
  const line = pick(roads).geometry.coordinates;
  const at = Math.floor(chance() * (line.length - 1));
  const still = chance() < 0.12;
  return { index, line, at, part: chance(), speed: still ? 0 : (0.6 + chance() * 1.2) * number('speed', 40), way: chance() < 0.5 ? 1 : -1 };
});
if (scene === 'desk') {
  walkers.push({ index: 1, fixed: [102.7510, 25.1141], age: 12 }, { index: 2, fixed: [102.7526, 25.1140], age: 400 });
}
const lateDistrict = query.get('late');

function step(walker, seconds) {
  let way = walker.speed * seconds;
  while (way > 0) {
    const [a, b] = [walker.line[walker.at], walker.line[walker.at + 1]];
    const length = Math.hypot((b[0] - a[0]) * 100800, (b[1] - a[1]) * 111195);
    const left = (walker.way > 0 ? 1 - walker.part : walker.part) * length;
    if (way < left) {
      walker.part += (walker.way * way) / length;
      return;
    }
    way -= left;
    const next = walker.at + walker.way;
    if (next < 0 || next > walker.line.length - 2) walker.way = -walker.way;
    else walker.at = next;
    walker.part = walker.way > 0 ? 0 : 1;
  }
}

function rows(seconds) {
  const out = new Int32Array(walkers.length * 5);
  for (const [i, walker] of walkers.entries()) {
    let spot = walker.fixed;
    let heading = -1;
    if (!spot) {
      step(walker, seconds);
      const [a, b] = [walker.line[walker.at], walker.line[walker.at + 1]];
      spot = [a[0] + (b[0] - a[0]) * walker.part, a[1] + (b[1] - a[1]) * walker.part];
      const aim = (Math.atan2(b[0] - a[0], b[1] - a[1]) * 180) / Math.PI + (walker.way > 0 ? 0 : 180);
      if (walker.speed) heading = Math.round((aim + 360) % 360);
    }
    const late = lateDistrict && districtOf(spot) === lateDistrict;
    out.set([walker.index, Math.round(spot[0] * 1e5), Math.round(spot[1] * 1e5), heading, late ? 192 : walker.age ?? 1], i * 5);
  }
  return out;
}

if (scene !== 'bare') {
  map.setCases(scene === 'desk' ? [] : cases);
  map.setDistrictCounts(Object.fromEntries(districts.map(({ properties: p }) => [p.code, cases.filter((each) => each.area === p.code).length])));
}
const off = (east, north) => [INCIDENT[0] + east / 100800, INCIDENT[1] + north / 111195];
const linked = [['a', 1, off(-86, -50), 60, 'live'], ['b', 2, off(90, -20), 280, 'live'], ['c', 3, off(-40, -130), 20, 'lost']].map(
  ([code, no, [lon, lat], bearing, state]) => ({ code, number: no, lon, lat, bearing, view: 60, state }));
if (scene === 'hall') {
  map.setLinked(linked);
  map.setFocus({ lon: INCIDENT[0], lat: INCIDENT[1], radius_m: 500, title: '供水管道破裂', note: '剩 25:52' });
}
if (scene === 'desk') {
  map.setLinked(linked);
  map.setFocus({ lon: INCIDENT[0], lat: INCIDENT[1], radius_m: 150, target: true });
  map.setNamed([{ index: 1, letter: 'A', name: '李春梅' }, { index: 2, letter: 'C', name: '段永生' }]);
  map.flyTo(INCIDENT[0], INCIDENT[1], 420);
}
for (let i = 0; i < number('warm', 12); i += 1) map.updatePositions(rows(20));
let ticks = 0;
const hz = number('hz', 4);
setInterval(() => {
  ticks += 1;
  // One in `hz` people reports at each tick, as they do in the hall.
  const all = rows(1 / hz);
  map.updatePositions(query.get('all') === '1' ? all : all.filter((_, at) => Math.floor(at / 5) % hz === ticks % hz));
}, 1000 / hz);
