import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { ArmReading, Observation } from '../../../../src/lib/judge/observation.js';
import { parsePolicy } from '../../../../src/lib/judge/policy-schema.js';
import { judge } from '../../../../src/lib/judge/report.js';
import type { Verdict } from '../../../../src/lib/judge/verdict.js';
import { PRESETS, type Preset, signalsWithPresets } from '../../../../src/lib/metrics/presets/index.js';
import { writeMatchers } from '../../../../src/lib/metrics/promql/index.js';
import { openScrape } from '../../../../src/lib/metrics/scrape.js';
import { equal } from '../../../../src/lib/metrics/signals/index.js';
import { type Manner, Version } from './service.js';
import { SHAPES } from './shapes.js';

const START = 1_700_000_000_000;
const CHECKS = 13;
const PER_CHECK = 150;

interface Run {
  verdict: Verdict;
  observations: Observation[];
  /** What the canary served since the first check. */
  truth: { total: number; bad: number; timed: number };
  limit: number;
}

describe('a canary on the page of', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function serve(page: () => string): Promise<string> {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8').end(page());
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  }

  /** A canary of twelve seconds on the real page over HTTP, in no time. */
  async function run(
    { name, signals }: Preset,
    manner: (usual: Manner, limit: number) => Manner & { perCheck?: number },
  ): Promise<Run> {
    const shape = SHAPES[name]!;
    const usual = { fail: 0.002, medianMs: shape.medianMs ?? 60 };
    const limit = shape.measures.bounds
      .map((bound) => Number((bound / shape.measures.scale).toPrecision(12)))
      .find((bound) => bound >= 3 * usual.medianMs)!;
    const [canary, baseline] = [new Version('v2', shape.measures, 7), new Version('v1', shape.measures, 9)];
    const { perCheck = PER_CHECK, ...mannerOfCanary } = manner(usual, limit);
    // Both have served before, well.
    for (const version of [canary, baseline]) version.serve(400, { ...usual, fail: 0 });
    const text = (versions: Version[]) => () => `${shape.page(versions).join('\n')}\n`;
    const urls =
      shape.select === null
        ? [await serve(text([canary])), await serve(text([baseline]))]
        : Array(2).fill(await serve(text([baseline, canary])));
    const arm = (version: string) => writeMatchers(equal(shape.select?.(version) ?? {}));
    let now = START;
    const source = openScrape(
      {
        canaryUrls: [urls[0]!],
        baselineUrls: [urls[1]!],
        arms: { canary: arm('v2'), baseline: arm('v1') },
        signals: signalsWithPresets.parse({ preset: name }),
        timeoutMs: 5000,
      },
      {},
      () => now,
    );
    const policy = parsePolicy({
      windowSeconds: CHECKS - 1,
      intervalSeconds: 1,
      targets: {
        ...('latency' in signals ? { latency_p95_ms: limit } : {}),
        ...('errors' in signals ? { max_error_rate: 0.02 } : {}),
      },
    });
    const observations: Observation[] = [];
    let cursor: unknown = null;
    const before = { total: canary.all.count, bad: canary.bad.count, good: canary.good.count };
    for (let tick = 0; tick < CHECKS; tick++) {
      now = START + tick * 1000;
      if (tick > 0) {
        canary.serve(perCheck, mannerOfCanary);
        baseline.serve(PER_CHECK, usual);
      }
      const asked = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 12 };
      const reading = await source.read({ ...asked, at: now, cursor, scalars: [], withBaseline: true });
      cursor = JSON.parse(JSON.stringify(reading.cursor));
      observations.push({ ...reading.observation, tick });
    }
    await source.close();
    const counted = {
      total: canary.all.count - before.total,
      bad: canary.bad.count - before.bad,
      good: canary.good.count - before.good,
    };
    const truth = { total: counted.total, bad: counted.bad, timed: shape.goodOnly ? counted.good : counted.total };
    return { verdict: judge(policy, START, observations), observations, truth, limit };
  }

  /** What was counted of the canary over all checks. */
  function counted(observations: readonly Observation[]) {
    const sum = { total: 0, bad: 0, timed: 0 };
    for (const { canary } of observations.slice(1)) {
      const { errors, latency } = canary as ArmReading;
      if (errors?.state === 'ok') {
        sum.total += errors.total;
        sum.bad += errors.bad;
      }
      if (latency?.state === 'ok') sum.timed += latency.counts.reduce((all, count) => all + count, 0);
    }
    return sum;
  }

  for (const preset of PRESETS) {
    describe(preset.name, () => {
      const blind = !preset.failures.visible;
      const timed = 'latency' in preset.signals;

      it('is promoted when healthy, and every request is counted', async () => {
        const { verdict, observations, truth } = await run(preset, (usual) => usual);
        expect(verdict).to.include({ decision: 'promote', certainty: 'certified' });
        const expected = { ...truth, ...(blind ? { total: 0, bad: 0 } : {}), ...(timed ? {} : { timed: 0 }) };
        expect(counted(observations)).to.deep.equal(expected);
      });

      it('is promoted when nothing has ever failed', async () => {
        const { verdict, observations } = await run(preset, (usual) => ({ ...usual, fail: 0 }));
        expect(verdict).to.include({ decision: 'promote', certainty: 'certified' });
        if (blind) return;
        for (const { canary } of observations.slice(1))
          expect(canary.errors).to.include({ state: 'ok', bad: 0, total: PER_CHECK });
      });

      it(blind ? 'is not told from a good one when 8% fail' : 'is rolled back when 8% fail', async () => {
        const { verdict, observations, truth } = await run(preset, (usual) => ({ ...usual, fail: 0.08 }));
        if (blind) expect(verdict.decision).to.equal('promote');
        else expect(verdict).to.include({ decision: 'rollback', certainty: 'certified', decidedBy: 'error_rate' });
        if (!blind) expect(counted(observations)).to.include({ bad: truth.bad, total: truth.total });
      });

      if (timed) {
        it('is rolled back when it is slow', async () => {
          const { verdict } = await run(preset, (usual, limit) => ({ ...usual, medianMs: limit }));
          expect(verdict).to.include({ decision: 'rollback', certainty: 'certified', decidedBy: 'latency_p95_ms' });
        });
      }

      if (!blind) {
        it('is rolled back when all fail', async () => {
          const { verdict } = await run(preset, (usual) => ({ ...usual, fail: 1 }));
          expect(verdict).to.include({ decision: 'rollback', certainty: 'certified', decidedBy: 'error_rate' });
        });
      }

      it('is not promoted when it serves nothing', async () => {
        const { verdict } = await run(preset, (usual) => ({ ...usual, perCheck: 0 }));
        expect(verdict.decision).to.not.equal('promote');
      });
    });
  }
});
