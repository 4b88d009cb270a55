import { expect } from 'chai';
import { LukhasError } from '../../../src/lib/errors.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';
import { counterfactualPolicy, parseSetting, policyDiff } from '../../../src/lib/replay/change-policy.js';

const own = parsePolicy({ windowSeconds: 120, targets: { max_error_rate: 0.02, max_drift: 0.15 } });
const set = (...texts: string[]) =>
  counterfactualPolicy(
    null,
    own,
    texts.map((text) => parseSetting(text, '--set')),
  );

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).to.be.instanceOf(LukhasError);
    expect((error as LukhasError).exit).to.equal(2);
    return (error as Error).message;
  }
  throw new Error('not refused');
}

describe('a policy changed for a replay', () => {
  it('keeps everything but what is set', () => {
    expect(set('targets.max_error_rate=0.05')).to.deep.equal({
      ...own,
      targets: { max_error_rate: 0.05, max_drift: 0.15, max_unavailable: 0.05 },
    });
    expect(set()).to.equal(own);
  });

  it('takes numbers, words, lists, and null to take a key out', () => {
    const changed = set(
      'promote=early',
      'objectives=["ttft < 800"]',
      'targets.max_drift=null',
      'relative.max_error_ratio=2',
    );
    expect(changed.promote).to.equal('early');
    expect(changed.objectives).to.deep.equal([{ name: 'ttft', op: '<', value: 800 }]);
    expect(changed.targets).to.deep.equal({ max_error_rate: 0.02, max_unavailable: 0.05 });
    expect(changed.relative).to.deep.equal({ max_error_ratio: 2 });
  });

  it('lets what followed from a changed key follow from its new value', () => {
    expect(set('windowSeconds=300').maxWindowSeconds).to.equal(300);
    expect(set('onInconclusive=extend').maxWindowSeconds).to.equal(360);
    const longer = parsePolicy({
      windowSeconds: 60,
      onInconclusive: 'extend',
      maxWindowSeconds: 90,
      targets: { max_drift: 1 },
    });
    const setting = parseSetting('windowSeconds=80', '--set');
    expect(counterfactualPolicy(null, longer, [setting]).maxWindowSeconds).to.equal(90);
  });

  it('changes a file where one is given', () => {
    const file = { written: { windowSeconds: 60, targets: { max_drift: 0.3 } }, where: 'slo.json' };
    const changed = counterfactualPolicy(file, own, [parseSetting('targets.max_drift=0.1', '--set')]);
    expect(changed).to.deep.equal(parsePolicy({ windowSeconds: 60, targets: { max_drift: 0.1 } }));
  });

  it('says what is wrong, where, and what was meant', () => {
    expect(refused(() => set('targets.max_eror_rate=0.05'))).to.match(
      /--set: targets\.max_eror_rate: .*did you mean max_error_rate/,
    );
    expect(refused(() => set('target.max_error_rate=0.05'))).to.match(/did you mean targets/);
    expect(refused(() => set('targets.max_error_rate=5'))).to.match(/between 0 and 1/);
    expect(refused(() => set('windowSeconds.x=5'))).to.match(/windowSeconds\.x: 120 is not a group of keys/);
    expect(refused(() => set('intervalSeconds=1'))).to.match(/uses the recorded checks/);
    expect(refused(() => set('__proto__.x=1'))).to.match(/unknown key/);
    for (const text of ['targets.max_drift', '=3', 'targets.max_drift='])
      expect(refused(() => set(text))).to.match(/KEY=VALUE/);
    const file = { written: [], where: 'slo.json' };
    expect(refused(() => counterfactualPolicy(file, own, []))).to.match(/^slo\.json: /);
  });

  it('tells the difference key by key, with null for none', () => {
    expect(policyDiff(own, own)).to.deep.equal([]);
    const changed = {
      ...set('targets.max_drift=null', 'targets.latency_p95_ms=250', 'alpha.rollback=0.05'),
      name: 'other',
    };
    expect(policyDiff(own, changed)).to.deep.equal([
      { path: 'alpha.rollback', original: 0.01, counterfactual: 0.05 },
      { path: 'targets.latency_p95_ms', original: null, counterfactual: 250 },
      { path: 'targets.max_drift', original: 0.15, counterfactual: null },
    ]);
  });
});
