// A part of the page that did not come when it was loaded later: whether only a new page can bring it, which the supervisor is told.
//
// What should be here: asking the server for the part, and telling. What should not: trying again (whoever loads the part), when
// the page is loaded anew (`start.ts`, by the rules of `supervise.ts`).
import { needsNewPage } from './supervise.ts';

/** `address` did not come, for the first time or `again`; the page is marked if only another one can bring it. */
export async function missed(address: string, again: boolean): Promise<void> {
  try {
    const { status } = await fetch(address, { method: 'HEAD', cache: 'no-store' });
    if (needsNewPage(status, again)) document.documentElement.dataset.missed = '';
  } catch {
    // The server is away: a page loaded now would be the browser's own words.
  }
}
