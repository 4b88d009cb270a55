import { LukhasError } from '../lib/errors.js';
import {
  descriptorLimit,
  keepSpareDescriptors,
  openDescriptors,
  releaseSpareDescriptors,
} from '../lib/process/index.js';

/** More than the event stream's limit (sse/hub.ts), so that probes and other callers still get through. */
const MOST_CONNECTIONS = 13_000;
/** Kept open on nothing; given away when the last ones are needed. */
const SPARE = 12;
/** For the database, sources, hooks and packs; and for each job that runs. */
const OWN_WORK = 32;
const EACH_JOB = 8;
const LOOK_MS = 1_000;
/** Counting what is open takes longer the more there is: it is done when something has changed, and every so many looks. */
const COUNT_EVERY = 10;

interface Server {
  /** Connections that are open. */
  connections(): Promise<number>;
  /** Accepts no more than so many; closes idle ones that are too many. */
  limit(connections: number): Promise<void>;
}

interface WatchOptions {
  /** As configured; undefined: the default. */
  maxConnections: number | undefined;
  /** How many jobs run at a time. */
  concurrency: number;
  /** One line for standard error. */
  say(line: string): void;
  onError(error: unknown): void;
}

/**
 * Keeps connections from taking the file descriptors that the daemon's own work needs: the limit of connections follows that of the
 * process, also when it is lowered while the daemon runs, and a few descriptors are held back.
 */
export class DescriptorWatch {
  readonly #options: WatchOptions;
  #server: Server | null = null;
  #timer: NodeJS.Timeout | null = null;
  #connections = 0;
  #limit: number | null = null;
  #looks = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Call when everything is loaded, before anything is accepted. @returns how many connections can be */
  begin(http: boolean): number {
    const configured = this.#options.maxConnections ?? MOST_CONNECTIONS;
    const limit = descriptorLimit();
    const possible = connectionsWithin(limit, openDescriptors(), this.#options.concurrency);
    this.#limit = limit;
    this.#connections = Math.min(configured, possible);
    if (http && possible < configured)
      this.#options.say(
        `lukhas: at most ${possible} connections instead of ${configured}: this process may have ${limit} files open (LimitNOFILE, ulimit -n)`,
      );
    keepSpareDescriptors(Math.min(SPARE, Math.max(0, Math.floor(possible / 2))));
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    return this.#connections;
  }

  watch(server: Server): void {
    this.#server = server;
  }

  async #adjust(limit: number | null, enough: boolean): Promise<void> {
    if (this.#server === null) return;
    const open = openDescriptors();
    const connections = await this.#server.connections();
    const others = open === null ? null : open - connections;
    // Where not even that can be read, the limit was lowered below what is open.
    const possible = enough || others !== null ? connectionsWithin(limit, others, this.#options.concurrency) : 1;
    const next = Math.min(this.#options.maxConnections ?? MOST_CONNECTIONS, possible);
    if (next === this.#connections && connections <= next) return;
    this.#connections = next;
    await this.#server.limit(next);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    releaseSpareDescriptors();
  }

  async #look(): Promise<void> {
    try {
      const enough = keepSpareDescriptors();
      const limit = descriptorLimit();
      const unchanged = enough && limit === this.#limit;
      this.#limit = limit;
      if (++this.#looks % COUNT_EVERY !== 0 && unchanged) return;
      if (!enough) {
        const known = limit === null ? '' : ` (limit ${limit})`;
        this.#options.onError(
          new LukhasError('SYSTEM', `no file descriptors left${known}: idle connections are closed`),
        );
      }
      await this.#adjust(limit, enough);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

/**
 * How many connections leave enough for everything else.
 * @param limit files that the process may have open; null when unknown
 * @param open what it has open besides connections; null when unknown
 * @param concurrency jobs at a time
 */
export function connectionsWithin(limit: number | null, open: number | null, concurrency: number): number {
  if (limit === null || open === null) return Number.POSITIVE_INFINITY;
  const free = Math.max(0, limit - open);
  const kept = Math.max(SPARE + OWN_WORK + EACH_JOB * concurrency, Math.ceil(limit / 16));
  // Where there is not enough for both, each has half.
  return Math.max(1, free - Math.min(kept, Math.ceil(free / 2)));
}
