import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { Approvals } from '../../../src/lib/canary/approvals.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { LukhasError } from '../../../src/lib/errors.js';
import type { HooksConfig } from '../../../src/lib/gates/hook.js';
import { setGate } from '../../../src/lib/gates/registry.js';
import type { Actor, EventKind, StoredEvent } from '../../../src/lib/ledger/events.js';
import type { Ledger, SubjectSummary, Unit } from '../../../src/lib/ledger/ledger.js';
import { type Canary, foldCanary } from '../../../src/lib/readings/canary.js';
import { foldSummaries } from '../../../src/lib/readings/summaries.js';
import { cases } from '../../cases.js';
import { policy } from '../judge/looks.js';
import { BAD, drive, driver, FakeClock, HEALTHY, type Place, place, SILENT, scripted, start } from './harness.js';

const HOUR = 3_600_000;
const GATE = 'production';
const os = (who: string): Actor => ({ who, how: 'os-user' });
/** The first asks for every canary (harness); two of them are one person; the last may be anybody. */
const PEOPLE: readonly Actor[] = [
  os('ana'),
  os('bo'),
  os('bo (sudo)'),
  os('cy'),
  { who: 'bo', how: 'api-key' },
  { who: 'local', how: 'loopback' },
];
const one = (actor: Actor) => `${actor.how} ${actor.who.replace(' (sudo)', '')}`;

const KILLS = ['hook.intended', 'hook.finished', 'gate.changed', 'canary.acted', 'canary.lapsed'] as const;
type Op =
  | { op: 'start'; ends: 'well' | 'badly' | 'unknown'; required: number; not: 'requester' | 'nobody' }
  | { op: 'approve' | 'approve'; who: number; which: number }
  | { op: 'reject' | 'break glass' | 'review' | 'override'; who: number; which: number }
  | { op: 'retry'; which: number }
  | { op: 'drive'; which: number; kill: (typeof KILLS)[number] | null; failing: 0 | 1 | 2 }
  | { op: 'gate' }
  | { op: 'wait'; hours: number };

const which = fc.nat(1);
const who = fc.nat(PEOPLE.length - 1);
const ops: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('approve' as const), who, which }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('drive' as const),
      which,
      kill: fc.constantFrom<((typeof KILLS)[number] | null)[]>(null, ...KILLS),
      failing: fc.constantFrom<(0 | 1 | 2)[]>(0, 0, 0, 1, 2),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ op: 'gate' as const }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 14 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constantFrom('override' as const, 'review' as const), who, which }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constantFrom('reject' as const, 'break glass' as const), who, which }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('retry' as const), which }) },
);
const begins: fc.Arbitrary<Op> = fc.record({
  op: fc.constant('start' as const),
  ends: fc.constantFrom('well' as const, 'well' as const, 'well' as const, 'badly' as const, 'unknown' as const),
  required: fc.integer({ min: 1, max: 3 }),
  not: fc.constantFrom('requester' as const, 'requester' as const, 'nobody' as const),
});

/** A receiver of webhooks that fails calls of the named hook when told to. */
class Receiver {
  readonly calls: { canaryId: string; type: string }[] = [];
  failing = '';
  private constructor(private readonly server: Server) {}

