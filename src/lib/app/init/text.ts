import { annotatedYaml } from '../../input/index.js';
import {
  hasPlaceholder,
  matchersText,
  type Proposal,
  type ProposedSignal,
  type Service,
} from '../../metrics/discover/index.js';
import { readMatchers } from '../../metrics/promql/index.js';
import type { CredentialNames } from '../source-schema.js';
import type { PolicyProposal } from './policy.js';

type Matchers = Service['matchers'];

/** Where the source is, as the user gave it. */
export type Origin = { credentials?: CredentialNames } & (
  | { kind: 'scrape'; canaryUrl: string; baselineUrl: string | null }
  /** `service`: what selects the chosen one of several. */
  | { kind: 'prometheus'; url: string; selector: string | null; service?: Matchers }
);

type Notes = { at: string[]; lines: string[] }[];

/** `lukhas.yaml` of a proposal. */
export function configText(origin: Origin, proposal: Proposal, scrapeSeconds: number | null): Promise<string> {
  const notes: Notes = [];
  const arms = armsValue(origin, proposal);
  const value: Record<string, unknown> = {
    source: sourceValue(origin, proposal, scrapeSeconds),
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

/** Above so many seconds between two samples one that is missed would make the others too old. */
const USUAL_SCRAPE_SECONDS = 30;

function sourceValue(origin: Origin, { arms }: Proposal, scrapeSeconds: number | null): Record<string, unknown> {
  const { credentials = {} } = origin;
  if (origin.kind === 'prometheus') {
    const stale = (scrapeSeconds ?? 0) > USUAL_SCRAPE_SECONDS ? { staleSeconds: 3 * scrapeSeconds! } : {};
    return { kind: 'prometheus', url: origin.url, ...stale, ...credentials };
  }
  const { canaryUrl } = origin;
  // One page of both versions is the page of each.
  const baselineUrl = origin.baselineUrl ?? (arms.found?.baseline ? canaryUrl : null);
  return { kind: 'scrape', canaryUrl, ...(baselineUrl === null ? {} : { baselineUrl }), ...credentials };
}

/** Null: the pages tell the versions apart, or there is one version. */
function armsValue(origin: Origin, { arms: { found } }: Proposal): Record<string, unknown> | null {
  const within = origin.kind === 'prometheus' ? withoutBraces(origin.selector) : '';
  const service = origin.kind === 'prometheus' ? notWithin(origin.service ?? [], within) : [];
  if (found === null && origin.kind === 'scrape') return null;
  const arm = (version: Matchers): unknown => {
    // What says the version may say the service, too.
    const matchers = [...service.filter(({ label }) => !version.some((one) => one.label === label)), ...version];
    if (within === '' && matchers.every((one) => one.op === '=' && !hasPlaceholder(one)))
      return Object.fromEntries(matchers.map(({ label, value }) => [label, value]));
    const own = withoutBraces(matchersText(matchers));
    return `{${[within, own].filter((part) => part !== '').join(', ')}}`;
  };
  if (found === null) return { canary: arm([]) };
  return { canary: arm(found.canary), ...(found.baseline === null ? {} : { baseline: arm(found.baseline) }) };
}

/** Those that a selector does not have already. */
function notWithin(matchers: Matchers, within: string): Matchers {
  const read = readMatchers(`{${within}}`);
  const had = read.ok ? read.value : [];
  return matchers.filter(
    (one) => !had.some(({ label, op, value }) => label === one.label && op === one.op && value === one.value),
  );
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
