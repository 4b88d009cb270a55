import { expect } from 'chai';
import { interimVerdict } from '../../../src/lib/canary/interim-verdict.js';
import { glanceOf } from '../../../src/lib/judge/glance.js';
import { Judging } from '../../../src/lib/stream/judging.js';
import { drive, driver, errors, FakeClock, type Place, place, scripted, start } from '../canary/harness.js';
import { policy } from '../judge/looks.js';

const own = policy({ targets: { max_error_rate: 0.02 } });

describe('how a canary stands, asked again and again', () => {
  let at: Place;

  beforeEach(async () => {
    at = await place();
  });
  afterEach(() => at.close());

  /** Has the ledger tell how many lines were read of it. */
  const counted = () => {
    let lines = 0;
    const ledger = new Proxy(at.ledger, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name !== 'observationPage') return typeof value === 'function' ? value.bind(target) : value;
        return async (...args: [string, number]) => {
          const page = await target.observationPage(...args);
          lines += page.length;
          return page;
        };
      },
    });
    return { ledger, lines: () => lines };
  };

  it('is what all its observations give, at every check, each of them read once', async () => {
    const clock = new FakeClock();
    const { id } = await start(at.ledger, clock, { policy: own });
    const { ledger, lines } = counted();
    const judging = new Judging(ledger);
    expect(await judging.verdict(id)).to.equal(null);
    let checks = 0;
    const source = scripted(clock, (look) => errors(look > 7 ? 60 : 5, 500));
    await drive({ ...driver({ ledger: at.ledger, clock, source }), clock }, id, async () => {
      // Some at the same time: none of them may count a check twice.
      const [first, second, brief] = await Promise.all([judging.verdict(id), judging.verdict(id), judging.newest(id)]);
      const { canary, verdict } = await interimVerdict(at.ledger, id);
      if (canary.verdict !== null) return;
      expect(first).to.deep.equal(verdict);
      expect(second).to.deep.equal(first);
      expect(brief).to.deep.equal(glanceOf(first!));
      checks = (await at.ledger.observations(id)).length;
      expect(lines()).to.equal(checks);
    });
    expect(checks).to.be.above(5);
  });

  it('is read again where checks were missed, and not said of one that is past', async () => {
    const clock = new FakeClock();
    const { id } = await start(at.ledger, clock, { policy: own });
    const judging = new Judging(at.ledger);
    const source = scripted(clock, () => errors(5, 500));
    const enough = new Error('enough');
    let seen = 0;
    await drive({ ...driver({ ledger: at.ledger, clock, source }), clock }, id, () => {
      if (++seen === 6) throw enough;
    }).catch((error: unknown) => expect(error).to.equal(enough));
    const all = await at.ledger.observations(id);
    expect((await judging.after(id, all[0]!))?.tick ?? null).to.equal(null);
    expect((await judging.after(id, all.at(-1)!))?.tick).to.equal(all.at(-1)!.tick);
    expect(await judging.after(id, all[2]!)).to.equal(null);
  });

  it('is not known of a canary that there is none of, however often one asks', async () => {
    const judging = new Judging(at.ledger);
    for (const _ of [1, 2]) expect(await judging.verdict('c-none')).to.equal(null);
  });
});
