import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';
import { Prometheus } from './prometheus.js';

const START = ['canary', 'start', '--model', 'fraud-v2', '--from', 'stage', '--to', 'production'];
const TARGETS = ['--max-error-rate', '0.02', '--latency-p95-ms', '250', '--window', '4s'];

describe('the first look', () => {
  let place: Workspace;
  const pages: Page[] = [];
  beforeEach(() => {
    place = new Workspace();
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.close();
    await place.remove();
  });

  const page = async (...answer: Parameters<typeof serve>): Promise<Page> => {
    const made = await serve(...answer);
    pages.push(made);
    return made;
  };
  const plain = (text: string) =>
    page((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(text);
    });

  it('is printed before the canary starts, stands in --json, and is told by why', async () => {
    const { url } = await page(counting(200));
    const run = await place.run([...START, ...TARGETS, '--canary-url', url, '--json']);
    expect(run.code).to.equal(0);
    expect(run.stderr).to.match(
      /preflight check\n {2}canary {4}requests {2}model_requests_total: 1 series, [\d,]+ so far\n/,
    );
    const { canaryId, firstLook } = JSON.parse(run.stdout) as { canaryId: string; firstLook: { signal: string }[] };
    expect(firstLook.map(({ signal }) => signal)).to.have.members(['requests', 'errors', 'latency']);
    const why = await place.run(['why', canaryId]);
    expect(why.stdout).to.contain('The preflight check before the start found: canary requests: model_requests_total');
  });

  it('warns of the labels of another version, which a file of the version before still has', async () => {
    const { url } = await plain(
      ['v1', 'v2', 'v3'].map((version) => `model_requests_total{version="${version}"} 900`).join('\n') +
        ['v1', 'v2', 'v3'].map((version) => `\nmodel_errors_total{version="${version}"} 2`).join('') +
        '\n',
    );
    const start = ['canary', 'start', '--model', 'fraud-v3', '--from', 'stage', '--to', 'production', '--detach'];
    const given = ['--max-error-rate', '0.02', '--window', '4s', '--canary-url', url, '--baseline-label', 'version=v1'];
    const other = await place.run([...start, ...given, '--canary-label', 'version=v2']);
    expect(other.stderr).to.contain('the model is fraud-v3, and the series that are measured are those with');
    const right = await place.run([...start, ...given, '--canary-label', 'version=v3']);
    expect(right.stderr).not.to.contain('the model is fraud-v3');
  });

  it('ends what can never work with exit 2, records nothing, and names what is nearest', async () => {
    const { url } = await plain(
      '# TYPE http_request_duration_seconds histogram\nhttp_request_duration_seconds_bucket{le="0.5"} 100\n' +
        'http_request_duration_seconds_bucket{le="+Inf"} 100\nhttp_request_duration_seconds_sum 3\nhttp_request_duration_seconds_count 100\n',
    );
    const run = await place.run([...START, '--latency-p95-ms', '250', '--canary-url', url]);
    expect(run.code).to.equal(2);
    expect(run.stderr).to.contain(
      'no series model_latency_bucket; the page has histograms http_request_duration_seconds',
    );
    expect(await place.events()).to.deep.equal([]);
  });

  it('lets a canary begin that refuses connections while its baseline serves: it is rolled back, hooks and all', async () => {
    const baseline = await page(counting(200));
    const gone = await page(counting(200));
    await gone.close();
    place.file('lukhas.yaml', 'hooks: { rollback: [{ name: shift, exec: { command: [/bin/touch, called] } }] }\n');
    const urls = ['--canary-url', gone.url, '--baseline-url', baseline.url];
    const run = await place.run([...START, ...TARGETS, ...urls]);
    expect(run.code, run.stdout + run.stderr).to.equal(3);
    expect(run.stderr).to.match(
      /warning: the canary does not answer, and its baseline does\. If it is down .* the rollback hooks are called\. .*lukhas canary abort c-/,
    );
    expect(run.stdout).to.match(/^ROLLED BACK {2}fraud-v2/);
    expect(run.stdout).to.contain('the canary never answered: 5 of 5 checks, while the baseline did');
    expect(existsSync(join(place.dir, 'called'))).to.equal(true);
  });

  it('refuses the second canary on the same series unless that is accepted', async () => {
    const { url } = await page(counting(200));
    const detached = [...START, ...TARGETS, '--canary-url', url, '--detach'];
    const first = await place.run(detached);
    expect(first.code).to.equal(0);
    const second = await place.run(detached);
    expect(second.code).to.equal(2);
    expect(second.stderr).to.contain(
      `canary ${first.stdout.trim()} (fraud-v2, stage → production) reads the same series`,
    );
    const third = await place.run([...detached, '--allow-shared-series']);
    expect(third.code).to.equal(0);
    expect(third.stderr).to.contain(`warning: canary ${first.stdout.trim()}`);
  });

  describe('at a Prometheus', () => {
    let prometheus: Prometheus;
    before(async () => {
      prometheus = await Prometheus.start();
    });
    after(() => prometheus.stop());

    const VERSIONS = ['v1', 'v2']
      .map((version) =>
        [
          `http_requests_total{version="${version}",status="200"} 900`,
          `http_requests_total{version="${version}",status="503"} 9`,
          `http_request_duration_seconds_bucket{version="${version}",le="0.5"} 900`,
          `http_request_duration_seconds_bucket{version="${version}",le="+Inf"} 909`,
          `http_request_duration_seconds_sum{version="${version}"} 30`,
          `http_request_duration_seconds_count{version="${version}"} 909`,
          '',
        ].join('\n'),
      )
      .join('');

    const config = (arms: string, signals: string) =>
      place.file(
        'lukhas.yaml',
        `source: { kind: prometheus, url: ${prometheus.url} }\narms: ${arms}\nsignals: ${signals}\n`,
      );
    const RIGHT =
      '{ requests: http_requests_total, errors: \'http_requests_total{status=~"5.."}\', latency: http_request_duration_seconds }';
    const look = async (arms: string, signals: string): Promise<string> => {
      const file = config(arms, signals);
      const run = await place.run([
        ...START,
        '--max-error-rate',
        '0.02',
        '--latency-p95-ms',
        '500',
        '--detach',
        '--config',
        file,
      ]);
      return `exit ${run.code} ${run.stderr}`;
    };

    it('finds series by version, and names what is nearest to those that are not there', async () => {
      const { url } = await plain(VERSIONS);
      await prometheus.scrape([url]);
      const arms = '{ canary: { version: v2 }, baseline: { version: v1 } }';
      expect(await look('{ canary: { gate: stage }, baseline: { gate: production } }', RIGHT)).to.match(
        /^exit 2 [\s\S]*no series of .* has the label gate/,
      );
      expect(await look('{ canary: { version: v3 }, baseline: { version: v1 } }', RIGHT)).to.match(
        /^exit 2 [\s\S]*no series http_requests_total\{version="v3"\} \(version seen: v1, v2\)/,
      );
      expect(
        await look(arms, RIGHT.replace('latency: http_request_duration_seconds', 'latency: http_request_latency')),
      ).to.match(
        /^exit 2 [\s\S]*no series http_request_latency_bucket; Prometheus has histograms http_request_duration_seconds/,
      );
      expect(await look(arms, RIGHT.replace('"5.."', '"500"'))).to.match(
        /^exit 2 [\s\S]*status="503" looks like a failure/,
      );
      const found = await look(arms, RIGHT);
      expect(found).to.match(/^exit 0 /);
      expect(found).to.match(
        /canary {4}errors {4}http_requests_total\{status=~"5\.\."\}: 9 so far \(status seen: 200, 503\)/,
      );
      expect(found).to.match(/baseline {2}latency {3}http_request_duration_seconds: 1 series, bounds 500 ms/);
    });

    it('counts every series once, also where nothing has failed yet', async () => {
      const { url } = await plain(
        ['v7', 'v8'].map((version) => `orders_total{version="${version}",status="200"} 900\n`).join(''),
      );
      await prometheus.scrape([url]);
      config(
        '{ canary: { version: v8 }, baseline: { version: v7 } }',
        '{ requests: orders_total, errors: \'orders_total{status=~"5.."}\' }',
      );
      const run = await place.run([...START, '--max-error-rate', '0.02', '--detach']);
      expect(run.stderr).to.match(/canary {4}requests {2}orders_total: 1 series, 900 so far/);
      expect(run.stderr).to.match(/canary {4}errors {4}\S+: 0 so far \(status seen: 200\)/);
      expect(run.code).to.equal(0);
    });
  });
});
