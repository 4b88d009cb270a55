import type { Clock } from '../lib/clock.js';

/** The same trouble is told again after this. */
const AGAIN_MS = 60_000;
/** Different troubles that are remembered. */
const MOST = 100;

/** Tells trouble on standard error, each kind once a minute: a full disk is met at every look of every canary. */
export class ErrorThrottle {
  readonly #told = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly say: (line: string) => void,
  ) {}

  tell(error: unknown, what?: string): void {
    const message = error instanceof Error ? error.message : String(error);
    const now = this.clock.now();
    const before = this.#told.get(message);
    if (before !== undefined && now - before < AGAIN_MS) return;
    if (this.#told.size >= MOST) this.#told.clear();
    this.#told.set(message, now);
    this.say(`lukhas: ${what === undefined ? '' : `${what}: `}${message}`);
  }
}
