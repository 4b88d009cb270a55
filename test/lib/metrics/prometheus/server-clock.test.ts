import { expect } from 'chai';
import { Looked, NOTHING, T } from './given.js';

const SIGNALS = {
  ...NOTHING,
  requests: 'requests_total',
  errors: { count: 'failed_total', absent: 'no_data' as const },
};
const PLACE = { job: 'a', instance: 'b', version: 'v2' };

describe('a Prometheus whose clock differs from this one', () => {
  let looked: Looked;
  beforeEach(async () => {
    looked = await Looked.start();
  });
  afterEach(() => looked.stop());

  /** A look at this second of our clock, at which Prometheus has `ahead` more; its newest sample is `age` seconds old. */
  async function look(second: number, ahead: number, age = 1) {
    looked.add('requests_total', PLACE, [second + ahead - age, 500 + 10 * second]);
    looked.add('failed_total', PLACE, [second + ahead - age, 0]);
    looked.stub.date = T + second + ahead;
    for (const { values } of looked.stub.series) values.sort(([a], [b]) => a - b);
    return looked.look(looked.last, second);
  }

  for (const ahead of [-300, 300])
    it(`by ${ahead} s is read as if they agreed, and a note says so`, async () => {
      looked.open({ signals: SIGNALS });
      const all = [await look(1, ahead), await look(11, ahead), await look(21, ahead)];
      expect(all.map(({ canary }) => canary.errors?.state)).to.deep.equal(['first', 'ok', 'ok']);
      const which = ahead > 0 ? 'ahead of' : 'behind';
      // It tells whole seconds.
      expect(all[2]!.notes?.join()).to.match(
        new RegExp(`^clock skew: the clock of Prometheus is (299|300|301) s ${which} this one$`),
      );
    });

  it('has stale samples all the same', async () => {
    looked.open({ signals: SIGNALS });
    for (const ahead of [-300, 0, 300])
      expect((await look(1, ahead, 70)).canary.errors, String(ahead)).to.include({ state: 'stale' });
  });

  it('by less than an answer may take says nothing', async () => {
    looked.open({ signals: SIGNALS });
    expect((await look(1, 8)).notes).to.equal(undefined);
  });

  it('is asked for as long a time as nobody looked', async () => {
    looked.open({ signals: SIGNALS });
    await look(1, 300);
    await look(201, 300);
    expect(looked.stub.queries.at(-1)).to.match(/\[240s\]$/);
  });
});
