import { expect } from 'chai';
import fc from 'fast-check';
import { checkMetrics, readMetricsLine } from '../../../src/lib/jobs/metrics-line.js';
import { failed } from '../../../src/lib/jobs/outcome.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';

const read = (text: string | Uint8Array, truncated = false) => readMetricsLine(Buffer.from(text as string), truncated);

describe('the metrics of a program', () => {
  it('are the last line that is not blank, of however many', () => {
    expect(read('{"a":1}\n{"a":2}\n \n\n')).to.deep.equal({ metrics: { a: 2 } });
    expect(read('{"a":1}')).to.deep.equal({ metrics: { a: 1 } });
    expect(read('progress\r\n{"a":1}\r\n')).to.deep.equal({ metrics: { a: 1 } });
    expect(read('{}\n')).to.deep.equal({ metrics: {} });
  });

  it('are not taken from a line that is cut', () => {
    expect(read('1,"b":2}', true)).to.have.property('problem').that.contains('longer than 65536 bytes');
    expect(read('cut off\n{"b":2}', true)).to.deep.equal({ metrics: { b: 2 } });
  });

  it('are few, flat, finite, and of printable names', () => {
    const keys = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]));
    expect(read(JSON.stringify(keys(64)))).to.have.property('metrics');
    for (const text of [
      JSON.stringify(keys(65)),
      '{"a":1e400}',
      '{"a":[1]}',
      '{"":1}',
      '{"a\\u0000":1}',
      `{"${'x'.repeat(65)}":1}`,
      `{"a":"${'x'.repeat(1001)}"}`,
      '{"a":"\\ud800"}',
      '{"__proto__":1}',
      'null',
      '"text"',
    ])
      expect(read(text), text.slice(0, 40)).to.have.property('problem');
  });

  it('never crash whatever is written, and can always be recorded', () => {
    const output = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.json({ maxDepth: 3 }),
      fc
        .dictionary(fc.string({ unit: 'binary' }), fc.oneof(fc.double(), fc.string({ unit: 'binary' }), fc.jsonValue()))
        .map((object) => JSON.stringify(object)),
    );
    fc.assert(
      fc.property(output, fc.boolean(), (text, truncated) => {
        const result = read(text, truncated);
        if ('problem' in result) {
          expect(result.problem).to.be.a('string').and.not.equal('');
          canonicalJson(failed('metrics', result.problem).data);
        } else canonicalJson(result.metrics);
      }),
      { numRuns: 500 },
    );
  });

  it('of a built-in task are checked in the same way', () => {
    expect(checkMetrics({ a: 1, b: undefined }, 'its result')).to.have.property('problem');
    expect(checkMetrics({ a: 1 }, 'its result')).to.deep.equal({ metrics: { a: 1 } });
  });
});
