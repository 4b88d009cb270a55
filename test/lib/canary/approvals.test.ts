import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { exitOf } from '../../../src/lib/app/canary-json.js';
import { Approvals } from '../../../src/lib/canary/approvals.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { Runner } from '../../../src/lib/canary/runner.js';
import { systemClock } from '../../../src/lib/clock.js';
import { LukhasError } from '../../../src/lib/errors.js';
import { eligibilityOf } from '../../../src/lib/gates/eligibility.js';
import { ProvenIndex } from '../../../src/lib/gates/proven-index.js';
import { gateHistory, holderOf, setGate } from '../../../src/lib/gates/registry.js';
import { withoutLaterKeys } from '../../../src/lib/judge/index.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { Actor } from '../../../src/lib/ledger/events.js';
import { LogFollower } from '../../../src/lib/ledger/follower.js';
import type { Unit } from '../../../src/lib/ledger/ledger.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import { foldCanary } from '../../../src/lib/readings/canary.js';
import { policy } from '../judge/looks.js';
import { refusal } from '../refusal.js';
import {
  ACTOR,
  BAD,
  drive,
  driver,
  FakeClock,
  HEALTHY,
  NO_HOOKS,
  type Place,
  place,
  SILENT,
  scripted,
  start,
} from './harness.js';

const os = (who: string): Actor => ({ who, how: 'os-user' });
const BO = os('bo');
const CY = os('cy');
const PLAIN = { targets: { max_error_rate: 0.02 }, windowSeconds: 20, noDataSeconds: 10 };
const EMERGENCY = 'v1 refuses every payment, this mends it';

