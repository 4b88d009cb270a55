import type { Policy } from '../../judge/index.js';
import type { Actor } from '../../ledger/index.js';
import type { Facts, GateEntry } from '../../readings/index.js';
import { clip, milliseconds, moment, percent, plural, seconds } from '../words.js';

/** Who asked for what, when, and under which policy. */
export function requestSentences({ id, requested }: Facts): string[] {
  const { requestedBy, modelId, fromGate, toGate, policy, policyDigest, dryRun } = requested.data;
  const at = moment(Date.parse(requested.ts));
  const named = policy.name === undefined ? 'The policy' : `The policy "${clip(policy.name)}"`;
  return [
    `${person(requestedBy)} started canary ${id} on ${at}: ${modelId} from ${fromGate} to ${toGate}.`,
    ...(dryRun ? ['It is a dry run: it is judged, but no hook is called and no gate changes.'] : []),
    `${named} (sha256 ${policyDigest.slice(0, 12)}…) has a window of ${seconds(policy.windowSeconds)} with a check every ${seconds(policy.intervalSeconds)}. Targets: ${targets(policy).join('; ')}.`,
    rules(policy),
    ...warmup(policy),
    ...reportOnly(policy),
    ...(policy.approvals && !dryRun
      ? [`A promotion needs the approval of ${plural(policy.approvals.required, 'person', 'people')}.`]
      : []),
  ];
}

/** How a model entered a gate. */
export function entryMeans({ canaryId, by, promotion }: GateEntry): string {
  if (canaryId !== null) return `through canary ${canaryId}`;
  if (promotion === undefined) return `set by ${person(by)}`;
  const on =
    promotion.canaryId === null
      ? 'without evidence, as the configuration allows'
      : `on the evidence of canary ${promotion.canaryId}`;
  return `promoted by ${person(by)} ${on}`;
}

/** A person or program, and how lukhas knows who it is. */
export function person({ who, how }: Actor): string {
  if (how === 'lukhas') return 'lukhas';
  return `${clip(who)} (${KNOWN_BY[how]})`;
}

const KNOWN_BY = { 'os-user': 'operating-system account', 'api-key': 'API key', loopback: 'client on this machine' };

function targets({ targets: t, relative, objectives }: Policy): string[] {
  const list: string[] = [];
  for (const p of ['p50', 'p95', 'p99'] as const) {
    const limit = t[`latency_${p}_ms`];
    if (limit !== undefined) list.push(`${p} latency at most ${milliseconds(limit)}`);
  }
  if (t.max_error_rate !== undefined) list.push(`error rate at most ${percent(t.max_error_rate)}`);
  if (t.max_unavailable !== undefined && t.max_unavailable < 1)
    list.push(`at most ${percent(t.max_unavailable)} of the checks unanswered`);
  if (t.max_drift !== undefined) list.push(`drift of the scores at most PSI ${t.max_drift}`);
  const { max_error_ratio: errors, max_slow_ratio: slow } = relative;
  if (errors !== undefined) list.push(`error rate at most ${errors}x the baseline's`);
  if (slow !== undefined) list.push(`share of slow requests at most ${slow}x the baseline's`);
  return [...list, ...objectives.map((o) => `${o.name} ${o.op} ${o.value}`)];
}

function rules(policy: Policy): string {
  const when = policy.promote === 'early' ? 'as soon as' : 'at the end of the window if';
  const inconclusive = {
    block: 'it is blocked',
    extend: `the window is extended to at most ${seconds(policy.maxWindowSeconds)}, then it is blocked`,
    promote: 'it is promoted uncertified if every estimate meets its target',
  }[policy.onInconclusive];
  const silent = { block: 'it is blocked', hold: 'it waits for the end of the window', rollback: 'it is rolled back' }[
    policy.onNoData
  ];
  return `The canary is promoted ${when} every target is certified; if the evidence is inconclusive, ${inconclusive}. After ${seconds(policy.noDataSeconds)} without data ${silent}.`;
}

function warmup({ warmupSeconds = 0 }: Policy): string[] {
  return warmupSeconds > 0
    ? [`The first ${seconds(warmupSeconds)} are a warm-up: checked, but not judged; the window begins after them.`]
    : [];
}

