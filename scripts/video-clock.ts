// The server's clock as the page knows it.
//
// Whatever carries the server's time has been on its way since: it can only be too early, never too late. The latest of
// all that came lately is nearest to the truth, whichever of the two clocks runs faster.
//
// What should be here: the sum of the stamps, pure. What should not: who brings them.

/** A stamp counts for this long, so that clocks that drift apart are followed both ways. */
const KEPT_US = 60e6;
const STEPS = 6;
/** A feed's clock that is further off than this is not this server's: a drill or a demonstration has a time of its own. */
const OWN_WITHIN_US = 2e6;

export class ServerClock {
  /** Server clock minus local clock, microseconds. */
  offsetUs = 0;
  #latest: { step: number; offset: number }[] = [];

  /** The server itself has said what time it is: what was known before no longer holds. */
  set(serverUs: number, localUs: number): void {
    this.offsetUs = serverUs - localUs;
    this.#latest = [{ step: stepOf(localUs), offset: this.offsetUs }];
  }

  /** The page's feed has said what time it is in its hall, which is the server's where it is nearly the same. */
  heard(hallUs: number, localUs: number): void {
    if (this.#latest.length > 0 && Math.abs(hallUs - localUs - this.offsetUs) > OWN_WITHIN_US) return;
    this.stamped(hallUs, localUs);
  }

  /** Something that the server stamped has come. */
  stamped(serverUs: number, localUs: number): void {
    const offset = serverUs - localUs;
    const step = stepOf(localUs);
    const last = this.#latest.at(-1);
    if (last?.step === step) last.offset = Math.max(last.offset, offset);
    else {
      this.#latest = this.#latest.filter((kept) => kept.step > step - STEPS && kept.step < step);
      this.#latest.push({ step, offset });
    }
    this.offsetUs = this.#latest.reduce((best, kept) => Math.max(best, kept.offset), Number.NEGATIVE_INFINITY);
  }
}

function stepOf(localUs: number): number {
  return Math.floor((localUs / KEPT_US) * STEPS);
}
