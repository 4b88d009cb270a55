import { expect } from 'chai';
import { advance } from '../../../src/lib/canary/advance.js';
import type { LukhasError } from '../../../src/lib/errors.js';
import type { MetricSource } from '../../../src/lib/metrics/source.js';
import { policy } from '../judge/looks.js';
import { Unguarded } from '../ledger/sqlite/unguarded.js';
import { drive, driver, FakeClock, HEALTHY, type Place, place, scripted, start } from './harness.js';

const P = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 60, intervalSeconds: 5 });

describe('a canary whose stored counters are lost while no process drives it', () => {
  let here: Place;
  let clock: FakeClock;
  let db: Unguarded;
  beforeEach(async () => {
    here = await place();
    clock = new FakeClock();
    db = new Unguarded(here.path);
  });
  afterEach(async () => {
    db.close();
    await here.close();
  });

  /** Looks three times, then dies. @returns the canary's id */
  async function watched(source: MetricSource): Promise<string> {
    const { id } = await start(here.ledger, clock, { policy: P });
    const first = driver({ ledger: here.ledger, clock, source, holder: 'here:1:1' });
    for (let look = 0; look < 3; look++) clock.time = Math.max(clock.time, (await advance(first, id)) ?? 0);
    clock.time += 600_000;
    return id;
  }
  const next = (source: MetricSource) => ({
    ...driver({ ledger: here.ledger, clock, source, holder: 'here:1:2' }),
    clock,
  });
  const notes = async (id: string) => (await here.ledger.observations(id)).map((one) => one.notes?.join() ?? '');

  it('says so in the check that counts anew', async () => {
    const source = scripted(clock, () => HEALTHY);
    const id = await watched(source);
    db.db.exec('DELETE FROM cursors');
    await drive(next(source), id);
    const told = await notes(id);
    expect(told.filter((note) => note.includes('no stored counters'))).to.have.length(1);
    expect(told[3]).to.include('counts since the last check are left out');
  });

  it('says nothing where they are there, or where nothing had been counted', async () => {
    const source = scripted(clock, () => HEALTHY);
    expect((await notes(await watched(source))).join('')).to.equal('');
    const silent: MetricSource = {
      ...source,
      read: async () => {
        const t = clock.now();
        const errors = { state: 'unreachable' as const };
        return { observation: { v: 1, t, from: t, canary: { errors } }, cursor: null };
      },
    };
    const id = await watched(silent);
    await drive(next(silent), id);
    expect((await notes(id)).join('')).to.equal('');
  });

  it('gives what is damaged to the source as it is', async () => {
    const seen: unknown[] = [];
    const source = scripted(clock, () => HEALTHY);
    const noting: MetricSource = {
      ...source,
      read: (request) => {
        seen.push(request.cursor);
        return source.read({ ...request, cursor: typeof request.cursor === 'string' ? null : request.cursor });
      },
    };
    const id = await watched(noting);
    db.db.exec(`UPDATE cursors SET body = '{"look'`);
    await drive(next(noting), id);
    expect(seen[3]).to.equal('{"look');
  });

  it('does not read an input again from its beginning', async () => {
    let tick = 0;
    const input: MetricSource = {
      ...scripted(clock, () => HEALTHY),
      pace: 'input',
      read: async () => {
        const t = clock.now();
        return { observation: { v: 1, tick, t, from: t - 5000, ...HEALTHY }, cursor: { line: ++tick } };
      },
    };
    const id = await watched(input);
    db.db.exec('DELETE FROM cursors');
    const error = (await drive(next(input), id).catch((refused: unknown) => refused)) as LukhasError;
    expect(error).to.include({ code: 'LEDGER_CORRUPT' });
    expect(error.message).to.equal(`the stored place of canary ${id} in its observations is missing`);
    expect(await here.ledger.observations(id)).to.have.length(3);
  });
});
