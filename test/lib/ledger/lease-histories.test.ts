import { expect } from 'chai';
import fc from 'fast-check';
import { takeLease } from '../../../src/lib/ledger/lease.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { cases } from '../../cases.js';
import { type Place, place } from '../canary/harness.js';
import { TwoClocks } from './two-clocks.js';

/** Of each turn of the world. */
const TURN_MS = 1000;
const TTL_MS = 10_000;
/** A third of a lease, as jobs do. */
const RENEW_MS = 3000;
const LEASE = 'subject';

type Act =
  | { act: 'pass'; turns: number }
  | { act: 'step'; machine: number; ms: number }
  | { act: 'suspend' | 'resume' | 'reboot' | 'snapshot' | 'restore'; machine: number }
  | { act: 'stop' | 'continue' | 'kill' | 'give back'; process: number };

interface Machine {
  clock: TwoClocks;
  suspended: boolean;
  /** Its monotonic clock at an earlier time, to which it may be put back. */
  snapshot: { mono: number; clockId: string | null } | null;
}

/** One that wants the lease, and says under which tenure it commits. */
interface Process {
  holder: string;
  machine: Machine;
  ledger: Ledger;
  alive: boolean;
  stopped: boolean;
  /** Number of what it takes for its tenure; null while it has none. */
  tenure: number | null;
  /** World time of its newest renewal. */
  renewedAt: number;
}

/** Of all histories: they share connections, which remember what they have seen of a holder by a clock. */
let [made, boots] = [0, 0];

/** Machines with processes of other pid namespaces, so that nobody knows of anybody whether it lives. */
class World {
  time = 0;
  readonly machines: Machine[];
  readonly processes: Process[] = [];
  /** Tenures in the order of what was committed under them. */
  readonly commits: number[] = [];
  private tenures = 0;
  /** Since when the holder in the table is dead and others could notice. */
  private deadFor: number | null = null;

  constructor(machines: number, ledgers: readonly Ledger[]) {
    this.machines = Array.from({ length: machines }, (_, i) => ({
      clock: new TwoClocks(`boot ${boots++}`, 1e12 * (1 + i), 1e6 * i),
      suspended: false,
      snapshot: null,
    }));
    for (const [i, ledger] of ledgers.entries()) this.begin(this.machines[i % machines]!, ledger);
  }

  async run(act: Act): Promise<void> {
    if (act.act === 'pass') for (let i = 0; i < act.turns; i++) await this.turn();
    else if ('machine' in act) this.change(this.machines[act.machine % this.machines.length]!, act);
    else await this.signal(this.processes[act.process % this.processes.length]!, act.act);
  }

  private change(machine: Machine, act: Extract<Act, { machine: number }>): void {
    const { clock } = machine;
    if (act.act === 'step') clock.wall += act.ms;
    if (act.act === 'suspend') machine.suspended = true;
    if (act.act === 'resume') machine.suspended = false;
    if (act.act === 'snapshot') machine.snapshot = { mono: clock.mono, clockId: clock.clockId };
    if (act.act === 'reboot' || (act.act === 'restore' && machine.snapshot !== null)) {
      const { mono, clockId } = act.act === 'reboot' ? { mono: 0, clockId: `boot ${boots++}` } : machine.snapshot!;
      machine.suspended = false;
      // Whoever looks from there begins to look.
      this.deadFor = null;
      machine.clock = new TwoClocks(clockId, clock.wall, mono);
      // What the snapshot held was ended with the machine; it begins anew after either.
      for (const process of this.processes.filter((one) => one.machine === machine)) this.replace(process);
    }
  }

  private async signal(process: Process, act: 'stop' | 'continue' | 'kill' | 'give back'): Promise<void> {
    if (act === 'stop') process.stopped = true;
    if (act === 'continue') process.stopped = false;
    if (act === 'kill') this.replace(process);
    if (act === 'give back' && this.runs(process) && process.tenure !== null) {
      await process.ledger.releaseLease(LEASE, process.holder);
      process.tenure = null;
    }
  }

  /** It is dead; another one begins in its place, with the same connection, which has seen what it has seen. */
  private replace(process: Process): void {
    process.alive = false;
    this.processes.splice(this.processes.indexOf(process), 1);
    this.begin(process.machine, process.ledger);
  }

  private begin(machine: Machine, ledger: Ledger): void {
    const holder = `holder ${made++}`;
    this.processes.push({ holder, machine, ledger, alive: true, stopped: false, tenure: null, renewedAt: 0 });
  }

