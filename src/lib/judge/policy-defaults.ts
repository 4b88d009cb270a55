import type { Problem } from '../input/index.js';
import type { Policy } from './policy.js';
import { LONGEST_WINDOW_SECONDS, type PolicyInput } from './policy-format.js';

/** Fills in the defaults that follow from other keys, and drops keys that were given as undefined. */
export function completePolicy(input: PolicyInput): Policy {
  const { name, windowSeconds, targets, relative, onInconclusive, reportOnly, approvals, ...rest } = input;
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    // Absent where the input has none, so that such policies keep their bytes and their digest.
    ...(approvals === undefined ? {} : { approvals }),
    windowSeconds,
    onInconclusive,
    targets: present(targets),
    relative: present(relative),
    reportOnly: reportOnlyNames(reportOnly),
    intervalSeconds: input.intervalSeconds ?? Math.max(1, Math.min(5, Math.floor(windowSeconds / 4))),
    maxWindowSeconds: input.maxWindowSeconds ?? defaultMaxWindow(windowSeconds, onInconclusive),
  };
}

function defaultMaxWindow(windowSeconds: number, onInconclusive: Policy['onInconclusive']): number {
  return onInconclusive === 'extend' ? Math.min(3 * windowSeconds, LONGEST_WINDOW_SECONDS) : windowSeconds;
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(record: T): Present<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Present<T>;
}

/** What a schema cannot check: keys that contradict each other, or leave nothing to judge. */
export function policyContradictions(policy: Policy): Problem[] {
  return [
    ...nothingToJudge(policy),
    ...windowProblems(policy),
    ...relativeProblems(policy),
    ...nameProblems(policy),
    ...reportOnlyProblems(policy),
  ];
}

function nothingToJudge(policy: Policy): Problem[] {
  // Whether it answers says nothing of how well it does.
  const { max_unavailable: _, ...targets } = policy.targets;
  if ([targets, policy.relative, policy.objectives].some((part) => Object.keys(part).length > 0)) return [];
  return [
    {
      path: 'targets',
      message: 'nothing to judge: set at least one target, e.g. max_error_rate: 0.02, or an objective',
    },
  ];
}

function windowProblems({ windowSeconds, intervalSeconds, maxWindowSeconds, onInconclusive }: Policy): Problem[] {
  const problems: Problem[] = [];
  if (windowSeconds < 2 * intervalSeconds) {
    const message = `must be at least twice intervalSeconds (${intervalSeconds}), got ${windowSeconds}: the first check only sets the starting point of the counters`;
    problems.push({ path: 'windowSeconds', message });
  }
  if (maxWindowSeconds < windowSeconds) {
    const message = `must be at least windowSeconds (${windowSeconds}), got ${maxWindowSeconds}`;
    problems.push({ path: 'maxWindowSeconds', message });
  }
  if (maxWindowSeconds > windowSeconds && onInconclusive !== 'extend') {
    const message = `has no effect with onInconclusive: ${onInconclusive}; remove it, or set onInconclusive: extend`;
    problems.push({ path: 'maxWindowSeconds', message });
  }
  return problems;
}

function relativeProblems({ relative, targets }: Policy): Problem[] {
  const hasLatency = Object.keys(targets).some((target) => target.startsWith('latency_'));
  if (relative.max_slow_ratio === undefined || hasLatency) return [];
  const message = 'needs a latency target to define slow, e.g. targets.latency_p95_ms: 250';
  return [{ path: 'relative.max_slow_ratio', message }];
}

/** Names of these keys' objectives in explanations. */
const REPORT_NAMES: Readonly<Record<string, string>> = {
  max_error_rate: 'error_rate',
  max_drift: 'drift',
  max_unavailable: 'availability',
  max_error_ratio: 'error_ratio',
  max_slow_ratio: 'slow_ratio',
};

/** Names of the objectives that have keys of their own, and those keys. */
function keyedNames({ targets, relative }: Policy): Map<string, string> {
  const named = (group: string, keys: string[]) =>
    keys.map((key): [string, string] => [REPORT_NAMES[key] ?? key, `${group}.${key}`]);
  return new Map([...named('targets', Object.keys(targets)), ...named('relative', Object.keys(relative))]);
}

/** Explanations name objectives, so each name is used once. */
function nameProblems(policy: Policy): Problem[] {
  const taken = keyedNames(policy);
  // Of a key that is there by default; an objective of one's own may have that name.
  taken.delete('availability');
  const { objectives } = policy;
  return objectives.flatMap(({ name }, index) => {
    const path = `objectives[${index}]`;
    const holder = taken.get(name);
    if (holder === undefined) taken.set(name, path);
    return holder === undefined
      ? []
      : [{ path, message: `${name} is already limited by ${holder}; remove one of them` }];
  });
}

/** Names that objectives have in explanations; `max_error_rate` is written for `error_rate` too. */
function reportOnlyNames(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => REPORT_NAMES[name] ?? name))];
}

function reportOnlyProblems(policy: Policy): Problem[] {
  const names = new Set([...keyedNames(policy).keys(), ...policy.objectives.map(({ name }) => name)]);
  const shown = policy.reportOnly ?? [];
  const unknown = shown.flatMap((name, index) =>
    names.has(name)
      ? []
      : [
          {
            path: `reportOnly[${index}]`,
            message: `${name} is not an objective of this policy (${[...names].join(', ')})`,
          },
        ],
  );
  names.delete('availability');
  if (unknown.length > 0 || names.size === 0 || [...names].some((name) => !shown.includes(name))) return unknown;
  return [{ path: 'reportOnly', message: 'names every objective, so none is left to decide; leave one out' }];
}
