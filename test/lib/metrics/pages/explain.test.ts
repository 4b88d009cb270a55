import { expect } from 'chai';
import type { ArmReading } from '../../../../src/lib/judge/index.js';
import { explained } from '../../../../src/lib/metrics/pages/explain.js';
import { readExposition } from '../../../../src/lib/metrics/pages/exposition.js';
import type { FetchedPage } from '../../../../src/lib/metrics/pages/fetch.js';
import { equal, parseSignals, type SignalsConfig } from '../../../../src/lib/metrics/signals/index.js';

const CONFIG: SignalsConfig = {
  preset: null,
  requests: 'requests_total{path="/p"}',
  errors: { count: 'errors_total', absent: 'no_data' },
  histograms: { latency: { histogram: 'latency', unit: 's' }, ttft: { histogram: 'ttft', unit: 's' } },
  drift: { histogram: 'score' },
  inflight: null,
};
const signals = parseSignals(CONFIG);

async function page(text: string, id = 'http://a/metrics'): Promise<FetchedPage> {
  const { samples, facts } = await readExposition(text, { openMetrics: false, wanted: (name) => name !== 'OK' });
  return { target: { id, state: { state: 'ok' }, samples }, facts };
}
const absent = (name: string) => ({ state: 'absent' as const, detail: `no series ${name}` });
const READING: ArmReading = {
  errors: absent('requests_total'),
  latency: absent('latency_bucket'),
  score: absent('score_bucket'),
  histograms: { ttft: absent('ttft_bucket') },
};

describe('missing signals, explained by their pages', () => {
  it('say that no page holds a sample', async () => {
    const empty = explained(READING, signals, [await page('OK\n')], []);
    const why = { state: 'absent', detail: 'http://a/metrics: the page holds not one sample' };
    expect(empty).to.deep.equal({ errors: why, latency: why, score: why, histograms: { ttft: why } });
    expect(explained(READING, signals, [await page('OK\n'), await page('x 1\n')], [])).to.deep.equal(READING);
  });

  it('name a summary in the place of a histogram', async () => {
    const text =
      '# TYPE latency summary\nlatency{quantile="0.95"} 0.2\nlatency_sum 5\nlatency_count 50\n# TYPE ttft gauge\nttft 1\n';
    const { latency, histograms, score, errors } = explained(READING, signals, [await page(text)], []);
    expect(latency).to.deep.equal({
      state: 'absent',
      detail: 'no series latency_bucket: the page has latency as a summary; a histogram is needed',
    });
    expect(histograms!['ttft']).to.have.property(
      'detail',
      'no series ttft_bucket: the page has ttft as a gauge; a histogram is needed',
    );
    expect({ score, errors }).to.deep.equal({ score: READING.score, errors: READING.errors });
  });

  it('show the values of the arm that there are', async () => {
    const text =
      'requests_total{path="/p",version="v2"} 1\nrequests_total{path="/q",version="V2"} 1\nlatency_bucket{version="v1",le="1"} 1\nlatency_bucket{version="v2",le="1"} 1\n';
    const { errors, latency, score } = explained(READING, signals, [await page(text)], equal({ version: 'V2' }));
    expect(errors).to.have.property('detail', 'no series requests_total{path="/p",version="V2"} (version seen: v2)');
    expect(latency).to.have.property('detail', 'no series latency_bucket{version="V2"} (version seen: v1, v2)');
    expect(score).to.deep.equal(READING.score);
    const none = explained(READING, signals, [await page(text)], equal({ gate: 'stage' }));
    expect(none.latency).to.have.property('detail', 'no series latency_bucket{gate="stage"} (gate seen: none)');
  });

  it('say which unit stale timestamps are in', async () => {
    const one = await page('requests_total{path="/p"} 1\nlatency_bucket{le="1"} 1\n');
    one.facts!.timestamps.set('latency_bucket', 'timestamps of latency_bucket are in seconds');
    const stale = { state: 'stale' as const, detail: 'newest sample is old' };
    const { errors, latency } = explained({ errors: stale, latency: stale }, signals, [one], []);
    expect(errors).to.deep.equal(stale);
    expect(latency).to.deep.equal({ state: 'stale', detail: 'timestamps of latency_bucket are in seconds' });
  });

  it('leave alone what is there, and what no page tells of', async () => {
    const ok: ArmReading = { errors: { state: 'ok', bad: 0, total: 1 }, inflight: 3, targets: { expected: 1, up: 0 } };
    expect(explained(ok, signals, [await page('')], [])).to.deep.equal(ok);
    const down: FetchedPage = { target: { id: 'b', state: { state: 'unreachable' }, samples: [] }, facts: null };
    expect(explained(READING, signals, [down], [])).to.deep.equal(READING);
  });
});
