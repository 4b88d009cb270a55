import { expect } from 'chai';
import type { LukhasError } from '../../../../src/lib/errors.js';
import { prometheusFromEnv, queryEndpoint } from '../../../../src/lib/metrics/prometheus/config.js';
import { BY_GATE } from '../../../../src/lib/metrics/signals/index.js';

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect((error as LukhasError).code).to.equal('CONFIG');
    return (error as LukhasError).message;
  }
  return 'none';
}

describe('Prometheus configuration', () => {
  it('comes from the environment, secrets apart', () => {
    const found = prometheusFromEnv({
      PROM_URL: ' http://prom:9090 ',
      PROM_BEARER: 's3cret',
      PROM_CA_FILE: '/etc/ca.pem',
      PROM_QUERY_LAT: 'old',
      PROM_Q_ERR: 'new',
      PROM_QUERY_ERR: 'old',
      PROM_Q_DRIFT: '',
    });
    expect(found?.config).to.deep.include({
      url: 'http://prom:9090',
      arms: BY_GATE,
      queries: { latency_p95_ms: 'old', error_rate: 'new', drift: '' },
    });
    expect(found?.auth).to.deep.equal({ bearer: 's3cret', caFile: '/etc/ca.pem' });
    expect(JSON.stringify(found?.config)).not.to.include('s3cret');
    expect(prometheusFromEnv({ PROM_URL: 'x', PROM_USERNAME: 'u', PROM_PASSWORD: 'p' })?.auth).to.deep.equal({
      basic: { username: 'u', password: 'p' },
    });
  });

  it('is none without PROM_URL', () => {
    expect(prometheusFromEnv({})).to.equal(null);
    expect(prometheusFromEnv({ PROM_URL: '  ', PROM_Q_ERR: 'x' })).to.equal(null);
  });

  it('refuses credentials that contradict each other', () => {
    const env = { PROM_URL: 'http://p' };
    expect(refusal(() => prometheusFromEnv({ ...env, PROM_BEARER: 'b', PROM_USERNAME: 'u' }))).to.include('both set');
    expect(refusal(() => prometheusFromEnv({ ...env, PROM_USERNAME: 'u' }))).to.include('belong together');
  });

  it('takes a base URL with a path, and refuses what is none or holds secrets', () => {
    expect(queryEndpoint('https://host/prom/').href).to.equal('https://host/prom/api/v1/query');
    expect(queryEndpoint('http://localhost:9090').href).to.equal('http://localhost:9090/api/v1/query');
    expect(refusal(() => queryEndpoint(''))).to.include('set PROM_URL');
    for (const url of ['localhost:9090', 'nothing', 'file:///etc/passwd'])
      expect(
        refusal(() => queryEndpoint(url)),
        url,
      ).to.match(/^PROM_URL: (is not a URL; write|must start with http:\/\/ or https:\/\/,) e\.g\. http:/);
    for (const url of ['http://u:hush@host', 'http://hush@host'])
      expect(
        refusal(() => queryEndpoint(url)),
        url,
      )
        .to.include('use PROM_BEARER')
        .and.not.include('hush');
    expect(refusal(() => queryEndpoint('http://host/?token=hush')))
      .to.include('query or fragment')
      .and.not.include('hush');
  });
});
