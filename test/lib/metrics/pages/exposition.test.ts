import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../../src/lib/errors.js';
import { type ExpositionOptions, parseExposition } from '../../../../src/lib/metrics/pages/exposition.js';
import type { Sample } from '../../../../src/lib/metrics/signals/index.js';

const TEXT: ExpositionOptions = { openMetrics: false };
const OPEN_METRICS: ExpositionOptions = { openMetrics: true };

function refusal(text: string, options: ExpositionOptions = TEXT): string {
  try {
    parseExposition(text, options);
  } catch (error) {
    expect(error).to.be.instanceOf(LukhasError).with.property('code', 'SOURCE_INVALID');
    return (error as LukhasError).message;
  }
  throw new Error(`was accepted: ${text.slice(0, 80)}`);
}

describe('parseExposition', () => {
  it('reads the text format: comments, blanks, labels, timestamps in milliseconds', () => {
    const text = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400",}    3 1395066363000

  # a comment, not at the begin of its line
  indented { a = "b" , c="d" }\t1.5e3\t
# TYPE
minimal 12.47
no_feed_at_end -3`;
    expect(parseExposition(text, TEXT)).to.deep.equal([
      { name: 'http_requests_total', labels: { method: 'post', code: '200' }, value: 1027, t: 1395066363000 },
      { name: 'http_requests_total', labels: { method: 'post', code: '400' }, value: 3, t: 1395066363000 },
      { name: 'indented', labels: { a: 'b', c: 'd' }, value: 1500 },
      { name: 'minimal', labels: {}, value: 12.47 },
      { name: 'no_feed_at_end', labels: {}, value: -3 },
    ]);
  });

  it('undoes escapes, and keeps those it does not know', () => {
    const text = String.raw`a{path="C:\\DIR\\n.TXT",say="\"hi\"\n",re="\d+",end="\\",brace="}, x=\"y\" # 1"} 1`;
    expect(parseExposition(text, TEXT)[0]!.labels).to.deep.equal({
      path: 'C:\\DIR\\n.TXT',
      say: '"hi"\n',
      re: '\\d+',
      end: '\\',
      brace: '}, x="y" # 1',
    });
  });

  it('reads values that are not finite', () => {
    const values = parseExposition('a NaN\na +Inf\na -Inf\na Inf\na 1e400\n', TEXT).map(({ value }) => value);
    expect(values).to.deep.equal([Number.NaN, Infinity, -Infinity, Infinity, Infinity]);
  });

  it('reads quoted metric and label names', () => {
    const text = '{"my.metric","label.name"="v",plain="w"} 7\n{"alone"} 8\nknown{"a b"="c"} 9\n{late="x","m"} 10\n';
    expect(parseExposition(text, TEXT)).to.deep.equal([
      { name: 'my.metric', labels: { 'label.name': 'v', plain: 'w' }, value: 7 },
      { name: 'alone', labels: {}, value: 8 },
      { name: 'known', labels: { 'a b': 'c' }, value: 9 },
      { name: 'm', labels: { late: 'x' }, value: 10 },
    ]);
  });

  it('keeps a label called __proto__', () => {
    const [sample] = parseExposition('a{__proto__="x",b="c"} 1\n', TEXT);
    expect(Object.entries(sample!.labels)).to.deep.equal([
      ['__proto__', 'x'],
      ['b', 'c'],
    ]);
  });

  it('keeps histograms apart that differ in one label', () => {
    const text = `lat_bucket{pod="a",le="0.1"} 1
lat_bucket{pod="a",le="+Inf"} 2
lat_bucket{pod="b",le="0.1"} 3
lat_bucket{pod="b",le="+Inf"} 4
`;
    expect(parseExposition(text, TEXT).map(({ labels, value }) => [labels['pod'], labels['le'], value])).to.deep.equal([
      ['a', '0.1', 1],
      ['a', '+Inf', 2],
      ['b', '0.1', 3],
      ['b', '+Inf', 4],
    ]);
  });

  it('reads OpenMetrics: exemplars, timestamps in seconds, created, units', () => {
    const text = `# TYPE foo_seconds histogram
# UNIT foo_seconds seconds
foo_seconds_bucket{le="0.01"} 0
foo_seconds_bucket{le="0.1"} 8 # {} 0.054
foo_seconds_bucket{le="1"} 11 # {trace_id="KOO5S4vxi0o"} 0.67
foo_seconds_bucket{le="+Inf"} 17 1520879607.789 # {trace_id="oHg5SJYRHA0",x="}"} 9.8 1520879607.7
foo_seconds_count 17
foo_seconds_created 1520430000.123
# EOF
`;
    const samples = parseExposition(text, OPEN_METRICS);
    expect(samples.map(({ value }) => value)).to.deep.equal([0, 8, 11, 17, 17, 1520430000.123]);
    expect(samples.map(({ t }) => t)).to.deep.equal([...Array(3), 1520879607789, ...Array(2)]);
    expect(samples[3]!.labels).to.deep.equal({ le: '+Inf' });
  });

  it('refuses OpenMetrics that was cut off, or goes on after its end', () => {
    expect(refusal('a_total 1\n', OPEN_METRICS)).to.match(/^line 1: .*without "# EOF"/);
    expect(refusal('', OPEN_METRICS)).to.match(/without "# EOF"/);
    expect(refusal('a_total 1\n# EOF\nb_total 1\n', OPEN_METRICS)).to.equal('line 3: nothing may follow "# EOF"');
    expect(refusal('a_total 1\n# EOFx\n', OPEN_METRICS)).to.match(/without "# EOF"/);
    expect(parseExposition('a_total 1\n# EOF', OPEN_METRICS)).to.have.length(1);
  });

  for (const [text, message] of [
    ['ok 1\na{b="c"} 1x\n', 'line 2: expected a value, got "1x"'],
    ['a\n', 'line 1: expected a value, got the end of the line'],
    ['a{b="c} 1\nd 2\n', 'line 1: a quoted string does not end on its line'],
    ['a{b="c"', 'line 1: expected "," or "}", got the end of the line'],
    ['a{b="c" d="e"} 1\n', 'line 1: expected "," or "}", got "d=\\"e\\"} 1"'],
    ['a{b=c} 1\n', 'line 1: label b: expected a quoted value, got "c} 1"'],
    ['a{b} 1\n', 'line 1: label b: expected "=", got "} 1"'],
    ['a{1b="c"} 1\n', 'line 1: expected a label name or "}", got "1b=\\"c\\"} 1"'],
    ['a{b="c",b="d"} 1\n', 'line 1: label b is given twice'],
    ['{b="c"} 1\n', 'line 1: the braces hold no metric name'],
    ['a 1 2.5\n', 'line 1: expected a timestamp in milliseconds, got "2.5"'],
    ['a 1 2 3\n', 'line 1: expected the end of the line, got "3"'],
    ['a 1 # {} 0.5\n', 'line 1: expected the end of the line, got "# {} 0.5"'],
    ['a 0x1f\n', 'line 1: expected a value, got "0x1f"'],
    ['a 1_000\n', 'line 1: expected a value, got "1_000"'],
    ['a 1\r\n', 'line 1: expected a value, got "1\\r"'],
    ['\n<html>\n', 'line 2: not an exposition: expected a metric name or "#", got "<html>"'],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(refusal(text)).to.equal(message));
  }

  it('refuses an exemplar that is none', () => {
    expect(refusal('a 1 # {"x"} 2\n# EOF\n', OPEN_METRICS)).to.match(/label x: expected "="/);
    expect(refusal('a 1 # 2\n# EOF\n', OPEN_METRICS)).to.match(/exemplar: expected "{"/);
    expect(refusal('a 1 # {}\n# EOF\n', OPEN_METRICS)).to.match(/expected the value of an exemplar/);
  });

  it('refuses a megabyte of noise at once', () => {
    const noise = randomBytes(1024 * 1024).toString('latin1');
    expect(() => parseExposition(`\0${noise}`, TEXT)).to.throw(/line 1: not an exposition/);
    expect(() => parseExposition(noise, TEXT)).to.throw(LukhasError);
  });

  it('skips the values of names that are not wanted', () => {
    const text = 'other{broken 1 1 1\nwanted 1\n{"other.too"} 2\nother 3\n';
    const samples = parseExposition(text, { ...TEXT, wanted: (name) => name === 'wanted' });
    expect(samples).to.deep.equal([{ name: 'wanted', labels: {}, value: 1 }]);
  });

  it('passes over names that are not wanted with less work than reading them', () => {
    const text = 'some_other_metric{pod="a",code="200"} 12345\n'.repeat(240_000);
    const work = (wanted: boolean): number => {
      const before = process.cpuUsage().user;
      expect(parseExposition(text, { ...TEXT, wanted: () => wanted })).to.have.length(wanted ? 240_000 : 0);
      return process.cpuUsage().user - before;
    };
    // Five to ten times less, whatever the machine.
    expect(work(false)).to.be.below(work(true) / 2);
  });

  it('gives each series the time at which it was created', () => {
    const text = `requests_total{code="200"} 7
requests_total{code="500"} 1
requests_created{code="200"} 1.7000000005e+09
requests_created{code="500"} 1700000001
latency_bucket{code="200",le="0.1"} 3
latency_bucket{code="200",le="+Inf"} 4
latency_count{code="200"} 4
latency_created{code="200"} 1.7e9
plain_created 1700000002.25
plain 3
orders_created 12
orders_total 5
never_created NaN
never_total 1
`;
    const names = [
      'requests_total',
      'latency_bucket',
      'latency_count',
      'plain',
      'orders_total',
      'orders_created',
      'never_total',
    ];
    for (const openMetrics of [false, true]) {
      const samples = parseExposition(text + (openMetrics ? '# EOF\n' : ''), {
        openMetrics,
        wanted: (name) => names.includes(name),
      });
      expect(samples.map(({ name, value, created }) => [name, value, created])).to.deep.equal([
        ['requests_total', 7, 1_700_000_000_500],
        ['requests_total', 1, 1_700_000_001_000],
        ['latency_bucket', 3, 1_700_000_000_000],
        ['latency_bucket', 4, 1_700_000_000_000],
        ['latency_count', 4, 1_700_000_000_000],
        ['plain', 3, 1_700_000_002_250],
        // A count of things that were created is no time.
        ['orders_created', 12, undefined],
        ['orders_total', 5, undefined],
        ['never_total', 1, undefined],
      ]);
    }
  });

  describe('takes time in proportion to the text, whatever it holds', () => {
    const ONE = 250_000;
    for (const [what, text] of [
      ['a number that is none', (n: number) => `a ${'1'.repeat(n)}x\n`],
      ['a number of points', (n: number) => `a ${'1.'.repeat(n / 2)}\n`],
      ['a huge label', (n: number) => `a{b="${'x'.repeat(n)}"} 1\n`],
      ['a label of backslashes', (n: number) => `a{b="${'\\\\'.repeat(n / 2)}"} 1\n`],
      ['a label of escaped quotes', (n: number) => `a{b="${'\\"'.repeat(n / 2)}"} 1\n`],
      ['a label without an end', (n: number) => `a{b="${'\\"'.repeat(n / 2)}`],
      ['many labels', (n: number) => `a{${Array.from({ length: n / 10 }, (_, i) => `l${i}="v"`).join(',')}} 1\n`],
      ['many lines', (n: number) => 'a 1\n'.repeat(n / 4)],
      ['many blank lines', (n: number) => '\n'.repeat(n)],
      ['many blanks', (n: number) => `${' \t'.repeat(n / 2)}\n`],
      ['blanks behind a value', (n: number) => `a 1${' '.repeat(n)}x\n`],
      ['many types', (n: number) => Array.from({ length: n / 20 }, (_, i) => `# TYPE n${i} gauge\n`).join('')],
      ['a type of blanks', (n: number) => `# TYPE a${' \t'.repeat(n / 2)}`],
      ['a type of quotes', (n: number) => `# TYPE "${'\\"'.repeat(n / 2)}\n`],
      ['a name', (n: number) => `${'a'.repeat(n)} 1\n`],
      ['names that differ', (n: number) => Array.from({ length: n / 10 }, (_, i) => `n${i}_created 1\n`).join('')],
      ['braces', (n: number) => '{'.repeat(n)],
      ['sharp signs', (n: number) => '#'.repeat(n)],
    ] as const) {
      it(what, () => {
        const work = (length: number): number => {
          const page = text(length);
          const before = process.cpuUsage().user;
          try {
            parseExposition(page, { ...TEXT, wanted: (name) => !name.startsWith('n') });
          } catch (error) {
            expect(error).to.be.instanceOf(LukhasError);
          }
          return process.cpuUsage().user - before;
        };
        work(ONE);
        // Quadratic time would be 64 times as much; the constant is for the collector of garbage.
        expect(work(8 * ONE)).to.be.below(24 * work(ONE) + 400_000);
      });
    }
  });

  it('reads no string that is longer than a mebibyte', () => {
    const page = (length: number) => `a{b="${'x'.repeat(length)}"} 1\n`;
    expect(parseExposition(page(2 ** 20), TEXT)).to.have.length(1);
    expect(() => parseExposition(page(2 ** 20 + 1), TEXT)).to.throw(
      'line 1: a quoted string has 1048577 characters, at most 1048576 are read',
    );
  });

  it('gives back any series as it was written', () => {
    fc.assert(
      fc.property(fc.array(anySeries, { maxLength: 12 }), fc.boolean(), (series, openMetrics) => {
        const text = series.map((sample) => render(sample, openMetrics)).join('') + (openMetrics ? '# EOF\n' : '');
        // A label without a value is no label.
        const valued = (labels: Sample['labels']) => Object.entries(labels).filter(([, value]) => value !== '');
        const expected = series.map((one) => ({ ...one, labels: Object.fromEntries(valued(one.labels)) }));
        expect(parseExposition(text, { openMetrics })).to.deep.equal(expected);
      }),
    );
  });
});

