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
    `${person(requestedBy)} asked on ${at} that ${modelId} pass from ${fromGate} to ${toGate}; this is canary ${id}.`,
    ...(dryRun ? ['It is a dry run: it is judged, but no hook is called and no gate changes.'] : []),
    `${named} (sha256 ${policyDigest.slice(0, 12)}…) asks, over a window of ${seconds(policy.windowSeconds)} with a look every ${seconds(policy.intervalSeconds)}: ${targets(policy).join('; ')}.`,
    rules(policy),
    ...(policy.approvals && !dryRun
      ? [`Before it is promoted, ${plural(policy.approvals.required, 'person has', 'people have')} to approve it.`]
      : []),
  ];
}

/** By what a model entered a gate. */
export function entryMeans({ canaryId, by, promotion }: GateEntry): string {
  if (canaryId !== null) return `through canary ${canaryId}`;
  if (promotion === undefined) return `set by ${person(by)}`;
  const on =
    promotion.canaryId === null
      ? 'without evidence, as the configuration permits'
      : `on the evidence of canary ${promotion.canaryId}`;
  return `promoted by ${person(by)} ${on}`;
}

/** A person or program as they were known. */
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
  if (t.max_drift !== undefined) list.push(`drift of the scores at most PSI ${t.max_drift}`);
  const { max_error_ratio: errors, max_slow_ratio: slow } = relative;
  if (errors !== undefined) list.push(`error rate at most ${errors} times the baseline's`);
  if (slow !== undefined) list.push(`share of slow requests at most ${slow} times the baseline's`);
  return [...list, ...objectives.map((o) => `${o.name} ${o.op} ${o.value}`)];
}

function rules(policy: Policy): string {
  const when = policy.promote === 'early' ? 'as soon as every target is certified' : 'at the end of the window';
  const inconclusive = {
    block: 'blocked',
    extend: `watched on, until ${seconds(policy.maxWindowSeconds)} at most, and then blocked`,
    promote: 'promoted if every estimate meets its target, and marked as uncertified',
  }[policy.onInconclusive];
  const silent = { block: 'blocked', hold: 'held until the end of the window', rollback: 'rolled back' }[
    policy.onNoData
  ];
  return `It promotes ${when}; what is undecided then is ${inconclusive}, and a canary without data for ${seconds(policy.noDataSeconds)} is ${silent}.`;
}

/** Where measurements came from. */
export function sourceSentences({ requested }: Facts): string[] {
  const { source } = requested.data;
  switch (source['kind']) {
    case 'none':
      return ['No metrics source was configured: there was nothing to watch.'];
    case 'ndjson': {
      const from = source['input'] === '-' ? 'standard input' : `the file ${text(source['input'])}`;
      return [`Observations were read from ${from}; the times in it are the times that count.`];
    }
    case 'scrape':
      return scraped(source);
    case 'prometheus':
      return prometheus(source);
    default:
      return [`Measurements came from a source of the kind ${text(source['kind'])}.`];
  }
}

function scraped(source: Record<string, unknown>): string[] {
  const arm = (url: string, labels: string) => `${text(source[url])}${labelled(source[labels])}`;
  const canary = `Measurements of the canary were read from ${arm('canaryUrl', 'canaryLabels')}`;
  if (source['baselineUrl'] == null) return [`${canary}; there was no baseline to compare it with.`];
  return [`${canary}, those of the baseline from ${arm('baselineUrl', 'baselineLabels')}.`];
}

function prometheus(source: Record<string, unknown>): string[] {
  const queries = Object.entries(record(source['queries'])).map(([name, query]) => `${name} = ${text(query)}`);
  return [
    `Measurements were read from the Prometheus at ${text(source['url'])}${labelled(source['labels'])}.`,
    ...(queries.length === 0
      ? []
      : [`${plural(queries.length, 'expression')} of the user's own: ${queries.join('; ')}.`]),
  ];
}

function labelled(labels: unknown): string {
  const pairs = Object.entries(record(labels)).map(([name, value]) => `${name}=${text(value)}`);
  return pairs.length === 0 ? '' : ` (series with ${pairs.join(', ')})`;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? clip(value) : 'an unnamed place';
}
