import { readOverview } from '../../src/lib/app/watching/overview.js';
import type { Connection, Deed, Watching } from '../../src/lib/app/watching/watching.js';
import { advance } from '../../src/lib/canary/advance.js';
import type { Clock } from '../../src/lib/clock.js';
import type { Ledger } from '../../src/lib/ledger/ledger.js';
import { Judging } from '../../src/lib/stream/judging.js';
import { Teller } from '../../src/lib/stream/teller.js';
import type { CanaryRecord } from '../../src/lib/view/canary.js';
import { emptyOverview, type Overview, overviewOf } from '../../src/lib/view/overview.js';
import type { Told } from '../../src/lib/view/told.js';
import { driver, FakeClock, type Found, scripted, start } from '../lib/canary/harness.js';
import { policy } from '../lib/judge/looks.js';
import { recordOf } from '../lib/view/record.js';

/** A watching whose lists and connection are what a test says; what was done is written down. */
export class FakeWatching implements Watching {
  place = '/srv/lukhas/lukhas.db';
  overview: Overview = emptyOverview();
  connection: Connection = { state: 'live', heardAt: 0, problem: null };
  readonly records = new Map<string, CanaryRecord>();
  readonly done: string[] = [];
  /** What `act` and `exportPack` fail with; null: they succeed. */
  fails: Error | null = null;
  #changed: ((events: readonly Told[]) => void) | null = null;
  #fail: ((error: Error) => void) | null = null;

  async follow(changed: (events: readonly Told[]) => void, signal: AbortSignal): Promise<void> {
    this.#changed = changed;
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
  }

  tell(...events: Told[]): void {
    this.#changed?.(events);
  }

  /** As when nothing that waiting changes is wrong. */
  break(error: Error): void {
    this.#fail?.(error);
  }

  async canary(id: string): Promise<CanaryRecord> {
    const record = this.records.get(id);
    if (record === undefined) throw new Error(`${id} not found`);
    return record;
  }

  async act(deed: Deed, id: string, reason: string): Promise<string> {
    this.done.push(`${deed} ${id}: ${reason}`);
    if (this.fails !== null) throw this.fails;
    return `${id}: ${deed} recorded`;
  }

  async exportPack(id: string, folder: string): Promise<string> {
    this.done.push(`export ${id}`);
    if (this.fails !== null) throw this.fails;
    return `${folder}/${id}.zip`;
  }

  async close(): Promise<void> {
    this.done.push('close');
  }

  /** Gives a canary an id that is the same each time. */
  rename(from: string, to: string): void {
    const renamed = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll(from, to)) as T;
    const { canaries } = this.overview;
    canaries.set(to, renamed(canaries.get(from)!));
    canaries.delete(from);
    this.records.set(to, renamed(this.records.get(from)!));
    this.records.delete(from);
  }

  /** Lists and records of all that a log holds. */
  async readFrom(ledger: Ledger): Promise<void> {
    this.overview = overviewOf(
      await readOverview({ ledger, teller: new Teller(ledger), judging: new Judging(ledger) }),
    );
    for (const id of this.overview.canaries.keys()) this.records.set(id, await recordOf(ledger, id));
  }
}

/** A clock that stands still; who sleeps does so until it is woken. */
export function stillClock(time: number): Clock {
  return {
    clockId: 'still',
    now: () => time,
    monotonic: () => 0,
    sleep: (_, signal) =>
      new Promise((_resolve, reject) => {
        const aborted = () => reject(signal!.reason as Error);
        if (signal?.aborted) aborted();
        signal?.addEventListener('abort', aborted, { once: true });
      }),
  };
}

/** Checks of a canary that errs, and is as fast, as the script says; 10 s apart. */
export const found = (bad: number, total: number, slow = 0): Found => {
  const arm = (wrong: number, late: number) => ({
    errors: { state: 'ok' as const, bad: wrong, total },
    latency: { state: 'ok' as const, bounds: [100, 200, 400], counts: [total - late - 5, 5, late, 0] },
  });
  return { canary: arm(bad, slow), baseline: arm(1, 3) };
};

interface Wanted {
  modelId?: string;
  at?: number;
  /** Checks that are made; left out: until it is decided. */
  checks?: number;
  script(check: number): Found;
  more?: Record<string, unknown>;
}

/** A canary in the log, as far as it has come. */
export async function canaryIn(
  ledger: Ledger,
  { modelId = 'fraud-v2', at, checks, script, more }: Wanted,
): Promise<string> {
  const clock = new FakeClock(at);
  const P = policy({
    targets: { max_error_rate: 0.02, latency_p95_ms: 250 },
    windowSeconds: 300,
    intervalSeconds: 10,
    ...more,
  });
  const { id } = await start(ledger, clock, { policy: P, modelId });
  const context = driver({ ledger, clock, source: scripted(clock, script) });
  for (let check = 0; check <= (checks ?? 500); check++) {
    const next = await advance(context, id);
    if (next === null) break;
    clock.time = Math.max(clock.time, next);
  }
  return id;
}
