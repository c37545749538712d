// Presses on a map: what lies under the pointer, topmost mark first, then people, then the district.
//
// What should be here: from a place on the screen to what lies there. What should not: what that opens (the page's).

import type { Hit, Marks } from './marks.js';
import type { Told } from './placing.js';

/** A press that moved further than this was a drag. */
const STILL_PX = 6;
const NEAR_PX = 12;

/** What a press answers with. */
export type OnClick = (kind: string, id: unknown) => void;

/** What a map knows of what lies on it. */
export interface Pressed {
  readonly el: HTMLElement;
  readonly marks: Marks;
  readonly told: Told;
  readonly options: { onClick: OnClick | null };
  readonly cases: { id: unknown }[];
  readonly linked: { code: string }[];
  readonly named: { index: number }[];
  readonly districts: string[];
}

export function listen(map: Pressed): void {
  let down: [number, number] | null = null;
  map.el.addEventListener('pointerdown', (event) => { down = [event.clientX, event.clientY]; });
  map.el.addEventListener('click', (event) => {
    const { onClick } = map.options;
    if (onClick === null || (down !== null && Math.hypot(event.clientX - down[0], event.clientY - down[1]) > STILL_PX)) return;
    const hit = hitAt(map, local(map.el, event));
    if (hit !== null) onClick(hit.kind, hit.id);
  });
  map.el.addEventListener('pointermove', (event) => {
    if (map.options.onClick === null || event.buttons !== 0) return;
    map.el.classList.toggle('map-pointing', markAt(map, local(map.el, event)) !== undefined);
  });
}

/** A wall may be stretched by a CSS transform; the ratio takes it back. */
function local(el: HTMLElement, event: MouseEvent): { x: number; y: number } {
  const box = el.getBoundingClientRect();
  return { x: (event.clientX - box.left) * (el.clientWidth / box.width), y: (event.clientY - box.top) * (el.clientHeight / box.height) };
}

function markAt(map: Pressed, { x, y }: { x: number; y: number }): Hit | undefined {
  return map.marks.hits.findLast((each) => Math.hypot(each.x - x, each.y - y) <= Math.max(each.reach, NEAR_PX));
}

function hitAt(map: Pressed, at: { x: number; y: number }): { kind: string; id: unknown } | null {
  const { placing } = map.told;
  if (placing === null) return null;
  const mark = markAt(map, at);
  if (mark !== undefined) return { kind: mark.kind, id: idOf(map, mark, [...placing.members(mark.ref)]) };
  const person = placing.personAt(at.x, at.y, performance.now() / 1000);
  if (person !== undefined) return { kind: 'person', id: person };
  const district = placing.districtAt(at.x, at.y);
  return district === undefined ? null : { kind: 'district', id: map.districts[district] };
}

function idOf(map: Pressed, { kind, ref }: Hit, members: number[]): unknown {
  const ids = () => members.map((index) => map.cases[index]?.id);
  switch (kind) {
    case 'case': return ids()[0];
    case 'cases': return ids();
    case 'people': return members;
    case 'camera': return map.linked[ref]?.code;
    case 'person': return map.named[ref]?.index;
  }
}
