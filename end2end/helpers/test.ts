// The `test` that every file here uses instead of Playwright's own: it watches that no request leaves the machine and
// that the page reports no error.
//
// What should be here: what must hold in every test. What should not: starting the server (`server.ts`).
import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';

/** Hosts that are this machine. */
const OWN_HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** URLs that never leave the browser. */
const OWN_SCHEMES = new Set(['data:', 'blob:', 'about:', 'chrome-error:']);

export function leaves_machine(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return !OWN_SCHEMES.has(protocol) && !OWN_HOSTS.has(hostname);
}

/** What a context's pages did that they must not. */
interface Watch {
  requests_out: string[];
  page_errors: string[];
}

function watch(context: BrowserContext): Watch {
  const seen: Watch = { requests_out: [], page_errors: [] };
  context.on('request', (request) => {
    if (leaves_machine(request.url())) seen.requests_out.push(request.url());
  });
  const on_page = (page: Page) => {
    page.on('websocket', (socket) => {
      if (leaves_machine(socket.url())) seen.requests_out.push(socket.url());
    });
  };
  context.pages().forEach(on_page);
  context.on('page', on_page);
  context.on('weberror', (error) => seen.page_errors.push(String(error.error())));
  return seen;
}

/** Watches a context that a test made itself, and asserts at once when called again at its end. */
export function guard(context: BrowserContext): () => void {
  const seen = watch(context);
  return () => {
    expect(seen.requests_out, 'requests that left the machine').toEqual([]);
    expect(seen.page_errors, 'errors no code of the page caught').toEqual([]);
  };
}

export const test = base.extend<{ stays_here: void }>({
  stays_here: [
    async ({ context }, use) => {
      const check = guard(context);
      await use();
      check();
    },
    { auto: true },
  ],
});

export { expect };
