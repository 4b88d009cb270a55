import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../src/lib/errors.js';
import { type ExpositionOptions, parseExposition } from '../../../src/lib/metrics/exposition.js';
import type { Series } from '../../../src/lib/metrics/labels.js';

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

  it('gives back any series as it was written', () => {
    fc.assert(
      fc.property(fc.array(anySeries, { maxLength: 12 }), fc.boolean(), (series, openMetrics) => {
        const text = series.map((sample) => render(sample, openMetrics)).join('') + (openMetrics ? '# EOF\n' : '');
        expect(parseExposition(text, { openMetrics })).to.deep.equal(series);
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
const anySeries: fc.Arbitrary<Series> = fc.oneof(
  fc.record({ name: anyName, labels: fc.dictionary(anyName, anyText), value: anyValue }),
  fc.record({ name: anyName, labels: fc.dictionary(anyName, anyText), value: anyValue, t: fc.nat(2 ** 41) }),
);

function render({ name, labels, value, t }: Series, openMetrics: boolean): string {
  const quote = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  const isPlain = (text: string) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text);
  const pairs = Object.entries(labels).map(([key, text]) => `${isPlain(key) ? key : quote(key)}=${quote(text)}`);
  const inside = (isPlain(name) ? pairs : [quote(name), ...pairs]).join(',');
  const number = Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const time = t === undefined ? '' : ` ${openMetrics ? t / 1000 : t}`;
  const exemplar = openMetrics && pairs.length > 0 ? ` # {${pairs.join(',')}} 1 2.5` : '';
  return `${isPlain(name) ? name : ''}{${inside}} ${Object.is(value, -0) ? '-0' : number}${time}${exemplar}\n`;
}
