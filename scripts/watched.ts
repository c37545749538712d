// Stands in the pages of `cargo xtask watch` alone: loads a page anew as soon as its server has another build of it.
//
// What should be here: asking, and loading. What should not: anything a hall runs with; its pages hear of a newer build by
// their live connection, and the supervisor decides (`start.ts`).

/** Whoever works on a page looks at it: sooner than that nobody sees, and a file of 16 digits costs nothing. */
const ASK_EVERY_MS = 300;

async function ask(): Promise<void> {
  try {
    const answer = await fetch('/build.txt', { cache: 'no-store' });
    const word = (await answer.text()).trim();
    if (answer.ok && word !== document.documentElement.dataset.build) location.reload();
  } catch {
    // The server is on its way.
  }
  setTimeout(() => void ask(), ASK_EVERY_MS);
}

void ask();
