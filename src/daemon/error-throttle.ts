import type { Clock } from '../lib/clock.js';

/** The same error is reported again after this. */
const AGAIN_MS = 60_000;
/** How many different errors are remembered. */
const MOST = 100;

/** Reports errors on standard error, each message once a minute: a full disk fails every check of every canary. */
export class ErrorThrottle {
  /** When each message was reported last. */
  readonly #reported = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly say: (line: string) => void,
  ) {}

  report(error: unknown, what?: string): void {
    const message = error instanceof Error ? error.message : String(error);
    const now = this.clock.now();
    const before = this.#reported.get(message);
    if (before !== undefined && now - before < AGAIN_MS) return;
    if (this.#reported.size >= MOST) this.#reported.clear();
    this.#reported.set(message, now);
    this.say(`lukhas: ${what === undefined ? '' : `${what}: `}${message}`);
  }
}
