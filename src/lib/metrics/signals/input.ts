import * as z from 'zod';
import { nearest } from '../../input/index.js';
import {
  type Matcher,
  type Read,
  readSelector,
  readSum,
  type Selector,
  showSelector,
  showSum,
} from '../promql/index.js';
import { equal } from './arms.js';
import {
  type DriftConfig,
  type ErrorsConfig,
  type HistogramConfig,
  type SignalsConfig,
  UNITS,
  type Unit,
} from './signals.js';
import { unitFor } from './units.js';

const selector = z.string();
const labels = z
  .record(
    z.string().min(1, 'a label name must not be empty'),
    z.string({ error: 'a label value must be text: put it in quotes' }),
  )
  .optional();
/** YAML reads a bare 1 as a number. */
const unit = z.preprocess((given): unknown => (given === 1 ? '1' : given), z.enum(UNITS));

const counter = z.union([selector, z.strictObject({ count: selector, labels })]);
const errors = z.union([
  selector,
  z.strictObject({ count: selector, absent: z.enum(['no_data', 'zero']).optional(), labels }),
]);
const histogram = z.union([selector, z.strictObject({ histogram: selector, unit: unit.optional(), labels })]);
const drift = z.union([
  selector,
  z.strictObject({ histogram: selector.optional(), counts: selector.optional(), by: selector.optional(), labels }),
]);
const gauge = z.union([selector, z.strictObject({ gauge: selector, labels })]);

const signalsForm = z
  .object({
    preset: z.string().optional(),
    requests: counter.nullish(),
    errors: errors.nullish(),
    latency: histogram.nullish(),
    drift: drift.nullish(),
    inflight: gauge.nullish(),
  })
  .catchall(histogram.nullish());
type Form = z.output<typeof signalsForm>;

const NAMED = Object.keys(signalsForm.shape);
/** What earlier configurations called a signal. */
const FORMERLY: Readonly<Record<string, string>> = { score: 'drift' };

const LABELS_ALONE =
  'belong to one signal: requests: { count: NAME, labels: { path: /predict } }, or in its selector; labels that tell the versions apart belong to arms';

/** `signals` as people write it in a configuration; keys besides these are histograms, as in `ttft`. */
export interface SignalsForm {
  readonly preset?: string;
  readonly requests?: z.input<typeof counter> | null;
  readonly errors?: z.input<typeof errors> | null;
  readonly latency?: z.input<typeof histogram> | null;
  readonly drift?: z.input<typeof drift> | null;
  readonly inflight?: z.input<typeof gauge> | null;
  readonly [histogram: string]: unknown;
}

type Problems = (path: readonly string[], message: string) => void;

/** What a name that is none of a preset stands for: another name of one, or a system whose metrics cannot be judged. */
export type OtherName = { preset: string } | { problem: string };

/**
 * The schema of `signals` in a configuration; gives what is recorded. Only what is named is measured.
 * @param presets signals of each preset by its name, as people would write them; keys beside `preset` replace its own, and
 *   null leaves one out
 * @param other what is known of further names; what is recorded is the preset's own name
 */
export function signalsSchema(
  presets: ReadonlyMap<string, SignalsForm>,
  other: (name: string) => OtherName | undefined = () => undefined,
): z.ZodType<SignalsConfig> {
  return z
    .preprocess((given, context) => {
      for (const [path, message] of unknownKeys(given)) context.addIssue({ code: 'custom', path: [path], message });
      return given;
    }, signalsForm)
    .transform((given, context): SignalsConfig => {
      let refused = false;
      const problems: Problems = (path, message) => {
        refused = true;
        context.addIssue({ code: 'custom', path: [...path], message });
      };
      const { preset: named = null, ...own } = given;
      const meant = named === null || presets.has(named) ? undefined : other(named);
      const preset = meant !== undefined && 'preset' in meant ? meant.preset : named;
      const base = preset === null ? {} : presets.get(preset);
      if (base === undefined)
        problems(
          ['preset'],
          meant !== undefined && 'problem' in meant ? meant.problem : unknownPreset(preset!, [...presets.keys()]),
        );
      const config = configOf({ ...signalsForm.parse(base ?? {}), ...own }, preset, problems);
      if (!refused && config.errors !== null && config.requests === null)
        problems(['errors'], 'needs requests beside it: the counter of all requests');
      if (!refused && isEmpty(config))
        problems([], 'names nothing to measure: give requests and errors, latency or drift, or leave signals out');
      return refused ? z.NEVER : config;
    });
}

/** The same where no presets are known. */
export const signalsInput = signalsSchema(new Map());

/** A misspelt key would be taken for a histogram of that name. */
function unknownKeys(given: unknown): [string, string][] {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return [];
  return Object.keys(given).flatMap((key): [string, string][] => {
    if (NAMED.includes(key)) return [];
    if (key === 'labels') return [[key, LABELS_ALONE]];
    const meant = Object.hasOwn(FORMERLY, key) ? FORMERLY[key]! : nearest(key, NAMED);
    if (meant !== null) return [[key, `unknown key; did you mean ${meant}?`]];
    if (/^[a-z][a-z0-9_]*$/.test(key)) return [];
    return [[key, `unknown key; known keys: ${NAMED.join(', ')}, and a name in lower case for another histogram`]];
  });
}

