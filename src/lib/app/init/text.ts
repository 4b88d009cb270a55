import { annotatedYaml } from '../../input/index.js';
import { matchersText, type Proposal, type ProposedSignal } from '../../metrics/discover/index.js';
import type { PolicyProposal } from './policy.js';

/** Where the source is, as the user gave it. */
export type Origin =
  | { kind: 'scrape'; canaryUrl: string; baselineUrl: string | null }
  | { kind: 'prometheus'; url: string; selector: string | null };

type Notes = { at: string[]; lines: string[] }[];

/** `lukhas.yaml` of a proposal. */
export function configText(origin: Origin, proposal: Proposal): Promise<string> {
  const notes: Notes = [];
  const arms = armsValue(origin, proposal);
  const value: Record<string, unknown> = {
    source: sourceValue(origin, proposal),
    ...(arms === null ? {} : { arms }),
    signals: signalsValue(proposal, notes),
    policy: 'slo.yaml',
  };
  const others = proposal.arms.others.map(({ label }) => label);
  const also = others.length === 0 ? [] : [`other labels that could: ${others.join(', ')}`];
  notes.push({ at: [arms === null ? 'source' : 'arms'], lines: [...proposal.arms.notes, ...also] });
  const head = ['Written by lukhas init. docs/metrics.md explains the keys.'];
  return annotatedYaml({ head, value, notes });
}

/** `slo.yaml` of a proposal. */
export function policyText({ input, notes }: PolicyProposal): Promise<string> {
  const head = ['What the canary has to meet. Written by lukhas init; docs/policy.md explains the keys.'];
  return annotatedYaml({ head, value: input, notes });
}

function sourceValue(origin: Origin, { arms }: Proposal): Record<string, unknown> {
  if (origin.kind === 'prometheus') return { kind: 'prometheus', url: origin.url };
  const { canaryUrl } = origin;
  // One page of both versions is the page of each.
  const baselineUrl = origin.baselineUrl ?? (arms.found?.baseline ? canaryUrl : null);
  return { kind: 'scrape', canaryUrl, ...(baselineUrl === null ? {} : { baselineUrl }) };
}

/** Null: the pages tell the versions apart, or there is one version. */
function armsValue(origin: Origin, { arms: { found } }: Proposal): Record<string, unknown> | null {
  const within = origin.kind === 'prometheus' ? withoutBraces(origin.selector) : '';
  if (found === null && within === '' && origin.kind === 'scrape') return null;
  const arm = (matchers: NonNullable<typeof found>['canary']): unknown => {
    if (within === '' && matchers.every(({ op }) => op === '='))
      return Object.fromEntries(matchers.map(({ label, value }) => [label, value]));
    const own = withoutBraces(matchersText(matchers));
    return `{${[within, own].filter((part) => part !== '').join(', ')}}`;
  };
  if (found === null) return { canary: `{${within}}` };
  return { canary: arm(found.canary), ...(found.baseline === null ? {} : { baseline: arm(found.baseline) }) };
}

function withoutBraces(selector: string | null): string {
  return (selector ?? '').trim().replace(/^\{/, '').replace(/\}$/, '').replace(/,\s*$/, '').trim();
}

function signalsValue(proposal: Proposal, notes: Notes): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const add = (key: string, signal: ProposedSignal, written: unknown): void => {
    value[key] = signal.text === null ? null : written;
    notes.push({ at: ['signals', key], lines: signal.notes });
  };
  const { preset, requests, errors, latency, histograms, drift, inflight } = proposal;
  if (preset !== null) {
    value['preset'] = preset.name;
    notes.push({ at: ['signals', 'preset'], lines: preset.notes });
    const narrowed = new Set<string>(preset.overrides);
    if (narrowed.has('requests')) add('requests', requests, requests.text);
    if (narrowed.has('errors')) add('errors', errors, errorsValue(errors));
    if (narrowed.has('latency')) add('latency', latency, { histogram: latency.text, unit: latency.unit });
    for (const key of preset.missing) value[key] = null;
    return value;
  }
  add('requests', requests, requests.text);
  add('errors', errors, errorsValue(errors));
  add('latency', latency, { histogram: latency.text, unit: latency.unit });
  for (const [name, one] of Object.entries(histograms)) add(name, one, { histogram: one.text, unit: one.unit });
  add('drift', drift, drift.by === null ? { histogram: drift.text } : { counts: drift.text, by: drift.by });
  if (inflight.text !== null) add('inflight', inflight, inflight.text);
  return value;
}

function errorsValue({ text, absentZero }: Proposal['errors']): unknown {
  return absentZero ? { count: text, absent: 'zero' } : text;
}
