import { expect } from 'chai';
import { howToGoOn } from '../../src/cli/follow.js';
import type { CanaryState } from '../../src/lib/ledger/index.js';
import type { Canary } from '../../src/lib/readings/index.js';

describe('who stops watching a canary', () => {
  const told = (state: CanaryState, kind = 'scrape') =>
    howToGoOn({ id: 'c-1', state, source: { kind } } as unknown as Canary);

  it('can resume or stop it while it is open', () => {
    expect(told('RUNNING')).to.equal(
      'lukhas: stopped watching c-1; it is still RUNNING, but not checked or decided until it is continued\n' +
        '  continue: lukhas canary resume c-1\n' +
        '  a running `lukhas serve` on the same database continues it by itself\n' +
        '  stop it: lukhas canary abort c-1 --reason "..."',
    );
  });

  it('is not told of a daemon that continues one whose input a command reads', () => {
    expect(told('RUNNING', 'ndjson')).not.to.contain('lukhas serve');
  });

  it('is not told to stop one that is decided: its hooks are left', () => {
    expect(told('ROLLED_BACK')).to.equal(
      'lukhas: stopped watching c-1; it is ROLLED_BACK, but its hooks have not all run, and none is called until it is continued\n' +
        '  continue: lukhas canary resume c-1\n' +
        '  a running `lukhas serve` on the same database continues it by itself',
    );
  });
});
