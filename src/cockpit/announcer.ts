import { h, replace } from './dom.js';

/** Nobody can listen faster. */
const PAUSE_MS = 4_000;

/** Says to a screen reader what has happened: one sentence at a time, the newest of those that came meanwhile. */
export class Announcer {
  readonly element = h('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  #next: string | null = null;
  #pausing = false;

  say(text: string): void {
    if (this.#pausing) {
      this.#next = text;
      return;
    }
    replace(this.element, text);
    this.#pausing = true;
    setTimeout(() => {
      this.#pausing = false;
      const next = this.#next;
      this.#next = null;
      if (next !== null) this.say(next);
    }, PAUSE_MS);
  }
}
