import { expect } from 'chai';
import type { Fault } from '../../src/demo/service-options.js';
import { startWorkload, type Workload } from '../../src/demo/workload.js';
import type { ObjectiveReport, RateReport, Verdict } from '../../src/lib/judge/verdict.js';
import { canaryId, firstLine, onlyDocument, type Run, Workspace } from './lukhas.js';
import { Prometheus } from './prometheus.js';

const policy = (latencyMs: number, more = '') => `
windowSeconds: 20
intervalSeconds: 1
noDataSeconds: 8
targets: { latency_p95_ms: ${latencyMs}, max_error_rate: 0.02${more} }
`;
/** A busy machine makes a good version slow too; the one with the fault is slow by itself. */
const LATENCY_MS: Record<Fault, number> = { none: 1000, errors: 1000, drift: 1000, crash: 1000, latency: 250 };

interface Way {
  args: string[];
  env?: Record<string, string>;
}

/** Exactly as the operations handbook has them. */
const HANDBOOK = {
  PROM_Q_LAT: 'histogram_quantile(0.95, sum(rate(model_latency_bucket{gate="$__gate"}[$__window])) by (le)) * 1000',
  PROM_Q_ERR:
    'sum(rate(model_errors_total{gate="$__gate"}[$__window])) / clamp_min(sum(rate(model_requests_total{gate="$__gate"}[$__window])),1)',
};
/** Numbers that cannot be traced back to counters. */
const OPAQUE = {
  PROM_Q_LAT: 'max(histogram_quantile(0.95, rate(model_latency_bucket{gate="$__gate"}[5s]))) * 1000',
  PROM_Q_ERR: 'max(rate(model_errors_total{gate="$__gate"}[5s])) / max(rate(model_requests_total{gate="$__gate"}[5s]))',
};
/** A label that has to be escaped to be found. */
const TEAM = 'risk "A"\nand \\ others';

interface Outcome {
  code: number;
  status: string;
  verdict: Verdict;
}

describe('a canary measured through Prometheus', () => {
  let prometheus: Prometheus;

  before(async () => {
    prometheus = await Prometheus.start();
  });
  after(() => prometheus?.stop());

  describe('of a good version', () => {
    let outcomes: Record<string, Outcome>;

    before(async () => {
      outcomes = await canaries(prometheus, 'none', (workload) => ({
        scrape: { args: direct(workload) },
        counters: { args: ['--prom-url', prometheus.url] },
        handbook: { args: ['--policy', 'without-drift.yaml'], env: { ...HANDBOOK, PROM_URL: prometheus.url } },
        opaque: { args: ['--policy', 'without-drift.yaml'], env: { ...OPAQUE, PROM_URL: prometheus.url } },
        labelled: { args: ['--config', 'labelled.yaml'] },
        objective: { args: ['--config', 'queries.yaml', '--policy', 'objective.yaml'] },
      }));
    });

    it('is promoted, as by reading the services themselves, on the same counts', () => {
      const { scrape, counters } = outcomes;
      for (const outcome of [scrape!, counters!]) {
        expect(outcome, shown(outcome)).to.include({ code: 0, status: 'PROMOTED' });
        expect(outcome.verdict).to.include({ certainty: 'certified', reason: 'certified_at_end' });
        expect(names(outcome)).to.deep.equal(['drift', 'error_rate', 'latency_p95_ms']);
      }
      for (const name of ['error_rate', 'latency_p95_ms']) {
        const [read, queried] = [rate(scrape!, name), rate(counters!, name)];
        expect(queried.total).to.be.within(read.total * 0.85, read.total * 1.15);
        expect(queried.baseline?.total).to.be.within(read.baseline!.total * 0.85, read.baseline!.total * 1.15);
      }
      expect(rate(counters!, 'latency_p95_ms').latency?.exact).to.equal(true);
    });

    it('is certified on the counters behind the expressions of the handbook', () => {
      const { handbook } = outcomes;
      expect(handbook, shown(handbook!)).to.include({ code: 0, status: 'PROMOTED' });
      expect(handbook!.verdict).to.include({ certainty: 'certified', reason: 'certified_at_end' });
      expect(rate(handbook!, 'error_rate').total).to.be.above(1000);
      expect(rate(handbook!, 'latency_p95_ms').total).to.be.above(1000);
    });

    it('is promoted uncertified on expressions that have no counters behind them', () => {
      const { opaque } = outcomes;
      expect(opaque, shown(opaque!)).to.include({ code: 0, status: 'PROMOTED' });
      expect(opaque!.verdict).to.include({ certainty: 'uncertified', reason: 'met_without_certificate' });
      expect(opaque!.verdict.objectives.map((o) => o.type)).to.deep.equal(['reading', 'reading']);
    });

    it('is found by labels that need escaping', () => {
      const { labelled } = outcomes;
      expect(labelled, shown(labelled!)).to.include({ code: 0, status: 'PROMOTED' });
      expect(rate(labelled!, 'error_rate').total).to.be.above(1000);
    });

    it('meets an objective on a number that the configuration names', () => {
      const { objective } = outcomes;
      expect(objective, shown(objective!)).to.include({ code: 0, status: 'PROMOTED' });
      const reading = objective!.verdict.objectives.find((o) => o.type === 'reading');
      expect(reading).to.include({ met: true });
      expect(reading!.type === 'reading' && reading!.last).to.be.within(1, 1000);
      expect(rate(objective!, 'error_rate').promote.certified).to.equal(true);
    });
  });

  for (const [fault, name] of [
    ['errors', 'error_rate'],
    ['latency', 'latency_p95_ms'],
  ] as const) {
    describe(`of a version with ${fault}`, () => {
      let outcomes: Record<string, Outcome>;

      before(async () => {
        outcomes = await canaries(prometheus, fault, (workload) => ({
          scrape: { args: direct(workload) },
          counters: { args: ['--prom-url', prometheus.url] },
          handbook: { args: ['--policy', 'without-drift.yaml'], env: { ...HANDBOOK, PROM_URL: prometheus.url } },
          opaque: { args: ['--policy', 'without-drift.yaml'], env: { ...OPAQUE, PROM_URL: prometheus.url } },
        }));
      });

      it('is rolled back for it, as by reading the services themselves', () => {
        const { scrape, counters, handbook } = outcomes;
        for (const outcome of [scrape!, counters!, handbook!]) {
          expect(outcome, shown(outcome)).to.include({ code: 3, status: 'ROLLED_BACK' });
          expect(outcome.verdict).to.include({ certainty: 'certified', reason: 'evidence_against', decidedBy: name });
          expect(outcome.verdict.savedSeconds).to.be.above(0);
        }
      });

      it('is rolled back uncertified on expressions that have no counters behind them', () => {
        const { opaque } = outcomes;
        expect(opaque, shown(opaque!)).to.include({ code: 3, status: 'ROLLED_BACK' });
        expect(opaque!.verdict).to.include({ certainty: 'uncertified', reason: 'failing_readings', decidedBy: name });
      });
    });
  }

  it('does not start with an expression that Prometheus refuses', async () => {
    const workspace = new Workspace();
    try {
      workspace.file('policy.yaml', policy(250));
      const env = { PROM_URL: prometheus.url, PROM_Q_ERR: 'rate(model_errors_total)' };
      const run = await workspace.run([...start('production'), '--policy', 'policy.yaml'], { env });
      expect(run.code).to.equal(2);
      expect(firstLine(run)).to.match(/^lukhas: PROM_Q_ERR: Prometheus refuses the expression: .*range vector/);
      expect(await workspace.events()).to.deep.equal([]);
    } finally {
      await workspace.remove();
    }
  });
});

