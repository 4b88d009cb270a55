import type { Sample } from '../signals/index.js';
import type { Family, FamilyType } from './facts.js';

/** What is declared of metrics: `# TYPE` and `# UNIT` of a page, the metadata of a Prometheus. */
export type Declared = ReadonlyMap<string, { type?: string; unit?: string; help?: string }>;

const PARTS = /_(?:bucket|sum|count)$/;

/**
 * The metrics that samples belong to, and those that are only declared.
 * @param samples with the values they have, or (of a Prometheus) any that are enough to tell used from unused
 */
export function familiesOf(
  samples: readonly Pick<Sample, 'name' | 'labels' | 'value'>[],
  declared: Declared,
): Family[] {
  const names = new Set(samples.map(({ name }) => name));
  const quantiles = new Set(samples.flatMap(({ name, labels }) => (labels['quantile'] === undefined ? [] : [name])));
  const found = new Map<string, Family>();
  for (const { name, value } of samples) {
    const base = baseOf(name, names, quantiles, declared);
    const family = found.get(base) ?? {
      name: base,
      type: typeOf(base, names, quantiles, declared),
      unit: declared.get(base)?.unit ?? null,
      ...helpOf(declared.get(base)?.help),
      series: 0,
      total: 0,
    };
    found.set(base, family);
    family.series += 1;
    if ((name === base || name.endsWith('_count')) && Number.isFinite(value)) family.total += value;
  }
  for (const [name, { type, unit, help }] of declared) {
    if (found.has(name) || found.has(`${name}_total`)) continue;
    found.set(name, { name, type: knownType(type), unit: unit ?? null, ...helpOf(help), series: 0, total: 0 });
  }
  return [...found.values()];
}

function helpOf(help: string | undefined): { help: string } | Record<never, never> {
  return help === undefined ? {} : { help };
}

/** Of the samples of a histogram or summary the name they share. */
function baseOf(name: string, names: ReadonlySet<string>, quantiles: ReadonlySet<string>, declared: Declared): string {
  const base = name.replace(PARTS, '');
  if (base === name) return name;
  const type = declared.get(base)?.type;
  if (type === 'histogram' || type === 'summary' || type === 'gaugehistogram') return base;
  if (declared.has(name)) return name;
  const whole =
    names.has(`${base}_bucket`) || quantiles.has(base) || (names.has(`${base}_sum`) && names.has(`${base}_count`));
  return whole ? base : name;
}

function typeOf(
  name: string,
  names: ReadonlySet<string>,
  quantiles: ReadonlySet<string>,
  declared: Declared,
): FamilyType {
  if (quantiles.has(name)) return 'summary';
  if (names.has(`${name}_bucket`)) return 'histogram';
  // A sum and a count alone: no distribution.
  if (!names.has(name) && names.has(`${name}_count`)) return 'summary';
  // A Prometheus does not say what its quantiles are of.
  if (names.has(`${name}_count`) && names.has(`${name}_sum`) && !declared.has(name)) return 'summary';
  // OpenMetrics declares a counter without the end of its samples' name.
  return knownType(declared.get(name)?.type ?? declared.get(name.replace(/_total$/, ''))?.type ?? guessed(name));
}

function guessed(name: string): string {
  return /_(?:total|count)$/.test(name) ? 'counter' : 'unknown';
}

function knownType(type: string | undefined): FamilyType {
  switch (type) {
    case 'counter':
    case 'gauge':
    case 'histogram':
    case 'summary':
      return type;
    case 'gaugehistogram':
      return 'gauge';
    default:
      return 'unknown';
  }
}
