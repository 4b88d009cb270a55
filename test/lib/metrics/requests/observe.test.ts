import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Counts, Histogram, Observation } from '../../../../src/lib/judge/observation.js';
import { parseObservation } from '../../../../src/lib/metrics/observation-schema.js';
import { type ObserveOptions, observeRequests } from '../../../../src/lib/metrics/requests/index.js';
import { cases } from '../../../cases.js';

const OPTIONS: ObserveOptions = {
  name: 'requests.csv',
  everyMs: 5000,
  latenessMs: 60_000,
  columns: {},
  latencyUnit: null,
  canary: null,
  baseline: null,
  buckets: [50, 100, 250],
  scoreBuckets: null,
  skipBad: false,
};

async function observed(text: string, options: Partial<ObserveOptions> = {}) {
  const { observations, summary } = observeRequests(Readable.from([Buffer.from(text)]), { ...OPTIONS, ...options });
  const all: Observation[] = [];
  for await (const one of observations) {
    // What is written is read again by the same rules as any other input.
    all.push(parseObservation(JSON.stringify(one), 'out'));
  }
  return { all, summary };
}

async function refusal(text: string, options: Partial<ObserveOptions> = {}): Promise<string> {
  try {
    await observed(text, options);
  } catch (error) {
    return [(error as Error).message, ...(error as { suggestions: string[] }).suggestions].join(' ');
  }
  throw new Error('was not refused');
}

const errorsOf = (one: Observation, arm: 'canary' | 'baseline' = 'canary') => {
  const { bad, total } = one[arm]!.errors as Counts;
  return [bad, total];
};

