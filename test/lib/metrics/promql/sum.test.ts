import { expect } from 'chai';
import { readMatchers, readSelector, readSum, showSum } from '../../../../src/lib/metrics/promql/sum.js';

function terms(text: string): string[] {
  const read = readSum(text);
  if (!read.ok) throw new Error(read.problem);
  return read.value.map(({ sign, selector }) => `${sign === 1 ? '+' : '-'}${showSum([{ sign: 1, selector }])}`);
}

function problem(text: string, read: (text: string) => { ok: boolean } = readSum): string {
  const found = read(text) as { ok: boolean; problem?: string };
  return found.problem ?? 'none';
}

describe('sums of selectors', () => {
  it('reads selectors, sums, differences and groups of them', () => {
    expect(terms('a')).to.deep.equal(['+a']);
    expect(terms(' a + b - c ')).to.deep.equal(['+a', '+b', '-c']);
    expect(terms('a - (b + c) - (d - e)')).to.deep.equal(['+a', '-b', '-c', '-d', '+e']);
    expect(terms('((a{x="1"}))')).to.deep.equal(['+a{x="1"}']);
    expect(terms('a # what is served\n + b')).to.deep.equal(['+a', '+b']);
    expect(terms('sum + count')).to.deep.equal(['+sum', '+count']);
  });

  it('reads every kind of matcher, names that need quotes and names with colons', () => {
    expect(terms('t{a="1",b!="2",c=~"5..",d!~`x|y`,e=\'z\'}')).to.deep.equal([
      '+t{a="1",b!="2",c=~"5..",d!~"x|y",e="z"}',
    ]);
    expect(terms('{"my.metric", "http.status"="500"}')).to.deep.equal(['+{"my.metric","http.status"="500"}']);
    expect(terms(':tensorflow:serving:request_count{status!="OK"}')).to.deep.equal([
      '+:tensorflow:serving:request_count{status!="OK"}',
    ]);
    expect(terms('{__name__="t", a="1"}')).to.deep.equal(['+t{a="1"}']);
    expect(terms('t{model="$__model"}')).to.deep.equal(['+t{model="$__model"}']);
  });

  it('is what it shows', () => {
    for (const text of ['a - b{c=~"d\\\\.e"} + {"f g","h.i"="j\\"k"}', 'x{y="$__gate"}']) {
      const read = readSum(text);
      expect(read.ok && showSum(read.value), text).to.equal(text);
    }
  });

  it('says what cannot be counted, where, and what to write', () => {
    const cases: [string, RegExp][] = [
      ['rate(a[5m])', /^rate\(\.\.\.\) is a function: write the counter itself, .*takes its increase at column 1$/],
      ['b + sum by (x) (a)', /^sum\(\.\.\.\) is a function.*column 5$/],
      ['a[5m]', /^a\[5m\] is a range: leave \[\.\.\.\] out/],
      ['a offset 5m', /leave offset and @ out/],
      ['a @ 5', /leave offset and @ out/],
      ['a * 2', /^\* at column 3 cannot be counted: use \+ and - between counters only$/],
      ['a / b', /^\/ at column 3/],
      ['a or b', /^or at column 3/],
      ['a + on (x) b', /^\+ with on or ignoring at column 3/],
      ['a + 1', /^1 is a number.*column 5$/],
      ['-a + b', /has a sign of its own/],
      ['{job="x"}', /does not name one metric.*requests_total\{job="x"\}$/],
      ['{__name__=~"a|b"}', /does not name one metric/],
      ['"a"', /is not a selector/],
      ['', /must not be empty/],
      ['  ', /must not be empty/],
      ['a{x="1"', /^PromQL syntax error at column 8: the expression ends too early\n {2}a\{x="1"\n {9}\^$/],
      ['http.server{a="b"}', /^PromQL syntax error at column 5/],
      ['a{x="$__window2"}', /unknown placeholder/],
    ];
    for (const [text, expected] of cases) expect(problem(text), text).to.match(expected);
    expect(problem('a + b', readSelector)).to.contain('is not a selector');
  });

  it('refuses a regular expression that Prometheus refuses, and says what to write', () => {
    expect(problem('a{code=~"(?!OK$).*"}')).to.equal(
      'label code: look-ahead such as "(?!OK$).*" is not known to Prometheus (RE2); write !~ "OK", or != for one value',
    );
    expect(problem('a{code=~"x(?=y)"}')).to.match(/look-ahead.*!~ or != instead$/);
    expect(problem('a{code=~"(a)\\\\1"}')).to.match(/references back to a group/);
    expect(problem('a{code=~"5("}')).to.equal(
      'label code: "5(" is not a regular expression that Prometheus (RE2) accepts: missing closing ): `5(`',
    );
    expect(problem('a{code=~"$__model-(?i:x)\\\\d+"}')).to.equal('none');
  });

  it('reads matchers without a name', () => {
    expect(readMatchers('{pod=~"canary-.*", "a.b"!="c"}')).to.deep.equal({
      ok: true,
      value: [
        { label: 'pod', op: '=~', value: 'canary-.*' },
        { label: 'a.b', op: '!=', value: 'c' },
      ],
    });
    expect(readMatchers('{}')).to.deep.equal({ ok: true, value: [] });
    expect(problem('up{a="b"}', readMatchers)).to.match(/names a metric/);
    expect(problem('version=v2', readMatchers)).to.match(/syntax error|must be label matchers/);
  });
});
