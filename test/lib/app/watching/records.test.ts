import { expect } from 'chai';
import { canaryEntries } from '../../../../src/lib/app/explanations.js';
import { readRecord, recordsOf } from '../../../../src/lib/app/watching/records.js';
import { Canaries } from '../../../../src/lib/canary/canaries.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { standingOf } from '../../../../src/lib/view/canary.js';
import {
  ACTOR,
  BAD,
  drive,
  driver,
  FakeClock,
  HEALTHY,
  type Place,
  place,
  SILENT,
  scripted,
  start,
} from '../../canary/harness.js';
import { policy } from '../../judge/looks.js';

describe('what is recorded of a canary', () => {
  let at: Place;
  beforeEach(async () => {
    at = await place();
  });
  afterEach(() => at.close());

  const run = async (
    found: typeof HEALTHY,
    between?: (id: string, canaries: Canaries, time: number) => Promise<void>,
  ) => {
    const { ledger } = at;
    const clock = new FakeClock();
    const { id } = await start(ledger, clock, { policy: policy({ targets: { max_error_rate: 0.02 } }) });
    const canaries = new Canaries(ledger, clock);
    const source = scripted(clock, () => found);
    await drive({ ...driver({ ledger, clock, source }), clock }, id, async () => {
      await between?.(id, canaries, clock.time);
    });
    return { id, canaries };
  };
  const same = async (id: string, canaries: Canaries) => {
    const record = await readRecord({ ledger: at.ledger, canaries }, id);
    const { canary, verdict } = standingOf(record)!;
    expect({ canary, verdict }).to.deep.equal(await canaries.now(id));
    return verdict;
  };

  it('says how it stands as the log does: while it is checked, and however it ended', async () => {
    for (const found of [HEALTHY, BAD, SILENT]) {
      const { id, canaries } = await run(found, async (running, all) => void (await same(running, all)));
      expect(await same(id, canaries)).to.not.equal(null);
    }
    let checks = 0;
    const { id, canaries } = await run(HEALTHY, async (running, all) => {
      if (++checks === 4) await all.abort(running, ACTOR, 'enough');
    });
    expect(await same(id, canaries)).to.include({ decision: 'continue' });
  });

  it('is read once: only lines that are new are read again', async () => {
    const { id, canaries } = await run(HEALTHY);
    const asked: number[] = [];
    const counted: Pick<Ledger, 'observationPage'> = {
      observationPage: (canary, after) => {
        asked.push(after);
        return at.ledger.observationPage(canary, after);
      },
    };
    const records = recordsOf(() => counted);
    const entries = await canaryEntries({ ledger: at.ledger, canaries }, id, '9.9.01234567');
    const [first, second] = await Promise.all([records.read(entries), records.read(entries)]);
    expect(second).to.deep.equal(first);
    expect(asked).to.deep.equal([-1]);
    // Another log may have the same id.
    await records.read({ ...entries, position: '9.9.76543210' });
    expect(asked).to.deep.equal([-1, -1]);
  });
});
