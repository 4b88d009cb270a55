import { expect } from 'chai';
import fc from 'fast-check';
import { fitAll, fits } from '../../../../src/lib/metrics/promql/match.js';
import { disjoint, narrows } from '../../../../src/lib/metrics/promql/prove.js';
import type { Matcher } from '../../../../src/lib/metrics/promql/selector.js';
import { readMatchers } from '../../../../src/lib/metrics/promql/sum.js';
import { cases } from '../../../cases.js';

function matchers(text: string): Matcher[] {
  const read = readMatchers(text);
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

describe('matchers', () => {
  it('decide as Prometheus does: the whole value, an absent label is empty, a dot is any character', () => {
    const of = (text: string, value: string) => fits(matchers(`{l${text}}`)[0]!, value);
    expect(of('=~"5.."', '500')).to.equal(true);
    expect(of('=~"5.."', '5000')).to.equal(false);
    expect(of('=~"a|b"', 'ab')).to.equal(false);
    expect(of('=~"a.b"', 'a\nb')).to.equal(true);
    expect(of('!~"OK"', '')).to.equal(true);
    expect(of('=~"(?i)err.*"', 'ERROR')).to.equal(true);
    expect(of('=~"[[:digit:]]+"', '42')).to.equal(true);
    expect(fitAll(matchers('{error_type!=""}'), {})).to.equal(false);
    expect(fitAll(matchers('{error_type=""}'), {})).to.equal(true);
    // A label of that name is not what an object inherits.
    expect(fitAll(matchers('{constructor=""}'), {})).to.equal(true);
  });

  it('take time linear in the value, whatever the expression', () => {
    const began = process.cpuUsage();
    expect(fits(matchers('{l=~"(a+)+b"}')[0]!, 'a'.repeat(20_000))).to.equal(false);
    // Backtracking would take longer than the universe: any limit tells.
    expect(process.cpuUsage(began).user / 1e6).to.be.below(30);
  });
});

describe('what follows from matchers alone', () => {
  it('proves arms disjoint by values, and by expressions that no value can fit', () => {
    const apart = (a: string, b: string) => disjoint(matchers(a), matchers(b));
    expect(apart('{version="v2"}', '{version="v1"}')).to.equal(true);
    expect(apart('{version="v2",pod="a"}', '{pod="a",version!="v2"}')).to.equal(true);
    expect(apart('{pod="canary-1"}', '{pod=~"stable-.*"}')).to.equal(true);
    expect(apart('{pod=~"canary-.*"}', '{pod=~"stable-.*"}')).to.equal(true);
    expect(apart('{pod=~"canary-.*"}', '{pod!~"canary-.*"}')).to.equal(true);
    expect(apart('{pod=~"a|b"}', '{pod=~"c|d.*"}')).to.equal(true);
    expect(apart('{pod=~"a|b"}', '{pod!~"b|a"}')).to.equal(true);
    expect(apart('{canary="true"}', '{canary=""}')).to.equal(true);
    for (const [a, b] of [
      ['{}', '{}'],
      ['{version="v2"}', '{}'],
      ['{version="v2"}', '{version="v2"}'],
      ['{version="v2"}', '{pod="v1"}'],
      ['{pod=~"canary-.*"}', '{pod=~"can.*"}'],
      ['{pod=~"x[a]b|c"}', '{pod=~"c"}'],
      ['{pod=~"a?b"}', '{pod=~"b"}'],
      ['{pod=~"(?i)a"}', '{pod=~"b|A"}'],
      ['{version!="v2"}', '{version!="v1"}'],
    ])
      expect(apart(a!, b!), `${a} ${b}`).to.equal(false);
  });

  it('proves that one selection lies within another', () => {
    const within = (a: string, b: string) => narrows(matchers(a), matchers(b));
    expect(within('{handler="/p",status=~"5.."}', '{handler="/p"}')).to.equal(true);
    expect(within('{status=~"5.."}', '{status!~"4.."}')).to.equal(true);
    expect(within('{status=~"5.."}', '{status!=""}')).to.equal(true);
    expect(within('{status=~"5.."}', '{status=~".+"}')).to.equal(true);
    expect(within('{}', '{status=~".*"}')).to.equal(true);
    expect(within('{code="500"}', '{code=~"5..|4.."}')).to.equal(true);
    expect(within('{status=~"5.."}', '{handler="/p"}')).to.equal(false);
    expect(within('{status=~".*"}', '{status=~".+"}')).to.equal(false);
    expect(within('{model="$__model"}', '{model!="x"}')).to.equal(false);
  });

  it('never proves what a value contradicts', () => {
    const value = fc.stringMatching(/^[ab1]{0,3}$/);
    const pattern = fc
      .array(
        fc.constantFrom('a', 'b', '1', '.', '.*', '.+', 'a?', '[ab]', '[^a]', '|', '(a|b)', 'a{2}', '\\.', '[]a]'),
        {
          maxLength: 5,
        },
      )
      .map((parts) => parts.join(''));
    const matcher = fc.oneof(
      fc.record({ label: fc.constant('l'), op: fc.constantFrom('=' as const, '!=' as const), value }),
      fc.record({ label: fc.constant('l'), op: fc.constantFrom('=~' as const, '!~' as const), value: pattern }),
    );
    fc.assert(
      fc.property(matcher, matcher, fc.array(value, { maxLength: 12 }), (a, b, values) => {
        for (const text of values) {
          if (disjoint([a], [b])) expect(fits(a, text) && fits(b, text), `${text} in both`).to.equal(false);
          if (narrows([a], [b]) && fits(a, text)) expect(fits(b, text), `${text} in the wider`).to.equal(true);
        }
      }),
      { numRuns: cases(2000) },
    );
  });
});
