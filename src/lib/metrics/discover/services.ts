import type { Labels } from '../labels.js';
import { recognise } from '../presets/index.js';
import { escapeRegex, type Matcher } from '../promql/index.js';
import { lookAlike } from './arms.js';
import { byNumbers, type SeriesFact } from './facts.js';
import { familiesOf } from './families.js';
import { latencies, requestsFound } from './requests.js';

/** How many series of one name a Prometheus holds with the same labels among `SERVICE_LABELS`. */
export interface Holding {
  name: string;
  labels: Labels;
  series: number;
}

/** What is judged together: its versions, and nothing else, have these labels. */
export interface Service {
  /** As somebody would call it; no two have the same. */
  name: string;
  /** Values of its labels, by any of which it may be chosen, too. */
  alsoNamed: readonly string[];
  matchers: readonly Matcher[];
  /** The metric by which it was found to serve requests. */
  metric: string;
  holdings: readonly Holding[];
}

const NAMES = ['app_kubernetes_io_name', 'app', 'application', 'service', 'exported_service', 'service_name'];
const OF_SERVICES = ['namespace', ...NAMES];
/** A proxy names with these the service that was asked; its other labels name who asked, or the proxy. */
const OF_PROXIES = ['destination_service_name', 'destination_service_namespace'];
/** Labels that say which service a series is of. */
export const SERVICE_LABELS: readonly string[] = ['job', ...OF_SERVICES, ...OF_PROXIES];

/** Two names in these are two services, unless somebody says that they are versions. */
const NEVER_VERSIONS = /namespace$/;

/** What somebody said of the versions. */
export interface Said {
  /** The label that tells them apart: names in it that are alike are versions, in every label. */
  by?: string | undefined;
  /** Labels of either. What they say may be two services by name, and is one. */
  canary?: Labels | undefined;
  baseline?: Labels | undefined;
}

interface Group {
  holdings: readonly Holding[];
  matchers: readonly Matcher[];
  /** Values that set it apart from others, the most general first. */
  path: readonly string[];
}

/**
 * Services that serve requests among what a Prometheus holds. What is named like a version of another (`fraud`,
 * `fraud-canary`) and has metrics of the same names is one with it. Pure.
 */
export function servicesOf(holdings: readonly Holding[], said: Said = {}): Service[] {
  const { proxied = [], own = [] } = Object.groupBy(ofVersions(holdings, said), ({ labels }) =>
    OF_PROXIES.some((label) => labels[label] !== undefined) ? 'proxied' : 'own',
  );
  const [ofOwn, ofProxies] = [separated(own, OF_SERVICES, said), separated(proxied, OF_PROXIES, said)];
  const groups = [...ofOwn, ...ofProxies];
  const names = [...ofOwn.map((group) => nameOf(group, NAMES)), ...ofProxies.map((group) => nameOf(group, OF_PROXIES))];
  return groups
    .flatMap((group, i): Service[] => {
      const metric = servesBy(group.holdings);
      if (metric === null) return [];
      const several = names.filter((name) => name === names[i]).length > 1;
      const alsoNamed = new Set(group.holdings.flatMap(({ labels }) => Object.values(labels)));
      const name = several ? [...new Set([...group.path, names[i]!])].join('/') : names[i]!;
      return [{ name, alsoNamed: [...alsoNamed], matchers: group.matchers, metric, holdings: group.holdings }];
    })
    .sort((a, b) => byNumbers(a.name, b.name));
}

/** Those of either version, as far as somebody said which these are. */
function ofVersions(holdings: readonly Holding[], { canary, baseline }: Said): readonly Holding[] {
  const versions = [canary, baseline].filter((labels) => labels !== undefined);
  const fits = (version: Labels, { labels }: Holding) =>
    SERVICE_LABELS.every((label) => version[label] === undefined || labels[label] === version[label]);
  return versions.length === 0 ? holdings : holdings.filter((one) => versions.some((version) => fits(version, one)));
}

