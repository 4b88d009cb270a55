import canonicalize from 'canonicalize';
import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../../src/lib/errors.js';
import { canonicalJson, recorded } from '../../../../src/lib/ledger/tree/canonical.js';

const TWICE = { a: 1 };
const CYCLE: unknown[] = [];
CYCLE.push({ a: CYCLE });

/** Any JSON, with the names and texts at which implementations differ. */
const NAME = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'toJSON', 'constructor', '', '0', '10', '9', '01', '-1', '\u20ac', '\ufb33', '😀', '\r'),
);
const JSON_VALUE = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.constant(null), fc.boolean(), NAME, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(NAME, tie('value'), { maxKeys: 30 }),
  ),
})).value;

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
    'a cycle': CYCLE,
  };
  for (const [name, value] of Object.entries(impossible)) {
    it(`refuses ${name}`, () => {
      expect(() => canonicalJson(value, 'observation 3 of c1'))
        .to.throw(LukhasError, /observation 3 of c1/)
        .with.property('code', 'USAGE');
    });
  }

  // The package is what verification trusts.
  it('gives the bytes of the reference implementation for any JSON, and the value that is read back', () => {
    fc.assert(
      fc.property(JSON_VALUE, (value) => {
        const { text, copy } = recorded(value, 'value');
        expect(text).to.equal(canonicalize(value));
        expect(canonicalJson(value)).to.equal(text);
        expect(canonicalJson(copy)).to.equal(text);
        expect(copy).to.deep.equal(JSON.parse(text));
        expect(JSON.stringify(copy)).to.equal(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 500 },
    );
  });

  const odd: Record<string, [unknown, string]> = {
    'names that are array indexes': [
      { b: 1, 10: 2, 9: 3, a: { 1: [], '01': {} } },
      '{"10":2,"9":3,"a":{"01":{},"1":[]},"b":1}',
    ],
    'more names than are sorted by hand': [
      Object.fromEntries(Array.from({ length: 26 }, (_, i) => [String.fromCharCode(122 - i), i])),
      `{${Array.from({ length: 26 }, (_, i) => `"${String.fromCharCode(97 + i)}":${25 - i}`).join()}}`,
    ],
    'names by UTF-16 units, not code points': [{ '\ufb33': 1, '😀': 2 }, '{"😀":2,"\ufb33":1}'],
    'a member called __proto__': [JSON.parse('{"a":1,"__proto__":{"b":2}}'), '{"__proto__":{"b":2},"a":1}'],
    'members without a value, left out': [{ b: undefined, a: 1 }, '{"a":1}'],
    'a date, as its toJSON says': [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    'an object without a prototype': [Object.assign(Object.create(null), { b: 1, a: 2 }), '{"a":2,"b":1}'],
    'negative zero, read back as zero': [[-0], '[0]'],
    'deep nesting': [JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`), `${'['.repeat(200)}${']'.repeat(200)}`],
    'a list that says what it is': [Object.assign([1], { toJSON: 'a' }), '[1]'],
    'what is out of order within what is not': [
      { a: { y: [{ b: 1, a: 2 }], z: 3 }, b: [4, { d: undefined, c: 5 }] },
      '{"a":{"y":[{"a":2,"b":1}],"z":3},"b":[4,{"c":5}]}',
    ],
    'one object in two places': [[TWICE, TWICE], '[{"a":1},{"a":1}]'],
  };
  for (const [name, [value, expected]] of Object.entries(odd)) {
    it(`takes ${name}`, () => {
      const { text, copy } = recorded(value, 'value');
      expect(text).to.equal(expected);
      expect(canonicalJson(value)).to.equal(expected);
      expect(copy).to.deep.equal(JSON.parse(text));
    });
  }

  it('does not share what it was given with what is read back', () => {
    const value = { list: [{ a: 1 }] };
    const { copy } = recorded(value, 'value');
    value.list[0] = { a: 2 };
    value.list.push({ a: 3 });
    expect(copy).to.deep.equal({ list: [{ a: 1 }] });
  });
});
