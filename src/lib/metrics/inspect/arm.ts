import { fitAll, type Matcher } from '../promql/index.js';
import { matches, type Sample, type Signals } from '../signals/index.js';
import type { ArmFacts, ArmName, Family, Place } from './facts.js';

/** One arm, as far as its places answered. */
export interface Arm {
  name: ArmName;
  matchers: readonly Matcher[];
  /** Places that answered. */
  places: readonly Place[];
  families: readonly Family[];
  /** Series of the names that are asked for, of whichever arm. */
  samples: readonly Sample[];
  /** Those of this arm. */
  own: readonly Sample[];
  /** Requests that the arm has counted in all; null: no series says so. */
  traffic: number | null;
  /** Those of them that are not known to have failed: some systems measure these alone. */
  succeeded: number;
}

export function armOf(name: ArmName, facts: ArmFacts, signals: Signals): Arm {
  const places = facts.places.filter(({ state }) => state.state === 'ok');
  const samples = places.flatMap((place) => place.samples);
  const own = samples.filter(({ labels }) => fitAll(facts.matchers, labels));
  const traffic = trafficOf(own, signals);
  return {
    name,
    matchers: facts.matchers,
    places,
    families: places.flatMap(({ families }) => families),
    samples,
    own,
    traffic,
    succeeded: (traffic ?? 0) - failedOf(own, signals),
  };
}

/** By the counter of requests, or else by the counts of the histograms. */
function trafficOf(own: readonly Sample[], { requests, histograms }: Signals): number | null {
  const counters = (requests?.terms ?? []).map(({ selector }) => selector);
  const counts = Object.values(histograms).map(({ name, matchers }) => ({
    name: `${name}_count`,
    matchers: [...matchers],
  }));
  for (const selectors of [counters, counts]) {
    const found = own.filter((sample) => selectors.some((selector) => matches(selector, sample)));
    if (found.length > 0) return found.reduce((sum, { value }) => sum + (Number.isFinite(value) ? value : 0), 0);
  }
  return null;
}

function failedOf(own: readonly Sample[], { errors }: Signals): number {
  let failed = 0;
  for (const { sign, selector } of errors?.terms ?? [])
    for (const sample of own)
      if (matches(selector, sample) && Number.isFinite(sample.value)) failed += sign * sample.value;
  return failed;
}
