import { fitAll } from '../promql/index.js';
import type { ArmFacts, ArmName, Facts, Finding } from './facts.js';
import type { Needs } from './needs.js';

/** Whether nothing of an arm answers: none of its places does, or Prometheus can scrape none of them. */
export function isSilent({ places, scraped }: ArmFacts): boolean {
  return scraped?.state === 'down' || (places.length > 0 && places.every(({ state }) => state.state === 'unreachable'));
}

/**
 * Whether the canary does not answer and its baseline does: it is down, or looked for in the wrong place. Through a Prometheus it
 * may also have no series at all, where nothing says whether it is scraped.
 */
export function isAlone({ canary, baseline }: Facts): boolean {
  if (baseline === null || isSilent(baseline)) return false;
  if (isSilent(canary)) return true;
  const own = ({ places, matchers }: ArmFacts) =>
    places.some((place) => place.kind === 'prometheus' && place.samples.some(({ labels }) => fitAll(matchers, labels)));
  const seen = canary.places.every(({ kind, state }) => kind === 'prometheus' && state.state === 'ok');
  return seen && canary.scraped === undefined && !own(canary) && own(baseline);
}

/** The places of an arm that do not answer: fatal where nothing does, as there is nobody to compare with. */
export function unanswered(name: ArmName, facts: Facts, { warmsUp }: Needs): Finding[] {
  const { canary, baseline } = facts;
  const arm = name === 'canary' ? canary : baseline;
  if (arm === null) return [];
  const nothing = isSilent(canary) && (baseline === null || isSilent(baseline));
  // It may start within its warm-up, but neither a Prometheus nor a baseline does.
  const mayStart = warmsUp && baseline === null && canary.places.every(({ kind }) => kind === 'page');
  const of = { arm: name, signal: null, unanswered: true } as const;
  const found = (words: string): Finding =>
    nothing && !mayStart
      ? { ...of, level: 'fatal', words, advice: ADVICE, mayAppear: true }
      : { ...of, level: 'warning', words: `${words}; it is asked again at every check` };
  const places = arm.places.flatMap(({ id, state }) =>
    state.state === 'ok' ? [] : [found(`${state.detail ?? id} (${state.state})`)],
  );
  return arm.scraped?.state === 'down' && places.length === 0 ? [found(arm.scraped.words)] : places;
}

const ADVICE = 'Is it running, and is this its address?';
