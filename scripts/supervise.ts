// What is to become of a page that stopped, is out of date, or was left where nobody looks: rules, without a page.
//
// What should be here: what the supervisor decides, over times and words. What should not: reading a clock, storage,
// elements, requests (`start.ts` and what it uses).

/** A page that stopped is loaded again after this. */
export const RELOAD_AFTER_MS = 10_000;

/** So often within `WINDOW_MS` and no more: a page that dies of what it is shown would die for ever. */
export const RELOADS_MAX = 3;

/** The stretch in which loads are counted. */
export const WINDOW_MS = 600_000;

/** How often the supervisor looks at its page. */
export const LOOK_EVERY_MS = 2_000;

/** A programme that said nothing for so long has stopped: it speaks every second. */
export const SILENCE_MS = 20_000;

/** A programme that is still on its way after this does not come: a connection may hang without an end. */
export const LOAD_WITHIN_MS = 120_000;

/** Walls are loaded anew within this when the server has newer pages, each at a moment of its own. */
export const NEWER_WITHIN_MS = 60_000;

/** A server that does not answer is asked again after this; a page is not loaded from it before. */
export const SERVER_AGAIN_MS = 5_000;

/** A page is not loaded anew for a part's sake while it is younger than this. */
export const PART_AFTER_MS = 30_000;

/** A definition card on a wall closes when nobody has touched it for so long. */
export const CARD_CLOSES_MS = 45_000;

/** The browser of a wall goes back to its wall when nobody has touched another page for so long. */
export const WAY_BACK_MS = 120_000;

/** Longest text about a stop that is sent to the server, in characters. */
export const WORDS_MAX = 2_000;

/** The loads of `past` that still count at `now`; milliseconds. One from the future was made by a clock since set back. */
export function counted(past: readonly number[], now: number): number[] {
  return past.filter((at) => at <= now && now - at < WINDOW_MS);
}

/**
 * How long from `now` until the page may be loaded again, in milliseconds, when it otherwise would be after `soon`: then,
 * or, when that was done too often, once the oldest load no longer counts.
 */
export function reloadAfter(past: readonly number[], now: number, soon = RELOAD_AFTER_MS): number {
  const recent = counted(past, now);
  const oldest = recent[recent.length - RELOADS_MAX];
  return oldest === undefined ? soon : Math.max(soon, oldest + WINDOW_MS - now);
}

/**
 * Whether only a new page can bring a part of it, by how the server answered for the part: no such file is there any more, for the
 * page is of an older build; or it is there, and the browser keeps a first failure for the page's life.
 */
export function needsNewPage(status: number, again: boolean): boolean {
  return status === 404 || (again && status >= 200 && status < 300);
}

/** Whether a page of this age is loaded anew for a part's sake: not under the hands of whoever writes in it. */
export function mayRenew(ageMs: number, isWrittenIn: boolean): boolean {
  return ageMs >= PART_AFTER_MS && !isWrittenIn;
}

/** The loads a page kept as text, or none if that is not what we wrote. */
export function parsed(text: string | null): number[] {
  const numbers = (text ?? '').split(' ').filter((word) => word !== '').map(Number);
  return numbers.every(Number.isFinite) ? numbers : [];
}

/**
 * Whether a programme is silent. Looks are counted and not time: a browser that slept, or holds a hidden page's timers back,
 * holds back both alike.
 */
export class Pulse {
  #looks = 0;

  /** The programme has shown that it runs. */
  beat(): void {
    this.#looks = 0;
  }

  /** One look, `LOOK_EVERY_MS` after the last; whether the programme has stopped. */
  look(): boolean {
    this.#looks += 1;
    return this.#looks * LOOK_EVERY_MS > SILENCE_MS;
  }
}

/** Whether an error came out of our programme or scripts, by where it was thrown and what was running. */
export function isOurs(trace: string, origin: string): boolean {
  return ['pkg/', 'js/', 'start.js'].some((part) => trace.includes(`${origin}/${part}`));
}

/** What stopped, as the server counts it. */
export type Cause = 'panic' | 'error' | 'silence' | 'start';

/** A panic of the programme says so itself. */
export function causeOf(words: string): Cause {
  return words.includes('panicked at') ? 'panic' : 'error';
}

/** Where an idle browser that was paired as `wall` goes from `path`; nowhere from a wall, or where it is paired. */
export function wayBack(wall: string | null, path: string, idleMs: number): string | null {
  if (wall === null || wall === '' || idleMs < WAY_BACK_MS || path === '/pair' || isWall(path)) return null;
  return `/wall/${encodeURIComponent(wall)}`;
}

/** Whether an address shows a wall, of the hall or of another world. */
export function isWall(path: string): boolean {
  return /(^|\/)wall\/[^/]+\/?$/.test(path);
}

/** A moment as a clock shows it, so many minutes east of UTC. */
export function clockOf(ms: number, offsetMinutes: number): string {
  return new Date(ms + offsetMinutes * 60_000).toISOString().slice(11, 19);
}

/** A duration as people say it, in both languages. */
function after(ms: number): { zh: string; en: string } {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 100) return { zh: `${seconds} 秒`, en: `${seconds} seconds` };
  const minutes = Math.ceil(seconds / 60);
  return { zh: `${minutes} 分钟`, en: `${minutes} minutes` };
}

/** The words over a page that stopped at `time`; `afterMs` is null while its server does not answer. */
export function stoppedWords(time: string, afterMs: number | null): { zh: string; en: string } {
  if (afterMs === null) return { zh: `画面停止于 ${time}，服务器应答后重新载入`, en: `This screen stopped at ${time}; it loads again once the server answers` };
  const { zh, en } = after(afterMs);
  return { zh: `画面停止于 ${time}，${zh}后重新载入`, en: `This screen stopped at ${time}; it loads again in ${en}` };
}

/** The words of a page whose programme did not come. */
export function absentWords(afterMs: number | null): { zh: string; en: string } {
  if (afterMs === null) return { zh: '无法启动，服务器没有应答，应答后重试', en: 'could not start: the server does not answer; trying again once it does' };
  const { zh, en } = after(afterMs);
  return { zh: `无法启动，${zh}后重试`, en: `could not start, trying again in ${en}` };
}
