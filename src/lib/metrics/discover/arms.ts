import type { Matcher } from '../promql/index.js';
import { escapeRegex } from '../promql/index.js';
import { byNumbers, rateOf, type SeriesFact, valuesOf } from './facts.js';
import { namesThings, versionsOfOne } from './things.js';

/** How the series of two versions are told apart. */
export interface ArmsFound {
  label: string;
  canary: Matcher[];
  baseline: Matcher[] | null;
  /** What the label says of the two; the gate's name where the label is one. */
  canaryValue: string;
  baselineValue: string | null;
  /** Values that were seen, with their requests a second. */
  seen: { value: string; perSecond: number | null }[];
  /** `told`: two versions were seen. `next`: one was seen, and the canary's name is a guess. */
  certainty: 'told' | 'next';
}

/** Labels that say a version, a track or a gate, best first. */
const VERSION_LABELS = [
  'version model_version service_version app_version destination_version exported_version',
  'app_kubernetes_io_version revision configuration_revision revision_name canary track variant gate stage arm slot',
  'color release rollout rollouts_pod_template_hash pod_template_hash image_tag image model_id',
]
  .join(' ')
  .split(' ');
/** Labels that do so in some places; their values have to look like versions of one thing. */
const MAYBE_LABELS =
  'deployment application destination_workload workload service service_name model model_name cluster job backend namespace environment env'.split(
    ' ',
  );
const POD_LABELS = ['pod', 'exported_pod', 'kubernetes_pod_name', 'pod_name'];

const CANARY = /(^|[^a-z])(canary|candidate|challenger|preview|next|new|beta|stage|staging|green|true)([^a-z]|$)/i;
const BASELINE =
  /(^|[^a-z])(stable|baseline|primary|prod|production|current|main|old|champion|control|blue|false)([^a-z]|$)/i;
/** Several of one version have these. */
const NO_VERSION = /pod|instance/i;
/** Who calls, not who answers. */
const CALLER = /^(source|client|downstream)_/i;
/** A label without which a series is the stable version. */
const OFTEN_EMPTY = /^(canary|track|variant)$/;

const plain = (label: string): string => label.replace(/[^a-zA-Z0-9]/g, '_').toLowerCase();

/**
 * Ways to tell the versions apart by the series of requests, best first: labels that say a version with two values, pods of
 * two deployments, and last a version of which one value was seen.
 * @param alsoOn series that should carry the label, too
 * @param usual labels that are known to say the version of this system
 */
export function armsFound(
  requests: readonly SeriesFact[],
  alsoOn: readonly SeriesFact[],
  usual: readonly string[] = [],
): ArmsFound[] {
  const names = [...new Set(requests.flatMap(({ labels }) => Object.keys(labels)))].filter(
    (name) => !CALLER.test(name),
  );
  const named = (wanted: readonly string[]) =>
    wanted.flatMap((word) => names.filter((name) => plain(name) === word || plain(name).endsWith(`_${word}`)));
  const known = usual.filter((label) => names.includes(label) && !NO_VERSION.test(label));
  const sure = [...new Set([...known, ...named(VERSION_LABELS)])];
  const two = sure.flatMap((label) => byLabel(label, requests, namesThings(label)));
  const maybe = [...new Set(named(MAYBE_LABELS))].flatMap((label) => byLabel(label, requests, true));
  const pods = POD_LABELS.filter((label) => names.includes(label)).flatMap((label) => byPods(label, requests));
  const one = sure.filter((label) => !/path$/i.test(label)).flatMap((label) => nextVersion(label, requests));
  const everywhere = ({ label }: ArmsFound) =>
    alsoOn.length === 0 || alsoOn.some(({ labels }) => labels[label] !== undefined);
  const all = [...two, ...maybe, ...pods, ...one];
  return [...all.filter(everywhere), ...all.filter((found) => !everywhere(found))];
}

const equal = (label: string, value: string): Matcher[] => [{ label, op: '=', value }];

function byLabel(label: string, series: readonly SeriesFact[], mustLookAlike: boolean): ArmsFound[] {
  const lacking = OFTEN_EMPTY.test(plain(label)) && series.some(({ labels }) => (labels[label] ?? '') === '');
  const all = [...new Set([...valuesOf(series, label), ...(lacking ? [''] : [])])];
  const values = mustLookAlike ? alikeOf(label, series, all) : all;
  if (values.length < 2) return [];
  const seen = ranked(
    values.map((value) => ({
      value,
      perSecond: rateOf(series.filter(({ labels }) => (labels[label] ?? '') === value)),
    })),
  );
  const [canary, baseline] = seen;
  if (canary === undefined || baseline === undefined) return [];
  const pair = { label, canaryValue: canary.value, baselineValue: baseline.value, seen, certainty: 'told' as const };
  return [{ ...pair, canary: equal(label, canary.value), baseline: equal(label, baseline.value) }];
}

