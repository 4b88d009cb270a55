import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type FirstLook, firstLook } from '../../../src/lib/app/first-look.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';
import { PRESETS, presetNamed, signalsWithPresets } from '../../../src/lib/metrics/presets/index.js';
import { Simulation, targetsOf } from '../metrics/presets/simulation.js';

describe('the first look at a page of a preset', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function serve(page: () => string): Promise<string> {
    const server = createServer((_, response) => void response.setHeader('content-type', 'text/plain').end(page()));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  }

  /** @param page name of the system that is there, @param given signals as in lukhas.yaml */
  async function look(page: string, given: object, fail: number): Promise<FirstLook> {
    const simulation = new Simulation({ name: page }, { isNew: fail === 1 });
    simulation.canary.serve(300, { ...simulation.usual, fail });
    const canaryUrl = await serve(simulation.pages[0]);
    const baselineUrl = simulation.pages[0] === simulation.pages[1] ? canaryUrl : await serve(simulation.pages[1]);
    const targets = targetsOf(presetNamed(page)!, simulation.limitMs);
    return firstLook({
      source: {
        kind: 'scrape',
        canaryUrls: [canaryUrl],
        baselineUrls: [baselineUrl],
        arms: simulation.arms,
        signals: signalsWithPresets.parse(given),
        timeoutMs: 5000,
      },
      auth: {},
      now: Date.now,
      policy: parsePolicy({ windowSeconds: 60, intervalSeconds: 5, targets }),
      modelId: 'm',
      fromGate: 'stage',
      toGate: 'production',
    });
  }

  for (const { name, failures } of PRESETS) {
    for (const [words, fail] of [
      ['nothing has failed yet', 0],
      ['some requests have failed', 0.1],
    ] as const)
      it(`finds all that ${name} needs when ${words}`, async () => {
        const { findings, source } = await look(name, { preset: name }, fail);
        const shown = findings.filter(({ level }) => level !== 'info').map(({ words: found }) => found);
        const blind = [`preset ${name} cannot see failures: a canary that fails every request can be promoted`];
        expect(shown).to.deep.equal(failures.visible ? [] : blind);
        expect(source).to.have.nested.property('signals.preset', name);
      });

    // It has to start, so that it is rolled back.
    it(`refuses no canary of ${name} because all of its requests have failed`, async () => {
      const { findings } = await look(name, { preset: name }, 1);
      expect(findings.filter(({ level }) => level === 'fatal')).to.deep.equal([]);
    });
  }

  it('takes the variant whose names are there, and says so', async () => {
    const given = {
      preset: 'otel-http',
      errors: 'http_server_request_duration_count{error_type!=""}',
      ttft: 'ttft_seconds',
    };
    const { findings, source } = await look('otel-http-no-unit', given, 0.1);
    expect(findings.filter(({ level }) => level !== 'info')).to.deep.equal([]);
    expect(findings.map(({ words }) => words)).to.include(
      'preset otel-http-no-unit in place of otel-http: the names that are there are those of otel-http-no-unit',
    );
    expect(source)
      .to.have.property('signals')
      .that.deep.includes({
        preset: 'otel-http-no-unit',
        requests: 'http_server_request_duration_count',
        errors: { count: 'http_server_request_duration_count{error_type!=""}', absent: 'no_data' },
        histograms: {
          latency: { histogram: 'http_server_request_duration', unit: 's' },
          ttft: { histogram: 'ttft_seconds', unit: 's' },
        },
      });
  });

  it('says why the metrics of a system cannot do, whatever signals were written for it', async () => {
    const lines = [
      '# TYPE llamacpp:n_decode_total counter',
      'llamacpp:n_decode_total 900',
      '# TYPE llamacpp:tokens_predicted_seconds_total counter',
      'llamacpp:tokens_predicted_seconds_total 12.5',
    ];
    const canaryUrl = await serve(() => `${lines.join('\n')}\n`);
    const { findings } = await firstLook({
      source: {
        kind: 'scrape',
        canaryUrls: [canaryUrl],
        baselineUrls: [],
        arms: { canary: '{}', baseline: '{}' },
        signals: signalsWithPresets.parse({
          requests: 'llamacpp:n_decode_total',
          latency: { histogram: 'llamacpp:tokens_predicted_seconds', unit: 's' },
        }),
        timeoutMs: 5000,
      },
      auth: {},
      now: Date.now,
      policy: parsePolicy({ windowSeconds: 60, intervalSeconds: 5, targets: { latency_p95_ms: 500 } }),
      modelId: 'm',
      fromGate: 'stage',
      toGate: 'production',
    });
    expect(findings[0]).to.include({
      level: 'fatal',
      words: 'no series llamacpp:tokens_predicted_seconds_bucket: the page has no histogram',
    });
    expect(findings[0]!.advice).to.match(/^This is llama\.cpp server: .* Put a proxy in front/);
  });

  it('refuses a preset of another system', async () => {
    const { findings, source } = await look('express', { preset: 'vllm' }, 0);
    expect(findings[0]).to.include({ level: 'fatal' });
    expect(source).to.have.nested.property('signals.preset', 'vllm');
  });
});