function reportOnly({ reportOnly: names = [] }: Policy): string[] {
  return names.length === 0
    ? []
    : [`Only reported, without deciding anything: ${names.map((name) => clip(name)).join(', ')}.`];
}

/** Where the measurements came from, and what was there before the first check. */
export function sourceSentences({ requested }: Facts): string[] {
  const { source, notes = [] } = requested.data;
  const seen =
    notes.length === 0
      ? []
      : [`The preflight check before the start found: ${notes.map((note) => clip(note)).join('; ')}.`];
  return [...measured(source), ...seen];
}

function measured(source: Record<string, unknown>): string[] {
  switch (source['kind']) {
    case 'none':
      return ['No metrics source was configured, so nothing was measured.'];
    case 'ndjson': {
      const from = source['input'] === '-' ? 'standard input' : `the file ${text(source['input'])}`;
      return [`Observations were read from ${from}, with the times given there.`];
    }
    case 'scrape':
      return scraped(source);
    case 'prometheus':
      return prometheus(source);
    default:
      return [`Metrics came from a source of kind ${text(source['kind'])}.`];
  }
}

/** Also of sources that were recorded before there were signals: one address an arm, and its labels. */
function scraped(source: Record<string, unknown>): string[] {
  const arms = record(source['arms']);
  const arm = (name: 'canary' | 'baseline') => {
    const urls = list(source[`${name}Urls`] ?? source[`${name}Url`]);
    return `${urls.map(text).join(', ')}${selected(arms[name]) || labelled(source[`${name}Labels`])}`;
  };
  const canary = `Canary metrics were read from ${arm('canary')}`;
  const alone = (source['baselineUrls'] ?? source['baselineUrl'] ?? null) === null;
  return [
    alone ? `${canary}; there was no baseline.` : `${canary}, baseline metrics from ${arm('baseline')}.`,
    ...counted(source),
  ];
}

function prometheus(source: Record<string, unknown>): string[] {
  const queries = Object.entries(record(source['queries'])).map(([name, query]) => `${name} = ${text(query)}`);
  const { canary, baseline } = record(source['arms']);
  const arms = canary === baseline ? selected(canary) : `: canary${selected(canary)}, baseline${selected(baseline)}`;
  return [
    `Metrics were read from the Prometheus at ${text(source['url'])}${arms || labelled(source['labels'])}.`,
    ...counted(source),
    ...(queries.length === 0 ? [] : [`Custom ${queries.length === 1 ? 'query' : 'queries'}: ${queries.join('; ')}.`]),
  ];
}

/** What was counted, where it is not what lukhas expects anyway. */
function counted(source: Record<string, unknown>): string[] {
  const { preset, requests, errors, histograms, drift, inflight } = record(source['signals']);
  const { counts, by, histogram } = record(drift);
  const parts = [
    ['requests', requests],
    ['errors', record(errors)['count']],
    ...Object.entries(record(histograms)).map(([name, one]) => [name, record(one)['histogram']] as const),
    ['drift', histogram ?? (typeof counts === 'string' && typeof by === 'string' ? `${counts} by ${by}` : null)],
    ['inflight', inflight],
  ] as const;
  const named = parts.filter((part): part is [string, string] => typeof part[1] === 'string');
  if (named.every(([, selector]) => USUAL.has(selector))) return [];
  const from = typeof preset === 'string' ? ` (preset ${text(preset)})` : '';
  return [`Measured${from}: ${named.map(([name, selector]) => `${text(name)} = ${text(selector)}`).join('; ')}.`];
}

/** Names that are measured when nothing is configured. */
const USUAL = new Set([
  'model_requests_total',
  'model_errors_total',
  'model_latency',
  'model_score',
  'model_inflight_requests',
]);

/** Matchers of an arm, as in `{version="v2"}`; none for all series. */
function selected(matchers: unknown): string {
  return typeof matchers !== 'string' || matchers === '{}' ? '' : ` (series with ${text(matchers.slice(1, -1))})`;
}

function labelled(labels: unknown): string {
  const pairs = Object.entries(record(labels)).map(([name, value]) => `${name}=${text(value)}`);
  return pairs.length === 0 ? '' : ` (series with ${pairs.join(', ')})`;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? clip(value) : 'an unknown place';
}
