import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../../src/lib/errors.js';
import { checkPromql, lintPromql, substitute } from '../../../../src/lib/metrics/promql/promql.js';
import { type Matcher, parseSelector, writeSelector } from '../../../../src/lib/metrics/promql/selector.js';
import { unquote } from '../../../../src/lib/metrics/promql/text.js';

const LATENCY = 'histogram_quantile(0.95, sum(rate(model_latency_bucket{gate="$__gate"}[$__window])) by (le)) * 1000';
const ERRORS =
  'sum(rate(model_errors_total{gate="$__gate"}[$__window])) / clamp_min(sum(rate(model_requests_total{gate="$__gate"}[$__window])),1)';

function problem(expr: string): string {
  try {
    checkPromql(expr, { where: 'PROM_Q_ERR' });
  } catch (error) {
    expect(error).to.be.instanceOf(LukhasError);
    expect((error as LukhasError).code).to.equal('PROMQL');
    return (error as LukhasError).message;
  }
  return 'none';
}

describe('checkPromql', () => {
  it('accepts expressions whose placeholders are still in', () => {
    for (const expr of [
      LATENCY,
      ERRORS,
      '# a comment with $__what and "\nsum(up{gate=~"$__gate"}) # end',
      `up{gate='$__gate', model=\`$__model\`}`,
      'rate(x[$__window:$__interval]) > bool 0',
      '{"http.requests", gate="a\\"b\\u00e9"}',
    ])
      expect(problem(expr), expr).to.equal('none');
  });

  it('points at the place in the text as the user wrote it', () => {
    const cases: [string, string, string, string][] = [
      ['sum(rate(foo[5m])', 'column 18: the expression ends too early', 'sum(rate(foo[5m])', `${' '.repeat(17)}^`],
      [
        'sum(rate(foo{gate="$__gate"}[$__window])) / ) 1',
        'column 45',
        'sum(rate(foo{gate="$__gate"}[$__window])) / ) 1',
        `${' '.repeat(44)}^`,
      ],
      ['sum(\n\trate(foo[$__window]) ! 1)', 'line 2, column 23', '\trate(foo[$__window]) ! 1)', `\t${' '.repeat(21)}^`],
      ['up{gate="é𝒳"} }', 'column 15', 'up{gate="é𝒳"} }', `${' '.repeat(14)}^`],
    ];
    for (const [expr, place, line, caret] of cases)
      expect(problem(expr)).to.equal(`PROM_Q_ERR: PromQL syntax error at ${place}\n  ${line}\n  ${caret}`);
  });

  it('names what the grammar alone would let pass', () => {
    expect(problem('up{gate="$__gat"}')).to.include(
      'column 10: unknown placeholder $__gat; known are $__gate, $__model, $__window, $__interval',
    );
    expect(problem('up{gate=$__gate}')).to.include(
      'column 9: $__gate must stand inside a string, as in gate="$__gate"',
    );
    expect(problem('up{gate="x}')).to.include('column 9: this string is not closed');
    expect(problem('up{gate="a\\d"}')).to.include('column 11: unknown escape sequence');
    expect(problem('   ')).to.equal('PROM_Q_ERR: the expression is empty; give a PromQL expression or unset it');
    expect(problem('# only a comment')).to.include('is empty');
  });
});

