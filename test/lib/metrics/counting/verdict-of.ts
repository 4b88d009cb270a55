import { judge } from '../../../../src/lib/judge/report.js';
import type { Verdict } from '../../../../src/lib/judge/verdict.js';
import type { ArmCount } from '../../../../src/lib/metrics/counting/index.js';
import { policy } from '../../judge/looks.js';
import { at } from './given.js';

/** What is decided on what was counted, where there is no baseline. A window of 200 s unless said otherwise. */
export function verdictOf(found: readonly ArmCount[], rules: object): Verdict {
  const observations = found.map(({ reading }, tick) => ({
    v: 1 as const,
    tick,
    t: at(tick),
    from: at(Math.max(0, tick - 1)),
    canary: reading,
  }));
  return judge(policy({ windowSeconds: 200, intervalSeconds: 10, baseline: 'none', ...rules }), at(0), observations);
}
