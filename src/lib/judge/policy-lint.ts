import { durationSeconds } from '../input/index.js';
import { doubtfulObjectives, doubtfulSilence, error, type LintFinding, note, percent, warning } from './lint/index.js';
import { planPolicy } from './plan.js';
import { formatCount, formatSpan } from './plan-words.js';
import type { Policy } from './policy.js';

/** Requests a second of a small, a medium and a large service. */
const USUAL_TRAFFIC: readonly number[] = [1, 10, 100];

/**
 * What is valid but likely to be a mistake, in words; worst first. Pure.
 * @param options.requestsPerSecond the canary's traffic if known; otherwise 1, 10 and 100 are tried
 */
export function lintPolicy(policy: Policy, options: { requestsPerSecond?: number } = {}): LintFinding[] {
  const order = ['error', 'warning', 'note'];
  return [
    ...neverPromotes(policy),
    ...undecidable(policy, options.requestsPerSecond),
    ...doubtfulTargets(policy),
    ...doubtfulTimes(policy),
    ...doubtfulErrors(policy),
    ...doubtfulSilence(policy),
    ...doubtfulApprovals(policy),
  ].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function neverPromotes({ baseline, relative, targets, reportOnly = [] }: Policy): LintFinding[] {
  if (baseline !== 'none') return [];
  const findings = Object.keys(relative).map((key) =>
    (reportOnly.includes(key.replace(/^max_/, '')) ? warning : error)(
      `relative.${key}`,
      'needs a baseline, but baseline is none, so it never has data; set baseline: required, or remove this key',
    ),
  );
  if (targets.max_drift === undefined) return findings;
  const drift = warning(
    'targets.max_drift',
    'needs a baseline, but baseline is none: it has data only from a source that provides drift as a number',
  );
  return [...findings, drift];
}

function undecidable(policy: Policy, known: number | undefined): LintFinding[] {
  const traffics = known === undefined ? USUAL_TRAFFIC : [known];
  const plans = traffics.map((requestsPerSecond) => planPolicy(policy, { requestsPerSecond }));
  return (plans[0]?.objectives ?? []).flatMap(({ name, p0, promotion }, index) => {
    const short = plans.filter((plan) => !plan.objectives[index]?.promotion.decidable);
    const { likelyRequests: requests, smallestRequestsPerSecond } = promotion;
    if (short.length === 0 || requests === null || smallestRequestsPerSecond === null) return [];
    const path = pathOf(policy, name);
    const fastest = short.at(-1)!.requestsPerSecond;
    const at = short.map((plan) => plan.requestsPerSecond).join(' or ');
    const message =
      `not enough traffic at ${at} requests/s in ${formatSpan(policy.maxWindowSeconds)}: a canary at half of the allowed ` +
      `${percent(p0)} needs about ${formatCount(requests)} requests, that is at least ` +
      `${formatCount(smallestRequestsPerSecond)} requests/s or, at ${fastest}, ` +
      `a window of ${formatSpan(requests / fastest)}`;
    return [short.length === plans.length ? warning(path, message) : note(path, message)];
  });
}

/** The key of an objective, as it is written. */
function pathOf({ objectives }: Policy, name: string): string {
  if (objectives.some((o) => o.name === name)) return `objectives (${name})`;
  return name === 'error_rate' ? 'targets.max_error_rate' : `targets.${name}`;
}

function doubtfulTargets(policy: Policy): LintFinding[] {
  const { targets, relative, baseline, objectives, minCoverage, reportOnly = [] } = policy;
  const findings: LintFinding[] = [];
  const limits = (['latency_p50_ms', 'latency_p95_ms', 'latency_p99_ms'] as const).flatMap((key) => {
    const value = targets[key];
    return value === undefined ? [] : [{ key, value }];
  });
  for (const { key, value } of limits) {
    if (value < 5)
      findings.push(warning(`targets.${key}`, `${value} ms is very short; for ${value} s write ${value * 1000}`));
  }
  for (const [index, { key, value }] of limits.entries()) {
    const wider = limits.slice(index + 1).find((other) => other.value < value);
    if (wider)
      findings.push(
        warning(`targets.${key}`, `${value} is above ${wider.key} (${wider.value}), which is stricter already`),
      );
  }
  if ((targets.max_error_rate ?? 0) > 0.2) {
    findings.push(
      warning(
        'targets.max_error_rate',
        `${targets.max_error_rate} allows ${percent(targets.max_error_rate!)} of requests to fail`,
      ),
    );
  }
  if ((targets.max_drift ?? 0) > 0.5) {
    findings.push(
      warning(
        'targets.max_drift',
        `${targets.max_drift} is loose: an index above 0.25 usually counts as a major shift`,
      ),
    );
  }
  if (targets.max_drift !== undefined && baseline === 'auto' && !reportOnly.includes('drift')) {
    findings.push(note('targets.max_drift', 'needs a baseline: without one it has no data, and the canary is blocked'));
  }
  for (const [key, ratio] of Object.entries(relative) as [string, number][]) {
    if (ratio <= 1)
      findings.push(
        warning(
          `relative.${key}`,
          `${ratio} requires a canary that is better than its baseline: an equal one is never certified; 1.5 or 2 is usual`,
        ),
      );
  }
  if (relative.max_error_ratio !== undefined && targets.max_error_rate === undefined)
    findings.push(
      note(
        'relative.max_error_ratio',
        'a ratio cannot be certified while neither version has failures; targets.max_error_rate can',
      ),
    );
  findings.push(...doubtfulObjectives(objectives.filter(({ name }) => !reportOnly.includes(name))));
  if (minCoverage < 0.5)
    findings.push(
      warning(
        'minCoverage',
        `${minCoverage} allows the promotion of a canary without measurements for most of its window`,
      ),
    );
  return findings;
}

function doubtfulTimes(policy: Policy): LintFinding[] {
  const { windowSeconds, intervalSeconds, maxWindowSeconds, noDataSeconds, onNoData, onInconclusive } = policy;
  const findings: LintFinding[] = [];
  if (noDataSeconds >= windowSeconds) {
    findings.push(
      warning(
        'noDataSeconds',
        `${noDataSeconds} is not below windowSeconds (${windowSeconds}), so onNoData: ${onNoData} never applies before the window ends`,
      ),
    );
  }
  if (noDataSeconds < 2 * intervalSeconds) {
    findings.push(
      warning(
        'noDataSeconds',
        `${noDataSeconds} is below two intervals (${2 * intervalSeconds} s), so a single missed reading counts as no data`,
      ),
    );
  }
  const checks = windowSeconds / intervalSeconds;
  if (checks < 4)
    findings.push(
      warning(
        'intervalSeconds',
        `only ${Math.floor(checks)} checks fit in the window: one missed reading can leave it below minCoverage`,
      ),
    );
  if (intervalSeconds < 1)
    findings.push(
      note('intervalSeconds', `${intervalSeconds} s is shorter than most services take to update their counters`),
    );
  if (checks >= 4 && !isWhole(checks)) {
    findings.push(
      note(
        'intervalSeconds',
        `${intervalSeconds} does not divide windowSeconds (${windowSeconds}), so the last interval is shorter than the others`,
      ),
    );
  }
  if (onInconclusive === 'extend' && maxWindowSeconds === windowSeconds) {
    findings.push(
      warning(
        'maxWindowSeconds',
        'equals windowSeconds, so onInconclusive: extend cannot extend anything and only costs traffic (its test needs more requests)',
      ),
    );
  }
  return findings;
}

function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-9;
}

