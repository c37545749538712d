// Which engine plays the page's pictures, and what happens when it fails: there is none, one is starting, running or has
// failed, and never two at a time.
//
// What should be here: the states and the waits, pure. What should not: engines and timers, which whoever uses it has.

/** The first failure costs a blink; a worker that goes on failing is not started in a circle. */
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 10_000;
/** Failures within this time count together. */
const TOGETHER_MS = 60_000;
/** After so many of them the page does without the worker, until it is loaded again. */
const FAILURES_MAX = 3;

export class EngineState<Engine> {
  name: 'none' | 'starting' | 'running' | 'failed' = 'none';
  engine: Engine | null = null;
  /** When the next is started, on the caller's clock; null while one runs. */
  retryMs: number | null = null;
  #failures: number[] = [];
  #make: (simple: boolean) => Engine;

  /** `make(simple)` gives an engine: with a worker, or one that does without. */
  constructor(make: (simple: boolean) => Engine) {
    this.#make = make;
  }

  /** Starts an engine where there is none and none has just failed; whether one was started. */
  start(): boolean {
    if (this.name !== 'none') return false;
    this.name = 'starting';
    this.engine = this.#make(this.#failures.length >= FAILURES_MAX);
    return true;
  }

  ready(): void {
    if (this.name === 'starting') this.name = 'running';
  }

  /** The engine has ended. How long to wait before `again`, in milliseconds. */
  fail(nowMs: number): number {
    this.#failures = [...this.#failures.filter((at) => nowMs - at < TOGETHER_MS), nowMs];
    const wait = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (this.#failures.length - 1));
    this.name = 'failed';
    this.engine = null;
    this.retryMs = nowMs + wait;
    return wait;
  }

  /** The wait after a failure is over; whether an engine was started. */
  again(): boolean {
    if (this.name !== 'failed') return false;
    this.name = 'none';
    this.retryMs = null;
    return this.start();
  }
}
