import { durationSeconds } from '../input/index.js';
import { planPolicy } from './plan.js';
import { formatCount, formatSpan } from './plan-words.js';
import type { Policy } from './policy.js';

/**
 * `error`: the policy can never promote. `warning`: it probably does not do what was meant. `note`: worth knowing.
 */
export interface LintFinding {
  severity: 'error' | 'warning' | 'note';
  /** The key it is about, as one types it. */
  path: string;
  message: string;
}

/** Traffics that stand for a small, a middling, and a large service, requests a second. */
const USUAL_TRAFFIC: readonly number[] = [1, 10, 100];

/**
 * What is allowed but likely to disappoint, in words; worst first. Pure.
 * @param options.requestsPerSecond the canary's traffic when it is known; else 1, 10, and 100 are tried
 */
export function lintPolicy(policy: Policy, options: { requestsPerSecond?: number } = {}): LintFinding[] {
  const order = ['error', 'warning', 'note'];
  return [
    ...neverPromotes(policy),
    ...undecidable(policy, options.requestsPerSecond),
    ...doubtfulTargets(policy),
    ...doubtfulTimes(policy),
    ...doubtfulErrors(policy),
    ...doubtfulApprovals(policy),
  ].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function error(path: string, message: string): LintFinding {
  return { severity: 'error', path, message };
}

function warning(path: string, message: string): LintFinding {
  return { severity: 'warning', path, message };
}

function note(path: string, message: string): LintFinding {
  return { severity: 'note', path, message };
}

function neverPromotes({ baseline, relative, targets }: Policy): LintFinding[] {
  if (baseline !== 'none') return [];
  const findings = Object.keys(relative).map((key) =>
    error(
      `relative.${key}`,
      'compares with a baseline, but baseline is none, so it never has data; set baseline: required, or leave it out',
    ),
  );
  if (targets.max_drift === undefined) return findings;
  const drift = warning(
    'targets.max_drift',
    'is measured against the baseline, but baseline is none: it has data only from a source that gives drift as a number',
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
    const path = name === 'error_rate' ? 'targets.max_error_rate' : `targets.${name}`;
    const fastest = short.at(-1)!.requestsPerSecond;
    const at = short.map((plan) => plan.requestsPerSecond).join(' or ');
    const message =
      `${formatSpan(policy.maxWindowSeconds)} at ${at} requests/s cannot certify it: a canary at half of the allowed ` +
      `${percent(p0)} needs about ${formatCount(requests)} requests: at least ` +
      `${formatCount(smallestRequestsPerSecond)} requests/s or, at ${fastest}, ` +
      `a window of ${formatSpan(requests / fastest)}`;
    return [short.length === plans.length ? warning(path, message) : note(path, message)];
  });
}

