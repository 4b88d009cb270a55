import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { systemClock } from '../../../src/lib/clock.js';
import { LukhasError } from '../../../src/lib/errors.js';
import type { HookConfig } from '../../../src/lib/gates/hook.js';
import { Promotions } from '../../../src/lib/gates/promotions.js';
import type { EventKind } from '../../../src/lib/ledger/events.js';
import { newHolder } from '../../../src/lib/ledger/holder.js';
import type { Ledger, Unit } from '../../../src/lib/ledger/ledger.js';
import {
  ACTOR,
  BAD,
  drive,
  driver,
  errors,
  FakeClock,
  HEALTHY,
  NO_HOOKS,
  type Place,
  place,
  SILENT,
  scripted,
  start,
} from '../canary/harness.js';
import { policy } from '../judge/looks.js';

export const MODEL = 'fraud-v2';
export const GATE = 'production';

/** How a canary ends, or that it has not ended. */
export type Story =
  | 'proved'
  | 'proved dry'
  | 'overridden'
  | 'let pass'
  | 'rolled back'
  | 'blocked'
  | 'aborted'
  | 'failed'
  | 'running';

const TARGETS = { targets: { max_error_rate: 0.02 }, windowSeconds: 30, noDataSeconds: 15 };

/** A database, a hook that notes its calls, and canaries that end as told. */
export class Bench {
  readonly clock = new FakeClock();
  readonly canaries: Canaries;
  private made: Promotions[] = [];

  private constructor(readonly at: Place) {
    this.canaries = new Canaries(at.ledger, this.clock);
  }

  static async begin(): Promise<Bench> {
    return new Bench(await place());
  }

  async end(): Promise<void> {
    for (const promotions of this.made) await promotions.close();
    await this.at.close();
  }

  get ledger(): Ledger {
    return this.at.ledger;
  }

  /** As another process has it, unless `holder` says otherwise; its clock is the real one. */
  promotions(options: { hooks?: HookConfig[]; requireCanary?: boolean; ledger?: Ledger; holder?: string } = {}) {
    const { hooks = [], requireCanary = true, ledger = this.at.ledger } = options;
    const promotions = new Promotions({
      ledger,
      clock: systemClock(),
      hooks: { promote: hooks, rollback: [] },
      env: { PATH: process.env['PATH'] },
      requireCanary,
      holder: options.holder ?? newHolder(),
    });
    this.made.push(promotions);
    return promotions;
  }

  /** One canary from its request to its end. @returns its id */
  async canary(story: Story, { modelId = MODEL, toGate = GATE } = {}): Promise<string> {
    const { ledger, clock, canaries } = this;
    const asked = story === 'let pass' ? { ...TARGETS, onInconclusive: 'promote' } : TARGETS;
    const dryRun = story === 'proved dry';
    const { id } = await start(ledger, clock, { policy: policy(asked), modelId, toGate, dryRun });
    if (story === 'running') return id;
    if (story === 'aborted') await canaries.abort(id, ACTOR, 'enough');
    else await this.drive(id, story);
    if (story === 'overridden') {
      await canaries.override(id, ACTOR, 'known');
      await this.drive(id, story);
    }
    return id;
  }

  private async drive(id: string, story: Story): Promise<void> {
    const { ledger, clock } = this;
    const look = { 'rolled back': BAD, blocked: SILENT, overridden: SILENT, 'let pass': errors(0, 2) };
    const refusing = { check: () => Promise.reject(new LukhasError('SOURCE_REFUSED', 'no')) };
    const source = scripted(
      clock,
      () => look[story as keyof typeof look] ?? HEALTHY,
      story === 'failed' ? refusing : {},
    );
    await drive({ ...driver({ ledger, clock, source, hooks: NO_HOOKS }), clock }, id);
  }

  /** Takes the gate away from whoever holds it. */
  async rival(): Promise<void> {
    await this.canary('proved', { modelId: 'rival' });
  }

  /** A hook that notes key and attempt of each call, then does `code`. */
  noting(code = '', name = 'deploy'): HookConfig {
    const note = `const e = process.env;
      const line = [e.LUKHAS_IDEMPOTENCY_KEY, e.LUKHAS_ATTEMPT, e.LUKHAS_PROMOTION_ID, e.LUKHAS_CANARY_ID].join(' ');
      require('fs').appendFileSync(process.argv[1], line + '\\n');`;
    const command: [string, ...string[]] = [process.execPath, '-e', note + code, this.notes];
    return { name, exec: { command, timeoutSeconds: 10, env: {} } };
  }

  /** Waits until the file is there. */
  waiting(): HookConfig {
    const look = `setInterval(() => require('fs').existsSync(${JSON.stringify(this.door)}) && process.exit(), 10);`;
    return this.noting(look);
  }

  async open(): Promise<void> {
    await writeFile(this.door, '');
  }

  async calls(): Promise<string[]> {
    return (await readFile(this.notes, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  }

  async forget(): Promise<void> {
    await rm(this.notes, { force: true });
  }

  async kinds(subject: string): Promise<EventKind[]> {
    return (await this.ledger.events({ subject })).map(({ kind }) => kind);
  }

  /** The ledger as a process has it that dies before it commits an event of this kind. */
  dying(lost: EventKind, crash: Error): Ledger {
    const { ledger } = this;
    const commit = (unit: Unit) =>
      unit.events?.some(({ kind }) => kind === lost) ? Promise.reject(crash) : ledger.commit(unit);
    const dying: Ledger = Object.create(ledger, { commit: { value: commit } });
    // The ledger keeps its private state in itself: what is not replaced must be called on it.
    for (const name of [
      'events',
      'provenEvents',
      'intactEvents',
      'compactRange',
      'leasedSubjects',
      'observationLines',
      'summaries',
      'openSubjects',
      'acquireLease',
      'renewLease',
      'releaseLease',
      'lease',
      'leaseAt',
    ] as const)
      Object.defineProperty(dying, name, { value: ledger[name].bind(ledger) });
    return dying;
  }

  private get notes(): string {
    return join(dirname(this.at.path), 'calls');
  }

  private get door(): string {
    return join(dirname(this.at.path), 'door');
  }
}
