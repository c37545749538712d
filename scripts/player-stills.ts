// A tile's JPEG stills as an image element: one after the other, the newest wins, and no address of one outlives it.
//
// What should be here: elements and addresses. What should not: where stills come from, what a tile says of them.

interface Still {
  bytes: Uint8Array<ArrayBuffer>;
  mark: number;
}

interface Host {
  /** The still that came with `mark` stands. */
  shown: (mark: number) => void;
  /** What came was none. */
  failed: () => void;
}

export class Stills {
  #holder: HTMLElement;
  #shown: HTMLImageElement | null = null;
  #loading: HTMLImageElement | null = null;
  #waiting: Still | null = null;
  #host: Host;

  constructor(holder: HTMLElement, host: Host) {
    this.#holder = holder;
    this.#host = host;
  }

  /** The element that stands now, or null. */
  get image(): HTMLImageElement | null {
    return this.#shown;
  }

  /** Shows `bytes` once they are read; returns false when that leaves out one that was waiting. */
  show(bytes: Uint8Array<ArrayBuffer>, mark: number): boolean {
    const first = this.#waiting === null;
    this.#waiting = { bytes, mark };
    if (this.#loading === null) this.#next();
    return first;
  }

  #next(): void {
    const still = this.#waiting;
    if (still === null) return;
    this.#waiting = null;
    const image = document.createElement('img');
    image.className = 'camera-still';
    image.alt = '';
    const url = URL.createObjectURL(new Blob([still.bytes], { type: 'image/jpeg' }));
    this.#loading = image;
    // The element keeps what it has read; its address is no longer needed, whether it was a picture or not.
    const done = (isPicture: boolean): void => {
      URL.revokeObjectURL(url);
      if (this.#loading !== image) return;
      this.#loading = null;
      if (isPicture) this.#stand(image, still.mark);
      else this.#host.failed();
      this.#next();
    };
    image.onload = () => { done(true); };
    image.onerror = () => { done(false); };
    image.src = url;
  }

  #stand(image: HTMLImageElement, mark: number): void {
    if (this.#shown === null) this.#holder.append(image);
    else this.#shown.replaceWith(image);
    this.#shown = image;
    this.#host.shown(mark);
  }

  dispose(): void {
    this.#loading = null;
    this.#waiting = null;
    this.#shown?.remove();
    this.#shown = null;
  }
}