describe('substitute', () => {
  const values = { gate: 'stage', model: 'matriz-v3', window: 120 };

  it('fills the demo expressions', () => {
    expect(substitute(LATENCY, values)).to.equal(
      'histogram_quantile(0.95, sum(rate(model_latency_bucket{gate="stage"}[120s])) by (le)) * 1000',
    );
    expect(substitute('x{m="$__model-$__gate"}[$__interval]', { ...values, window: 0.25 })).to.equal(
      'x{m="matriz-v3-stage"}[250ms]',
    );
  });

  it('escapes for the string and for the regular expression it stands in', () => {
    const gate = 'a"b\'c`d\\e\nf.*|';
    expect(substitute('x{g="$__gate"}', { ...values, gate })).to.equal('x{g="a\\"b\'c`d\\\\e\\nf.*|"}');
    expect(substitute("x{g='$__gate'}", { ...values, gate })).to.equal(`x{g='a"b\\'c\`d\\\\e\\nf.*|'}`);
    expect(substitute('x{g=`$__gate`}', { ...values, gate })).to.equal('x{g="a\\"b\'c`d\\\\e\\nf.*|"}');
    expect(substitute('x{g=~"p-$__gate-.+"}', { ...values, gate: 'a.b' })).to.equal('x{g=~"p-a\\\\.b-.+"}');
    expect(substitute('x{g !~ # c\n`$__gate`}', { ...values, gate: 'a|b' })).to.equal('x{g !~ # c\n"a\\\\|b"}');
  });

  it('leaves comments and escaped text alone, and refuses what it does not know', () => {
    expect(substitute('x{g="\\\\$__gate"} # $__gate $__foo', values)).to.equal('x{g="\\\\stage"} # $__gate $__foo');
    expect(() => substitute('x{g="$__env"}', values)).to.throw(LukhasError, 'unknown placeholder $__env');
  });

  const anyText = fc.string({ unit: 'binary', maxLength: 20 });
  const hostile = fc.string({ unit: fc.constantFrom('"', "'", '`', '\\', '\n', '\r', '}', '#', '$', '.', '�', 'é') });

  it('property: any gate stays one string literal that means the gate', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, hostile), fc.constantFrom('"', "'", '`'), (gate, quote) => {
        const filled = substitute(`up{gate=${quote}$__gate${quote}} # x`, { ...values, gate });
        checkPromql(filled, { where: 'filled' });
        expect(parseSelector(filled)).to.deep.equal({
          name: 'up',
          matchers: [{ label: 'gate', op: '=', value: gate }],
        });
      }),
    );
  });

  it('property: after =~ any gate matches itself alone', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, hostile), hostile, (gate, other) => {
        const filled = substitute('up{gate=~"$__gate"}', { ...values, gate });
        const [matcher] = parseSelector(filled)?.matchers ?? [];
        const pattern = new RegExp(`^(?:${matcher?.value})$`, 's');
        expect(pattern.test(gate)).to.equal(true);
        expect(pattern.test(other)).to.equal(other === gate);
      }),
    );
  });
});

describe('PromQL strings and selectors', () => {
  it('reads the escapes that Prometheus knows', () => {
    expect(unquote('"\\x41\\101\\u00e9\\U0001f600\\t\\"\'"')).to.equal('AAé😀\t"\'');
    expect(unquote('"\\xc3\\xa9"')).to.equal('é');
    expect(unquote('`a\\n`')).to.equal('a\\n');
    for (const broken of ['"a', '"\\\'"', '"\\400"', '"a" "b"', 'a']) expect(unquote(broken), broken).to.equal(null);
  });

  it('writes configured labels so that no value can leave its string', () => {
    const matchers: Matcher[] = [
      { label: 'gate', op: '=', value: 'a"b\n' },
      { label: 'k8s.pod', op: '=', value: 'x' },
      { label: 'code', op: '=~', value: '5..' },
    ];
    expect(writeSelector(['a.b', 'c'], matchers)).to.equal(
      '{__name__=~"a\\\\.b|c",gate="a\\"b\\n","k8s.pod"="x",code=~"5.."}',
    );
    expect(parseSelector(writeSelector(['m'], matchers))).to.deep.equal({ name: 'm', matchers });
  });

  it('knows selectors without one exact name', () => {
    expect(parseSelector('{__name__=~"a|b"}')).to.equal(null);
    expect(parseSelector('{gate="x"}')).to.equal(null);
    expect(parseSelector('{__name__="a",gate!="x"}')?.name).to.equal('a');
  });
});

describe('lintPromql', () => {
  it('warns of a clamp that hides errors', () => {
    const [hint, ...more] = lintPromql(ERRORS);
    expect(hint).to.include('clamp_min(..., 1)').and.include('fewer than 1 requests a second');
    expect(more).to.deep.equal([]);
    expect(lintPromql('sum(increase(a[1m])) / (clamp_min(sum(increase(b[1m])), 5))').join()).to.include(
      '5 requests in the',
    );
  });

  it('warns of a missing series turned into 0', () => {
    expect(lintPromql('(sum(rate(a[1m])) or vector(0)) / sum(rate(b[1m]))').join()).to.include('or vector(');
  });

  it('says nothing of expressions that mean what they say', () => {
    for (const expr of [LATENCY, 'clamp_min(sum(rate(a[1m])), 1)', 'a / clamp_min(b, 1)', 'a or b', 'sum('])
      expect(lintPromql(expr), expr).to.deep.equal([]);
  });
});
