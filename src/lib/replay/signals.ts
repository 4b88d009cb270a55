import { type Observation, type Policy, quantileQuestion } from '../judge/index.js';

/** A signal that a policy needs. Any of `by` provides it. */
interface Need {
  path: string;
  by: readonly string[];
  words: string;
}

function needsOf({ targets, relative, objectives, baseline }: Policy): Need[] {
  const needs: Need[] = [];
  for (const target of Object.keys(targets)) {
    const path = `targets.${target}`;
    // Whatever was recorded tells whether it answered.
    if (target === 'max_unavailable') continue;
    if (target === 'max_error_rate') needs.push({ path, by: ['errors', 'scalar error_rate'], words: 'error counts' });
    else if (target === 'max_drift') needs.push(...driftNeeds(path));
    else needs.push({ path, by: ['latency', `scalar ${target}`], words: 'latencies' });
  }
  for (const ratio of Object.keys(relative)) {
    const errors = ratio === 'max_error_ratio';
    const path = `relative.${ratio}`;
    needs.push(
      errors ? { path, by: ['errors'], words: 'error counts' } : { path, by: ['latency'], words: 'latencies' },
      { path, by: ['baseline'], words: 'a baseline' },
    );
  }
  if (baseline === 'required') needs.push({ path: 'baseline', by: ['baseline'], words: 'a baseline' });
  for (const rule of objectives) {
    const { name } = rule;
    const histogram = quantileQuestion(rule)?.histogram;
    const by = histogram === undefined ? [] : [histogram === 'latency' ? 'latency' : `histogram ${histogram}`];
    needs.push({ path: 'objectives', by: [`scalar ${name}`, ...by], words: `readings named ${name}` });
  }
  return needs;
}

function driftNeeds(path: string): Need[] {
  return [
    { path, by: ['score', 'categories', 'scalar drift'], words: 'scores' },
    { path, by: ['baseline', 'scalar drift'], words: 'a baseline' },
  ];
}

/**
 * Finds signals that a policy needs and the records do not have. A signal counts as recorded when the source was asked for
 * it, even without data: missing data is a state that the judge handles.
 */
export class SignalCheck {
  #open: Need[];

  /** @param own the policy in force when it was recorded: its signals were asked for */
  constructor(policy: Policy, own: Policy | null) {
    const asked = new Set((own ? needsOf(own) : []).flatMap(({ by }) => by));
    this.#open = needsOf(policy).filter(({ by }) => !by.some((signal) => asked.has(signal)));
  }

  /** Whether every signal has been seen, so that no more observations are needed. */
  get answered(): boolean {
    return this.#open.length === 0;
  }

  see(observation: Observation): void {
    if (this.#open.length === 0) return;
    this.#open = this.#open.filter(({ by }) => !by.some((signal) => holds(observation, signal)));
  }

  /** In words, e.g. `targets.max_drift needs scores, which were never recorded`; null when nothing is lacking. */
  lacking(): string | null {
    const [need] = this.#open;
    if (need === undefined) return null;
    return `${need.path} needs ${need.words}, which ${need.words.startsWith('a ') ? 'was' : 'were'} never recorded`;
  }
}

function holds({ canary, baseline, scalars }: Observation, signal: string): boolean {
  if (signal === 'baseline') return baseline !== undefined;
  if (signal.startsWith('scalar ')) return scalars !== undefined && Object.hasOwn(scalars, signal.slice(7));
  if (signal.startsWith('histogram ')) return Object.hasOwn(canary.histograms ?? {}, signal.slice(10));
  return Object.hasOwn(canary, signal);
}
