import { EventText } from '../lib/stream/index.js';
import { emptyOverview, type Overview, overviewOf, type Told, take } from '../lib/view/index.js';
import { overview as askOverview, Refused } from './ask.js';
import { breathe } from './breathe.js';

export type Connection = 'loading' | 'live' | 'stale' | 'signed out';

/** The daemon sends something at least every 15 s, and some time on the way. */
const SILENCE_MS = 25_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
const TOPICS = 'topic=canary/*&topic=jobs&topic=gates';

/** Lists that follow the daemon's stream: read once, then folded event by event, and resumed after every break. */
export class Live {
  overview: Overview = emptyOverview();
  connection: Connection = 'loading';
  /** Why it is not live, in words. */
  problem: string | null = null;
  /** When something was last heard, ms of `performance.now()`. */
  heardAt = performance.now();
  readonly #changed: (events: readonly Told[]) => void;
  #abort: AbortController | null = null;
  #attempts = 0;
  /** When the newest attempt began, ms of `performance.now()`. */
  #triedAt = 0;
  #read = false;

  /** @param changed called with what came in, and with nothing when the connection changed */
  constructor(changed: (events: readonly Told[]) => void) {
    this.#changed = changed;
    setInterval(() => {
      // Also after the machine slept: what was open then is not believed.
      if (performance.now() - Math.max(this.heardAt, this.#triedAt) > SILENCE_MS) this.#abort?.abort();
    }, 5_000);
    addEventListener('online', () => this.#abort?.abort());
  }

  /** Follows until the page is left. */
  async follow(): Promise<void> {
    for (;;) {
      try {
        if (!this.#read) await this.#readAll();
        await this.#stream();
      } catch (error) {
        this.#failed(error);
      }
      if (this.connection === 'signed out') return;
      await pause(this.#wait());
    }
  }

  async #readAll(): Promise<void> {
    this.overview = overviewOf(await askOverview());
    this.#read = true;
    this.#changed([]);
  }

  async #stream(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#triedAt = performance.now();
    const { position } = this.overview;
    const response = await fetch(`/sse?${TOPICS}`, {
      headers: position === null ? {} : { 'Last-Event-ID': position },
      credentials: 'same-origin',
      cache: 'no-store',
      signal: abort.signal,
    });
    if (!response.ok || response.body === null)
      throw new Refused(response.status, `The daemon answered ${response.status}.`);
    const text = new EventText();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new TypeError('The daemon ended the stream.');
      this.heardAt = performance.now();
      this.#take(text.push(value));
      await breathe();
    }
  }

  #take(events: readonly Told[]): void {
    const told: Told[] = [];
    for (const event of events) {
      if (event.name !== 'open') {
        take(this.overview, event);
        told.push(event);
        continue;
      }
      this.#attempts = 0;
      const before = this.connection;
      this.connection = 'live';
      this.problem = null;
      // Another log, or one that was set back: what is shown is not its story.
      if (event.data['resumed'] === false) {
        this.#read = false;
        this.#abort?.abort();
      } else if (before !== 'live') this.#changed([]);
    }
    if (told.length > 0) this.#changed(told);
  }

  #failed(error: unknown): void {
    const signedOut = error instanceof Refused && error.status === 401;
    this.connection = signedOut ? 'signed out' : this.#read ? 'stale' : 'loading';
    this.problem = error instanceof Refused ? error.message : 'The daemon does not answer.';
    this.#changed([]);
  }

  /** Random, so that many pages do not come back in the same moment. */
  #wait(): number {
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts++);
    return longest * (0.5 + Math.random() / 2);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