function unknownPreset(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  if (meant !== null) return `${JSON.stringify(name)} is not a preset; did you mean ${meant}?`;
  return `${JSON.stringify(name)} is not a preset${known.length === 0 ? '' : `; known are ${known.join(', ')}`}`;
}

function configOf(form: Form, preset: string | null, problems: Problems): SignalsConfig {
  const { preset: _, requests, errors, drift, inflight, ...histograms } = form;
  return {
    preset,
    requests: requests ? sumText('requests', asObject(requests, 'count'), problems) : null,
    errors: errors ? errorsOf(asObject(errors, 'count'), problems) : null,
    histograms: Object.fromEntries(
      Object.entries(histograms).flatMap(([name, given]) =>
        given ? [[name, histogramOf(name, asObject(given, 'histogram'), problems)]] : [],
      ),
    ),
    drift: drift ? driftOf(asObject(drift, 'histogram'), problems) : null,
    inflight: inflight ? gaugeText(asObject(inflight, 'gauge'), problems) : null,
  };
}

function isEmpty({ requests, errors, histograms, drift, inflight }: SignalsConfig): boolean {
  return [requests, errors, drift, inflight, ...Object.values(histograms)].every((signal) => signal === null);
}

/** A selector alone stands for the group of keys that holds nothing else. */
function asObject<Key extends string, Group extends object>(given: string | Group, key: Key) {
  return typeof given === 'string' ? ({ [key]: given } as Record<Key, string> & Partial<Group>) : given;
}

type LabelMap = Readonly<Record<string, string>> | undefined;

function withLabels({ name, matchers }: Selector, wanted: LabelMap): Selector {
  return { name, matchers: [...matchers, ...equal(wanted ?? {})] };
}

function sumText(signal: string, { count, labels }: { count: string; labels?: LabelMap }, problems: Problems): string {
  const terms = read([signal], readSum(count), problems) ?? [];
  return showSum(terms.map(({ sign, selector }) => ({ sign, selector: withLabels(selector, labels) })));
}

function errorsOf(
  given: { count: string; absent?: ErrorsConfig['absent'] | undefined; labels?: LabelMap },
  problems: Problems,
): ErrorsConfig {
  return { count: sumText('errors', given, problems), absent: given.absent ?? 'no_data' };
}

function gaugeText({ gauge, labels }: { gauge: string; labels?: LabelMap }, problems: Problems): string {
  const selected = read(['inflight'], readSelector(gauge), problems);
  return selected === null ? '' : showSelector(withLabels(selected, labels));
}

function histogramOf(
  signal: string,
  given: { histogram: string; unit?: Unit | undefined; labels?: LabelMap },
  problems: Problems,
): HistogramConfig {
  const selected = histogramSelector(signal, given.histogram, problems);
  if (selected === null) return { histogram: '', unit: 's' };
  const found = unitFor(selected.name, given.unit, 's');
  if ('problem' in found) problems([signal], found.problem);
  return {
    histogram: showSelector(withLabels(selected, given.labels)),
    unit: 'unit' in found ? found.unit : 's',
  };
}

function histogramSelector(signal: string, text: string, problems: Problems): Selector | null {
  const selected = read([signal], readSelector(text), problems);
  if (selected === null) return null;
  const base = selected.name.replace(/_bucket$/, '');
  if (base !== selected.name) problems([signal], `give the histogram's own name, without _bucket: ${base}`);
  if (selected.matchers.some(({ label }: Matcher) => label === 'le'))
    problems([signal], 'leave the label le out: all buckets of the histogram are read');
  return selected;
}

function driftOf(
  given: { histogram?: string | undefined; counts?: string | undefined; by?: string | undefined; labels?: LabelMap },
  problems: Problems,
): DriftConfig {
  const { histogram, counts, by, labels } = given;
  const nothing = { histogram: '' };
  if ((histogram === undefined) === (counts === undefined) || (counts === undefined) !== (by === undefined)) {
    problems(['drift'], 'must be { histogram: NAME }, or { counts: NAME, by: LABEL } for the values of a label');
    return nothing;
  }
  if (counts === undefined || by === undefined) {
    const selected = histogramSelector('drift', histogram!, problems);
    return selected === null ? nothing : { histogram: showSelector(withLabels(selected, labels)) };
  }
  const selected = read(['drift'], readSelector(counts), problems);
  return selected === null ? nothing : { counts: showSelector(withLabels(selected, labels)), by };
}

function read<T>(path: readonly string[], found: Read<T>, problems: Problems): T | null {
  if (found.ok) return found.value;
  problems(path, found.problem);
  return null;
}
