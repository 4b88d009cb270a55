import { expect } from 'chai';
import { WhatIfs } from '../../src/daemon/what-if.js';
import { drive, driver, FakeClock, HEALTHY, place, scripted, start } from '../lib/canary/harness.js';
import { policy } from '../lib/judge/looks.js';

describe('a canary judged again for a caller of the daemon', () => {
  it('is not judged for longer than a call can wait, nor when the daemon stops', async () => {
    const at = await place();
    try {
      const clock = new FakeClock();
      const { id } = await start(at.ledger, clock, { policy: policy({ targets: { max_error_rate: 0.02 } }) });
      await drive({ ...driver({ ledger: at.ledger, clock, source: scripted(clock, () => HEALTHY) }), clock }, id);
      const asked = { canaryId: id, policy: null, set: { max_error_rate: 0.03 }, sweep: null };
      const refused = (whatIfs: WhatIfs) => whatIfs.ask(asked).catch((error: Error) => error);
      const impatient = await refused(new WhatIfs(at.path, new AbortController().signal, 0));
      expect(impatient).to.deep.include({ code: 'STOPPED' });
      expect(impatient)
        .to.have.property('message')
        .that.matches(/took longer than/);
      const stopped = await refused(new WhatIfs(at.path, AbortSignal.abort()));
      expect(stopped).to.deep.include({ code: 'STOPPED' });
      const { wouldBe, sweep } = await new WhatIfs(at.path, new AbortController().signal).ask(asked);
      expect([wouldBe.outcome, sweep]).to.deep.equal(['promote', null]);
    } finally {
      await at.close();
    }
  });
});
