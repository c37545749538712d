// The way to a page's map: it loads behind the page, whose lists and numbers do not wait for it. What is said to a map meanwhile is
// told to it in the same order once it is there.
//
// What should be here: loading the map. What should not: what its functions do (`map.ts`).

import type { HallMap } from './map.js';
import type { Case, Focus, Linked, Named, Wanted } from './map/options.js';
import type { Words } from './map/frame.js';

type Act = (map: HallMap) => void;

export function create(element: HTMLElement, wanted: Wanted = {}): LaterMap {
  return new LaterMap(element, wanted);
}

class LaterMap {
  #map: HallMap | null = null;
  #acts: Act[] = [];
  #gone = false;

  constructor(element: HTMLElement, wanted: Wanted) {
    import('./map.js').then(
      ({ create }) => {
        if (this.#gone) return;
        const map = create(element, wanted);
        this.#map = map;
        for (const act of this.#acts.splice(0)) act(map);
      },
      // A page without its map has failed as one whose programme did not come: the supervisor says so and loads it again.
      (error: unknown) => { globalThis.reportError(error); },
    );
  }

  #tell(act: Act): void {
    if (this.#map === null) this.#acts.push(act);
    else act(this.#map);
  }

  setCases(cases: Case[]): void {
    this.#tell((map) => { map.setCases(cases); });
  }

  setLinked(linked: Linked[]): void {
    this.#tell((map) => { map.setLinked(linked); });
  }

  setFocus(focus: Focus | null): void {
    this.#tell((map) => { map.setFocus(focus); });
  }

  setNamed(named: Named[]): void {
    this.#tell((map) => { map.setNamed(named); });
  }

  setDistrictCounts(counts: Record<string, number>): void {
    this.#tell((map) => { map.setDistrictCounts(counts); });
  }

  setWords(words: Words): void {
    this.#tell((map) => { map.setWords(words); });
  }

  setStaleSeconds(stale: number): void {
    this.#tell((map) => { map.setStaleSeconds(stale); });
  }

  updatePositions(rows: Int32Array): void {
    // The caller's memory is its own again after the call.
    const kept = this.#map === null ? rows.slice() : rows;
    this.#tell((map) => { map.updatePositions(kept); });
  }

  clearPositions(): void {
    this.#tell((map) => { map.clearPositions(); });
  }

  flyTo(lon: number, lat: number, spanM?: number): void {
    this.#tell((map) => { map.flyTo(lon, lat, spanM); });
  }

  destroy(): void {
    this.#gone = true;
    this.#map?.destroy();
  }
}
