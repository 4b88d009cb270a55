import canonicalize from 'canonicalize';
import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalPart, parseCanonical } from '../../../../src/lib/evidence/verify/canonical.js';

const read = (text: string) => parseCanonical(Buffer.from(text));

describe('canonical JSON, to the verifier', () => {
  it('is what the reference writes, for anything that JSON can hold', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalize(value)!;
        expect(read(text)).to.deep.equal(JSON.parse(text));
        expect(canonicalPart(value)).to.equal(text);
      }),
      { numRuns: 500 },
    );
  });

  it('is in no other order, form or spelling', () => {
    const others = [
      '{"b":1,"a":2}',
      '{"a":1,"a":2}',
      '{"a": 1}',
      '[1.0]',
      '[1e3]',
      '[-0]',
      '"\\u0041"',
      '"\\/"',
      '1 ',
      '',
      '{"a":1',
    ];
    for (const text of others) expect(read(text), text).to.equal(undefined);
    // An object puts names that are numbers first, and these by value.
    expect(read('{"9":1,"10":2}')).to.equal(undefined);
    expect(read('{"10":2,"9":1}')).to.deep.equal({ 9: 1, 10: 2 });
    expect(read('{"__proto__":1,"a":2}')).to.have.property('a', 2);
  });

  it('has no lone surrogate, no bytes that are no UTF-8, and is not nested without end', () => {
    expect(read('"\\ud800"')).to.equal(undefined);
    expect(parseCanonical(Buffer.from([0x22, 0xff, 0x22]))).to.equal(undefined);
    expect(read(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)).to.equal(undefined);
  });
});
