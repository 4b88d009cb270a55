import Database from 'better-sqlite3';
import { expect } from 'chai';
import { keepLease, takeLease } from '../../../src/lib/ledger/lease.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { type Place, place } from '../canary/harness.js';
import { deadHolder } from './holders.js';
import { TwoClocks } from './two-clocks.js';

const TTL_MS = 10_000;
const LEASE = 'c-1';

describe('a lease', () => {
  let here: Place;
  let other: Ledger;
  beforeEach(async () => {
    here = await place();
    other = await here.another();
  });
  afterEach(() => here.close());

  const taken = async (ledger: Ledger, holder: string, clock: TwoClocks) =>
    (await takeLease(ledger, LEASE, holder, clock, TTL_MS)) === null;
  const lost = (work: Promise<void>) =>
    work.then(
      () => false,
      (error: unknown) => (error as { code?: string }).code === 'LEDGER_CONFLICT',
    );

  for (const step of [600_000, -600_000, 86_400_000])
    it(`is not lost when the wall clock is set by ${step / 1000} s, and lapses when its time is over all the same`, async () => {
      const holder = new TwoClocks('boot');
      const asker = new TwoClocks('boot', holder.wall + step);
      expect(await taken(here.ledger, 'a', holder)).to.equal(true);
      for (const clock of [holder, asker]) clock.pass(TTL_MS - 1);
      expect(await taken(other, 'b', asker)).to.equal(false);
      asker.pass(1);
      expect(await taken(other, 'b', asker)).to.equal(true);
    });

  it('counts no time in which the machine was suspended', async () => {
    const clock = new TwoClocks('boot');
    expect(await taken(here.ledger, 'a', clock)).to.equal(true);
    clock.wall += 3_600_000;
    expect(await taken(other, 'b', clock)).to.equal(false);
    clock.pass(TTL_MS);
    expect(await taken(other, 'b', clock)).to.equal(true);
  });

  for (const [what, clockId, mono] of [
    ['another boot', 'other boot', 5],
    ['a boot that is not known', null, 1e9],
    ['the same boot, put back to an earlier state', 'boot', -1e9],
  ] as const)
    it(`is taken in ${what} when its whole length was seen to pass without a renewal, whatever wall clocks say`, async () => {
      const holder = new TwoClocks('boot');
      const asker = new TwoClocks(clockId, holder.wall + 86_400_000, mono);
      expect(await taken(here.ledger, 'a', holder)).to.equal(true);
      expect(await taken(other, 'b', asker)).to.equal(false);
      for (const clock of [holder, asker]) clock.pass(TTL_MS - 1);
      expect(await taken(other, 'b', asker)).to.equal(false);
      await keepLease(here.ledger, LEASE, 'a', holder, TTL_MS);
      asker.pass(1);
      expect(await taken(other, 'b', asker), 'renewed in between').to.equal(false);
      asker.pass(TTL_MS - 1);
      expect(await taken(other, 'b', asker)).to.equal(false);
      asker.pass(1);
      expect(await taken(other, 'b', asker)).to.equal(true);
    });

  it('is not taken for unrenewed because who asks was stopped between reading its clock and the lease', async () => {
    const holder = new TwoClocks('boot');
    const asker = new TwoClocks('other boot');
    expect(await taken(here.ledger, 'a', holder)).to.equal(true);
    // Each second reading of the clock comes a day later.
    let readings = 0;
    const slow = {
      ...asker,
      now: () => asker.now(),
      sleep: asker.sleep,
      monotonic: () => asker.mono + 86_400_000 * (readings++ % 2),
    };
    expect(await other.acquireLease(LEASE, 'b', slow, TTL_MS)).to.equal(false);
    asker.pass(86_400_000);
    await keepLease(here.ledger, LEASE, 'a', holder, TTL_MS);
    expect(await other.acquireLease(LEASE, 'b', asker, TTL_MS)).to.equal(false);
  });

  it('that was taken and given back meanwhile is not renewed, and nothing is committed under it', async () => {
    const clock = new TwoClocks('boot');
    await takeLease(here.ledger, LEASE, 'a', clock, TTL_MS);
    clock.pass(TTL_MS);
    expect(await taken(other, 'b', clock)).to.equal(true);
    expect(await lost(keepLease(here.ledger, LEASE, 'a', clock, TTL_MS)), 'while the other has it').to.equal(true);
    await here.ledger.releaseLease(LEASE, 'a');
    expect(await here.ledger.lease(LEASE)).to.have.property('holder', 'b');
    await other.releaseLease(LEASE, 'b');
    expect(await lost(keepLease(here.ledger, LEASE, 'a', clock, TTL_MS)), 'after it').to.equal(true);
    const commit = here.ledger.commit({ expect: [{ lease: LEASE, holder: 'a' }] });
    expect(await lost(commit.then(() => undefined))).to.equal(true);
    expect(await here.ledger.lease(LEASE)).to.equal(null);
  });

  it('that has lapsed is renewed as long as nobody has taken it', async () => {
    const clock = new TwoClocks('boot');
    await takeLease(here.ledger, LEASE, 'a', clock, TTL_MS);
    clock.pass(5 * TTL_MS);
    expect(await lost(keepLease(here.ledger, LEASE, 'a', clock, TTL_MS))).to.equal(false);
    expect(await taken(other, 'b', clock)).to.equal(false);
  });

  it('of a dead process is taken from that process alone', async () => {
    const clock = new TwoClocks('boot');
    const dead = deadHolder();
    await here.ledger.acquireLease(LEASE, dead, clock, TTL_MS);
    expect(await taken(other, 'b', clock)).to.equal(true);
    // Who has seen the dead one, and comes too late.
    expect(await here.ledger.acquireLease(LEASE, 'c', clock, TTL_MS, dead)).to.equal(false);
    expect(await here.ledger.lease(LEASE)).to.have.property('holder', 'b');
  });

  it('that a version without terms has taken or renewed meanwhile lasts by the wall clock', async () => {
    const clock = new TwoClocks('boot');
    await takeLease(here.ledger, LEASE, 'a', clock, TTL_MS);
    const old = new Database(here.path);
    old.prepare('UPDATE leases SET expires_at = ? WHERE subject = ?').run(clock.wall + 60_000, LEASE);
    old.close();
    clock.pass(59_999);
    expect(await taken(other, 'b', clock)).to.equal(false);
    clock.pass(1);
    expect(await taken(other, 'b', clock)).to.equal(true);
  });
});
