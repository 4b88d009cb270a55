import { expect } from 'chai';
import type { Finding } from '../../../../src/lib/metrics/inspect/index.js';
import { histogram, type Look, lookAt } from './pages.js';

const MODEL = { requests: 'model_requests_total', errors: 'model_errors_total', latency: 'model_latency' };
const COUNTERS = 'model_requests_total 1000\nmodel_errors_total 3\n';

describe('the first look', () => {
  const fatal = (look: Look): Finding[] => lookAt(look).filter(({ level }) => level === 'fatal');
  const words = (look: Look): string[] => fatal(look).map(({ words: said }) => said);
  const said = (look: Look, level: Finding['level']): string =>
    lookAt(look)
      .filter((finding) => finding.level === level)
      .map((finding) => `${finding.arm ?? ''} ${finding.signal ?? ''}: ${finding.words}`)
      .join('\n');

  it('finds nothing wrong with a page that has what is asked for, and says what it found', () => {
    const look = { ...MODEL, page: COUNTERS + histogram('model_latency') };
    expect(lookAt(look).filter(({ level }) => level !== 'info')).to.deep.equal([]);
    expect(said(look, 'info')).to.contain('canary requests: model_requests_total: 1 series, 1,000 so far');
    expect(said(look, 'info')).to.contain('canary latency: model_latency: 1 series, bounds 100, 250, 1000, 10000 ms');
  });

  describe('a name that is not there', () => {
    it('names the histograms of the page where requests are counted in others', () => {
      const page = `# TYPE http_request_duration_seconds histogram\n${histogram('http_request_duration_seconds')}`;
      expect(words({ latency: 'model_latency', page })).to.deep.equal([
        'no series model_latency_bucket; the page has histograms http_request_duration_seconds',
      ]);
    });

    it('asks whether one that is nearly the same is meant', () => {
      const [requests] = words({
        ...MODEL,
        requests: 'model_request_total',
        page: COUNTERS + histogram('model_latency'),
      });
      expect(requests).to.equal('no series model_request_total; did you mean model_requests_total?');
      const [errors] = words({
        ...MODEL,
        errors: 'model_error_total',
        absent: 'zero',
        page: COUNTERS + histogram('model_latency'),
      });
      expect(errors).to.equal('no series model_error_total; did you mean model_errors_total?');
    });

    it('says that a summary or a gauge stands where another kind is needed', () => {
      const summary =
        '# TYPE model_latency summary\nmodel_latency{quantile="0.95"} 0.2\nmodel_latency_sum 9\nmodel_latency_count 9\n';
      expect(words({ ...MODEL, page: COUNTERS + summary })[0]).to.match(
        /^no series model_latency_bucket: the page has model_latency as a summary; a histogram is needed$/,
      );
      const noBuckets = 'model_latency_sum 9\nmodel_latency_count 9\n';
      expect(words({ ...MODEL, page: COUNTERS + noBuckets })[0]).to.match(
        /the page has model_latency as a summary; a histogram is needed/,
      );
      const gauge = '# TYPE model_latency gauge\nmodel_latency 0.2\n';
      expect(words({ ...MODEL, page: COUNTERS + gauge })[0]).to.match(
        /the page has model_latency as a gauge; a histogram is needed/,
      );
    });

    it('lets what appears with its first use appear', () => {
      const declared =
        '# TYPE http_requests_total counter\n# TYPE http_seconds histogram\nprocess_cpu_seconds_total 3\n';
      const look = {
        requests: 'http_requests_total',
        errors: 'http_requests_total{code="500"}',
        latency: 'http_seconds',
        page: declared,
      };
      expect(fatal(look)).to.deep.equal([]);
      expect(said(look, 'warning')).to.contain('no series http_seconds_bucket yet: it is declared');
      const runtime =
        'go_goroutines 8\n# TYPE go_gc_duration_seconds summary\ngo_gc_duration_seconds{quantile="0"} 0\n';
      expect(fatal({ ...look, page: runtime })).to.deep.equal([]);
    });

    it('does not, where requests have been served', () => {
      const [finding] = fatal({ ...MODEL, page: COUNTERS });
      expect(finding).to.include({
        signal: 'latency',
        words: 'no series model_latency_bucket: the page has no histogram',
        mayAppear: true,
      });
    });

    it('doubts a counter that is not a whole number', () => {
      const page = '# TYPE busy counter\nbusy 1.7\nmodel_errors_total 0\n';
      const look = {
        page,
        requests: 'busy',
        errors: 'model_errors_total',
        policy: { targets: { max_error_rate: 0.02 } },
      };
      expect(said(look, 'warning')).to.contain('busy is 1.7, not a whole number');
    });

    it('says how a counter of failures that is not there is read', () => {
      const look = { ...MODEL, page: `model_requests_total 1000\n${histogram('model_latency')}` };
      expect(fatal(look)).to.deep.equal([]);
      expect(said(look, 'warning')).to.contain('errors: no series model_errors_total');
      expect(said({ ...look, absent: 'zero' }, 'warning')).to.equal('');
      expect(said({ ...look, absent: 'zero' }, 'info')).to.contain('read as no failure');
    });
  });

  describe('labels', () => {
    const VERSIONS = 'model_requests_total{version="v1"} 1000\nmodel_requests_total{version="v2"} 900\n';
    const asked = { requests: 'model_requests_total', errors: 'model_requests_total{code="500"}' };

    it('shows the values that are there where the arm has another', () => {
      const [found] = fatal({ ...asked, page: VERSIONS, canary: '{version="v3"}', baseline: '{version="v1"}' });
      expect(found?.words).to.equal('no series model_requests_total{version="v3"} (version seen: v1, v2)');
      expect(fatal({ ...asked, page: VERSIONS, canary: '{version="V2"}' })[0]?.advice).to.equal(
        'Did you mean version="v2"?',
      );
    });

    it('waits for a canary that is not there where all others are the baseline', () => {
      const page = 'model_requests_total{version="v1",code="200"} 1000\n';
      const look = { ...asked, page, canary: '{version="v2"}', baseline: '{version="v1"}' };
      expect(fatal(look)).to.deep.equal([]);
      expect(said(look, 'warning')).to.contain('no series model_requests_total{version="v2"} (version seen: v1)');
    });

    it('says which labels there are where the arm has one that is on no series', () => {
      const found = fatal({ ...MODEL, page: 'model_requests_total{pod="a"} 10\n', canary: '{version="v2"}' });
      expect(found.map((one) => one.words)).to.deep.equal([
        'no series model_requests_total{version="v2"}: its series have the labels pod, not version',
      ]);
    });

    it('asks whether another spelling of a value is meant', () => {
      const page = 'http_requests_total{handler="/predict/",code="200"} 10\n';
      const [found] = fatal({
        requests: 'http_requests_total{handler="/predict"}',
        errors: 'http_requests_total{handler="/predict",code="500"}',
        page,
      });
      expect(found?.words).to.equal('no series http_requests_total{handler="/predict"} (handler seen: /predict/)');
      expect(found?.advice).to.equal('Did you mean handler="/predict/"?');
    });

    it('asks whether a value with another letter is meant, but not one with another number', () => {
      const of = (route: string, ...there: string[]) =>
        fatal({
          requests: `http_requests_total{route="${route}"}`,
          errors: `http_requests_total{route="${route}",code="500"}`,
          page: there.map((one) => `http_requests_total{route="${one}",code="200"} 10\n`).join(''),
        })[0]?.advice;
      expect(of('/api/order/:id', '/api/orders/:id', '/healthz')).to.equal('Did you mean route="/api/orders/:id"?');
      expect(of('/api/v1/predict', '/api/v2/predict')).to.equal(undefined);
      expect(of('/order', '/orders')).to.equal(undefined);
    });
  });

  describe('failures', () => {
    const page = (...values: string[]) =>
      values.map((value) => `http_requests_total{status="${value}"} 300\n`).join('');
    const asked = (text: string) => ({ requests: 'http_requests_total', errors: `http_requests_total{${text}}` });

    it('refuses a value that looks like a failure and is not selected', () => {
      for (const value of ['500', '503', '5xx', 'error', 'FAILED', 'abort', 'timeout'])
        expect(words({ ...asked('status="504"'), page: page('200', '504', value) })[0], value).to.match(
          new RegExp(`^status="${value}" looks like a failure`),
        );
      expect(words({ ...asked('status=~"5.."'), page: page('200', '404', '500', '503') })).to.deep.equal([]);
    });

    it('refuses classes where codes are counted, and codes where classes are, before anything fails', () => {
      expect(words({ ...asked('status="5xx"'), page: page('200', '404') })[0]).to.match(
        /^the values of status are codes, not classes/,
      );
      expect(words({ ...asked('status=~"50[0-9]"'), page: page('2xx') })[0]).to.match(
        /^the values of status are classes, not codes/,
      );
      expect(words({ ...asked('status=~"5.."'), page: page('2xx') })).to.deep.equal([]);
    });

    it('refuses a label that no request has, but waits for one that only failures have', () => {
      expect(words({ ...asked('stauts="500"'), page: page('200') })[0]).to.match(
        /^no request has the label stauts, they have the labels status/,
      );
      const look = { ...asked('error_type!=""'), page: page('200') };
      expect(lookAt(look).filter(({ level }) => level !== 'info')).to.deep.equal([]);
      expect(words({ ...asked('error_type=~".+"'), page: page('200') })).to.deep.equal([]);
      expect(said({ ...asked('error_type="timeout"'), page: page('200') }, 'warning')).to.match(
        /no request has the label error_type/,
      );
    });

    it('shows the values that were seen', () => {
      expect(said({ ...asked('status=~"5.."'), page: page('200', '500') }, 'info')).to.contain(
        'errors: http_requests_total{status=~"5.."}: 300 so far (status seen: 200, 500)',
      );
    });
  });

  describe('latency', () => {
    it('refuses a limit above the highest bucket', () => {
      const look = { latency: 'model_latency', page: histogram('model_latency', '', [0.1, 0.2]) };
      expect(words(look)[0]).to.equal(
        'latency_p95_ms 250 ms: model_latency has no bucket that ends at or above it (bounds 100, 200 ms), so it can never be decided',
      );
      expect(words({ ...look, page: histogram('model_latency', '', ['0.250']) })).to.deep.equal([]);
    });

    it('refuses a limit below the lowest bucket, which nothing could be promoted by', () => {
      const look = { latency: 'model_latency', page: histogram('model_latency', '', [1, 2]) };
      expect(words(look)[0]).to.contain('has no bucket that ends at or below it (bounds 1000, 2000 ms)');
      expect(fatal(look)[0]!.advice).to.match(/^Add a bucket at the limit/);
    });

    it('refuses a unit that the page contradicts', () => {
      const page = `# UNIT model_latency milliseconds\n${histogram('model_latency')}`;
      expect(words({ latency: 'model_latency', page })).to.deep.equal([
        'model_latency is read in seconds, but its page says "# UNIT model_latency milliseconds": write unit: ms',
      ]);
      expect(
        words({ latency: 'model_latency', unit: 'ms', page: page.replaceAll('le="10"', 'le="1000"') }),
      ).to.deep.equal([]);
    });
  });

  describe('a page and a policy', () => {
    it('refuses a page without a single sample', () => {
      expect(words({ ...MODEL, page: '' })).to.deep.equal(['http://canary/metrics answers without a single sample']);
    });

    it('refuses a canary that is counted into its own baseline', () => {
      const page =
        'model_requests_total{version="v1"} 1000\nmodel_requests_total{version="v2"} 900\nmodel_errors_total{version="v2"} 0\n';
      const asked = { requests: 'model_requests_total', errors: 'model_errors_total', absent: 'zero' as const, page };
      expect(words({ ...asked, canary: '{version="v2"}', baseline: '{}' })[0]).to.equal(
        'canary and baseline are the same series of http://canary/metrics, e.g. model_requests_total{version="v2"}',
      );
      expect(words({ ...asked, canary: '{version="v2"}', baseline: '{version="v1"}' })).to.deep.equal([]);
      expect(words({ ...asked, canary: '{version="v2"}', baselinePage: page, baseline: '{}' })).to.deep.equal([]);
    });

    it('refuses two addresses of one process', () => {
      const of = (
        canary: number,
        baseline: number,
        baselinePage = 'model_requests_total 1002\nmodel_errors_total 3\n',
      ) => words({ ...MODEL, page: COUNTERS, baselinePage, startedAt: { canary, baseline } });
      expect(of(1_700_000_000_120, 1_700_000_000_120)[0]).to.equal(
        'canary and baseline are the same series of one process, http://canary/metrics and http://baseline/metrics, e.g. model_requests_total',
      );
      const others = [of(1_700_000_000_120, 1_700_000_000_130), of(1_700_000_000_000, 1_700_000_000_000)];
      const less = of(1_700_000_000_120, 1_700_000_000_120, 'model_requests_total 700\nmodel_errors_total 3\n');
      for (const said of [...others, less]) expect(said.join()).not.to.contain('same series');
    });

    it('refuses one process at two addresses of the canary', () => {
      const of = (startedAt: number, page = 'model_requests_total 1002\nmodel_errors_total 3\n') =>
        words({
          ...MODEL,
          page: COUNTERS,
          startedAt: { canary: 1_700_000_000_120, baseline: 0 },
          also: { page, startedAt },
        });
      expect(of(1_700_000_000_120)[0]).to.equal(
        'one process, http://canary/metrics and http://canary-2/metrics, would count twice',
      );
      expect(of(1_700_000_000_121).join()).not.to.contain('count twice');
      expect(of(1_700_000_000_120, 'model_requests_total 700\nmodel_errors_total 3\n').join()).not.to.contain('twice');
    });

    it('refuses a policy that asks for what is not measured', () => {
      const page = COUNTERS;
      const policy = {
        targets: { max_error_rate: 0.02, latency_p95_ms: 250, max_drift: 0.2 },
        objectives: ['accuracy > 0.9'],
      };
      expect(words({ requests: MODEL.requests, errors: MODEL.errors, page, policy, baselinePage: page })).to.deep.equal(
        [
          'the policy asks for latency_p95_ms, and signals names no latency',
          'the policy asks for max_drift, and signals names no drift',
          'the policy asks for accuracy, and neither a signal nor a query gives it',
        ],
      );
    });

    it('looks for the histogram of any quantile, but not for what is only reported', () => {
      const page = COUNTERS + histogram('model_latency') + histogram('ttft_seconds', '', [0.1, 0.2]);
      const signals = { requests: MODEL.requests, errors: MODEL.errors, latency: MODEL.latency, page };
      const policy = { targets: { max_error_rate: 0.02 }, objectives: ['ttft_p95_ms < 800', 'latency_p50_ms < 60000'] };
      expect(words({ ...signals, policy })).to.deep.equal([
        'the policy asks for ttft_p95_ms, and signals names no ttft',
        'latency_p50_ms 60000 ms: model_latency has no bucket that ends at or above it (bounds 100, 250, 1000, 10000 ms), so it can never be decided',
      ]);
      const reportOnly = ['ttft_p95_ms', 'latency_p50_ms'];
      expect(words({ ...signals, policy: { ...policy, reportOnly } })).to.deep.equal([]);
    });

    it('refuses objectives against a baseline that there is none of', () => {
      const policy = { targets: { max_error_rate: 0.02 }, relative: { max_error_ratio: 2 } };
      const [found] = words({ requests: MODEL.requests, errors: MODEL.errors, page: COUNTERS, policy });
      expect(found).to.equal('the policy asks for max_error_ratio, and the source has no baseline');
    });

    it('says where failures cannot be seen', () => {
      const look = { latency: 'model_latency', page: histogram('model_latency') };
      expect(said(look, 'warning')).to.contain('signals cannot see failures');
    });

    it('says that nothing has been counted yet', () => {
      const { requests, errors } = MODEL;
      const look = { requests, errors, page: 'model_requests_total 0\nmodel_errors_total 0\n' };
      expect(said(look, 'warning')).to.contain('requests: no request has been counted yet');
    });
  });
});
