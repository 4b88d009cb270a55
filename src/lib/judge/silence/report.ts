import type { Policy } from '../policy.js';
import { significant } from '../rounding.js';
import type { SilenceReport } from '../verdict.js';
import type { Silence } from './fold.js';
import { allowedRestarts, isBeyond, isReportOnly, neverAnswered } from './limits.js';

/** Everything an explanation shows of it. */
export function silenceReport(s: Silence, policy: Policy): Omit<SilenceReport, 'idle'> {
  const { max_unavailable: limit } = policy.targets;
  // Looks before the first answer count where there is none: then they decide.
  const awaited = neverAnswered(s, policy) ? s.awaited.alone : 0;
  const [expected, down, alone] = [s.expected + awaited, s.down + awaited, s.alone + awaited];
  return {
    availability:
      limit === undefined
        ? null
        : {
            limit,
            expected,
            down,
            share: expected > 0 ? significant(down / expected) : null,
            whileBaselineAnswered: alone,
            exceeded: (awaited > 0 && limit < 1) || isBeyond(s, s.down, policy, 0),
            ...(isReportOnly(policy) ? { reportOnly: true as const } : {}),
          },
    restarts: {
      canary: s.canary.count,
      baseline: s.baseline.count,
      allowed: policy.maxRestarts === undefined ? null : allowedRestarts(s, policy.maxRestarts),
      from: s.canary.known ? 'processes' : 'resets',
    },
    spans: s.spans.map((span) => ({ ...span })),
    more: s.more,
  };
}
