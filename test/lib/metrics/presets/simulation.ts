import type { Preset } from '../../../../src/lib/metrics/presets/index.js';
import { writeMatchers } from '../../../../src/lib/metrics/promql/index.js';
import { equal } from '../../../../src/lib/metrics/signals/index.js';
import { type Labels, type Manner, Version } from './service.js';
import { SHAPES } from './shapes.js';

/** Two versions of a service of this kind, both of which have served well before, unless the canary is new. */
export class Simulation {
  readonly canary: Version;
  readonly baseline: Version;
  readonly usual: Manner;
  /** A bound of the latency histogram that a version of the usual manner meets easily, ms. */
  readonly limitMs: number;
  /** Pages of canary and baseline; the same one where both are on it. */
  readonly pages: readonly [() => string, () => string];
  /** What selects each on its page. */
  readonly labels: { canary: Labels; baseline: Labels };
  readonly arms: { canary: string; baseline: string };
  readonly #name: string;
  readonly #before: { total: number; bad: number; timed: number };

  constructor(preset: Pick<Preset, 'name'>, { isNew = false } = {}) {
    this.#name = preset.name;
    const { measures, medianMs = 60, select, page } = SHAPES[preset.name]!;
    this.usual = { fail: 0.002, medianMs };
    const limits = measures.bounds.map((bound) => Number((bound / measures.scale).toPrecision(12)));
    this.limitMs = limits.find((limit) => limit >= 3 * medianMs)!;
    this.canary = new Version('v2', measures, 7);
    this.baseline = new Version('v1', measures, 9);
    const served = isNew ? [this.baseline] : [this.canary, this.baseline];
    for (const version of served) version.serve(400, { ...this.usual, fail: 0 });
    this.#before = this.#served();
    const of = (versions: Version[]) => () => `${page(versions).join('\n')}\n`;
    const shared = of([this.baseline, this.canary]);
    this.pages = select === null ? [of([this.canary]), of([this.baseline])] : [shared, shared];
    this.labels = { canary: select?.('v2') ?? {}, baseline: select?.('v1') ?? {} };
    this.arms = {
      canary: writeMatchers(equal(this.labels.canary)),
      baseline: writeMatchers(equal(this.labels.baseline)),
    };
  }

  /** What the canary has served since it was made; `timed`: as far as its latency is observed. */
  truth() {
    const now = this.#served();
    const { total, bad, timed } = this.#before;
    return { total: now.total - total, bad: now.bad - bad, timed: now.timed - timed };
  }

  #served() {
    const { all, bad, good } = this.canary;
    return { total: all.count, bad: bad.count, timed: SHAPES[this.#name]!.goodOnly ? good.count : all.count };
  }
}

/** Targets that can be judged by what the preset measures. */
export function targetsOf({ signals }: Pick<Preset, 'signals'>, limitMs: number) {
  return {
    ...('latency' in signals ? { latency_p95_ms: limitMs } : {}),
    ...('errors' in signals ? { max_error_rate: 0.02 } : {}),
  };
}