function start(to: string, from = 'stage'): string[] {
  return ['canary', 'start', '--model', 'fraud-v2', '--from', from, '--to', to];
}

function direct({ canaryUrl, baselineUrl }: Workload): string[] {
  return ['--canary-url', canaryUrl, '--baseline-url', baselineUrl];
}

function configure(workspace: Workspace, url: string, latencyMs: number): void {
  workspace.file('policy.yaml', policy(latencyMs, ', max_drift: 0.15'));
  // Expressions say nothing of drift.
  workspace.file('without-drift.yaml', policy(latencyMs));
  workspace.file('objective.yaml', `${policy(latencyMs)}objectives: [ninety_five_ms < ${latencyMs}]\n`);
  const source = { kind: 'prometheus', url };
  const labels = { gate: '$__gate', team: TEAM };
  workspace.file('labelled.yaml', JSON.stringify({ source, arms: { canary: labels, baseline: labels } }));
  workspace.file(
    'queries.yaml',
    JSON.stringify({ source: { ...source, queries: { ninety_five_ms: OPAQUE.PROM_Q_LAT } } }),
  );
}

function outcomeOf(run: Run): Outcome {
  const { status, verdict } = onlyDocument(run);
  canaryId(run);
  return { code: run.code!, status: status as string, verdict: verdict as Verdict };
}

function names({ verdict }: Outcome): string[] {
  return verdict.objectives.map((o) => o.name).sort();
}

function rate({ verdict }: Outcome, name: string): RateReport {
  const objective = verdict.objectives.find((o: ObjectiveReport) => o.name === name);
  if (objective?.type !== 'rate') throw new Error(`${name} is not judged by counts: ${JSON.stringify(objective)}`);
  return objective;
}

/** Runs canaries at the same time on one workload; each reads it in its own way. */
async function canaries(
  prometheus: Prometheus,
  fault: Fault,
  ways: (workload: Workload) => Record<string, Way>,
): Promise<Record<string, Outcome>> {
  const workspace = new Workspace();
  const workload = await startWorkload({
    fault,
    canaryGate: `stage-${fault}`,
    baselineGate: `production-${fault}`,
    models: { canary: 'fraud-v2', baseline: 'fraud-v1' },
  });
  try {
    await prometheus.scrape([workload.canaryUrl, workload.baselineUrl], { team: TEAM });
    configure(workspace, prometheus.url, LATENCY_MS[fault]);
    const gates = start(`production-${fault}`, `stage-${fault}`);
    const runs = Object.entries(ways(workload)).map(async ([way, { args, env = {} }]) => {
      const usual = args.includes('--policy') ? [] : ['--policy', 'policy.yaml'];
      // Each has a log of its own: they would promote the same gate.
      const run = await workspace.run([...gates, ...args, ...usual, '--db', `${way}.db`, '--json'], { env });
      return [way, outcomeOf(run)] as const;
    });
    return Object.fromEntries(await Promise.all(runs));
  } finally {
    await workload.stop();
    await workspace.remove();
  }
}

function shown({ verdict }: Outcome): string {
  const objectives = verdict.objectives.map((o) => JSON.stringify({ ...o, path: undefined }));
  return [verdict.reason, verdict.decidedBy, `after ${verdict.elapsedSeconds} s`, ...objectives].join('\n');
}
