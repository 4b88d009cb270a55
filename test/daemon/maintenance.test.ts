import { expect } from 'chai';
import { lastTimeAt, MaintenanceDriver } from '../../src/daemon/maintenance.js';
import type { App } from '../../src/lib/app/app.js';
import { FakeClock, type Place, place } from '../lib/canary/harness.js';
import { finished } from '../lib/ledger/examples.js';

const at = (text: string) => Date.parse(text);
const HOUR_MS = 3_600_000;

describe('nightly maintenance', () => {
  let here: Place;
  beforeEach(async () => {
    here = await place();
  });
  afterEach(() => here.close());

  function driverAt(clock: FakeClock, enabled = true): MaintenanceDriver {
    const database = { maintenance: { enabled, hour: 3 }, retention: { observationDays: 30 } };
    return new MaintenanceDriver({
      clock,
      ledger: here.ledger,
      config: { dbPath: here.path, database },
    } as unknown as App);
  }

  const kinds = async () => (await here.ledger.events()).map(({ kind }) => kind);
  const { signal } = new AbortController();

  it('is due at its hour, the newest one that is not in the future, in UTC', () => {
    expect(lastTimeAt(3, at('2026-11-30T03:00:00Z'))).to.equal(at('2026-11-30T03:00:00Z'));
    expect(lastTimeAt(3, at('2026-11-30T02:59:59.999Z'))).to.equal(at('2026-11-29T03:00:00Z'));
    expect(lastTimeAt(0, at('2026-11-30T12:00:00Z'))).to.equal(at('2026-11-30T00:00:00Z'));
    expect(lastTimeAt(23, at('2026-11-30T12:00:00Z'))).to.equal(at('2026-11-29T23:00:00Z'));
  });

  it('is done once when its hour comes, not before and not again, and not where it is switched off', async () => {
    await here.ledger.commit({ events: [{ ...finished('x'), ts: '2026-03-01T12:00:00.000Z' }] });
    const clock = new FakeClock(at('2026-03-02T02:50:00Z'));
    const [driver, off] = [driverAt(clock), driverAt(clock, false)];
    await driver.run(signal);
    expect(await kinds()).to.deep.equal(['hook.finished']);
    clock.time = at('2026-03-02T03:00:30Z');
    await off.run(signal);
    expect(await kinds()).to.deep.equal(['hook.finished']);
    await driver.run(signal);
    await driver.run(signal);
    const [, done, ...more] = await here.ledger.events();
    expect(more).to.deep.equal([]);
    expect(done).to.deep.include({ kind: 'maintenance.finished', subject: 'database' });
    expect(done?.data).to.deep.include({ by: { who: 'lukhas', how: 'lukhas' }, canaries: 0 });
  });

  it('is made up for by a daemon that never runs at that hour, once it has run for a while', async () => {
    await here.ledger.commit({ events: [{ ...finished('x'), ts: '2026-03-01T12:00:00.000Z' }] });
    const clock = new FakeClock(at('2026-03-04T09:00:00Z'));
    const driver = driverAt(clock);
    await driver.run(signal);
    expect(await kinds()).to.have.length(1);
    clock.time += HOUR_MS;
    await driver.run(signal);
    expect(await kinds()).to.deep.equal(['hook.finished', 'maintenance.finished']);
  });

  it('is left to another process that is doing it', async () => {
    await here.ledger.commit({ events: [{ ...finished('x'), ts: '2026-03-01T12:00:00.000Z' }] });
    const clock = new FakeClock(at('2026-03-02T02:50:00Z'));
    const driver = driverAt(clock);
    clock.time = at('2026-03-02T03:00:30Z');
    await here.ledger.acquireLease('maintenance', 'another', Date.now(), 600_000);
    await driver.run(signal);
    expect(await kinds()).to.deep.equal(['hook.finished']);
  });
});
