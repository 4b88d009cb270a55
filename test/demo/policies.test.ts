import { expect } from 'chai';
import { DEMO_POLICY } from '../../src/demo/policies.js';
import { parsePolicy } from '../../src/lib/judge/policy-schema.js';

describe('demo policy', () => {
  it('is a policy that the product takes, unchanged', () => {
    const targets = { ...DEMO_POLICY.targets, max_unavailable: 0.05 };
    expect(parsePolicy(DEMO_POLICY)).to.deep.include({ ...DEMO_POLICY, targets });
  });
});