function separated(holdings: readonly Holding[], labels: readonly string[], said: Said): Group[] {
  return ['job', ...labels]
    .filter((label) => said.canary?.[label] === undefined && said.baseline?.[label] === undefined)
    .reduce<Group[]>(
      (groups, label) => groups.flatMap((group) => separatedBy(label, group, said.by === label)),
      holdings.length === 0 ? [] : [{ holdings, matchers: [], path: [] }],
    );
}

/** What a label says of all of it, else what sets it apart: the job of many services may be one. */
function nameOf({ holdings, path }: Group, labels: readonly string[]): string {
  for (const label of labels) {
    const values = new Set(holdings.flatMap(({ labels }) => labels[label] ?? []));
    if (values.size === 1) return [...values][0]!;
  }
  return path.at(-1) ?? 'all';
}

/** One group for each service that a label names; the group as it is where it names one. Of a job its name is kept in any case. */
function separatedBy(label: string, group: Group, isVersion: boolean): Group[] {
  const byValue = Map.groupBy(group.holdings, ({ labels }) => labels[label] ?? '');
  if (byValue.size === 1 && byValue.has('')) return [group];
  const named = alike(byValue, isVersion || !NEVER_VERSIONS.test(label)).map((values): Group => {
    const [shortest = ''] = [...values].sort((a, b) => a.length - b.length || byNumbers(a, b));
    return {
      holdings: values.flatMap((value) => byValue.get(value)!),
      matchers: [...group.matchers, oneOf(label, values)],
      path: shortest === '' ? group.path : [...group.path, shortest],
    };
  });
  const serving = named.filter(({ holdings }) => servesBy(holdings) !== null);
  if (serving.length === 0 || onSomeMetrics(byValue, serving.length)) return [group];
  return serving.length > 1 || label === 'job' ? serving : [group];
}

/** Whether a service has the label on some of its metrics: no metric is there with it and without it. */
function onSomeMetrics(byValue: ReadonlyMap<string, readonly Holding[]>, groups: number): boolean {
  const without = byValue.get('');
  if (without === undefined || groups > 2) return false;
  const bare = new Set(without.map(({ name }) => name));
  const labelled = [...byValue].flatMap(([value, holdings]) => (value === '' ? [] : holdings));
  return servesBy(without) !== null && !labelled.some(({ name }) => bare.has(name));
}

/** Values that are names of one service together. @param canBeVersions whether two values ever are */
function alike(byValue: ReadonlyMap<string, readonly Holding[]>, canBeVersions: boolean): string[][] {
  const groups: string[][] = [];
  const names = (value: string) => new Set(byValue.get(value)!.map(({ name }) => name));
  const share = (a: string, b: string) => [...names(a)].some((name) => names(b).has(name));
  const one = (a: string, b: string) => canBeVersions && a !== '' && b !== '' && lookAlike([a, b]) && share(a, b);
  for (const value of [...byValue.keys()].sort(byNumbers)) {
    const group = groups.find((others) => others.some((other) => one(other, value)));
    if (group === undefined) groups.push([value]);
    else group.push(value);
  }
  return groups;
}

function oneOf(label: string, values: readonly string[]): Matcher {
  return values.length === 1
    ? { label, op: '=', value: values[0]! }
    : { label, op: '=~', value: values.map(escapeRegex).join('|') };
}

/** Of metrics that are named so, the one that counts or times requests; null: none does. */
function servesBy(holdings: readonly Holding[]): string | null {
  const names = new Set(holdings.map(({ name }) => name));
  const series = [...names].map((name): SeriesFact => {
    const labels: Labels = name.endsWith('_bucket') ? { le: '1' } : {};
    return { page: 0, name, labels, value: 0, perSecond: null };
  });
  const families = familiesOf({ series, types: new Map(), units: new Map(), seconds: null, scrapeSeconds: null });
  const [latency = null] = latencies(families);
  const [preset] = recognise(names);
  return latency?.name ?? requestsFound(families, null)?.requests[0]?.name ?? preset?.title ?? null;
}

/** Those that somebody means by a name. */
export function servicesNamed(services: readonly Service[], name: string): Service[] {
  const exact = services.filter((service) => service.name === name);
  return exact.length > 0 ? exact : services.filter(({ alsoNamed }) => alsoNamed.includes(name));
}
