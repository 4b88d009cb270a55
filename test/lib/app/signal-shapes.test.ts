import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../../src/lib/app/config.js';
import type { LukhasError } from '../../../src/lib/errors.js';
import type { ArmReading } from '../../../src/lib/judge/observation.js';
import { openSource } from '../../../src/lib/metrics/open.js';

/** Signals as people write them for a service, what its page shows at its n-th look, and what has to be counted. */
interface Shape {
  signals: string;
  page: (n: number) => string;
  errors?: { bad: number; total: number };
  latency?: { bounds: number[]; counts: number[] };
  inflight?: number;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'only successes and all are counted': {
    signals: 'requests: all_total\n  errors: all_total - good_total',
    page: (n) => `all_total ${500 * n}\ngood_total ${450 * n}\n`,
    errors: { bad: 50, total: 500 },
  },
  'successes and failures are counted, all fail': {
    signals: 'requests: ok_total + failed_total\n  errors: failed_total',
    page: (n) => `ok_total 1000\nfailed_total ${500 * n}\n`,
    errors: { bad: 500, total: 500 },
  },
  'everything but one value is a failure': {
    signals: 'requests: r_total\n  errors: r_total{code!="OK"}',
    page: (n) => `r_total{code="OK"} ${499 * n}\nr_total{code="INTERNAL"} ${n}\n`,
    errors: { bad: 1, total: 500 },
  },
  'everything but what an expression matches is a failure': {
    signals: 'requests: r_total\n  errors: r_total{code!~"2..|3.."}',
    page: (n) => `r_total{code="200"} ${490 * n}\nr_total{code="301"} ${9 * n}\nr_total{code="500"} ${n}\n`,
    errors: { bad: 1, total: 500 },
  },
  'other paths fail, and are not asked about': {
    signals: 'requests: r_total{path="predict"}\n  errors: r_total{path="predict", code=~"5.."}',
    page: (n) =>
      `r_total{path="predict",code="200"} ${499 * n}\nr_total{path="predict",code="500"} ${n}\nr_total{path="health",code="500"} ${100 * n}\n`,
    errors: { bad: 1, total: 500 },
  },
  'a label that only failures have, and none yet': {
    signals: 'requests: g_count\n  errors: g_count{error_type!=""}',
    page: (n) => `g_count{model="m"} ${500 * n}\n`,
    errors: { bad: 0, total: 500 },
  },
  'a label that only failures have': {
    signals: 'requests: g_count\n  errors: g_count{error_type!=""}',
    page: (n) => `g_count{model="m"} ${500 * n}\ng_count{model="m",error_type="timeout"} ${3 * n}\n`,
    errors: { bad: 3, total: 503 },
  },
  'a value between slashes': {
    signals:
      'requests: http_requests_total{handler="/predict/"}\n  errors: http_requests_total{handler="/predict/", status="5xx"}',
    page: (n) =>
      `http_requests_total{handler="/predict/",status="2xx"} ${250 * n}\nhttp_requests_total{handler="/predict/",status="5xx"} ${250 * n}\nhttp_requests_total{handler="predict",status="5xx"} ${9 * n}\n`,
    errors: { bad: 250, total: 500 },
  },
  'names that need quotes': {
    signals:
      'requests: \'{"http.server.requests"}\'\n  errors: \'{"http.server.requests", "http.status"="500"}\'\n  inflight: \'{"http.server.active"}\'',
    page: (n) =>
      `{"http.server.requests","http.status"="200"} ${9 * n}\n{"http.server.requests","http.status"="500"} ${n}\n{"http.server.active"} 4\n`,
    errors: { bad: 1, total: 10 },
    inflight: 4,
  },
  'a histogram in milliseconds, with labels of its own': {
    signals: 'latency: { histogram: rt, unit: ms, labels: { handler: /predict } }',
    page: (n) =>
      `rt_bucket{handler="/predict",le="250"} ${490 * n}\nrt_bucket{handler="/predict",le="+Inf"} ${500 * n}\nrt_bucket{handler="/health",le="250"} ${n}\nrt_bucket{handler="/health",le="+Inf"} ${n}\n`,
    latency: { bounds: [250], counts: [490, 10] },
  },
  'a histogram in microseconds': {
    signals: 'latency: { histogram: ":tensorflow:serving:request_latency", unit: us }',
    page: (n) =>
      `:tensorflow:serving:request_latency_bucket{le="250000"} ${490 * n}\n:tensorflow:serving:request_latency_bucket{le="+Inf"} ${500 * n}\n`,
    latency: { bounds: [250], counts: [490, 10] },
  },
};

describe('signals as people write them', () => {
  let dir: string;
  let server: Server;
  let page: () => string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-shapes-'));
    server = createServer((_, response) => void response.end(page()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  });

  async function configured(signals: string) {
    const { port } = server.address() as AddressInfo;
    const config = join(dir, 'lukhas.yaml');
    await writeFile(
      config,
      `source: { kind: scrape, canaryUrl: "http://127.0.0.1:${port}/metrics" }\nsignals:\n  ${signals}\n`,
    );
    return (await loadConfig({ flags: { config }, env: { HOME: dir }, cwd: dir })).source;
  }

  async function secondLook({ signals, page: pageOf }: Shape): Promise<ArmReading> {
    let [n, time] = [0, 1_700_000_000_000];
    page = () => pageOf(n);
    const source = await openSource(await configured(signals), {}, () => time);
    const look = async (cursor: unknown) => {
      [n, time] = [n + 1, time + 10_000];
      const request = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 60 };
      return source.read({ ...request, at: time, cursor, scalars: [], withBaseline: false });
    };
    await source.check();
    const first = await look(null);
    const second = await look(JSON.parse(JSON.stringify(first.cursor)));
    // A difference of counters settles one look later.
    const third = await look(JSON.parse(JSON.stringify(second.cursor)));
    await source.close();
    return third.observation.canary;
  }

  for (const [what, shape] of Object.entries(SHAPES))
    it(`count ${what}`, async () => {
      const reading = await secondLook(shape);
      if (shape.errors) expect(reading.errors).to.deep.equal({ state: 'ok', ...shape.errors });
      if (shape.latency) expect(reading.latency).to.deep.equal({ state: 'ok', ...shape.latency });
      if (shape.inflight) expect(reading.inflight).to.equal(shape.inflight);
    });

  it('are refused where their unit contradicts the name', async () => {
    const error = await configured('latency: { histogram: http_server_request_duration_seconds, unit: ms }').catch(
      (thrown: LukhasError) => thrown,
    );
    expect(error).to.include({ code: 'CONFIG', exit: 2 });
    expect((error as LukhasError).message).to.match(
      /signals\.latency: the name http_server_request_duration_seconds says seconds, but unit is ms: write unit: s/,
    );
  });
});
