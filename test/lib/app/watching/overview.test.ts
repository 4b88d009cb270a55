import { expect } from 'chai';
import { readOverview, readRows } from '../../../../src/lib/app/watching/overview.js';
import { Canaries } from '../../../../src/lib/canary/canaries.js';
import { Judging } from '../../../../src/lib/stream/judging.js';
import { Teller } from '../../../../src/lib/stream/teller.js';
import { ACTOR, FakeClock, type Place, place, start } from '../../canary/harness.js';
import { policy } from '../../judge/looks.js';
import { Unguarded } from '../../ledger/sqlite/unguarded.js';

describe('lists of a log in which an entry is damaged', () => {
  let at: Place;
  beforeEach(async () => {
    at = await place();
  });
  afterEach(() => at.close());

  it('show all the rest, and say what to do', async () => {
    const clock = new FakeClock();
    const rules = policy({ targets: { max_error_rate: 0.02 } });
    const broken = (await start(at.ledger, clock, { policy: rules })).id;
    const whole = (await start(at.ledger, clock, { policy: rules, modelId: 'fraud-v3' })).id;
    await new Canaries(at.ledger, clock).abort(broken, ACTOR, 'enough');
    const file = new Unguarded(at.path);
    file.db.prepare("UPDATE events SET body = '{' WHERE subject = ? AND kind = 'canary.aborted'").run(broken);
    file.close();
    const source = { ledger: at.ledger, judging: new Judging(at.ledger) };
    const lists = await readOverview({ ...source, teller: new Teller(at.ledger) });
    expect(lists.canaries.map(({ id }) => id)).to.deep.equal([whole]);
    expect(lists.warning).to.include('lukhas verify');
    expect([...(await readRows(source, [broken, whole])).keys()]).to.deep.equal([whole]);
  });
});
