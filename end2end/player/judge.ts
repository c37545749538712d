// Who decides what a tile says where the player is tested without a screen around it: the product's own rules, run by the
// simulator (`sim tile`) and lent to the page as a function.
//
// What should be here: the way there and back. What should not: any opinion about facts or states.

import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Page } from '@playwright/test';
import { SIMULATOR } from '../helpers/server';

/** What a tile is to say, and the rule its scripts are under (`domain::video`). */
interface Answer {
  told: { state: string } & Record<string, unknown>;
  rule: { show: boolean; snapshot: boolean; standing_after_ms: number };
}

declare global {
  var decideTile: (asked: { tile: number; at_ms: number; facts: unknown }) => Promise<Answer>;
}

export class Judge {
  readonly #child: ChildProcess;
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];
  #said = '';

  constructor() {
    this.#child = spawn(SIMULATOR, ['tile'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('sim tile has no output');
    createInterface({ input: stdout }).on('line', (line) => this.#waiting.shift()?.resolve(JSON.parse(line) as Answer));
    stderr.on('data', (bytes: Buffer) => (this.#said += String(bytes)));
    this.#child.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`sim tile ended: ${this.#said}`));
    });
  }

  /** Lends itself to every document of the page. */
  async serve(page: Page): Promise<void> {
    await page.exposeFunction('decideTile', (asked: object) => this.#ask(asked));
  }

  stop(): void {
    this.#child.stdin?.end();
  }

  #ask(asked: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify(asked)}\n`);
    });
  }
}