/** Of values that name things those that are versions of one. */
function alikeOf(label: string, series: readonly SeriesFact[], all: readonly string[]): readonly string[] {
  const versions = versionsOfOne(label, series, all);
  return versions.length > 1 ? versions : lookAlike(all) ? all : [];
}

/** Those with traffic first; of these what is called a canary, or has the highest version; then what is called stable. */
function ranked<T extends { value: string; perSecond: number | null }>(values: readonly T[]): T[] {
  const idle = ({ perSecond }: T): number => (perSecond === 0 ? 1 : 0);
  const named = ({ value }: T): number => (value !== '' && CANARY.test(value) ? 0 : BASELINE.test(value) ? 2 : 1);
  const order = [...values].sort((a, b) => idle(a) - idle(b) || named(a) - named(b) || byNumbers(b.value, a.value));
  const [canary, ...others] = order;
  const stable = others.filter((one) => idle(one) === 0).find(({ value }) => value === '' || BASELINE.test(value));
  if (canary === undefined || stable === undefined) return order;
  return [canary, stable, ...others.filter((one) => one !== stable)];
}

/** `fraud-v1` and `fraud-v2`, `fraud` and `fraud-canary`: two of one thing, not two things. */
export function lookAlike(values: readonly string[]): boolean {
  const stems = values.map((value) => value.replace(/[-_.:@/]?(v?\d+(\.\d+)*|[a-z]+)$/i, ''));
  const sameStem = stems.every((stem, i) => stem.length > 1 && stem === stems[0] && values[i] !== stem);
  const versions = values.every((value) => /(^|[^a-z])v?\d+(\.\d+)*$/i.test(value));
  const canaries = values.some((value) => CANARY.test(value));
  const named = values.some((base) =>
    values.some((other) => base !== '' && other.startsWith(base) && isVersionPart(other.slice(base.length))),
  );
  return named || (sameStem && (versions || canaries)) || (canaries && values.some((value) => BASELINE.test(value)));
}

/** `-canary`, `-v2`: what a name has more than that of the version that serves. */
function isVersionPart(text: string): boolean {
  return CANARY.test(text) || /^[-_.:@/]v\d+(\.\d+)*$/i.test(text);
}

const POD = /^(.+?)(-[a-z0-9]{4,10})?-[a-z0-9]{5}$/;

/** Pods of two deployments, told by the name before the hashes. */
function byPods(label: string, series: readonly SeriesFact[]): ArmsFound[] {
  const pods = valuesOf(series, label);
  const stems = new Set(pods.flatMap((pod) => POD.exec(pod)?.[1] ?? []));
  if (stems.size < 2) return [];
  const stemOf = (one: SeriesFact) => POD.exec(one.labels[label] ?? '')?.[1];
  const seen = ranked(
    [...stems].map((value) => ({ value, perSecond: rateOf(series.filter((one) => stemOf(one) === value)) })),
  );
  const [canary, baseline] = seen;
  if (canary === undefined || baseline === undefined || !lookAlike([canary.value, baseline.value])) return [];
  const of = (stem: string): Matcher[] => [
    { label, op: '=~', value: `${escapeRegex(stem)}(-[a-z0-9]{4,10})?-[a-z0-9]{5}` },
  ];
  return [
    {
      label,
      canary: of(canary.value),
      baseline: of(baseline.value),
      canaryValue: canary.value,
      baselineValue: baseline.value,
      seen,
      certainty: 'told',
    },
  ];
}

/** One version serves: the next one is not there yet. */
function nextVersion(label: string, series: readonly SeriesFact[]): ArmsFound[] {
  const values = valuesOf(series, label);
  const [only] = values;
  const next = only === undefined || values.length > 1 ? null : increased(only);
  if (only === undefined || next === null) return [];
  return [
    {
      label,
      canary: equal(label, next),
      baseline: equal(label, only),
      canaryValue: next,
      baselineValue: only,
      seen: [{ value: only, perSecond: rateOf(series) }],
      certainty: 'next',
    },
  ];
}

/** `v1` -> `v2`, `1.4.2` -> `1.4.3`, `fraud-v1` -> `fraud-v2`; null for what does not end in a number. */
function increased(version: string): string | null {
  const found = /^(.*?)(\d{1,9})$/s.exec(version);
  return found === null ? null : `${found[1]}${Number(found[2]) + 1}`;
}
