import { expect } from 'chai';
import type { RateReport, Verdict } from '../../../src/lib/judge/verdict.js';
import { onlyDocument, type Run, Workspace } from '../lukhas.js';
import { Prometheus } from '../prometheus.js';
import { VersionedServices } from './versioned-service.js';

const POLICY = `
windowSeconds: 20
intervalSeconds: 1
noDataSeconds: 8
targets: { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 }
`;
/** Share of failures of each service's canary; the baselines have no failure. */
const SERVICES = { good: 0.01, clean: 0, bad: 0.08 };
type Service = keyof typeof SERVICES;

interface Outcome {
  status: string;
  verdict: Verdict;
}

describe('a canary of a prom-client service, told apart by a label', () => {
  let services: VersionedServices;
  let workspace: Workspace;
  const databases: Prometheus[] = [];
  const outcomes = new Map<string, Outcome>();

  before(async function () {
    this.timeout(180_000);
    workspace = new Workspace();
    const versions = Object.entries(SERVICES).flatMap(([service, failing]) => [
      { service, version: 'v2', failing },
      { service, version: 'v1', failing: 0 },
    ]);
    services = await VersionedServices.start(versions);
    databases.push(await Prometheus.start(), await Prometheus.start('victoria-metrics'));
    for (const database of databases) await database.scrape([services.url]);
    workspace.file('slo.yaml', POLICY);
    const [prometheus, victoria] = databases.map(({ url }) => ({ kind: 'prometheus', url }));
    const page = { kind: 'scrape', canaryUrl: services.url, baselineUrl: services.url };
    const sources = { page, prometheus, victoria };
    // One service after another: the machine may have two cores.
    for (const service of Object.keys(SERVICES) as Service[]) {
      const runs = Object.entries(sources).map(async ([way, source]) => {
        const name = `${service}-${way}`;
        workspace.file(`${name}.yaml`, JSON.stringify({ source, ...measured(service) }));
        const model = ['--model', 'm-v2', '--from', 'stage', '--to', 'production', '--policy', 'slo.yaml'];
        const run = await workspace.run(
          ['canary', 'start', ...model, '--config', `${name}.yaml`, '--db', `${name}.db`, '--json'],
          {},
        );
        outcomes.set(name, outcomeOf(run));
      });
      await Promise.all(runs);
    }
  });

  after(async () => {
    for (const database of databases) await database.stop();
    await services?.stop();
    await workspace?.remove();
  });

  for (const [service, status, reason] of [
    ['good', 'PROMOTED', 'certified_at_end'],
    ['clean', 'PROMOTED', 'certified_at_end'],
    ['bad', 'ROLLED_BACK', 'evidence_against'],
  ] as const) {
    for (const way of ['page', 'prometheus', 'victoria'])
      it(`that is ${service} is ${status}, certified, through ${way}`, () => {
        const { verdict, ...outcome } = outcomes.get(`${service}-${way}`)!;
        expect(outcome.status, JSON.stringify(verdict)).to.equal(status);
        expect(verdict).to.include({ certainty: 'certified', reason });
        const errors = rate(verdict, 'error_rate');
        // Of each hundred requests so many fail, whoever counts them.
        if (service !== 'bad') expect(errors.bad / errors.total).to.be.closeTo(SERVICES[service], 0.005);
        expect(rate(verdict, 'latency_p95_ms').latency?.exact).to.equal(true);
      });
  }
});

function measured(service: Service): object {
  const labels = `service="${service}",handler="/predict"`;
  return {
    arms: { canary: { version: 'v2' }, baseline: { version: 'v1' } },
    signals: {
      requests: `http_request_duration_seconds_count{${labels}}`,
      errors: `http_request_duration_seconds_count{${labels},status=~"5.."}`,
      latency: { histogram: `http_request_duration_seconds{${labels}}`, unit: 's' },
      drift: { counts: `finished_total{service="${service}"}`, by: 'reason' },
    },
  };
}

function outcomeOf(run: Run): Outcome {
  const { status, verdict } = onlyDocument(run);
  return { status: status as string, verdict: verdict as Verdict };
}

function rate({ objectives }: Verdict, name: string): RateReport {
  const found = objectives.find((objective) => objective.name === name);
  if (found?.type !== 'rate') throw new Error(`${name} is not judged by counts: ${JSON.stringify(found)}`);
  return found;
}