  static async listen(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        const { type, data } = JSON.parse(body) as { type: string; data: { canaryId: string } };
        receiver.calls.push({ canaryId: data.canaryId, type });
        response.writeHead(request.url === `/${receiver.failing}` ? 403 : 200, { connection: 'close' }).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  hooks(): HooksConfig {
    const { port } = this.server.address() as AddressInfo;
    const hook = (name: string) => ({
      name,
      webhook: { url: `http://127.0.0.1:${port}/${name}`, secretEnv: null, timeoutSeconds: 5, retries: 0 },
    });
    return { promote: [hook('h1'), hook('h2')], rollback: [hook('back')] };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

class World {
  readonly clock = new FakeClock();
  readonly canaries: Canaries;
  readonly approvals: Approvals;
  readonly ids: string[] = [];
  private drivers = 0;
  private rivals = 0;
  private readonly crash = new Error('killed');

  constructor(
    readonly ledger: Ledger,
    readonly receiver: Receiver,
    readonly seen: Set<string>,
  ) {
    this.canaries = new Canaries(ledger, this.clock);
    this.approvals = new Approvals(ledger, this.clock);
  }

  async step(op: Op): Promise<void> {
    this.clock.time += 1000;
    if (op.op === 'start') return this.start(op);
    if (op.op === 'wait') {
      this.clock.time += op.hours * HOUR;
      return;
    }
    if (op.op === 'gate') {
      const ts = new Date(this.clock.time).toISOString();
      const modelId = `rival-${++this.rivals}`;
      await setGate(this.ledger, { gate: GATE, modelId, canaryId: null, by: os('olu'), ts });
      return;
    }
    const id = this.ids[op.which % this.ids.length]!;
    if (op.op === 'drive') return this.drive(id, op.kill, op.failing === 0 ? '' : `h${op.failing}`);
    const before = foldCanary(await this.ledger.events({ subject: id }))!;
    const size = await this.ledger.size();
    const expected = op.op === 'approve' ? await this.mayApprove(before, PEOPLE[op.who]!) : null;
    const done = await this.say(op, id);
    if (expected !== null) expect(done, `${JSON.stringify(op)} on ${before.action.state}`).to.equal(expected);
    expect((await this.ledger.size()) - size, 'a word is one entry, a refused one none').to.equal(done ? 1 : 0);
    this.seen.add(`${op.op} ${done ? 'recorded' : 'refused'}`);
  }

  private async say(op: Extract<Op, { which: number }>, id: string): Promise<boolean> {
    const by = 'who' in op ? PEOPLE[op.who]! : os('ana');
    try {
      if (op.op === 'approve') await this.approvals.approve(id, by, 'looked at it');
      if (op.op === 'reject') await this.approvals.reject(id, by, 'no');
      if (op.op === 'override') await this.canaries.override(id, by, 'known');
      if (op.op === 'break glass') await this.approvals.breakGlass(id, by, 'production is down, this mends it');
      if (op.op === 'review') await this.approvals.review(id, by, 'it was needed');
      if (op.op === 'retry') await this.canaries.retry(id, by);
      return true;
    } catch (error) {
      if (error instanceof LukhasError && ['ILLEGAL_TRANSITION', 'APPROVAL_REFUSED'].includes(error.code)) return false;
      throw error;
    }
  }

  /** What the documents say of who may approve, from the raw log. */
  private async mayApprove(canary: Canary, by: Actor): Promise<boolean> {
    if (canary.action.state !== 'awaiting approval' || by.how === 'loopback') return false;
    const log = await this.ledger.events();
    const rule = canary.policy.approvals!;
    const { asked, at } = askedOf(log, canary.id, log.length);
    if (rule.not === 'requester' && asked.includes(one(by))) return false;
    if (this.clock.time >= at + 24 * HOUR) return false;
    const gateSeq = gateAt(log, log.length).seq;
    const mine = log.filter((e) => e.kind === 'canary.approved' && e.subject === canary.id && e.seq > gateSeq);
    const since = log.findLast((e) => e.kind === 'canary.overridden' && e.subject === canary.id)?.seq ?? -1;
    return !mine.some((e) => e.kind === 'canary.approved' && e.seq > since && one(e.data.by) === one(by));
  }

  private async start({ ends, required, not }: Extract<Op, { op: 'start' }>): Promise<void> {
    const wanted = policy({
      targets: { max_error_rate: 0.02 },
      windowSeconds: 20,
      noDataSeconds: 10,
      approvals: { required, not },
    });
    const modelId = `fraud-${this.ids.length}`;
    const { id } = await start(this.ledger, this.clock, { policy: wanted, modelId });
    this.ids.push(id);
    const look = { well: HEALTHY, badly: BAD, unknown: SILENT }[ends];
    const context = this.driver(this.ledger, () => look);
    const canary = await drive(context, id);
    const state = { well: 'BLOCKED', badly: 'ROLLED_BACK', unknown: 'BLOCKED' }[ends];
    expect(canary.state, 'only a rollback does not wait').to.equal(state);
    expect(canary.action.state).to.equal({ well: 'awaiting approval', badly: 'done', unknown: 'none' }[ends]);
  }

  private driver(ledger: Ledger, look: () => typeof HEALTHY) {
    const holder = `here:1:${++this.drivers}`;
    const source = scripted(this.clock, look);
    const hooks = this.receiver.hooks();
    return { ...driver({ ledger, clock: this.clock, source, hooks, holder }), clock: this.clock };
  }

  /** A driver that may die before it records an entry of a kind; its lease stays until it lapses. */
  private async drive(id: string, kill: EventKind | null, failing: string): Promise<void> {
    const dies = (unit: Unit) => unit.events?.some((event) => event.kind === kill);
    const ledger = new Proxy(this.ledger, {
      get: (target, name) => {
        if (name === 'commit') return (unit: Unit) => (dies(unit) ? Promise.reject(this.crash) : target.commit(unit));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    this.receiver.failing = failing;
    try {
      await drive(
        this.driver(ledger, () => HEALTHY),
        id,
      );
    } catch (error) {
      if (error !== this.crash) throw error;
      this.seen.add(`killed before ${kill}`);
      this.clock.time += HOUR / 4;
    }
    const canary = await this.canaries.get(id);
    this.seen.add(`${canary.state} ${canary.action.state}`);
  }

  /** Looks into the raw log only: what stood behind every call of a promote hook and every gate that a canary entered. */
  async check(): Promise<void> {
    const log = await this.ledger.events();
    for (const event of log) {
      const intended = event.kind === 'hook.intended' && event.data.action === 'promote';
      if (intended) expectBacked(log, event, event.subject);
      if (event.kind === 'gate.changed' && event.data.canaryId !== null) expectBacked(log, event, event.data.canaryId);
    }
    for (const id of this.ids) {
      const called = this.receiver.calls.filter((c) => c.canaryId === id && c.type === 'canary.promote').length;
      const announced = log.filter(
        (e) => e.kind === 'hook.intended' && e.data.action === 'promote' && e.subject === id,
      ).length;
      expect(called, 'no call without its entry before it').to.be.at.most(announced);
      const entered = log.filter((e) => e.kind === 'gate.changed' && e.data.canaryId === id);
      expect(entered.length).to.be.at.most(1);
      expect(await this.canaries.get(id)).to.deep.equal(foldCanary(log.filter((e) => e.subject === id)));
    }
    expect(await this.ledger.summaries()).to.have.deep.members(await foldedSummaries(log));
  }
}

/** What the log makes of the rows that listings read. */
async function foldedSummaries(log: readonly StoredEvent[]): Promise<SubjectSummary[]> {
  const summaries: SubjectSummary[] = [];
  for await (const summary of foldSummaries(Readable.from(log))) summaries.push(summary);
  return summaries;
}

/** Who asked for the promotion, and when it was decided or overridden, ms, by the entries before `seq`. */
function askedOf(log: readonly StoredEvent[], id: string, seq: number): { asked: string[]; at: number } {
  const asked: string[] = [];
  let at = Number.NaN;
  for (const e of log) {
    if (e.subject !== id || e.seq >= seq) continue;
    if (e.kind === 'canary.requested') asked.push(one(e.data.requestedBy));
    if (e.kind === 'canary.overridden') asked.push(one(e.data.by));
    if (e.kind === 'canary.decided' || e.kind === 'canary.overridden') at = Date.parse(e.ts);
  }
  return { asked, at };
}

function gateAt(log: readonly StoredEvent[], seq: number): { holder: string | null; seq: number } {
  const last = log.findLast((e) => e.kind === 'gate.changed' && e.seq < seq);
  return last?.kind === 'gate.changed' ? { holder: last.data.modelId, seq: last.seq } : { holder: null, seq: -1 };
}

/** The deed has break-glass behind it, or enough different people who approved what still held when it was begun. */
function expectBacked(log: readonly StoredEvent[], deed: StoredEvent, id: string): void {
  const own = log.filter((e) => e.subject === id && e.seq < deed.seq);
  if (own.some((e) => e.kind === 'canary.forced')) return;
  expect(own.some((e) => e.kind === 'canary.rejected')).to.equal(false);
  const [request] = own;
  const rule = request?.kind === 'canary.requested' ? request.data.policy.approvals! : expect.fail('no request');
  const calls = own.filter((e) => e.kind === 'hook.intended' && e.data.action === 'promote');
  const begun = calls[0] ?? deed;
  // Once both hooks have been called the gate follows, whatever happens to it in between.
  const finished = own.filter((e) => e.kind === 'hook.finished' && e.data.action === 'promote' && e.data.ok);
  const bound = finished.length >= 2 ? finished[1]! : deed;
  const { asked, at } = askedOf(log, id, deed.seq);
  const gate = gateAt(log, bound.seq);
  const people = new Set<string>();
  for (const e of own) {
    if (e.kind !== 'canary.approved' || !isDeepStrictEqual(e.data.gate, gate)) continue;
    expect(Date.parse(e.ts)).to.be.below(at + 24 * HOUR);
    if (rule.not === 'requester') expect(asked).not.to.include(one(e.data.by));
    people.add(one(e.data.by));
  }
  expect(people.size, `${deed.kind} at ${deed.seq} of ${id}`).to.be.at.least(rule.required);
  expect(Date.parse(begun.ts)).to.be.below(at + 24 * HOUR);
}

describe('approvals, whatever happens', () => {
  it('stand behind every hook and gate, are counted once, and are all in the log', async function () {
    this.timeout(120_000);
    const seen = new Set<string>();
    const receiver = await Receiver.listen();
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(begins, { minLength: 1, maxLength: 2 }),
          fc.array(ops, { minLength: 8, maxLength: 24 }),
          async (canaries, sequence) => {
            const here: Place = await place();
            try {
              const world = new World(here.ledger, receiver, seen);
              for (const op of [...canaries, ...sequence]) await world.step(op);
              await world.check();
            } finally {
              await here.close();
            }
          },
        ),
        // Seeded: the situations that must come up below do so in every run of all cases.
        { numRuns: cases(400), seed: 11 },
      );
    } finally {
      await receiver.close();
    }
    if (cases(400) === 400)
      expect([...seen]).to.include.members([
        ...['approve', 'reject', 'override', 'break glass', 'review', 'retry'].flatMap((op) => [
          `${op} recorded`,
          `${op} refused`,
        ]),
        ...KILLS.map((kind) => `killed before ${kind}`),
        'BLOCKED awaiting approval',
        'BLOCKED rejected',
        'BLOCKED lapsed',
        'PROMOTED done',
        'PROMOTED failed',
      ]);
  });
});