  private runs({ alive, stopped, machine }: Process): boolean {
    return alive && !stopped && !machine.suspended;
  }

  private async turn(): Promise<void> {
    this.time += TURN_MS;
    for (const { clock, suspended } of this.machines) {
      if (suspended) clock.wall += TURN_MS;
      else clock.pass(TURN_MS);
    }
    for (const process of this.processes) if (this.runs(process)) await this.renewOrTake(process);
    const committed: number[] = [];
    for (const process of this.processes)
      if (this.runs(process) && process.tenure !== null && (await this.canCommit(process)))
        committed.push(process.tenure);
    expect(committed.length, 'who can commit').to.be.at.most(1);
    this.commits.push(...committed);
    await this.checkDead();
  }

  private async renewOrTake(process: Process): Promise<void> {
    const { ledger, holder, machine } = process;
    if (process.tenure === null) {
      if ((await takeLease(ledger, LEASE, holder, machine.clock, TTL_MS)) !== null) return;
      process.tenure = this.tenures++;
      process.renewedAt = this.time;
      return;
    }
    const since = this.time - process.renewedAt;
    if (since < RENEW_MS) return;
    if (await ledger.renewLease(LEASE, holder, machine.clock, TTL_MS)) process.renewedAt = this.time;
    else {
      expect(since, 'lost by one that renewed it').to.be.at.least(TTL_MS);
      process.tenure = null;
    }
  }

  private async canCommit({ ledger, holder }: Process): Promise<boolean> {
    try {
      await ledger.commit({ expect: [{ lease: LEASE, holder }] });
      return true;
    } catch (error) {
      expect(error).to.have.property('code', 'LEDGER_CONFLICT');
      return false;
    }
  }

  /** As long as anybody can look, a dead holder's lease is taken within its length, and a turn at its beginning and end. */
  private async checkDead(): Promise<void> {
    const held = await this.processes[0]!.ledger.lease(LEASE);
    const isDead = held !== null && !this.processes.some(({ holder }) => holder === held.holder);
    const canLook = this.processes.every((process) => this.runs(process));
    if (!isDead || !canLook) this.deadFor = null;
    else {
      this.deadFor ??= this.time;
      expect(this.time - this.deadFor, 'how long a dead one keeps it').to.be.at.most(TTL_MS + 2 * TURN_MS);
    }
  }
}

const process = fc.nat(2);
const machine = fc.nat(1);
const pass = fc.record({ act: fc.constant('pass' as const), turns: fc.integer({ min: 1, max: 14 }) });
const anAct: fc.Arbitrary<Act> = fc.oneof(
  { arbitrary: pass, weight: 4 },
  fc.record({
    act: fc.constant('step' as const),
    machine,
    ms: fc.constantFrom(-86_400_000, -600_000, -TTL_MS, TTL_MS, 600_000, 86_400_000),
  }),
  fc.record({ act: fc.constantFrom('suspend' as const, 'resume' as const, 'resume' as const), machine }),
  fc.record({ act: fc.constantFrom('reboot' as const, 'snapshot' as const, 'restore' as const), machine }),
  {
    arbitrary: fc.record({ act: fc.constantFrom('stop' as const, 'continue' as const, 'continue' as const), process }),
    weight: 2,
  },
  fc.record({ act: fc.constantFrom('kill' as const, 'give back' as const), process }),
);

describe('leases, over histories of machines and processes', () => {
  let here: Place;
  let ledgers: Ledger[];
  before(async () => {
    here = await place();
    ledgers = [here.ledger, await here.another(), await here.another()];
  });
  after(() => here.close());

  it('have one holder that can commit; one that renews keeps it, and a dead one loses it within its length', async () => {
    const history = fc.array(anAct, { minLength: 5, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 }), history, async (machines, acts) => {
        const left = await here.ledger.lease(LEASE);
        if (left) await here.ledger.releaseLease(LEASE, left.holder);
        const world = new World(machines, ledgers);
        for (const act of acts) await world.run(act);
        // Nobody who has lost it commits again before it has taken it anew.
        expect(world.commits).to.deep.equal([...world.commits].sort((a, b) => a - b));
      }),
      {
        numRuns: cases(400),
        // Put back by less than a lease: what is left of it by the clock is soon no more than its length.
        examples: [
          [
            1,
            [
              { act: 'snapshot', machine: 0 },
              { act: 'pass', turns: 7 },
              { act: 'restore', machine: 0 },
              { act: 'pass', turns: 14 },
            ],
          ],
        ],
      },
    );
  });
});