const plainName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,12}$/);
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\\', '"', '\n', '}', ',', 'n') }),
);
const anyName = fc.oneof(plainName, anyText).filter((name) => name !== '');
const anyValue = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, Infinity, -Infinity));
const anySeries: fc.Arbitrary<Sample> = fc.oneof(
  fc.record({ name: anyName, labels: fc.dictionary(anyName, anyText), value: anyValue }),
  fc.record({ name: anyName, labels: fc.dictionary(anyName, anyText), value: anyValue, t: fc.nat(2 ** 41) }),
);

function render({ name, labels, value, t }: Sample, openMetrics: boolean): string {
  const quote = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  const isPlain = (text: string) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text);
  const pairs = Object.entries(labels).map(([key, text]) => `${isPlain(key) ? key : quote(key)}=${quote(text)}`);
  const inside = (isPlain(name) ? pairs : [quote(name), ...pairs]).join(',');
  const number = Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const time = t === undefined ? '' : ` ${openMetrics ? t / 1000 : t}`;
  const exemplar = openMetrics && pairs.length > 0 ? ` # {${pairs.join(',')}} 1 2.5` : '';
  return `${isPlain(name) ? name : ''}{${inside}} ${Object.is(value, -0) ? '-0' : number}${time}${exemplar}\n`;
}
