import { parsePolicy } from '../../../../src/lib/judge/policy-schema.js';
import {
  declaredOn,
  type Facts,
  type Finding,
  familiesOf,
  inspect,
  needsOf,
} from '../../../../src/lib/metrics/inspect/index.js';
import { parseExposition } from '../../../../src/lib/metrics/pages/exposition.js';
import { parseArms, parseSignals, type Signals, type Unit } from '../../../../src/lib/metrics/signals/index.js';

/** Signals as a person writes them, taken apart. */
export interface Written {
  requests?: string;
  errors?: string;
  absent?: 'zero' | 'no_data';
  latency?: string;
  unit?: Unit;
  drift?: string;
}

function signalsOf({ requests, errors, absent = 'no_data', latency, unit = 's', drift }: Written): Signals {
  return parseSignals({
    preset: null,
    requests: requests ?? null,
    errors: errors === undefined ? null : { count: errors, absent },
    histograms: latency === undefined ? {} : { latency: { histogram: latency, unit } },
    drift: drift === undefined ? null : { histogram: drift },
    inflight: null,
  });
}

export interface Look extends Written {
  page: string;
  /** Labels of the arms, as `{version="v2"}`. */
  canary?: string;
  baseline?: string;
  baselinePage?: string;
  /** When the processes behind the pages began, milliseconds since the epoch. */
  startedAt?: { canary: number; baseline: number };
  /** Another page of the canary, whose process began then. */
  also?: { page: string; startedAt: number };
  policy?: object;
}

/** What a first look at a page says. */
export function lookAt({
  page,
  canary = '{}',
  baseline,
  baselinePage,
  startedAt,
  also,
  policy,
  ...written
}: Look): Finding[] {
  const signals = signalsOf(written);
  const arm = (text: string, labels: string, id: string, began?: number) => {
    const samples = parseExposition(text, { openMetrics: false });
    const matchers = parseArms({ canary: labels, baseline: labels }).canary;
    const families = familiesOf(samples, declaredOn(text));
    const started = began === undefined ? {} : { startedAt: began };
    const state = { state: 'ok' as const };
    return { matchers, places: [{ id, kind: 'page' as const, state, families, samples, ...started }] };
  };
  const own = arm(page, canary, 'http://canary/metrics', startedAt?.canary);
  const more = also === undefined ? [] : arm(also.page, canary, 'http://canary-2/metrics', also.startedAt).places;
  const facts: Facts = {
    canary: { ...own, places: [...own.places, ...more] },
    baseline:
      baseline === undefined && baselinePage === undefined
        ? null
        : arm(
            baselinePage ?? page,
            baseline ?? '{}',
            baselinePage === undefined ? 'http://canary/metrics' : 'http://baseline/metrics',
            startedAt?.baseline,
          ),
  };
  const needs = needsOf(
    parsePolicy({
      windowSeconds: 60,
      targets: {
        ...(written.errors === undefined ? {} : { max_error_rate: 0.02 }),
        ...(written.latency === undefined ? {} : { latency_p95_ms: 250 }),
      },
      ...policy,
    }),
    [],
  );
  return inspect(facts, { signals, preset: null }, needs);
}

/** A histogram of 1,000 requests, as a page shows it. */
export function histogram(
  name: string,
  labels = '',
  bounds: readonly (number | string)[] = [0.1, 0.25, 1, 10],
): string {
  const buckets = bounds.map((le) => `${name}_bucket{${labels}le="${le}"} 900\n`).join('');
  return `${buckets}${name}_bucket{${labels}le="+Inf"} 1000\n${name}_sum{${labels}} 50\n${name}_count{${labels}} 1000\n`;
}
