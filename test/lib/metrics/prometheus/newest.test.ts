import { expect } from 'chai';
import fc from 'fast-check';
import { type Newest, readNewest } from '../../../../src/lib/metrics/prometheus/newest.js';
import { type ApiSeries, readAnswer } from '../../../../src/lib/metrics/prometheus/parse.js';
import { cases } from '../../../cases.js';
import { success } from './stub.js';

const ENDPOINT = new URL('http://prometheus/api/v1/query');
const SINCE = 1_790_000_030;

const value = fc.oneof(
  { weight: 5, arbitrary: fc.nat({ max: 1e9 }).map(String) },
  fc.double().map((number) => (Number.isNaN(number) ? 'NaN' : String(number).replace('Infinity', '+Inf'))),
  fc.constantFrom('NaN', '+Inf', '-Inf', '1.7976931348623157e+308', '1e400', '5e-324', '-0', '', '9007199254740993'),
);
const time = fc.oneof(
  { weight: 5, arbitrary: fc.nat({ max: 60_000 }).map((ms) => (1_790_000_000_000 + ms) / 1000) },
  fc.constantFrom(0, -1.5, 1e-7, 1e21, 1_790_000_030, 1_790_000_030.0004, 12_345_678_901_234.5),
);
const label = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '"',
    '\\',
    '},"values":[[',
    '"]]}',
    ']]}',
    '],[',
    '<script>',
    '\u2028',
    '\ud800',
    '{"metric":{',
    '10.0.0.1:80',
  ),
);
const metric = fc.dictionary(fc.oneof(fc.constantFrom('job', 'instance', 'le', 'values', 'metric'), label), label, {
  maxKeys: 4,
});
const named = fc.record({
  name: fc.constantFrom('a_total', 'b_bucket', 'up', 'process_start_time_seconds'),
  labels: metric,
});
const samples = fc
  .array(fc.tuple(time, value), { minLength: 1, maxLength: 12 })
  .map((all) => all.sort(([a], [b]) => a - b));
const histogram = fc.constant([1_790_000_000, { count: '1', sum: '1', buckets: [[0, '1', '2', '3']] }]);
const series = fc
  .record({
    named,
    values: fc.option(samples),
    histograms: fc.option(fc.array(histogram, { minLength: 1 }), { freq: 12 }),
  })
  .map(({ named: { name, labels }, values, histograms }) => ({
    metric: { __name__: name, ...labels },
    ...(values === null ? {} : { values }),
    ...(histograms === null ? {} : { histograms }),
  }));
const more = fc.constantFrom(
  {},
  { warnings: ['some "]]} warning'] },
  { infos: [] },
  { stats: { seriesFetched: '2' } },
  { data: null },
  { status: 'error' },
);

/** As a server writes it, and with what a server may write otherwise, or what may become of it on the way. */
interface Damage {
  kind: 'none' | 'cut' | 'spaces' | 'character' | 'twice' | 'escape' | 'partial';
  at: number;
  text: string;
}
const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('none', 'none', 'cut', 'spaces', 'character', 'twice', 'escape', 'partial'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  text: fc.oneof(fc.constantFrom(...'[]{}",:\\0 1eN-+.\n'), fc.string({ maxLength: 3 })),
});

function damaged(text: string, { kind, at, text: other }: Damage): string {
  const place = Math.floor(at * text.length);
  const space = (json: string) =>
    json.replaceAll(/([[,:{])(?=["[{\d])/g, (all) => (Math.sin(place) > 0 ? `${all} ` : `${all}\n\t`));
  const changes: Record<Damage['kind'], () => string> = {
    none: () => text,
    cut: () => text.slice(0, place),
    spaces: () => text.slice(0, place) + space(text.slice(place)),
    character: () => text.slice(0, place) + other + text.slice(place + 1),
    twice: () =>
      text.replace(/\}$/, `,"data":{"resultType":"matrix","result":[{"metric":{},"values":[[${place},"1"]]}]}}`),
    escape: () => text.replaceAll('<', '\\u003c').replaceAll(/"(\d)/g, '"\\u003$1'),
    partial: () => text.replace('"success",', '"success","isPartial":false,'),
  };
  return changes[kind]();
}

const textAnswer = (body: string) =>
  ({ ok: true, status: 200, contentType: 'application/json', body, date: null }) as const;
const isWhole = ({ __name__: name }: ApiSeries['metric']): boolean => name === 'up';

const bare = ({ series }: Newest) => series.map(({ metric, values }) => ({ metric, values }));

/** What has to be there of a series, found in the plainest way. */
function wanted({ metric, values = [] }: ApiSeries, since: number): ApiSeries {
  const read = values.flatMap(([seconds], i) => (Math.round(seconds * 1000) <= since ? [i] : []));
  const newest = values.slice(read.at(-2) ?? 0);
  const all = isWhole(metric) || newest.some(([, text]) => text.startsWith('N'));
  return { metric, values: all ? values : newest };
}

describe('the newest samples of an answer', () => {
  it('are those that JSON.parse finds, or the answer is left to it', () => {
    const property = fc.property(fc.array(series, { maxLength: 6 }), more, damage, (all, members, harm) => {
      const { body } = success('matrix', all, members);
      const text = damaged(JSON.stringify(body), harm);
      const since = SINCE * 1000;
      const found = readNewest(text, [], since, isWhole);
      const parsed = readAnswer(textAnswer(text), ENDPOINT);
      const rest = found && readAnswer(textAnswer(found.rest), ENDPOINT);
      if (!found || !rest?.ok || rest.type !== 'matrix' || rest.series.length > 0) return;
      if (!parsed.ok || parsed.type !== 'matrix') throw new Error('JSON.parse finds no answer');
      expect(bare(found)).to.deep.equal(parsed.series.map((one) => wanted(one, since)));
      expect(rest.warnings).to.deep.equal(parsed.warnings);
      // Known series are read alike.
      expect(readNewest(text, found.known, since, isWhole)).to.deep.equal(found);
      expect(readNewest(text, found.known.toReversed(), since, isWhole)).to.deep.equal(found);
    });
    fc.assert(property, { numRuns: cases(20_000) });
  });

  it('are read without JSON.parse from what Prometheus and VictoriaMetrics write', () => {
    const plain = {
      metric: { __name__: 'a', path: '/<"\\x' },
      values: [
        [1_790_000_000.123, '1e+06'],
        [1_790_000_005, 'NaN'],
      ],
    };
    const body = { status: 'success', data: { resultType: 'matrix', result: [plain, plain] } };
    for (const text of [
      JSON.stringify(body),
      `${JSON.stringify({ ...body, warnings: ['a'] })}\n`,
      JSON.stringify({ ...body, stats: { seriesFetched: '2', executionTimeMsec: 1 } }),
      JSON.stringify({ status: 'success', isPartial: false, data: body.data }),
    ]) {
      const found = readNewest(text, [], 0, () => false);
      expect(bare(found!)).to.deep.equal([plain, plain]);
    }
    expect(
      readNewest('{"status":"success","data":{"resultType":"matrix","result":[]}}', [], 0, isWhole)?.series,
    ).to.deep.equal([]);
  });
});
