import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.js';
import { LukhasError, systemError } from '../errors.js';
import type { HooksConfig } from '../gates/index.js';
import type { Ledger, LogFollower } from '../ledger/index.js';
import { newHolder } from '../ledger/index.js';
import { canonicalJson } from '../ledger/tree/index.js';
import type { MetricSource, SourceDescriptor } from '../metrics/index.js';
import { ENDED_KINDS } from '../readings/index.js';
import { Wake } from '../wake.js';
import type { AdvanceContext, advance, Tick } from './advance.js';
import { isPromotionBlocked } from './promotion-blocked.js';

type Advance = typeof advance;

export interface RunnerOptions {
  ledger: Ledger;
  follower: LogFollower;
  clock: Clock;
  hooks: HooksConfig;
  env: NodeJS.ProcessEnv;
  openSource(descriptor: SourceDescriptor): Promise<MetricSource>;
  onTick?: (tick: Tick) => void;
  /** A step that failed for a reason that is not the canary's own (a full disk, a busy database). */
  onError?: (canaryId: string, error: LukhasError) => void;
  /** Throws where nothing may be promoted in this log; asked right before promote hooks are called. */
  beforePromoting?: () => Promise<void>;
}

/** At most so often are other processes' canaries looked for, however often those commit. */
const DISCOVERY_MS = 1000;
/** After an error of the database that may pass. */
const RETRY_MS = 1000;
/** After what keeps a promotion back: somebody has to mend it first, and looking for it costs. */
const DAMAGED_RETRY_MS = 60_000;

/**
 * Drives canaries: one loop, woken when the next look of any of them is due. It holds no truth; killed at any moment,
 * another continues from the log.
 */
export class Runner {
  private readonly options: RunnerOptions;
  private readonly holder = newHolder();
  private readonly sources = new Map<string, Promise<MetricSource>>();
  /** The key of each descriptor that a canary in memory holds: made anew for every check, it costs more than the lookup. */
  private readonly sourceKeys = new WeakMap<SourceDescriptor, string>();
  /** When to advance each canary next; Infinity while it is being advanced. */
  private readonly wakeups = new Map<string, number>();
  private readonly wake: Wake;
  private failure: Error | null = null;
  /** It drives whatever is open in the log, and no canary's trouble is the others'. */
  private everything = false;
  /** When open canaries were last looked for in the log, and when that is due again; Infinity while it is not. */
  private discoveredAt = Number.NEGATIVE_INFINITY;
  private discoverAt = Number.POSITIVE_INFINITY;

  constructor(options: RunnerOptions) {
    this.options = options;
    this.wake = new Wake(options.clock);
  }

  /** Drives these canaries until each has its verdict and it has been acted on, or the signal aborts. */
  async drive(ids: readonly string[], signal?: AbortSignal): Promise<void> {
    for (const id of ids) this.wakeups.set(id, 0);
    await this.loop(signal);
  }

  /** Drives every open canary of the log, those that appear later too, until the signal aborts. */
  async driveAll(signal: AbortSignal): Promise<void> {
    this.everything = true;
    const stopListening = this.options.follower.onChange((by) => {
      if (by === 'elsewhere') this.discoverBy(this.discoveredAt + DISCOVERY_MS);
    });
    this.notice();
    try {
      await this.loop(signal);
    } finally {
      stopListening();
    }
  }

  /** Has `driveAll` look for open canaries now, after this process itself has started or changed one. */
  notice(): void {
    this.discoverBy(Number.NEGATIVE_INFINITY);
  }

  private discoverBy(at: number): void {
    if (!this.everything) return;
    this.discoverAt = Math.min(this.discoverAt, at);
    this.wake.wake(at);
  }

