import { expect } from 'chai';
import { howToGoOn } from '../../src/cli/follow.js';
import type { CanaryState } from '../../src/lib/ledger/index.js';
import type { Canary } from '../../src/lib/readings/index.js';

describe('who stops watching a canary', () => {
  const told = (state: CanaryState) => howToGoOn({ id: 'c-1', state } as Canary);

  it('can resume or stop it while it is open', () => {
    expect(told('RUNNING')).to.equal(
      'lukhas: stopped watching c-1; it is still RUNNING\n' +
        '  resume: lukhas canary resume c-1\n' +
        '  stop it: lukhas canary abort c-1 --reason "..."',
    );
  });

  it('is not told to stop one that is decided: its hooks are left', () => {
    expect(told('ROLLED_BACK')).to.equal(
      'lukhas: stopped watching c-1; it is ROLLED_BACK, but its hooks have not all run\n' +
        '  resume: lukhas canary resume c-1',
    );
  });
});
