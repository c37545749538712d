// What lies over a page that stopped, and the notice that a newer one is there.
//
// What should be here: elements and where they stand. What should not: what they say of times (`supervise.ts`), when
// they come (`start.ts`).

/** Words in both languages. */
export interface Words {
  zh: string;
  en: string;
}

/** Puts words in place of an element's content, Chinese first. */
export function write(element: Element, { zh, en }: Words): void {
  const english = document.createElement('span');
  english.lang = 'en';
  english.textContent = en;
  element.replaceChildren(`${zh} `, english);
}

let cover: HTMLDialogElement | null = null;

/** Covers the page with words. What stands below it is hidden, so that no number on it looks live. */
export function coverWith(words: Words): void {
  if (cover === null) {
    cover = document.createElement('dialog');
    cover.id = 'stopped';
    cover.setAttribute('role', 'alert');
    // Nothing below is to be come back to.
    cover.addEventListener('cancel', (event) => { event.preventDefault(); });
    document.body.append(cover);
    // A card may stand over the page: only what is opened after it stands over that.
    cover.showModal();
  }
  write(cover, words);
}

/** Offers to load a newer page; `press` does it. Once. */
export function offerNewer(press: () => void): void {
  if (document.getElementById('newer') !== null) return;
  const button = document.createElement('button');
  button.id = 'newer';
  button.type = 'button';
  button.setAttribute('role', 'status');
  write(button, { zh: '有新版本，重新载入', en: 'There is a newer version: load it' });
  button.addEventListener('click', press);
  document.body.append(button);
}

/** Takes the offer back: the server has this page's own build again. */
export function withdrawNewer(): void {
  document.getElementById('newer')?.remove();
}
