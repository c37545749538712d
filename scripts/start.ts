// Starts the programme, takes the shell away, and watches over the page from outside the programme: one that stopped is
// covered with words and loaded again. A file of its own: the page's content security policy allows no inline script.
//
// What should be here: listening and timers. What should not: when and how often (`supervise.ts`), requests
// (`server.ts`), elements (`cover.ts`).
import { coverWith, offerNewer, withdrawNewer, write } from './cover.ts';
import { isThere, tell } from './server.ts';
import {
  CARD_CLOSES_MS, type Cause, LOAD_WITHIN_MS, LOOK_EVERY_MS, NEWER_WITHIN_MS, Pulse, SERVER_AGAIN_MS, absentWords, causeOf,
  clockOf, counted, isOurs, isWall, mayRenew, parsed, reloadAfter, stoppedWords, wayBack,
} from './supervise.ts';

/** Where a tab keeps when it loaded itself again. */
const KEPT = 'gridhall-reloads';
/** Where the programme keeps the wall this browser was paired as. */
const PAIRED = 'gridhall.wall';

const page = document.documentElement;
/** Which programme this page is of, as the site's build wrote it into the page. */
const programme = page.dataset.programme ?? '';
const pulse = new Pulse();
let stopped = false;
let newer: ReturnType<typeof setTimeout> | null = null;
let renewing = false;
let touchedAt = performance.now();
/** The programme's last sign as the last look saw it; where its hall's clock stands still, the observer alone tells of it. */
let seen: string | undefined;

/** The programme's script and WASM: the page loads them ahead, by the names that the site's build gave them. */
const ahead = (link: string): string => document.querySelector<HTMLLinkElement>(`link[${link}]`)?.href ?? '';

/** What a programme's script has to offer. */
interface Programme {
  default: (options: { module_or_path: string }) => Promise<unknown>;
}

/** What a browser keeps for us; one without storage keeps nothing. */
function kept(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

function loads(): number[] {
  return parsed(kept(() => sessionStorage, KEPT));
}

/** Loads the page anew once its server answers; `waiting` says meanwhile that it does not. */
async function reload(waiting: () => void): Promise<void> {
  if (!(await isThere())) {
    waiting();
    setTimeout(() => void reload(waiting), SERVER_AGAIN_MS);
    return;
  }
  const now = Date.now();
  try {
    sessionStorage.setItem(KEPT, [...counted(loads(), now), now].join(' '));
  } catch {
    // Then loads are not counted, and one more is better than none.
  }
  location.reload();
}

/** Says by `say` that something stopped and when the page is loaded again, and does that. Once in a page's life. */
function stop(cause: Cause, words: string, say: (afterMs: number | null) => void): void {
  if (stopped) return;
  stopped = true;
  const afterMs = reloadAfter(loads(), Date.now());
  say(afterMs);
  void tell(cause, programme, page.dataset.build ?? '', words);
  setTimeout(() => void reload(() => { say(null); }), afterMs);
}

/** The programme stopped. The time on the cover is the last at which it showed that it ran, by the hall's clock. */
function cover(cause: Cause, words: string): void {
  const offset = Number(page.dataset.offset ?? -new Date().getTimezoneOffset());
  const time = clockOf(Number(page.dataset.alive) || Date.now(), offset);
  stop(cause, words, (afterMs) => { coverWith(stoppedWords(time, afterMs)); });
}

/** The programme did not come. */
function sayAbsent(error: unknown): void {
  console.error('the programme did not start', error);
  stop('start', String(error), (afterMs) => {
    const words = document.getElementById('shell-words');
    if (words !== null) write(words, absentWords(afterMs));
    document.getElementById('shell')?.setAttribute('data-state', 'failed');
  });
}

function fail(error: unknown, where: string): void {
  if (!(error instanceof Error)) return;
  const trace = `${where} ${error.stack ?? ''}`;
  // What the programme says last comes from where it was thrown. Its panic is told before its trap: once the words are all
  // there, in the next turn.
  if (isOurs(trace, location.origin)) queueMicrotask(() => { cover(causeOf(error.message), `${error.message}\n${trace}`); });
}

/** The programme has said whether the server has newer pages: a wall takes them, at a moment of its own; elsewhere a person decides. */
function hearOfNewer(): void {
  if (page.dataset.outdated === undefined) {
    if (newer !== null) clearTimeout(newer);
    newer = null;
    withdrawNewer();
  } else if (programme !== 'wall') {
    offerNewer(() => void reload(() => undefined));
  } else {
    newer ??= setTimeout(() => void reload(() => undefined), reloadAfter(loads(), Date.now(), Math.random() * NEWER_WITHIN_MS));
  }
}

/** A part of the page cannot come any more: another page has it. */
function renew(): void {
  const isWrittenIn = document.activeElement?.matches('input, textarea, select') === true;
  if (renewing || !mayRenew(performance.now(), isWrittenIn)) return;
  renewing = true;
  setTimeout(() => void reload(() => undefined), reloadAfter(loads(), Date.now(), 0));
}

function look(): void {
  if (page.dataset.alive !== seen) pulse.beat();
  seen = page.dataset.alive;
  if (pulse.look()) cover('silence', `nothing since ${page.dataset.alive ?? 'the start'}`);
  if (page.dataset.missed !== undefined) renew();
  const wall = kept(() => localStorage, PAIRED);
  if (wall !== null && isWall(location.pathname)) page.dataset.kiosk = '';
  else delete page.dataset.kiosk;
  const idleMs = performance.now() - touchedAt;
  if (wall !== null && idleMs > CARD_CLOSES_MS) document.querySelector<HTMLDialogElement>('dialog.card[open]')?.close();
  const way = wayBack(wall, location.pathname, idleMs);
  if (way !== null) location.assign(way);
}

/** A wall of a paired browser leads nowhere: nobody would bring it back. */
function keepHere(event: Event): void {
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (link !== null && page.dataset.kiosk !== undefined) event.preventDefault();
}

function watch(): void {
  window.addEventListener('error', (event) => { fail(event.error, event.filename); });
  window.addEventListener('unhandledrejection', (event) => { fail(event.reason, ''); });
  for (const touch of ['pointerdown', 'pointermove', 'wheel', 'keydown']) {
    window.addEventListener(touch, () => { touchedAt = performance.now(); }, { passive: true });
  }
  for (const click of ['click', 'auxclick']) window.addEventListener(click, keepHere, { capture: true });
  new MutationObserver((changes) => {
    pulse.beat();
    if (changes.some((change) => change.attributeName === 'data-outdated')) hearOfNewer();
  }).observe(page, { attributeFilter: ['data-alive', 'data-outdated'] });
}

async function start(): Promise<void> {
  const late = setTimeout(() => { sayAbsent(new Error(`not here after ${LOAD_WITHIN_MS} ms`)); }, LOAD_WITHIN_MS);
  const { default: init } = (await import(ahead('rel=modulepreload'))) as Programme;
  await init({ module_or_path: ahead('as=fetch') });
  clearTimeout(late);
  if (stopped) return;
  document.getElementById('shell')?.remove();
  pulse.beat();
  setInterval(look, LOOK_EVERY_MS);
}

watch();
try {
  await start();
} catch (error) {
  sayAbsent(error);
}
