import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Observation } from '../../../../src/lib/judge/observation.js';
import { parsePolicy } from '../../../../src/lib/judge/policy-schema.js';
import { judge } from '../../../../src/lib/judge/report.js';
import type { Verdict } from '../../../../src/lib/judge/verdict.js';
import { PRESETS, type Preset, signalsWithPresets } from '../../../../src/lib/metrics/presets/index.js';
import { openScrape } from '../../../../src/lib/metrics/scrape.js';
import type { Manner } from './service.js';
import { Simulation, targetsOf } from './simulation.js';

const START = 1_700_000_000_000;
const CHECKS = 9;
const PER_CHECK = 220;

interface CanaryManner extends Manner {
  perCheck?: number;
  /** Its page stops answering in the middle. */
  gone?: boolean;
}

interface Run {
  verdict: Verdict;
  observations: Observation[];
  truth: { total: number; bad: number; timed: number };
}

describe('a canary on the page of', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function serve(page: () => string, gone: () => boolean): Promise<string> {
    const server = createServer((_, response) => {
      if (gone()) response.destroy();
      else response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8').end(page());
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  }

  /** A whole canary on pages over HTTP, by a clock of its own. */
  async function run(preset: Preset, manner: (usual: Manner, limitMs: number) => CanaryManner): Promise<Run> {
    const simulation = new Simulation(preset);
    const { canary, baseline, usual, limitMs, pages, arms } = simulation;
    const { perCheck = PER_CHECK, gone = false, ...mannerOfCanary } = manner(usual, limitMs);
    let tick = 0;
    const canaryUrl = await serve(pages[0], () => gone && tick > CHECKS / 2);
    const baselineUrl = pages[0] === pages[1] ? canaryUrl : await serve(pages[1], () => false);
    const now = () => START + tick * 1000;
    const source = openScrape(
      {
        canaryUrls: [canaryUrl],
        baselineUrls: [baselineUrl],
        arms,
        signals: signalsWithPresets.parse({ preset: preset.name }),
        timeoutMs: 5000,
      },
      {},
      now,
    );
    const targets = targetsOf(preset, limitMs);
    const policy = parsePolicy({ windowSeconds: CHECKS - 1, intervalSeconds: 1, targets });
    const observations: Observation[] = [];
    let cursor: unknown = null;
    for (; tick < CHECKS; tick++) {
      if (tick > 0) {
        canary.serve(perCheck, mannerOfCanary);
        baseline.serve(PER_CHECK, usual);
      }
      const asked = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: CHECKS - 1 };
      const reading = await source.read({ ...asked, at: now(), cursor, scalars: [], withBaseline: true });
      cursor = JSON.parse(JSON.stringify(reading.cursor));
      observations.push({ ...reading.observation, tick });
    }
    await source.close();
    return { verdict: judge(policy, START, observations), observations, truth: simulation.truth() };
  }

  /** What was counted of the canary over all checks. */
  function counted(observations: readonly Observation[]) {
    const sum = { total: 0, bad: 0, timed: 0 };
    for (const { errors, latency } of observations.slice(1).map(({ canary }) => canary)) {
      if (errors?.state === 'ok') sum.total += errors.total;
      if (errors?.state === 'ok') sum.bad += errors.bad;
      if (latency?.state === 'ok') sum.timed += latency.counts.reduce((all, count) => all + count, 0);
    }
    return sum;
  }

  for (const preset of PRESETS) {
    describe(preset.name, () => {
      const sees = preset.failures.visible;
      const timed = 'latency' in preset.signals;
      const certified = (decision: 'promote' | 'rollback') => ({ decision, certainty: 'certified' });

      it('is promoted when healthy, and every request is counted', async () => {
        const { verdict, observations, truth } = await run(preset, (usual) => usual);
        expect(verdict).to.include(certified('promote'));
        const expected = { ...truth, ...(sees ? {} : { total: 0, bad: 0 }), ...(timed ? {} : { timed: 0 }) };
        expect(counted(observations)).to.deep.equal(expected);
      });

      it('is promoted when nothing has ever failed', async () => {
        const { verdict, observations } = await run(preset, (usual) => ({ ...usual, fail: 0 }));
        expect(verdict).to.include(certified('promote'));
        if (sees) expect(counted(observations)).to.include({ bad: 0, total: (CHECKS - 1) * PER_CHECK });
      });

      it(sees ? 'is rolled back when 8% fail' : 'is promoted when 8% fail, as the preset says it would', async () => {
        const { verdict, observations, truth } = await run(preset, (usual) => ({ ...usual, fail: 0.08 }));
        if (!sees) expect(verdict).to.include(certified('promote'));
        else expect(verdict).to.include({ ...certified('rollback'), decidedBy: 'error_rate' });
        if (sees) expect(counted(observations)).to.include({ bad: truth.bad, total: truth.total });
      });

      if (timed) {
        it('is rolled back when it is slow', async () => {
          const { verdict } = await run(preset, (usual, limitMs) => ({ ...usual, medianMs: limitMs }));
          expect(verdict).to.include({ ...certified('rollback'), decidedBy: 'latency_p95_ms' });
        });
      }

      if (sees) {
        it('is rolled back when all fail', async () => {
          const { verdict } = await run(preset, (usual) => ({ ...usual, fail: 1 }));
          expect(verdict).to.include({ ...certified('rollback'), decidedBy: 'error_rate' });
        });
      }

      it('is not promoted when it serves nothing', async () => {
        const { verdict } = await run(preset, (usual) => ({ ...usual, perCheck: 0 }));
        expect(verdict.decision).to.not.equal('promote');
      });

      it('is not promoted when its page stops answering', async () => {
        const { verdict } = await run(preset, (usual) => ({ ...usual, gone: true }));
        expect(verdict.decision).to.not.equal('promote');
      });
    });
  }
});
