import type { Policy } from '../policy.js';
import { type LintFinding, note, percent, warning } from './findings.js';

/** Doubtful settings of what is not judged, and of what may be missing or fail. */
export function doubtfulSilence(policy: Policy): LintFinding[] {
  return [
    ...doubtfulWarmup(policy),
    ...doubtfulAvailability(policy),
    ...doubtfulReadings(policy),
    ...doubtfulReports(policy),
  ];
}

function doubtfulWarmup({ warmupSeconds = 0, windowSeconds }: Policy): LintFinding[] {
  if (warmupSeconds < windowSeconds) return [];
  const message = `${warmupSeconds} s pass unjudged before a window of ${windowSeconds} s: nothing rolls back a canary that fails meanwhile`;
  return [warning('warmupSeconds', message)];
}

function doubtfulAvailability({ targets: { max_unavailable: limit } }: Policy): LintFinding[] {
  if (limit === undefined || limit <= 0.2) return [];
  const message =
    limit < 1
      ? `${limit} promotes a canary that leaves ${percent(limit)} of the checks unanswered`
      : '1 sets no limit: a canary that answers no check for half of the window may be promoted';
  return [warning('targets.max_unavailable', message)];
}

function doubtfulReadings(policy: Policy): LintFinding[] {
  const { objectives, maxFailures = 0, maxMissing = 0, minCoverage, reportOnly = [] } = policy;
  if (objectives.every(({ name }) => reportOnly.includes(name))) return [];
  const covered = Number((1 - minCoverage).toPrecision(12));
  const findings: LintFinding[] = [];
  if (maxFailures >= 0.5)
    findings.push(
      warning(
        'maxFailures',
        `${maxFailures} promotes a canary that misses its limit at ${percent(maxFailures)} of the checks`,
      ),
    );
  if (maxMissing > covered)
    findings.push(
      note(
        'maxMissing',
        `${maxMissing} is more than minCoverage (${minCoverage}) leaves: readings must cover ${percent(minCoverage)} of the window all the same`,
      ),
    );
  else if (maxMissing > 0.5)
    findings.push(
      warning('maxMissing', `${maxMissing} promotes a canary without readings at ${percent(maxMissing)} of the checks`),
    );
  return findings;
}

function doubtfulReports({ reportOnly = [] }: Policy): LintFinding[] {
  if (reportOnly.length === 0) return [];
  return [note('reportOnly', `${reportOnly.join(', ')}: shown, but neither rolls back nor blocks a canary`)];
}