  private async takeUpOpen(): Promise<void> {
    const now = this.options.clock.now();
    if (now < this.discoverAt) return;
    this.discoveredAt = now;
    this.discoverAt = Number.POSITIVE_INFINITY;
    try {
      for (const id of await this.options.ledger.openSubjects('canary', ENDED_KINDS))
        if (!this.wakeups.has(id)) this.wakeups.set(id, 0);
    } catch (error) {
      if (!(error instanceof LukhasError) || error.code !== 'LEDGER_BUSY') throw error;
      this.discoverBy(now + DISCOVERY_MS);
    }
  }

  async close(): Promise<void> {
    const sources = await Promise.allSettled(this.sources.values());
    this.sources.clear();
    for (const source of sources) if (source.status === 'fulfilled') await source.value.close();
  }

  private async loop(signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.options;
    // Whoever only reads the log does not pay for loading what looks, judges and acts.
    const { advance } = await import('./advance.js');
    const stop = new AbortController();
    // Every look under way listens to it.
    setMaxListeners(0, stop.signal);
    const context = this.context(stop.signal);
    const busy = new Set<Promise<void>>();
    const end = () => stop.abort(signal?.reason);
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { once: true });
    const ended = () => stop.signal.aborted || this.failure !== null;
    try {
      while (!ended()) {
        await this.takeUpOpen();
        if (ended()) break;
        const now = clock.now();
        let next = this.discoverAt;
        for (const [id, at] of this.wakeups) {
          if (at > now) {
            next = Math.min(next, at);
            continue;
          }
          this.wakeups.set(id, Number.POSITIVE_INFINITY);
          const step = this.step(advance, context, id).finally(() => {
            busy.delete(step);
            this.wake.wake(this.failure === null ? this.wakeups.get(id) : undefined);
          });
          busy.add(step);
        }
        if (!this.everything && this.wakeups.size === 0) break;
        await this.wake.sleepUntil(next, stop.signal);
      }
    } finally {
      signal?.removeEventListener('abort', end);
      await Promise.allSettled(busy);
      await this.release(context);
    }
    if (this.failure !== null) throw this.failure;
  }

  private async step(advance: Advance, context: AdvanceContext, id: string): Promise<void> {
    try {
      const next = await advance(context, id);
      if (next === null) this.wakeups.delete(id);
      else this.wakeups.set(id, next);
    } catch (cause) {
      if (context.signal?.aborted) return;
      const error = systemError(cause);
      // What may pass is tried again.
      if (error instanceof LukhasError && (error.code === 'LEDGER_BUSY' || this.everything)) {
        this.options.onError?.(id, error);
        const wait = isPromotionBlocked(error) ? DAMAGED_RETRY_MS : RETRY_MS;
        this.wakeups.set(id, this.options.clock.now() + wait);
      } else this.failure ??= error as Error;
    }
  }

  private context(signal: AbortSignal): AdvanceContext {
    const { ledger, clock, hooks, env, onTick, onError, beforePromoting } = this.options;
    return {
      ledger,
      clock,
      hooks,
      env,
      holder: this.holder,
      sessions: new Map(),
      leases: new Map(),
      unrecorded: new Map(),
      source: (descriptor) => this.source(descriptor),
      signal,
      ...(onTick ? { onTick } : {}),
      ...(onError ? { onDamage: onError } : {}),
      ...(beforePromoting ? { beforePromoting } : {}),
    };
  }

  private source(descriptor: SourceDescriptor): Promise<MetricSource> {
    const key = this.sourceKeys.get(descriptor) ?? canonicalJson(descriptor, 'source');
    this.sourceKeys.set(descriptor, key);
    const known = this.sources.get(key);
    if (known) return known;
    const opened = this.options.openSource(descriptor);
    this.sources.set(key, opened);
    opened.catch(() => this.sources.delete(key));
    return opened;
  }

  private async release(context: AdvanceContext): Promise<void> {
    try {
      const { ledger } = this.options;
      await Promise.all([...context.leases.keys()].map((id) => ledger.releaseLease(id, this.holder)));
    } catch (error) {
      // What went wrong first is what is told; a lease that stays lapses, or is seen to be a dead process's.
      this.failure ??= error as Error;
    }
  }
}
