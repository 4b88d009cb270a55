import { expect } from 'chai';
import type { Fault } from '../../src/demo/service-options.js';
import { startWorkload } from '../../src/demo/workload.js';
import type { RateReport, Verdict } from '../../src/lib/judge/verdict.js';
import type { ReplayResult } from '../../src/lib/replay/result.js';
import { canaryId, firstLine, onlyDocument, Workspace } from './lukhas.js';
import { Prometheus } from './prometheus.js';

const POLICY = `
windowSeconds: 20
intervalSeconds: 1
noDataSeconds: 8
targets: { latency_p95_ms: 1000, max_error_rate: 0.02, max_drift: 0.15 }
`;

interface Pair {
  live: Verdict;
  startedAt: number;
  replayed: ReplayResult;
  text: string;
}

describe('a replay of what Prometheus holds', () => {
  let prometheus: Prometheus;
  const workspace = new Workspace();

  before(async () => {
    prometheus = await Prometheus.start();
    workspace.file('policy.yaml', POLICY);
  });
  after(async () => {
    await prometheus?.stop();
    await workspace.remove();
  });

  /** A canary watched live, and then the same time judged from Prometheus by somebody who has no log of it. */
  async function twice(fault: Fault): Promise<Pair> {
    const [from, to] = [`stage-${fault}`, `production-${fault}`];
    const models = { canary: 'fraud-v2', baseline: 'fraud-v1' };
    const workload = await startWorkload({ fault, canaryGate: from, baselineGate: to, models });
    try {
      await prometheus.scrape([workload.canaryUrl, workload.baselineUrl]);
      const env = { PROM_URL: prometheus.url };
      const common = ['--model', 'fraud-v2', '--policy', 'policy.yaml'];
      const run = await workspace.run(['canary', 'start', ...common, '--from', from, '--to', to, '--json'], { env });
      const started = (await workspace.events(canaryId(run))).find(({ kind }) => kind === 'canary.started');
      if (started?.kind !== 'canary.started') throw new Error(`it never began: ${run.stderr}`);
      const { startedAt } = started.data;
      const past = ['replay', '--source', 'prometheus', ...common];
      const gates = ['--from-gate', from, '--to-gate', to, '--from', new Date(startedAt).toISOString()];
      // Nobody who has a log: the time alone is known.
      const replayed = await workspace.run([...past, ...gates, '--json', '--report', `${fault}.html`], { env });
      const text = await workspace.run([...past, ...gates, '--prom-url', prometheus.url]);
      return {
        live: onlyDocument(run)['verdict'] as Verdict,
        startedAt,
        replayed: onlyDocument(replayed) as unknown as ReplayResult,
        text: text.stdout,
      };
    } finally {
      await workload.stop();
    }
  }

  for (const [fault, decision] of [
    ['none', 'promote'],
    ['errors', 'rollback'],
  ] as const) {
    it(`comes to the verdict of the canary that was watched then: ${decision}`, async () => {
      const { live, startedAt, replayed, text } = await twice(fault);
      const [canary] = replayed.canaries;
      const again = canary?.counterfactual.verdict;
      expect([live.decision, again?.decision], text).to.deep.equal([decision, decision]);
      expect(again?.reason).to.equal(live.reason);
      expect(canary?.startedAt).to.equal(startedAt);
      for (const name of ['error_rate', 'latency_p95_ms']) {
        const [a, b] = [counts(live, name), counts(again!, name)];
        // A look sees a sample once it has been scraped and stored, a replay from the moment it was taken: each look may
        // be one scrape of a second ahead, here of 20 or fewer, and the verdict may fall a look earlier.
        const looks = Math.max(1, Math.min(live.tick, again!.tick));
        expect(b.total).to.be.within(a.total * (1 - 2.5 / looks), a.total * (1 + 2.5 / looks));
        expect(Math.abs(live.tick - again!.tick)).to.be.at.most(2);
      }
      expect(replayed.read).to.include({ source: 'prometheus', intervalSeconds: 1, spacingSeconds: 1 });
      expect(replayed.log).to.equal(null);
      expect(text).to.match(/was +unknown: no canary ran then/);
      expect(text).to.include('there is no original verdict and no log to verify');
    });
  }

  it('says insufficient of a time or a gate that Prometheus has nothing of', async () => {
    const args = [
      'replay',
      '--source',
      'prometheus',
      '--model',
      'm',
      '--policy',
      'policy.yaml',
      '--prom-url',
      prometheus.url,
    ];
    const run = await workspace.run([...args, '--from', '1h', '--from-gate', 'nowhere']);
    expect(run.code).to.equal(0);
    expect(run.stdout).to.match(/would be +unknown: targets\.\w+ needs .*, which (were|was) never recorded/);
    expect(run.stdout).to.match(/note: canary: errors not in this range: absent, no series .*gate="nowhere"/);
  });

  it('ends with code 6 where no Prometheus answers, in one line', async () => {
    const args = ['replay', '--source', 'prometheus', '--model', 'm', '--policy', 'policy.yaml', '--from', '1h'];
    const run = await workspace.run([...args, '--prom-url', 'http://127.0.0.1:9']);
    expect(run.code).to.equal(6);
    expect(firstLine(run)).to.match(
      /^lukhas: nothing was judged, as the past could not be read from Prometheus: .*refused/,
    );
  });
});

function counts({ objectives }: Verdict, name: string): RateReport {
  const objective = objectives.find((o) => o.name === name);
  if (objective?.type !== 'rate') throw new Error(`${name} is not judged by counts`);
  return objective;
}
