// Where the addresses of this page's world begin.
//
// What should be here: reading it from the page's shell. What should not: which worlds there are (`domain::world`).

/** What addresses of the world this page is of begin with, as its shell says; nothing for the city itself. */
export function base(): string {
  return document.documentElement.dataset.base ?? '';
}
