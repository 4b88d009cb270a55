import { pruneCanary } from '../../canary/index.js';
import { type Clock, timestamp } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import { type Actor, actingFor, keepLease, type Ledger, newHolder, takeLease } from '../../ledger/index.js';
import type { DatabaseConfig } from '../database-settings.js';
import { DATABASE_SUBJECT } from '../database-settings.js';

export interface MaintainRequest {
  ledger: Ledger;
  clock: Clock;
  by: Actor;
  retention: DatabaseConfig['retention'];
  /** Only say what would be pruned. */
  dryRun?: boolean;
  signal?: AbortSignal | undefined;
}

export interface MaintenanceResult {
  dryRun: boolean;
  /** Observations older than this many days were pruned, with the canaries whose all of them were. */
  olderThanDays: number;
  pruned: { canaries: number; observations: number };
  /** Canaries whose observations were left, because they are not as they were recorded. */
  refused: { canaryId: string; why: string }[];
  freedBytes: number;
  /** Whether all of the write-ahead log was written into the database. */
  checkpointed: boolean;
  durationMs: number;
}

/** Of one process at a time. */
export const MAINTENANCE_LEASE = 'maintenance';
const LEASE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Canaries that share a transaction, and how many observations they have together, but for one that has more by itself. */
const AT_ONCE = 16;
const ROWS_AT_ONCE = 5000;
/** Looked up at a time. */
const PAGE = 512;
/** Between transactions, so that other processes, which ask every 10 ms, have their turn. */
const PAUSE_MS = 15;
/** Parts of the index of words that one maintenance joins; the rest is for the next. */
const MOST_MERGES = 400;
/** Free pages that are kept, for what is written next. */
const SPARE_PAGES = 64;
const MOST_REFUSED = 100;

/**
 * Prunes observations of canaries that ended long ago, joins the index of words, writes the write-ahead log into the database and
 * gives free pages back, all in short transactions; then records what it came to. Killed at any moment, the next one goes on.
 * @throws LukhasError LEDGER_BUSY when another process is doing it; LEDGER_*; the signal's reason
 */
export async function maintain(request: MaintainRequest): Promise<MaintenanceResult> {
  if (request.dryRun) return new Maintenance(request, async () => undefined).run();
  const { ledger, clock } = request;
  const holder = actingFor(newHolder(), MAINTENANCE_LEASE);
  if ((await takeLease(ledger, MAINTENANCE_LEASE, holder, clock, LEASE_MS)) !== null) throw taken();
  try {
    return await new Maintenance(request, () => keepLease(ledger, MAINTENANCE_LEASE, holder, clock, LEASE_MS)).run();
  } finally {
    await ledger.releaseLease(MAINTENANCE_LEASE, holder);
  }
}

function taken(): LukhasError {
  return new LukhasError('LEDGER_BUSY', 'Another process is maintaining this database', {
    suggestions: ['Wait until it is done. See when it was maintained last: lukhas db status'],
  });
}

class Maintenance {
  readonly #o: MaintainRequest;
  readonly #renew: () => Promise<void>;
  readonly #result: MaintenanceResult;
  #renewedAt: number;

  constructor(options: MaintainRequest, renew: () => Promise<void>) {
    this.#o = options;
    this.#renew = renew;
    this.#renewedAt = options.clock.monotonic();
    this.#result = {
      dryRun: options.dryRun ?? false,
      olderThanDays: options.retention.observationDays,
      pruned: { canaries: 0, observations: 0 },
      refused: [],
      freedBytes: 0,
      checkpointed: false,
      durationMs: 0,
    };
  }

  async run(): Promise<MaintenanceResult> {
    const { clock, ledger, by } = this.#o;
    const began = clock.monotonic();
    await this.#prune();
    const result = this.#result;
    if (!result.dryRun) {
      await this.#tidy();
      await this.#shrink();
    }
    result.durationMs = Math.round(clock.monotonic() - began);
    if (result.dryRun) return result;
    const { pruned, freedBytes, durationMs } = result;
    const data = { by, ...pruned, freedBytes, durationMs };
    const ts = timestamp(clock.now());
    await ledger.commit({ events: [{ kind: 'maintenance.finished', subject: DATABASE_SUBJECT, ts, data }] });
    return result;
  }

  async #prune(): Promise<void> {
    const before = (await this.#present()) - this.#result.olderThanDays * DAY_MS;
    for (let after: string | null = null; ; ) {
      const ids: string[] = await this.#o.ledger.upkeep.observedCanaries(after, PAGE);
      for await (const some of this.#groups(ids)) {
        // At the same time, so that they share a transaction.
        const done = await Promise.all(some.map((id) => this.#pruneOne(id, before)));
        if (done.includes(true)) await this.#pause();
      }
      const last = ids.at(-1);
      if (last === undefined) return;
      after = last;
      this.#o.signal?.throwIfAborted();
    }
  }

  async *#groups(ids: readonly string[]): AsyncGenerator<string[]> {
    let [group, rows]: [string[], number] = [[], 0];
    for (const id of ids) {
      const count = await this.#o.ledger.pages.countObservations(id, Number.MAX_SAFE_INTEGER);
      if (group.length === AT_ONCE || (group.length > 0 && rows + count > ROWS_AT_ONCE)) {
        yield group;
        [group, rows] = [[], 0];
      }
      group.push(id);
      rows += count;
    }
    if (group.length > 0) yield group;
  }

  /** The earlier of both: neither a wrong clock nor an entry dated ahead makes a canary look old. */
  async #present(): Promise<number> {
    const { ledger, clock } = this.#o;
    const [newest] = await ledger.events({ limit: 1, newest: true });
    return Math.min(clock.now(), newest === undefined ? 0 : Date.parse(newest.ts));
  }

  /** @returns whether something was written */
  async #pruneOne(id: string, before: number): Promise<boolean> {
    const { ledger, clock, by } = this.#o;
    const { dryRun, olderThanDays, pruned, refused } = this.#result;
    const done = await pruneCanary(id, { ledger, clock, by, before, olderThanDays, dryRun });
    if (done.kind === 'refused' && refused.length < MOST_REFUSED) refused.push({ canaryId: id, why: done.why });
    if (done.kind !== 'pruned') return false;
    pruned.canaries++;
    pruned.observations += done.observations;
    return !dryRun;
  }

  async #tidy(): Promise<void> {
    const { upkeep } = this.#o.ledger;
    for (let after: number | null = -1; after !== null; ) {
      const { deleted, next }: Awaited<ReturnType<typeof upkeep.tidyFeed>> = await upkeep.tidyFeed(after);
      if (deleted > 0) await this.#pause();
      after = next;
    }
    for (let i = 0; i < MOST_MERGES && (await upkeep.mergeWords()); i++) await this.#pause();
  }

  async #shrink(): Promise<void> {
    const { upkeep } = this.#o.ledger;
    const before = await upkeep.space();
    let now = before;
    while (now.canShrink && now.freePages > SPARE_PAGES) {
      const { pages } = now;
      await upkeep.shrink();
      now = await upkeep.space();
      if (now.pages >= pages) break;
      await this.#pause();
    }
    this.#result.freedBytes = Math.max(0, before.pages - now.pages) * before.pageBytes;
    const { complete } = await upkeep.checkpoint();
    this.#result.checkpointed = complete;
  }

  async #pause(): Promise<void> {
    const { clock, signal } = this.#o;
    await clock.sleep(PAUSE_MS, signal);
    if (clock.monotonic() - this.#renewedAt < LEASE_MS / 3) return;
    await this.#renew();
    this.#renewedAt = clock.monotonic();
  }
}