function doubtfulTargets({ targets, relative, baseline, objectives, minCoverage }: Policy): LintFinding[] {
  const findings: LintFinding[] = [];
  const limits = (['latency_p50_ms', 'latency_p95_ms', 'latency_p99_ms'] as const).flatMap((key) => {
    const value = targets[key];
    return value === undefined ? [] : [{ key, value }];
  });
  for (const { key, value } of limits) {
    if (value < 5)
      findings.push(
        warning(`targets.${key}`, `${value} ms is very short; did you mean ${value} s? That is ${value * 1000}`),
      );
  }
  for (const [index, { key, value }] of limits.entries()) {
    const wider = limits.slice(index + 1).find((other) => other.value < value);
    if (wider)
      findings.push(
        warning(`targets.${key}`, `${value} is above ${wider.key} (${wider.value}), which already asks for more`),
      );
  }
  if ((targets.max_error_rate ?? 0) > 0.2) {
    findings.push(
      warning(
        'targets.max_error_rate',
        `${targets.max_error_rate} lets ${percent(targets.max_error_rate!)} of requests fail`,
      ),
    );
  }
  if ((targets.max_drift ?? 0) > 0.5) {
    findings.push(
      warning(
        'targets.max_drift',
        `${targets.max_drift} is loose: an index above 0.25 is usually read as a major shift`,
      ),
    );
  }
  if (targets.max_drift !== undefined && baseline === 'auto') {
    findings.push(
      note(
        'targets.max_drift',
        'is measured against the baseline: without one it has no data, and nothing is promoted',
      ),
    );
  }
  for (const [key, ratio] of Object.entries(relative) as [string, number][]) {
    if (ratio <= 1)
      findings.push(
        warning(
          `relative.${key}`,
          `${ratio} asks for a canary better than its baseline: an equal one is never certified; 1.5 or 2 is usual`,
        ),
      );
  }
  if (objectives.length > 0) {
    findings.push(
      note('objectives', 'are judged reading by reading: a promotion that rests on them is recorded as uncertified'),
    );
  }
  if (minCoverage < 0.5)
    findings.push(
      warning('minCoverage', `${minCoverage} lets a canary pass that was not measured for most of its window`),
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
        `${noDataSeconds} is not below windowSeconds (${windowSeconds}): onNoData: ${onNoData} never applies before the window ends`,
      ),
    );
  }
  if (noDataSeconds < 2 * intervalSeconds) {
    findings.push(
      warning(
        'noDataSeconds',
        `${noDataSeconds} is below two intervals (${2 * intervalSeconds} s): a single missed reading counts as no data`,
      ),
    );
  }
  const looks = windowSeconds / intervalSeconds;
  if (looks < 4)
    findings.push(
      warning(
        'intervalSeconds',
        `only ${Math.floor(looks)} looks fit in the window: one missed reading may cost its coverage`,
      ),
    );
  if (intervalSeconds < 1)
    findings.push(
      note('intervalSeconds', `${intervalSeconds} s is more often than most services update their counters`),
    );
  if (looks >= 4 && !isWhole(looks)) {
    findings.push(
      note(
        'intervalSeconds',
        `${intervalSeconds} does not divide windowSeconds (${windowSeconds}): the last look comes early or late`,
      ),
    );
  }
  if (onInconclusive === 'extend' && maxWindowSeconds === windowSeconds) {
    findings.push(
      warning(
        'maxWindowSeconds',
        'equals windowSeconds, so onInconclusive: extend has nothing to extend, yet promotes by the weaker test',
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
        `${alpha.rollback} lets up to ${percent(alpha.rollback)} of healthy canaries be rolled back; 0.01 is usual`,
      ),
    );
  }
  if (alpha.promote > 0.05) {
    findings.push(
      warning(
        'alpha.promote',
        `${alpha.promote} lets up to ${percent(alpha.promote)} of canaries that miss a target be promoted; 0.01 is usual`,
      ),
    );
  }
  if (onInconclusive === 'promote') {
    findings.push(
      warning(
        'onInconclusive',
        'promote passes canaries that nothing proves safe (recorded as uncertified): with little traffic, most that are somewhat bad; block or extend is safer',
      ),
    );
  }
  if (onNoData === 'rollback') {
    findings.push(
      note(
        'onNoData',
        "rollback acts when the metrics are down, which need not be the canary's doing; block leaves it where it is",
      ),
    );
  }
  if (promote === 'early') {
    findings.push(
      note(
        'promote',
        'early stops watching at the certificate: a regression that begins later in the window is not seen',
      ),
    );
  }
  const counted = Object.keys(targets).length + Object.keys(relative).length;
  if (objectives.length > 0 && counted === 0 && maxConsecutiveFailures === 1) {
    findings.push(
      warning('maxConsecutiveFailures', '1 rolls back at the first failing reading, and a healthy canary has some too'),
    );
  }
  return findings;
}

function doubtfulApprovals({ approvals }: Policy): LintFinding[] {
  if (approvals === undefined) return [];
  const findings: LintFinding[] = [];
  if (approvals.not === 'nobody' && approvals.required === 1)
    findings.push(
      warning('approvals.not', 'nobody with required: 1 lets whoever asks for a promotion approve it alone'),
    );
  if (durationSeconds(approvals.expiresAfter) < 300)
    findings.push(warning('approvals.expiresAfter', `${approvals.expiresAfter} leaves people no time to look`));
  return findings;
}

/** A share in percent, as short as it is exact to three digits: 2%, 0.05%. */
function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}
