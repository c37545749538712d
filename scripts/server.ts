// What the supervisor asks of the server, outside the programme: whether it is there, and to note a screen that stopped.
//
// What should be here: requests. What should not: when (`supervise.ts`, `start.ts`).
import { type Cause, WORDS_MAX } from './supervise.ts';

/** A question is given up after this. */
const ANSWER_WITHIN_MS = 4_000;

/** Whether the server would answer this page now: one loaded from a server that is away is the browser's own words. */
export async function isThere(): Promise<boolean> {
  try {
    const { ok } = await fetch(location.href, { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return ok;
  } catch {
    return false;
  }
}

/** Tells the server what stopped; without a session there is nobody to tell it, and it stays on the console. */
export async function tell(cause: Cause, programme: string, build: string, words: string): Promise<void> {
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const session = await fetch('/api/v1/session', { signal });
    if (!session.ok) return;
    const { csrf } = (await session.json()) as { csrf: string };
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf };
    const body = JSON.stringify({ cause, programme, build, words: words.slice(0, WORDS_MAX) });
    await fetch('/api/v1/screens/stopped', { method: 'POST', headers, body, signal });
  } catch (error) {
    console.warn('the server was not told that this screen stopped', error);
  }
}
