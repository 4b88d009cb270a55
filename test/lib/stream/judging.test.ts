import { expect } from 'chai';
import { interimVerdict } from '../../../src/lib/canary/interim-verdict.js';
import { Standings } from '../../../src/lib/canary/standings.js';
import { policy } from '../judge/looks.js';
import { drive, driver, errors, FakeClock, type Place, place, scripted, start } from './harness.js';

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
    const standings = new Standings(ledger);
    expect((await standings.now(id)).verdict).to.equal(null);
    let checks = 0;
    const source = scripted(clock, (look) => errors(look > 7 ? 60 : 5, 500));
    const ended = await drive({ ...driver({ ledger: at.ledger, clock, source }), clock }, id, async () => {
      // Some at the same time: none of them may count a check twice.
      const [first, second] = await Promise.all([standings.now(id), standings.now(id)]);
      const { canary, verdict } = await interimVerdict(at.ledger, id);
      expect(first).to.deep.equal({ canary, verdict });
      expect(second).to.deep.equal(first);
      // One that is decided is not judged any more.
      if (canary.verdict !== null) return;
      checks = (await at.ledger.observations(id)).length;
      expect(lines()).to.equal(checks);
    });
    expect(checks).to.be.above(5);
    expect(await standings.now(id)).to.deep.equal({ canary: ended, verdict: ended.verdict });
  });

  it('is forgotten of those that nobody asked for the longest, and then judged anew', async () => {
    const clock = new FakeClock();
    const standings = new Standings(at.ledger);
    const source = scripted(clock, () => errors(5, 500));
    const ids: string[] = [];
    for (let n = 0; n < 70; n++) {
      const { id } = await start(at.ledger, clock, { policy: own });
      const enough = new Error('enough');
      let seen = 0;
      await drive({ ...driver({ ledger: at.ledger, clock, source }), clock }, id, () => {
        if (++seen === 3) throw enough;
      }).catch((error: unknown) => expect(error).to.equal(enough));
      ids.push(id);
    }
    for (const round of [1, 2])
      for (const id of ids)
        expect(await standings.now(id), `round ${round}`).to.deep.equal(await interimVerdict(at.ledger, id));
  });

  it('is refused of a canary that there is none of', async () => {
    const standings = new Standings(at.ledger);
    for (const _ of [1, 2])
      expect(await standings.now('c-none').catch((error: Error) => error)).to.deep.include({ code: 'NOT_FOUND' });
  });
});