describe('approvals', () => {
  let here: Place;
  let clock: FakeClock;
  let approvals: Approvals;
  let canaries: Canaries;
  beforeEach(async () => {
    here = await place();
    clock = new FakeClock();
    approvals = new Approvals(here.ledger, clock);
    canaries = new Canaries(here.ledger, clock);
  });
  afterEach(() => here.close());

  let drivers = 0;
  const context = (look = HEALTHY, ledger = here.ledger) => ({
    ...driver({ ledger, clock, source: scripted(clock, () => look), holder: `here:1:${++drivers}` }),
    clock,
  });

  async function decided(rule: object = { required: 1 }, more: { dryRun?: boolean; look?: typeof HEALTHY } = {}) {
    const { look = HEALTHY, dryRun = false } = more;
    const { id } = await start(here.ledger, clock, { policy: policy({ ...PLAIN, approvals: rule }), dryRun });
    return drive(context(look), id);
  }
  const gateBy = (modelId: string) =>
    setGate(here.ledger, {
      gate: 'production',
      modelId,
      canaryId: null,
      by: CY,
      ts: new Date(clock.time).toISOString(),
    });

  it('leave policies that ask for none as they were, to the byte', () => {
    const plain = policy(PLAIN);
    expect(plain).not.to.have.property('approvals');
    const before = withoutLaterKeys(plain, new Set());
    expect(createHash('sha256').update(canonicalJson(before, 'policy')).digest('hex')).to.equal(
      '07ab9682efd6df76a27ca57a7cd38dda28f4ae03eb6d479a39aedd145053f2eb',
    );
    expect(policy({ ...PLAIN, approvals: { required: 2 } }).approvals).to.deep.equal({
      required: 2,
      not: 'requester',
      expiresAfter: '24h',
    });
    const bad = [
      { required: 0 },
      { required: 1.5 },
      {},
      { required: 1, not: 'me' },
      { required: 1, expiresAfter: '0h' },
    ];
    const half = policy({ ...PLAIN, approvals: { required: 1, expiresAfter: '1h30m' } });
    expect(half.approvals).to.include({ expiresAfter: '1h30m' });
    for (const rule of [...bad, { required: 1, expiresAfter: '31d' }, { required: 1, expiresAfter: 'soon' }])
      expect(() => policy({ ...PLAIN, approvals: rule }), JSON.stringify(rule)).to.throw(LukhasError, /approvals/);
  });

  it('do not change what the judge says', async () => {
    const { id, verdict, startedAt } = await decided();
    const seen = await here.ledger.observations(id);
    expect(judge(policy(PLAIN), startedAt!, seen)).to.deep.equal(verdict);
  });

  it('have a promotion wait: BLOCKED, exit code 4, the gate untouched, nothing left for a driver to do', async () => {
    await gateBy('fraud-v1');
    const canary = await decided({ required: 2 });
    expect(canary.state).to.equal('BLOCKED');
    expect(canary.verdict?.decision).to.equal('promote');
    expect(canary.action).to.include({ kind: 'promote', state: 'awaiting approval' });
    expect(exitOf(canary)).to.equal(4);
    expect(await holderOf(here.ledger, 'production')).to.equal('fraud-v1');
    const [head] = await here.ledger.summaries({ type: 'canary' });
    expect(head).to.include({ state: 'BLOCKED', open: false });
  });

  it('keep no rollback and no dry run waiting', async () => {
    expect((await decided({ required: 2 }, { look: BAD })).action).to.include({ kind: 'rollback', state: 'done' });
    const dry = await decided({ required: 2 }, { dryRun: true });
    expect([dry.state, dry.action.state]).to.deep.equal(['PROMOTED', 'none']);
    expect((await refusal(approvals.approve(dry.id, BO, 'ok'))).code).to.equal('ILLEGAL_TRANSITION');
  });

  it('have it carried out by the last that is needed, each by another person who did not ask for it', async () => {
    const { id } = await decided({ required: 2 });
    expect((await refusal(approvals.approve(id, ACTOR, 'mine'))).code).to.equal('APPROVAL_REFUSED');
    const sudo = os('ana (sudo)');
    expect((await refusal(approvals.approve(id, sudo, 'mine'))).message).to.contain('requested the promotion');
    const anybody: Actor = { who: 'bo', how: 'loopback' };
    expect((await refusal(approvals.approve(id, anybody, 'x'))).message).to.contain('does not identify a person');
    expect((await approvals.approve(id, BO, ' fine ')).state).to.equal('BLOCKED');
    expect((await refusal(approvals.approve(id, BO, 'again'))).message).to.contain('has already approved');
    expect(await approvals.outlook(id)).to.include({ given: 1, required: 2, holder: null, expired: false });
    const { uncheckedSeconds } = (await approvals.outlook(id))!;
    clock.time += 15_000;
    // Nobody looks while it waits, and whoever approves it is told for how long.
    expect(await approvals.outlook(id)).to.include({ uncheckedSeconds: uncheckedSeconds + 15 });
    expect((await approvals.approve(id, CY, 'fine')).state).to.equal('PROMOTED');
    const done = await drive(context(), id);
    expect(done.action.state).to.equal('done');
    expect(done.consent.approvals.map(({ by, reason }) => [by.who, reason])).to.deep.equal([
      ['bo', 'fine'],
      ['cy', 'fine'],
    ]);
    expect(await holderOf(here.ledger, 'production')).to.equal('fraud-v2');
    expect((await refusal(approvals.approve(id, os('dan'), 'late'))).code).to.equal('ILLEGAL_TRANSITION');
  });

  it('given in another process have a running driver of all canaries carry it out', async () => {
    const real = systemClock();
    clock.time = real.now();
    const { id } = await decided();
    const source = scripted(real, () => HEALTHY);
    const ledger = await here.another();
    const [follower, openSource] = [new LogFollower(ledger, real), async () => source];
    const runner = new Runner({ ledger, follower, clock: real, hooks: NO_HOOKS, env: {}, openSource });
    const stop = new AbortController();
    const driving = runner.driveAll(stop.signal);
    try {
      await new Approvals(here.ledger, real).approve(id, BO, 'ok');
      while ((await canaries.get(id)).action.state !== 'done') await real.sleep(50);
    } finally {
      stop.abort();
      await driving;
    }
    expect(await holderOf(here.ledger, 'production')).to.equal('fraud-v2');
  });

  it('are counted one by one when they come at once, from other processes', async () => {
    const { id } = await decided({ required: 3 });
    const all = await Promise.all(
      ['bo', 'cy', 'dan'].map(async (who) => new Approvals(await here.another(), clock).approve(id, os(who), 'ok')),
    );
    expect(all.filter(({ state }) => state === 'PROMOTED')).to.have.length(1);
    const events = await here.ledger.events({ subject: id, kinds: ['canary.approved'] });
    expect(events.map((e) => e.kind === 'canary.approved' && e.data.count)).to.deep.equal([1, 2, 3]);
  });

  it('lapse with the gate they were given for, also when its holder comes back', async () => {
    await gateBy('fraud-v1');
    const { id } = await decided({ required: 2 });
    await approvals.approve(id, BO, 'better than v1');
    const before = await approvals.outlook(id);
    await gateBy('fraud-v3');
    await gateBy('fraud-v1');
    const after = await approvals.outlook(id);
    expect([before?.given, after?.given, after?.holder]).to.deep.equal([1, 0, 'fraud-v1']);
    expect(after?.digest).not.to.equal(before?.digest);
    expect((await refusal(approvals.approve(id, CY, 'ok', before?.digest.slice(0, 7)))).code).to.equal('USAGE');
    const meant = await refusal(approvals.approve(id, CY, 'ok', before?.digest.slice(0, 12)));
    expect(meant.message).to.contain('has changed');
    expect((await approvals.approve(id, CY, 'ok', after?.digest.slice(0, 12))).state).to.equal('BLOCKED');
    expect((await approvals.approve(id, BO, 'again')).state).to.equal('PROMOTED');
  });

  it('lapse when the time runs out, before or after they are complete', async () => {
    const early = await decided({ required: 1, expiresAfter: '2h' });
    await approvals.approve(early.id, BO, 'ok');
    const late = await decided({ required: 1, expiresAfter: '2h' });
    clock.time += 2 * 3_600_000;
    expect((await refusal(approvals.approve(late.id, BO, 'ok'))).message).to.contain('expired at');
    expect((await approvals.outlook(late.id))?.expired).to.equal(true);
    const canary = await drive(context(), early.id);
    expect([canary.state, canary.action.state]).to.deep.equal(['BLOCKED', 'lapsed']);
    expect(await gateHistory(here.ledger, 'production')).to.deep.equal([]);
    expect((await refusal(approvals.approve(early.id, CY, 'ok'))).code).to.equal('ILLEGAL_TRANSITION');
  });

  it('hold after a crash between the gate and its record, when the time has run out and others have passed since', async () => {
    const { id } = await decided();
    await approvals.approve(id, BO, 'ok');
    const crash = new Error('killed');
    const dying = new Proxy(here.ledger, {
      get: (target, name) => {
        if (name === 'commit')
          return (unit: Unit) =>
            unit.events?.some((e) => e.kind === 'canary.acted') ? Promise.reject(crash) : target.commit(unit);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const killed = await drive(context(HEALTHY, dying), id).catch((error: unknown) => error);
    expect(killed).to.equal(crash);
    expect(await holderOf(here.ledger, 'production')).to.equal('fraud-v2');
    await gateBy('fraud-v3');
    clock.time += 48 * 3_600_000;
    expect((await drive(context(), id)).action.state).to.equal('done');
    expect(await holderOf(here.ledger, 'production')).to.equal('fraud-v3');
  });

  it('lapse for good when others have passed after a crash between the hooks and the gate', async () => {
    const { id } = await decided();
    await approvals.approve(id, BO, 'ok');
    const exec = { command: [process.execPath, '-e', ''] as [string, ...string[]], timeoutSeconds: 10, env: {} };
    const hooks = { promote: [{ name: 'deploy', exec }], rollback: [] };
    const crash = new Error('killed');
    const dying = new Proxy(here.ledger, {
      get: (target, name) => {
        if (name === 'commit')
          return (unit: Unit) =>
            unit.events?.some((e) => e.kind === 'gate.changed') ? Promise.reject(crash) : target.commit(unit);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    expect(await drive({ ...context(HEALTHY, dying), hooks }, id).catch((error: unknown) => error)).to.equal(crash);
    await gateBy('fraud-v3');
    const canary = await drive({ ...context(), hooks }, id);
    expect([canary.state, canary.action.state]).to.deep.equal(['BLOCKED', 'lapsed']);
    expect(canary.consent.lapsed).to.include({ cause: 'gate', begun: true });
    expect(await holderOf(here.ledger, 'production')).to.equal('fraud-v3');
  });

  it('end with a rejection, which whoever asked for it may give too', async () => {
    const { id } = await decided();
    expect((await refusal(approvals.reject(id, BO, '  '))).code).to.equal('USAGE');
    const canary = await approvals.reject(id, ACTOR, 'found a fault');
    expect([canary.state, canary.action.state]).to.deep.equal(['BLOCKED', 'rejected']);
    expect(canary.consent.rejected).to.deep.include({ by: ACTOR, reason: 'found a fault' });
    for (const attempt of [approvals.approve(id, BO, 'ok'), canaries.override(id, BO, 'ok'), canaries.retry(id, BO)])
      expect((await refusal(attempt)).code).to.equal('ILLEGAL_TRANSITION');
    expect(exitOf(canary)).to.equal(4);
  });

  it('are needed for an override too, from others than who overrides', async () => {
    const { id } = await decided({ required: 1 }, { look: SILENT });
    expect((await refusal(approvals.approve(id, BO, 'ok'))).code).to.equal('ILLEGAL_TRANSITION');
    const asked = await canaries.override(id, BO, 'known fault of the probe');
    expect([asked.state, asked.action.state]).to.deep.equal(['BLOCKED', 'awaiting approval']);
    expect((await refusal(canaries.override(id, CY, 'me too'))).code).to.equal('ILLEGAL_TRANSITION');
    for (const by of [ACTOR, BO])
      expect((await refusal(approvals.approve(id, by, 'ok'))).code).to.equal('APPROVAL_REFUSED');
    await approvals.approve(id, CY, 'checked');
    await drive(context(), id);
    const [change] = await gateHistory(here.ledger, 'production');
    expect(change).to.deep.include({ modelId: 'fraud-v2', canaryId: id, by: BO });
  });

  it('cannot be gone around by a promotion on the evidence, whether it awaits them, has them, or was a dry run', async () => {
    const outlook = () => eligibilityOf(new ProvenIndex(here.ledger), 'fraud-v2', 'production', false);
    const { id } = await decided();
    expect((await outlook()).kind).to.equal('refused');
    await approvals.approve(id, BO, 'ok');
    await drive(context(), id);
    await gateBy('fraud-v3');
    const after = await outlook();
    expect(after.kind === 'refused' && after.error.message).to.contain('requires approvals');
    await decided({ required: 1 }, { dryRun: true });
    expect((await outlook()).kind).to.equal('refused');
  });

  describe('with break-glass', () => {
    it('are done without, once, with a reason of 20 characters, and reviewed by another person', async () => {
      const { id } = await decided({ required: 2 });
      const other = await decided({ required: 2 }, { look: SILENT });
      for (const reason of ['it is so urgent now', 'a'.repeat(40), 'asdf '.repeat(8), '.'.repeat(20)])
        expect((await refusal(approvals.breakGlass(id, ACTOR, reason))).code, reason).to.equal('USAGE');
      const forced = await approvals.breakGlass(id, ACTOR, EMERGENCY);
      expect(forced.state).to.equal('PROMOTED');
      expect((await drive(context(), id)).action.state).to.equal('done');
      await approvals.breakGlass(other.id, BO, EMERGENCY);
      expect((await refusal(approvals.breakGlass(id, BO, EMERGENCY))).code).to.equal('ILLEGAL_TRANSITION');
      const due = clock.time + 24 * 3_600_000;
      expect(forced.consent.breakGlass).to.deep.include({
        by: ACTOR,
        reason: EMERGENCY,
        reviewDueAt: due,
        review: null,
      });
      expect((await refusal(approvals.review(id, os('ana (sudo)'), 'fine'))).code).to.equal('APPROVAL_REFUSED');
      const marks = async () =>
        new Map((await here.ledger.summaries({ type: 'canary' })).map((h) => [h.subject, h.data['breakGlass']]));
      expect((await marks()).get(id)).to.equal('not reviewed');
      clock.time = due + 1;
      await approvals.review(id, CY, 'it was needed');
      expect((await marks()).get(id)).to.equal('reviewed');
      expect((await marks()).get(other.id)).to.equal('not reviewed');
      expect((await refusal(approvals.review(id, BO, 'again'))).code).to.equal('ILLEGAL_TRANSITION');
    });

    it('are not asked for where there is no glass: the policy wants none, or nothing is BLOCKED', async () => {
      const { id } = await start(here.ledger, clock, { policy: policy(PLAIN) });
      await drive(context(SILENT), id);
      expect((await refusal(approvals.breakGlass(id, BO, EMERGENCY))).code).to.equal('USAGE');
      const bad = await decided({ required: 1 }, { look: BAD });
      expect((await refusal(approvals.breakGlass(bad.id, BO, EMERGENCY))).code).to.equal('ILLEGAL_TRANSITION');
      expect((await refusal(approvals.review(bad.id, BO, 'x'))).code).to.equal('ILLEGAL_TRANSITION');
    });

    it('are not needed when the gate changes and time passes before it is carried out', async () => {
      const { id } = await decided({ required: 2 });
      await approvals.breakGlass(id, ACTOR, EMERGENCY);
      await gateBy('fraud-v3');
      clock.time += 48 * 3_600_000;
      expect((await drive(context(), id)).action.state).to.equal('done');
      expect(await holderOf(here.ledger, 'production')).to.equal('fraud-v2');
    });
  });

  it('are not believed when the log states another number than it holds', async () => {
    const { id } = await decided({ required: 2 });
    await approvals.approve(id, BO, 'ok');
    const events = await here.ledger.events({ subject: id });
    const last = events.at(-1)!;
    if (last.kind !== 'canary.approved') return expect.fail(last.kind);
    const twice = { ...last, seq: last.seq + 1, data: { ...last.data, count: 2 } };
    expect(() => foldCanary([...events, twice])).to.throw(LukhasError, /states 2 of 2 approvals .* has 1 of 2/);
  });
});
