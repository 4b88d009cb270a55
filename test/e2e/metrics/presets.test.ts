import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { EXIT } from '../../../src/lib/errors.js';
import type { Observation } from '../../../src/lib/judge/observation.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import { openSource } from '../../../src/lib/metrics/open.js';
import { PRESETS, presetNamed, signalsWithPresets } from '../../../src/lib/metrics/presets/index.js';
import { writeMatchers } from '../../../src/lib/metrics/promql/index.js';
import { equal } from '../../../src/lib/metrics/signals/index.js';
import type { MetricSource } from '../../../src/lib/metrics/source.js';
import type { Manner } from '../../lib/metrics/presets/service.js';
import { Simulation, targetsOf } from '../../lib/metrics/presets/simulation.js';
import { onlyDocument, type Run, Workspace } from '../lukhas.js';
import { Prometheus } from '../prometheus.js';

const CHECKS = 8;
const INTERVAL_MS = 2000;

/** Services of every preset, which serve two hundred requests a second while the tests run. */
class Services {
  private readonly servers: Server[] = [];
  private readonly traffic: (() => void)[] = [];
  private readonly timer = setInterval(() => {
    for (const serve of this.traffic) serve();
  }, 200);

  /** @returns addresses of the pages of canary and baseline */
  async start({ canary, baseline, usual, pages }: Simulation, manner: Manner): Promise<[string, string]> {
    this.traffic.push(() => {
      canary.serve(40, manner);
      baseline.serve(40, usual);
    });
    const canaryUrl = await this.listen(pages[0]);
    return [canaryUrl, pages[0] === pages[1] ? canaryUrl : await this.listen(pages[1])];
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    for (const server of this.servers) server.closeAllConnections();
    await Promise.all(this.servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private async listen(page: () => string): Promise<string> {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8').end(page());
    });
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  }
}

const MANNERS = { 'never fails': 0, 'fails 8% of its requests': 0.08 } as const;
type MannerName = keyof typeof MANNERS;

describe('presets', () => {
  let services: Services;
  beforeEach(() => {
    services = new Services();
  });
  afterEach(() => services.stop());

  describe('through a real Prometheus', () => {
    let prometheus: Prometheus;
    before(async () => {
      prometheus = await Prometheus.start();
    });
    after(() => prometheus?.stop());

    it('give the verdicts that scraping gives', async () => {
      const canaries: {
        name: string;
        manner: MannerName;
        source: MetricSource;
        limitMs: number;
        observations: Observation[];
        cursor: unknown;
      }[] = [];
      const urls = new Set<string>();
      for (const { name } of PRESETS)
        for (const [manner, fail] of Object.entries(MANNERS)) {
          const simulation = new Simulation({ name });
          const pages = await services.start(simulation, { ...simulation.usual, fail });
          for (const url of pages) urls.add(url);
          const arm = (arm: 'canary' | 'baseline', url: string) =>
            writeMatchers(equal({ ...simulation.labels[arm], instance: new URL(url).host }));
          const source = await openSource(
            {
              kind: 'prometheus',
              url: prometheus.url,
              arms: { canary: arm('canary', pages[0]), baseline: arm('baseline', pages[1]) },
              signals: signalsWithPresets.parse({ preset: name }),
              queries: {},
              timeoutMs: 10_000,
              staleSeconds: 30,
            },
            {},
          );
          canaries.push({
            name,
            manner: manner as MannerName,
            source,
            limitMs: simulation.limitMs,
            observations: [],
            cursor: null,
          });
        }
      await prometheus.scrape([...urls]);
      const startedAt = Date.now();
      for (let tick = 0; tick < CHECKS; tick++) {
        for (const canary of canaries) {
          const asked = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 14 };
          const reading = await canary.source.read({
            ...asked,
            at: Date.now(),
            cursor: canary.cursor,
            scalars: [],
            withBaseline: true,
          });
          canary.cursor = JSON.parse(JSON.stringify(reading.cursor));
          canary.observations.push({ ...reading.observation, tick });
        }
        await wait(Math.max(0, startedAt + (tick + 1) * INTERVAL_MS - Date.now()));
      }
      const verdicts = canaries.map(
        ({ name, manner, limitMs, observations }): { name: string; manner: MannerName; verdict: Verdict } => {
          const last = observations.at(-1)!.t;
          const windowSeconds = Math.max(1, Math.floor((last - startedAt) / 1000));
          const policy = parsePolicy({
            windowSeconds,
            intervalSeconds: INTERVAL_MS / 1000,
            // How often a busy machine gets to scrape is not what is tested.
            minCoverage: 0.1,
            targets: targetsOf(presetNamed(name)!, limitMs),
          });
          return { name, manner, verdict: judge(policy, startedAt, observations) };
        },
      );
      for (const { source } of canaries) await source.close();
      const shown = verdicts.map(
        ({ name, manner, verdict: { decision, certainty } }) => `${name} ${manner}: ${decision}, ${certainty}`,
      );
      const expected = verdicts.map(({ name, manner }) => {
        const good = manner === 'never fails' || !presetNamed(name)!.failures.visible;
        return `${name} ${manner}: ${good ? 'promote' : 'rollback'}, certified`;
      });
      expect(shown).to.deep.equal(expected);
    });
  });

  describe('in lukhas.yaml', () => {
    const workspaces: Workspace[] = [];
    afterEach(() => Promise.all(workspaces.splice(0).map((workspace) => workspace.remove())));

    /** Starts a canary with nothing but the preset, and the labels of the versions where they share a page. */
    async function start(name: string, manner: MannerName): Promise<Run> {
      const simulation = new Simulation({ name });
      const pages = await services.start(simulation, { ...simulation.usual, fail: MANNERS[manner] });
      const [canaryUrl, baselineUrl] = pages;
      const workspace = new Workspace();
      workspaces.push(workspace);
      const configuration = {
        source: { kind: 'scrape', canaryUrl, baselineUrl },
        ...(canaryUrl === baselineUrl ? { arms: simulation.labels } : {}),
        signals: { preset: name },
      };
      workspace.file('lukhas.yaml', stringify(configuration));
      const targets = targetsOf(presetNamed(name)!, simulation.limitMs);
      const policy = workspace.file('slo.yaml', stringify({ windowSeconds: 10, intervalSeconds: 1, targets }));
      const gates = ['--model', 'm-v2', '--from', 'stage', '--to', 'production'];
      return workspace.run(['canary', 'start', ...gates, '--policy', policy, '--json']);
    }

    it('are all that a canary needs', async () => {
      const runs = await Promise.all([
        start('vllm', 'never fails'),
        start('triton', 'fails 8% of its requests'),
        start('otel-http', 'never fails'),
        start('express', 'fails 8% of its requests'),
      ]);
      for (const run of runs) expect(onlyDocument(run)).to.have.nested.property('verdict.certainty', 'certified');
      expect(runs.map(({ code }) => code)).to.deep.equal([EXIT.done, EXIT.rolledBack, EXIT.done, EXIT.rolledBack]);
    });
  });
});
