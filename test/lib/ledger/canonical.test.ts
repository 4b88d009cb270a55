import { expect } from 'chai';
import { LukhasError } from '../../../src/lib/errors.js';
import { canonicalJson } from '../../../src/lib/ledger/canonical.js';

describe('canonical JSON', () => {
  it('gives the bytes of the RFC 8785 example', () => {
    // Section 3.2.2 and 3.2.3.
    const numbers = '333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001';
    const text = '"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"';
    const value = JSON.parse(`{"numbers": [${numbers}], "string": ${text}, "literals": [null, true, false]}`);
    expect(canonicalJson(value)).to.equal(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  const impossible: Record<string, unknown> = {
    NaN: { a: Number.NaN },
    Infinity: [Number.POSITIVE_INFINITY],
    'a lone surrogate': { a: 'x\ud800' },
    'a lone surrogate in a name': { '\udc00': 1 },
    undefined: undefined,
    'a function': { a: () => 1 },
    'a big integer': { a: 1n },
  };
  for (const [name, value] of Object.entries(impossible)) {
    it(`refuses ${name}`, () => {
      expect(() => canonicalJson(value, 'observation 3 of c1'))
        .to.throw(LukhasError, /observation 3 of c1/)
        .with.property('code', 'USAGE');
    });
  }
});
