import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import type { ServiceOptions } from '../../../src/demo/service-options.js';
import { type ServiceProcess, startService } from '../../../src/demo/service-process.js';
import { startTraffic } from '../../../src/demo/traffic.js';
import { LukhasError } from '../../../src/lib/errors.js';
import { histogram, sample, scrape } from '../../demo/exposition.js';

const OPTIONS: ServiceOptions = {
  release: 'canary',
  gate: 'stage',
  model: 'fraud-v2',
  seed: 3,
  fault: 'none',
  faultAfterSeconds: 0,
};

describe('demo service', () => {
  let service: ServiceProcess | undefined;

  async function start(options: Partial<ServiceOptions> = {}): Promise<ServiceProcess> {
    service = await startService({ ...OPTIONS, ...options });
    return service;
  }

  function predict(url: string, body: string): Promise<Response> {
    return fetch(`${url}/predict`, { method: 'POST', body });
  }

  afterEach(async () => {
    await service?.stop();
    service = undefined;
  });

  it('has every series at zero before the first request, and a score in (0, 1) for each', async () => {
    const { url } = await start();
    const before = await scrape(`${url}/metrics`);
    for (const name of ['model_requests_total', 'model_errors_total', 'model_inflight_requests']) {
      expect(sample(before, name), name).to.equal(0);
    }
    expect(histogram(before, 'model_latency').bounds).to.include.members([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1]);
    expect(histogram(before, 'model_latency').total).to.equal(0);
    expect(histogram(before, 'model_score').bounds).to.deep.equal([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    const response = await predict(url, JSON.stringify({ amountEur: 40, distanceKm: 8, accountAgeDays: 600 }));
    expect(response.status).to.equal(200);
    const { score } = (await response.json()) as { score: number };
    expect(score).to.be.above(0).and.below(1);
    const after = await scrape(`${url}/metrics`);
    expect(after).to.contain('model_requests_total{gate="stage",model="fraud-v2"} 1\n');
  });

  it('rejects what is not a valid payment, and does not count it', async () => {
    const { url } = await start();
    const bodies = [
      '',
      '{',
      '{}',
      '[40,8,600]',
      '{"amountEur":40,"distanceKm":8}',
      '{"amountEur":40,"distanceKm":8,"accountAgeDays":-600}',
      '{"amountEur":"40","distanceKm":8,"accountAgeDays":600}',
    ];
    for (const body of bodies) {
      expect((await predict(url, body)).status, body).to.equal(400);
    }
    expect((await fetch(`${url}/predict`)).status).to.equal(404);
    expect((await fetch(`${url}/elsewhere`)).status).to.equal(404);
    const page = await scrape(`${url}/metrics`);
    expect(sample(page, 'model_requests_total')).to.equal(0);
    expect(histogram(page, 'model_latency').total).to.equal(0);
  });

  it('counts each request that the driver sent exactly once', async () => {
    const { url } = await start({ fault: 'errors' });
    const traffic = startTraffic({ targets: { canary: url }, requestsPerSecond: 150, seed: 1 });
    await wait(2000);
    await traffic.stop();
    const page = await scrape(`${url}/metrics`);
    const { sent, ok, failed } = traffic.stats().canary;
    expect(sent).to.be.above(200);
    expect(failed).to.be.above(0);
    expect({
      requests: sample(page, 'model_requests_total'),
      timed: histogram(page, 'model_latency').total,
      errors: sample(page, 'model_errors_total'),
      scored: histogram(page, 'model_score').total,
      inflight: sample(page, 'model_inflight_requests'),
    }).to.deep.equal({ requests: sent, timed: sent, errors: failed, scored: ok, inflight: 0 });
  });

  it('is well until its fault begins', async () => {
    const { url } = await start({ fault: 'errors', faultAfterSeconds: 1.5 });
    const traffic = startTraffic({ targets: { canary: url }, requestsPerSecond: 150, seed: 1 });
    await wait(1000);
    const well = traffic.stats().canary;
    await wait(1500);
    await traffic.stop();
    expect(well.ok).to.be.above(80);
    expect(well.failed).to.equal(0);
    expect(traffic.stats().canary.failed).to.be.above(3);
  });

  it('that cannot start is an error in one line that says which and why', async () => {
    let caught: unknown;
    try {
      await start({ gate: '' });
    } catch (error) {
      caught = error;
    }
    expect(caught).to.be.instanceOf(LukhasError).with.property('code', 'DEMO');
    expect((caught as LukhasError).message).to.match(/fraud-v2 ended before it was ready: exit code 1 .*gate/);
    expect((caught as LukhasError).message).to.not.contain('\n');
  });
});
