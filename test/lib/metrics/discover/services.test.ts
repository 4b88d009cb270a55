import { expect } from 'chai';
import { type Holding, type Said, servicesNamed, servicesOf } from '../../../../src/lib/metrics/discover/services.js';

const HTTP = ['http_requests_total', 'http_request_duration_seconds_bucket', 'http_request_duration_seconds_count'];

const holds = (labels: Record<string, string>, names: readonly string[] = HTTP): Holding[] =>
  names.map((name) => ({ name, labels, series: 3 }));

const found = (holdings: readonly Holding[], said: Said = {}) =>
  servicesOf(holdings, said).map(({ name, matchers }) => [
    name,
    matchers.map(({ label, op, value }) => `${label}${op}${value}`).join(' '),
  ]);

describe('services that a Prometheus holds', () => {
  it('are one for each job that serves requests, and exporters are none', () => {
    expect(
      found([
        ...holds({ job: 'orders' }),
        ...holds({ job: 'fraud' }),
        ...holds({ job: 'postgres' }, ['pg_stat_database_blks_hit', 'backups_total']),
      ]),
    ).to.deep.equal([
      ['fraud', 'job=fraud'],
      ['orders', 'job=orders'],
    ]);
  });

  it('has one for two jobs that are two versions of it, and not for jobs that only share metrics', () => {
    expect(
      found([...holds({ job: 'fraud' }), ...holds({ job: 'fraud-canary' }), ...holds({ job: 'orders-canary' })]),
    ).to.deep.equal([
      ['fraud', 'job=~fraud|fraud-canary'],
      ['orders-canary', 'job=orders-canary'],
    ]);
  });

  it('has one for the jobs fraud and fraud-v2', () => {
    expect(found([...holds({ job: 'fraud' }), ...holds({ job: 'fraud-v2' })])).to.deep.equal([
      ['fraud', 'job=~fraud|fraud-v2'],
    ]);
  });

  it('keeps what is named alike but measured differently apart', () => {
    expect(
      found([...holds({ job: 'api-v1' }), ...holds({ job: 'api-v2' }, ['rpc_server_duration_seconds_bucket'])]),
    ).to.have.length(2);
  });

  it('are separated by the labels of Kubernetes where all are scraped as one job', () => {
    const pods = (namespace: string, app: string) =>
      holds({ job: 'kubernetes-pods', namespace, app_kubernetes_io_name: app, service: `${app}-http` });
    expect(found([...pods('ml', 'scorer'), ...pods('ml', 'ranker'), ...pods('shop', 'cart')])).to.deep.equal([
      ['cart', 'job=kubernetes-pods namespace=shop'],
      ['ranker', 'job=kubernetes-pods namespace=ml app_kubernetes_io_name=ranker'],
      ['scorer', 'job=kubernetes-pods namespace=ml app_kubernetes_io_name=scorer'],
    ]);
  });

  it('are two in two namespaces, unless somebody says that the namespace is the version', () => {
    const both = [
      ...holds({ job: 'fraud', namespace: 'staging' }),
      ...holds({ job: 'fraud', namespace: 'production' }),
    ];
    expect(found(both).map(([name]) => name)).to.deep.equal(['production', 'staging']);
    expect(found(both, { by: 'namespace' })).to.deep.equal([['fraud', 'job=fraud']]);
    const said = { canary: { namespace: 'staging' }, baseline: { namespace: 'production' } };
    expect(found([...both, ...holds({ job: 'x', namespace: 'dev' })], said)).to.deep.equal([['fraud', 'job=fraud']]);
  });

  it('keeps other jobs out where somebody says that the job is the version', () => {
    const jobs = ['cart', 'cart-canary', 'orders'].flatMap((job) => holds({ job }));
    expect(found(jobs, { by: 'job' }).map(([name]) => name)).to.deep.equal(['cart', 'orders']);
    const said = { canary: { job: 'orders' }, baseline: { job: 'cart' } };
    expect(servicesOf(jobs, said).flatMap((one) => one.alsoNamed)).to.have.members(['cart', 'orders']);
  });

  it('are those that are asked where a proxy measures, not those that ask', () => {
    const ISTIO = ['istio_requests_total', 'istio_request_duration_milliseconds_bucket'];
    const asked = (app: string, destination: string) =>
      holds({ job: 'istio', app, destination_service_name: destination }, ISTIO);
    expect(found([...asked('web', 'fraud'), ...asked('shop', 'fraud'), ...asked('web', 'cart')])).to.deep.equal([
      ['cart', 'job=istio destination_service_name=cart'],
      ['fraud', 'job=istio destination_service_name=fraud'],
    ]);
  });

  it('is one where a label is on some of its metrics only', () => {
    expect(
      found([...holds({ job: 'fraud' }), ...holds({ job: 'fraud', app: 'fraud' }, ['fraud_requests_total'])]),
    ).to.deep.equal([['fraud', 'job=fraud']]);
  });

  it('need no job', () => {
    expect(found(holds({}))).to.deep.equal([['all', '']]);
    expect(found([...holds({ service_name: 'a' }), ...holds({ service_name: 'b' })])).to.deep.equal([
      ['a', 'service_name=a'],
      ['b', 'service_name=b'],
    ]);
  });

  it('are chosen by their name, or by what any of their labels says', () => {
    const all = servicesOf([...holds({ job: 'fraud-http', app: 'fraud' }), ...holds({ job: 'x', app: 'orders' })]);
    const named = (name: string) => servicesNamed(all, name).map((one) => one.name);
    expect([named('fraud'), named('fraud-http'), named('x'), named('cart')]).to.deep.equal([
      ['fraud'],
      ['fraud'],
      ['orders'],
      [],
    ]);
  });
});
