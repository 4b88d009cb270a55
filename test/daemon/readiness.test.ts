import { expect } from 'chai';
import { Readiness } from '../../src/daemon/readiness.js';
import { type Clock, systemClock } from '../../src/lib/clock.js';
import { type Place, place, START } from '../lib/canary/harness.js';

const well = { ok: true, detail: 'well' };

/** Time that is set; what waits, waits as long as ever. */
class SetClock implements Clock {
  time = START;
  now = () => this.time;
  monotonic = () => this.time;
  sleep = systemClock().sleep;
}

describe('readiness', () => {
  let here: Place;
  beforeEach(async () => {
    here = await place();
  });
  afterEach(() => here.close());

  it('is a write that the log does not show, a runner that lives and a source that answers', async () => {
    const { ledger } = here;
    const readiness = new Readiness({
      ledger,
      clock: systemClock(),
      runner: () => well,
      source: async () => well,
    });
    const before = await here.another();
    const version = await before.dataVersion();
    const { ready, checks } = await readiness.check();
    expect([ready, checks.database.ok]).to.deep.equal([true, true]);
    expect(await before.dataVersion(), 'it was written').to.not.equal(version);
    expect(await ledger.size()).to.equal(0);
  });

  it('is not there while one of the three fails, and says why', async () => {
    const { ledger } = here;
    const clock = new SetClock();
    let runner = well;
    let source = async () => well;
    const readiness = new Readiness({ ledger, clock, runner: () => runner, source: () => source() });
    const next = () => {
      clock.time += 2_000;
      return readiness.check();
    };
    runner = { ok: false, detail: 'canaries: disk gone' };
    expect(await next()).to.deep.include({ ready: false });
    runner = well;
    source = async () => {
      throw new Error('no such certificate');
    };
    const { ready, checks } = await next();
    expect([ready, checks.source]).to.deep.equal([false, { ok: false, detail: 'no such certificate' }]);
    source = async () => well;
    expect((await next()).ready).to.equal(true);
    await ledger.close();
    const closed = await next();
    expect([closed.ready, closed.checks.database.ok]).to.deep.equal([false, false]);
    expect(closed.checks.database.detail).to.contain('closed');
  });

  it('is looked at once for all probes of two seconds', async () => {
    const clock = new SetClock();
    let looks = 0;
    const source = async () => {
      looks++;
      return well;
    };
    const readiness = new Readiness({ ledger: here.ledger, clock, runner: () => well, source });
    const probes = Array.from({ length: 50 }, () => readiness.check());
    await Promise.all(probes);
    clock.time += 1_999;
    await readiness.check();
    expect(looks).to.equal(1);
    clock.time += 1;
    await readiness.check();
    expect(looks).to.equal(2);
  });
});
