// Where tiles are on the page: rectangles after scrolling, clipped by scroll containers, and whether they can be seen.
//
// What should be here: measuring. What should not: reacting to it (the player's).

import type { Rect } from './video-types.ts';

const SMALLEST = 8;

/** Where a tile lies, and how much of it is to be seen. */
export interface Measured extends Rect {
  clip: Rect;
  aspect: number;
}

export interface Edges {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Ancestors that cut off what overflows them. */
export function clippers(element: HTMLElement): HTMLElement[] {
  const found: HTMLElement[] = [];
  for (
    let parent = element.parentElement;
    parent !== null && parent !== document.documentElement;
    parent = parent.parentElement
  ) {
    const style = getComputedStyle(parent);
    if (style.overflowX !== 'visible' || style.overflowY !== 'visible') found.push(parent);
  }
  return found;
}

/** The tile's rectangle in viewport coordinates, or null when nothing of it can be seen. `rects` caches containers. */
export function measure(element: HTMLElement, containers: HTMLElement[], rects: Map<HTMLElement, Edges>): Measured | null {
  if (!element.isConnected || !isRendered(element)) return null;
  const box = element.getBoundingClientRect();
  if (box.width < SMALLEST || box.height < SMALLEST) return null;
  let clip = {
    left: Math.max(0, box.left),
    top: Math.max(0, box.top),
    right: Math.min(innerWidth, box.right),
    bottom: Math.min(innerHeight, box.bottom),
  };
  for (const container of containers) {
    let rect = rects.get(container);
    if (rect === undefined) {
      rect = paddingBox(container);
      rects.set(container, rect);
    }
    clip = {
      left: Math.max(clip.left, rect.left),
      top: Math.max(clip.top, rect.top),
      right: Math.min(clip.right, rect.right),
      bottom: Math.min(clip.bottom, rect.bottom),
    };
  }
  if (clip.right - clip.left < 1 || clip.bottom - clip.top < 1) return null;
  return {
    x: box.left,
    y: box.top,
    w: box.width,
    h: box.height,
    clip: { x: clip.left, y: clip.top, w: clip.right - clip.left, h: clip.bottom - clip.top },
    aspect: element.offsetWidth / Math.max(1, element.offsetHeight),
  };
}

/** Browsers of before 2024 cannot be asked; a tile counts as rendered there. */
function isRendered(element: { checkVisibility?: (options: object) => boolean }): boolean {
  return element.checkVisibility?.({ visibilityProperty: true, contentVisibilityAuto: true }) !== false;
}

/** Overflow is cut at the padding edge: inside the border and the scroll bars. */
function paddingBox(element: HTMLElement): Edges {
  const box = element.getBoundingClientRect();
  const across = element.offsetWidth === 0 ? 1 : box.width / element.offsetWidth;
  const down = element.offsetHeight === 0 ? 1 : box.height / element.offsetHeight;
  const left = box.left + element.clientLeft * across;
  const top = box.top + element.clientTop * down;
  return { left, top, right: left + element.clientWidth * across, bottom: top + element.clientHeight * down };
}
