import { expect } from 'chai';
import { DEMO_POLICY } from '../../src/demo/policies.js';
import { parsePolicy } from '../../src/lib/judge/policy-schema.js';

describe('demo policy', () => {
  it('is a policy that the product takes, unchanged', () => {
    expect(parsePolicy(DEMO_POLICY)).to.deep.include(DEMO_POLICY);
  });
});