function doubtfulErrors({
  alpha,
  onInconclusive,
  onNoData,
  promote,
  targets,
  relative,
  objectives,
  maxConsecutiveFailures,
}: Policy): LintFinding[] {
  const findings: LintFinding[] = [];
  if (alpha.rollback > 0.05) {
    findings.push(
      warning(
        'alpha.rollback',
        `${alpha.rollback} allows up to ${percent(alpha.rollback)} of healthy canaries to be rolled back; 0.01 is usual`,
      ),
    );
  }
  if (alpha.promote > 0.05) {
    findings.push(
      warning(
        'alpha.promote',
        `${alpha.promote} allows up to ${percent(alpha.promote)} of canaries that miss a target to be promoted; 0.01 is usual`,
      ),
    );
  }
  if (onInconclusive === 'promote') {
    findings.push(
      warning(
        'onInconclusive',
        'promote also promotes canaries that are not proven safe (recorded as uncertified), with little traffic most of the slightly bad ones; block or extend is safer',
      ),
    );
  }
  if (onNoData === 'rollback') {
    findings.push(
      note('onNoData', 'rollback also acts when only the metrics are down; block leaves the canary where it is'),
    );
  }
  if (promote === 'early') {
    findings.push(
      note(
        'promote',
        'early stops checking as soon as everything is certified: a regression later in the window is not seen',
      ),
    );
  }
  const { max_unavailable: _, ...limits } = targets;
  const counted = Object.keys(limits).length + Object.keys(relative).length;
  if (objectives.length > 0 && counted === 0 && maxConsecutiveFailures === 1) {
    findings.push(
      warning(
        'maxConsecutiveFailures',
        '1 rolls back at the first failing reading, and healthy canaries have some too',
      ),
    );
  }
  return findings;
}

function doubtfulApprovals({ approvals }: Policy): LintFinding[] {
  if (approvals === undefined) return [];
  const findings: LintFinding[] = [];
  if (approvals.not === 'nobody' && approvals.required === 1)
    findings.push(
      warning('approvals.not', 'nobody with required: 1 lets the requester of a promotion approve it alone'),
    );
  if (durationSeconds(approvals.expiresAfter) < 300)
    findings.push(
      warning('approvals.expiresAfter', `${approvals.expiresAfter} leaves people too little time to approve`),
    );
  return findings;
}