describe('observeRequests', () => {
  it('counts requests, failures, latencies and scores of a CSV in steps', async () => {
    const { all, summary } = await observed(
      [
        'time,latency_ms,status,score',
        '2026-01-01T00:00:01Z,40,200,0.42',
        '2026-01-01T00:00:02.5Z,100,404,0.05',
        '2026-01-01T00:00:04.999Z,300,503,1',
        '2026-01-01T00:00:05Z,50,200,',
      ].join('\n'),
    );
    const from = Date.UTC(2026, 0, 1);
    expect(all.map(({ tick, from: start, t }) => [tick, start - from, t - from])).to.deep.equal([
      [1, 0, 5000],
      [2, 5000, 10_000],
    ]);
    expect(all.map((one) => errorsOf(one))).to.deep.equal([
      [1, 3],
      [0, 1],
    ]);
    expect((all[0]!.canary.latency as Histogram).counts).to.deep.equal([1, 1, 0, 1]);
    const score = all[0]!.canary.score as Histogram;
    expect([score.counts[0], score.counts[8], score.counts[19]]).to.deep.equal([1, 1, 1]);
    expect(summary).to.deep.include({ observations: 2, requests: { canary: 4, baseline: 0 }, skipped: 0 });
  });

  it('tells versions apart and counts those of others', async () => {
    const rows = ['v2,true', 'v1,false', 'v1,true', 'v3,true'].map((row) => `1767225600,${row}`);
    const { all, summary } = await observed(['ts,version,ok', ...rows].join('\n'), { canary: 'v2', baseline: 'v1' });
    expect([errorsOf(all[0]!), errorsOf(all[0]!, 'baseline')]).to.deep.equal([
      [0, 1],
      [1, 2],
    ]);
    expect(summary.others).to.equal(1);
  });

  it('has observations of zero for ticks without requests', async () => {
    const { all } = await observed('ts,ok\n1767225600,1\n1767225617,1\n');
    expect(all.map((one) => errorsOf(one))).to.deep.equal([
      [0, 1],
      [0, 0],
      [0, 0],
      [0, 1],
    ]);
  });

  for (const [what, text] of [
    [
      'NDJSON',
      '{"time":"2026-01-01T00:00:00Z","duration_seconds":0.2,"ok":true}\n\n{"time":1767225601000,"duration_seconds":0.04,"ok":false}',
    ],
    ['semicolons, a BOM and CRLF', '\ufefftime;duration_seconds;ok\r\n1767225600;0.2;yes\r\n1767225601;0.04;no\r\n'],
    ['tabs', 'time\tduration_seconds\tok\n1767225600\t0.2\tOK\n1767225601\t0.04\terror\n'],
    [
      'quoted cells',
      '"time","duration_seconds","ok","note"\n1767225600,"0.2",200,"a ""b"",\nc"\n1767225601,0.04,500,x\n',
    ],
    ['the errors themselves', 'time,duration_seconds,error\n1767225600,0.2,\n1767225601,0.04,timeout\n'],
    [
      'microseconds since 1970, local times',
      'time,duration_us,ok\n1767225600000000,200000,1\n2026-01-01 01:00:01+01:00,40000,0\n',
    ],
  ] as const)
    it(`reads ${what}`, async () => {
      const { all } = await observed(text);
      expect(errorsOf(all[0]!)).to.deep.equal([1, 2]);
      expect((all[0]!.canary.latency as Histogram).counts).to.deep.equal([1, 0, 1, 0]);
    });

  it('names the line of a row that cannot be counted, or leaves it out', async () => {
    const text =
      'time,latency,ok\n1767225600,12,true\nyesterday,12,true\n1767225601,-1,true\n1767225602,1\n1767225603,1,maybe\n';
    expect(await refusal(text)).to.match(/^requests\.csv:3: time: "yesterday" is not a time.*--skip-bad/);
    const { summary } = await observed(text, { skipBad: true });
    expect(summary).to.deep.include({ requests: { canary: 1, baseline: 0 }, skipped: 4 });
    expect(summary.firstSkipped).to.match(/^requests\.csv:3: /);
  });

  it('does not guess where rows begin after a quote that is wrong', async () => {
    expect(await refusal('time,ok\n1767225600,"true\n', { skipBad: true })).to.match(/^requests\.csv:2: .*quote/);
  });

  it('sorts rows that are out of order, as far as it was told to', async () => {
    const text = 'time,ok\n1767225660,1\n1767225601,0\n1767225662,1\n';
    expect((await observed(text)).all.map((one) => errorsOf(one)[1])).to.deep.equal([1, ...new Array(11).fill(0), 2]);
    expect(await refusal(text, { latenessMs: 10_000 })).to.match(/^requests\.csv:3: .*earlier.*--lateness/);
  });

  it('refuses a time that is far from all others instead of filling the years between', async () => {
    expect(await refusal('time,ok\n1767225600,1\n2767225600,1\n')).to.match(/^requests\.csv:3: .*later/);
  });

  it('says what to give where it cannot know', async () => {
    expect(await refusal('when,ok\n1,1\n')).to.match(/no column of times.*--time-column/);
    expect(await refusal('time,user\n1,1\n')).to.match(/no column to judge by.*--ok-column/);
    expect(await refusal('time,ok,version\n1767225600,1,a\n1767225600,1,b\n')).to.match(
      /several versions: a, b.*--canary/,
    );
    expect(await refusal('time,ok,version\n1767225600,1,a\n', { canary: 'c' })).to.match(
      /no request of version c.*seen: a/,
    );
    expect(await refusal('time,score\n1767225600,37\n')).to.match(/:2: score: 37 .*--score-buckets/);
    expect(await refusal('time,okay\n1767225600,1\n', { columns: { ok: 'oky' } })).to.match(/--ok-column oky.*okay/);
    expect(await refusal('')).to.match(/no requests/);
  });

  it('counts out what is counted in, whatever the order within the lateness', async () => {
    const request = fc.record({
      at: fc.integer({ min: 0, max: 300_000 }),
      version: fc.constantFrom('a', 'b', 'c'),
      latency: fc.option(fc.double({ min: 0, max: 1000, noNaN: true })),
      ok: fc.boolean(),
      score: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    });
    const every = fc.integer({ min: 2000, max: 60_000 });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 60 }), every, async (requests, everyMs) => {
        const rows = requests.map(
          (r) => `${1_767_225_600_000 + r.at},${r.version},${r.latency ?? ''},${r.ok},${r.score ?? ''}`,
        );
        const options = { canary: 'a', baseline: 'b', everyMs, latenessMs: 301_000 };
        const text = ['time,version,latency,ok,score', ...rows].join('\n');
        if (!requests.some(({ version }) => version === 'a')) return;
        const { all, summary } = await observed(text, options);
        const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
        for (const [arm, version] of [
          ['canary', 'a'],
          ['baseline', 'b'],
        ] as const) {
          const mine = requests.filter((r) => r.version === version);
          expect(sum(all.map((one) => errorsOf(one, arm)[1]!))).to.equal(mine.length);
          expect(sum(all.map((one) => errorsOf(one, arm)[0]!))).to.equal(mine.filter(({ ok }) => !ok).length);
          const counts = (of: 'latency' | 'score') => sum(all.flatMap((one) => (one[arm]![of] as Histogram).counts));
          expect(counts('latency')).to.equal(mine.filter(({ latency }) => latency !== null).length);
          expect(counts('score')).to.equal(mine.filter(({ score }) => score !== null).length);
          expect(summary.requests[arm]).to.equal(mine.length);
        }
        for (const [i, { from, t }] of all.entries()) {
          expect(t - from).to.equal(everyMs);
          expect(from).to.equal(i === 0 ? from : all[i - 1]!.t);
        }
      }),
      { numRuns: cases(2000) },
    );
  });

  describe('of files as programs write them', () => {
    const one = async (text: string | Buffer, options: Partial<ObserveOptions> = {}) => {
      const { observations, summary } = observeRequests(Readable.from([Buffer.from(text)]), { ...OPTIONS, ...options });
      const all: Observation[] = [];
      for await (const observation of observations) all.push(observation);
      return { counts: (all[0]!.canary.latency as Histogram).counts, from: all[0]!.from, summary };
    };

    for (const [what, text] of Object.entries({
      'semicolons, commas in numbers and days with dots':
        '\uFEFFtime;latency_ms;ok\r\n01.01.2026 0:00:01;79,5;true\r\n',
      "Excel's line that names the separator": '\uFEFFsep=;\r\ntime;latency_ms;ok\r\n2026-01-01 00:00:01;79.5;1\r\n',
      'UTF-16 with tabs': Buffer.from('\uFEFFtime\tlatency_ms\tok\r\n2026-01-01 00:00:01\t79,5\t1\r\n', 'utf16le'),
      'a unit with each number': 'time,latency,ok\n2026-01-01T00:00:01Z,79.5ms,1\n',
      'a number in quotes, and lines in a cell': 'time,note,latency_ms,ok\n1767225601,"a\nb, ""c""","79.5",1\n',
      "nginx's seconds": '{"time":"2026-01-01T00:00:01+00:00","request_time":"0.0795","status":"200"}\n',
    }))
      it(`reads ${what}`, async () => {
        const { counts, from } = await one(text);
        expect(counts).to.deep.equal([0, 1, 0, 0]);
        expect(from).to.equal(1_767_225_600_000);
      });

    it('counts no latency where a row has none, in whatever words', async () => {
      const values = ['NaN', 'null', '-', 'N/A', 'None', ''];
      const { counts, summary } = await one(
        ['time,latency_ms,ok', ...values.map((v) => `1767225601,${v},1`)].join('\n'),
      );
      expect(counts).to.deep.equal([0, 0, 0, 0]);
      expect(summary.requests.canary).to.equal(values.length);
    });

    it('says which unit it took where nothing names one, and when times are of long ago', async () => {
      const doubts = async (text: string, options: Partial<ObserveOptions> = {}) =>
        (await one(text, options)).summary.doubts.join('\n');
      const text = 'time,latency,ok\n1767225601,0.08,1\n';
      expect(await doubts(text)).to.equal(
        'latency: read as ms, the slowest request took 0.08 ms; if that is wrong, pass --latency-unit',
      );
      expect(await doubts(text, { latencyUnit: 's' })).to.equal('');
      expect(await doubts('time,latency_s,ok\n1767225601,0.08,1\n')).to.equal('');
      expect(await doubts('time,latency_s,ok\n46082.5,0.08,1\n')).to.match(/^time: the first request is of 1970-01-01/);
    });

    it('refuses what it cannot read with the reason, not with an error of the parser', async () => {
      expect(await refusal('[{"time":1}]')).to.match(/is a JSON array.*jq/);
      expect(await refusal('time,ok\n1767225600,5" screen\n')).to.match(
        /^requests\.csv:2: not valid CSV: a quote within a cell/,
      );
      expect(await refusal('2026-01-01T00:00:01Z,v2,80,200\n2026-01-01T00:00:02Z,v2,80,200\n')).to.match(
        /^requests\.csv:1: no header/,
      );
      // A comma between columns is none within a number.
      expect(await refusal('time,latency_ms,ok\n1767225601,"1,234",1\n')).to.match(/"1,234" is not a latency/);
      expect(await refusal('time,ok\n3/1/2026 12:00:00 PM,1\n')).to.match(/is not a time/);
    });
  });
});
