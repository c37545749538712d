// What a drawing of the ground is to a map, whichever draws it.
//
// What should be here: types. What should not: drawing.

import type { Archive } from './archive.js';
import type { Theme, View } from './geo.js';
import type { Ground } from './layers.js';
import type { Raster } from './svg-tiles.js';

export interface GroundView {
  readonly kind: 'gl' | 'svg';
  view: () => View;
  show: (view: View, animate: boolean) => void;
  setTheme: (theme: Theme) => void;
  /** Hatches the districts whose positions are late. */
  setLate: (codes: string[], theme: Theme) => void;
  resize: () => void;
  destroy: () => void;
}

export interface GroundSettings {
  view: View;
  interactive: boolean;
  theme: Theme;
  ground: Ground | null;
  raster: Raster | null;
  archive: Archive | null;
  /** Largest side of a texture. */
  textureMax: number;
  /** One looks elsewhere. */
  onView: () => void;
}
