import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdvanceContext, advance } from '../../../src/lib/canary/advance.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import type { Clock } from '../../../src/lib/clock.js';
import type { HooksConfig } from '../../../src/lib/gates/hook.js';
import type { Observation } from '../../../src/lib/judge/observation.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import type { Actor } from '../../../src/lib/ledger/events.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import type { MetricSource, Reading, ReadRequest, SourceDescriptor } from '../../../src/lib/metrics/source.js';
import type { Canary } from '../../../src/lib/readings/canary.js';

export const START = Date.parse('2026-03-01T12:00:00Z');
export const ACTOR: Actor = { who: 'ana', how: 'os-user' };
export const NO_HOOKS: HooksConfig = { promote: [], rollback: [] };

/** A folder in memory where there is one: thousands of commits each wait for the disk. */
async function scratch(): Promise<string> {
  return mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'lukhas-canary-'));
}

export interface Place {
  path: string;
  ledger: Ledger;
  /** Another connection to the same database, as another process has it. */
  another(): Promise<Ledger>;
  close(): Promise<void>;
}

export async function place(): Promise<Place> {
  const folder = await scratch();
  const path = join(folder, 'log.db');
  const open: Ledger[] = [await openLedger(path)];
  return {
    path,
    ledger: open[0]!,
    async another() {
      const ledger = await openLedger(path);
      open.push(ledger);
      return ledger;
    },
    async close() {
      for (const ledger of open) await ledger.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Found = Pick<Observation, 'canary' | 'baseline' | 'scalars'>;

export const errors = (bad: number, total: number): Found => ({ canary: { errors: { state: 'ok', bad, total } } });
export const HEALTHY = errors(1, 500);
export const BAD = errors(80, 500);
export const SILENT: Found = { canary: { errors: { state: 'unreachable' } } };

/** Time that passes only when somebody sleeps, and may be set, also back. */
export class FakeClock implements Clock {
  readonly clockId: string | null = 'fake';
  /** By how much the wall clock alone was set. */
  private stepped = 0;

  /** @param patience turns of the event loop that others have before time goes on */
  constructor(
    public time = START,
    public patience = 0,
  ) {}

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time - this.stepped;
  }

  /** Sets the wall clock; no time passes. */
  step(ms: number): void {
    this.time += ms;
    this.stepped += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    for (let turn = 0; turn < this.patience; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.time += ms;
    // Other work has its turn, as it would while a real timer runs.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
}

/** Counts kept in the cursor, as a source of counters does: what is found at look n is `script(n)`. */
export function scripted(
  clock: Clock,
  script: (look: number) => Found,
  changes: Partial<MetricSource> = {},
): MetricSource {
  return {
    descriptor: { kind: 'none' },
    pace: 'clock',
    check: async () => undefined,
    close: async () => undefined,
    async read({ cursor }: ReadRequest): Promise<Reading> {
      const last = cursor as { look: number; at: number } | null;
      const look = last === null ? 0 : last.look + 1;
      const t = clock.now();
      const found: Found = last === null ? { canary: { errors: { state: 'first' } } } : script(look);
      return { observation: { v: 1, t, from: last?.at ?? t, ...found }, cursor: { look, at: t } };
    },
    ...changes,
  };
}

interface Setup {
  ledger: Ledger;
  clock: FakeClock;
  source: MetricSource;
  hooks?: HooksConfig;
  holder?: string;
}

export function driver({
  ledger,
  clock,
  source,
  hooks = NO_HOOKS,
  holder = `here:${process.pid}:a`,
}: Setup): AdvanceContext {
  return {
    ledger,
    clock,
    holder,
    hooks,
    env: { PATH: process.env['PATH'] },
    source: async () => source,
    sessions: new Map(),
    leases: new Map(),
    unrecorded: new Map(),
  };
}

/** Advances until nothing is left to be done; `between` sees every wake-up before it is slept to. */
export async function drive(
  context: AdvanceContext & { clock: FakeClock },
  id: string,
  between?: (next: number) => Promise<void> | void,
): Promise<Canary> {
  const canaries = new Canaries(context.ledger, context.clock);
  for (let steps = 0; steps < 2000; steps++) {
    const next = await advance(context, id);
    if (next === null) return canaries.get(id);
    await between?.(next);
    if (next > context.clock.time) context.clock.time = next;
  }
  throw new Error(`${id} is still open after 2000 steps`);
}

interface Wanted {
  policy: Policy;
  modelId?: string;
  toGate?: string;
  dryRun?: boolean;
  source?: SourceDescriptor;
}

export function start(ledger: Ledger, clock: Clock, { policy, ...rest }: Wanted): Promise<Canary> {
  return new Canaries(ledger, clock).start({
    modelId: 'fraud-v2',
    fromGate: 'stage',
    toGate: 'production',
    dryRun: false,
    source: { kind: 'none' },
    by: ACTOR,
    policy,
    ...rest,
  });
}
