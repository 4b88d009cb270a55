import { type Policy, quantileQuestion } from '../../judge/index.js';
import type { Signals } from '../signals/index.js';

/** A limit that has to be told from the bounds of a histogram. */
export interface Limit {
  objective: string;
  limit: number;
  /** Whether the limit itself fails. */
  strict: boolean;
}

/** What a policy needs to be measured. */
export interface Needs {
  /** Names of histograms, with the limits that have to be told from their bounds: milliseconds, or plain numbers. */
  histograms: ReadonlyMap<string, readonly Limit[]>;
  /** Objectives that count failures, by name; none: failures are not judged. */
  errors: readonly string[];
  /** Whether the drift against the baseline is judged. */
  drift: boolean;
  /** Objectives that read a number as it is. */
  scalars: readonly string[];
  /** Objectives that say nothing without a baseline; and whether the policy promotes nothing without one. */
  baseline: { objectives: readonly string[]; required: boolean };
  /** Whether the canary is given time to start. */
  warmsUp: boolean;
}

/**
 * What the objectives of a policy are judged by; those that are only reported need nothing.
 * @param expressions names of the source's own expressions, which stand in for what is not counted
 */
export function needsOf(policy: Policy, expressions: readonly string[]): Needs {
  const { targets, relative, objectives, reportOnly = [] } = policy;
  const isJudged = (name: string): boolean => !expressions.includes(name) && !reportOnly.includes(name);
  const wanted = new Map<string, Limit[]>();
  const add = (name: string, objective: string, limit: number, strict = false): void => {
    wanted.set(name, [...(wanted.get(name) ?? []), { objective, limit, strict }]);
  };
  for (const objective of ['latency_p50_ms', 'latency_p95_ms', 'latency_p99_ms'] as const) {
    const limit = targets[objective];
    if (limit !== undefined && isJudged(objective)) add('latency', objective, limit);
  }
  const scalars: string[] = [];
  for (const objective of objectives.filter(({ name }) => isJudged(name))) {
    const question = quantileQuestion(objective);
    if (question === null) scalars.push(objective.name);
    else add(question.histogram, objective.name, objective.value, question.strict);
  }
  const ratios = { max_error_ratio: 'error_ratio', max_slow_ratio: 'slow_ratio' } as const;
  const relatives = (['max_error_ratio', 'max_slow_ratio'] as const).filter(
    (key) => relative[key] !== undefined && isJudged(ratios[key]),
  );
  const drift = targets.max_drift !== undefined && isJudged('drift');
  return {
    histograms: wanted,
    errors: [
      ...(targets.max_error_rate !== undefined && isJudged('error_rate') ? ['max_error_rate'] : []),
      ...relatives.filter((key) => key === 'max_error_ratio'),
    ],
    drift,
    scalars,
    baseline: { objectives: [...relatives, ...(drift ? ['max_drift'] : [])], required: policy.baseline === 'required' },
    warmsUp: (policy.warmupSeconds ?? 0) > 0,
  };
}

/** Of the signals those that are needed, and the requests where failures are. */
export function neededOf({ requests, errors, histograms, drift }: Signals, needs: Needs): Signals {
  const judged = needs.errors.length > 0;
  return {
    requests: judged ? requests : null,
    errors: judged ? errors : null,
    histograms: Object.fromEntries(Object.entries(histograms).filter(([name]) => needs.histograms.has(name))),
    drift: needs.drift ? drift : null,
    inflight: null,
  };
}

/** Where no policy says what is judged: everything that the signals name. */
export function everythingOf({ errors, histograms, drift }: Signals): Needs {
  return {
    histograms: new Map(Object.keys(histograms).map((name) => [name, []])),
    errors: errors === null ? [] : ['errors'],
    drift: drift !== null,
    scalars: [],
    baseline: { objectives: [], required: false },
    warmsUp: false,
  };
}
