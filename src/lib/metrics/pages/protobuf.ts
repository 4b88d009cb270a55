import { Turns } from '../../turns.js';
import type { Labels } from '../labels.js';
import type { Sample } from '../signals/index.js';
import { type Exposition, noFacts } from './facts.js';
import { histogramSamples, readHistogram } from './protobuf-histogram.js';
import {
  bytesOf,
  delimitedMessages,
  doubleOf,
  type Field,
  fieldsOf,
  numberOf,
  signedOf,
  timeOf,
  WireError,
} from './wire.js';

/** Of the enumeration MetricType. */
const TYPES = ['counter', 'gauge', 'summary', 'untyped', 'histogram', 'gaugehistogram'];
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Samples of an exposition in Protocol Buffers: delimited messages of io.prometheus.client.MetricFamily
 * (https://github.com/prometheus/client_model), under the names that the text format gives them. It alone has native
 * histograms; they become cumulative `NAME_bucket` samples on a fixed grid, where there are no classic buckets.
 * @throws WireError for what is cut off or is none
 */
export async function readProtobuf(bytes: Uint8Array, wanted: (name: string) => boolean): Promise<Exposition> {
  const page: Exposition = { samples: [], facts: noFacts() };
  const turns = new Turns();
  for (const message of delimitedMessages(bytes)) {
    readFamily(message, wanted, page);
    await turns.next();
  }
  return page;
}

function readFamily(message: Uint8Array, wanted: (name: string) => boolean, { samples, facts }: Exposition): void {
  let [name, type] = ['', TYPES[0]!];
  const metrics: Uint8Array[] = [];
  let help = '';
  for (const field of fieldsOf(message)) {
    if (field.number === 1) name = textOf(field);
    else if (field.number === 2) help = textOf(field);
    else if (field.number === 3) type = TYPES[numberOf(field)] ?? 'unknown';
    else if (field.number === 4) metrics.push(bytesOf(field));
    else if (field.number === 5) facts.units.set(name, textOf(field));
  }
  if (name === '') throw new WireError('a family has no name');
  facts.types.set(name, type);
  const names = namesOf(name, type);
  if (metrics.length > 0) for (const one of names) facts.names.add(one);
  if (!names.some(wanted)) return;
  if (help !== '' && wanted(`${name}_bucket`)) facts.help.set(name, help);
  for (const metric of metrics) {
    for (const sample of readMetric(metric, name)) if (wanted(sample.name)) samples.push(sample);
  }
}

function namesOf(name: string, type: string): string[] {
  if (type === 'summary') return [name, `${name}_count`, `${name}_sum`];
  return type.endsWith('histogram') ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name];
}

function readMetric(message: Uint8Array, name: string): Sample[] {
  const labels: Labels = {};
  let samples: Sample[] = [];
  let t: number | undefined;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) readLabel(bytesOf(field), labels);
    else if (field.number === 4) samples = readSummary(bytesOf(field), name, labels);
    else if (field.number === 6) t = signedOf(field);
    else if (field.number === 7) samples = histogramSamples(readHistogram(bytesOf(field)), name, labels);
    else if (field.number === 2 || field.number === 3 || field.number === 5) {
      samples = [readValue(bytesOf(field), name, labels)];
    }
  }
  if (t !== undefined && t !== 0) for (const sample of samples) sample.t = t;
  return samples;
}

function readLabel(message: Uint8Array, into: Labels): void {
  let [label, value] = ['', ''];
  for (const field of fieldsOf(message)) {
    if (field.number === 1) label = textOf(field);
    else if (field.number === 2) value = textOf(field);
  }
  // A label without a value is the same as none.
  if (value === '') return;
  // Assigning would lose a label called __proto__.
  Object.defineProperty(into, label, { value, enumerable: true, configurable: true, writable: true });
}

/** Counter, Gauge, Untyped: the first field is the value. A counter may say when it was created. */
function readValue(message: Uint8Array, name: string, labels: Labels): Sample {
  const sample: Sample = { name, labels, value: 0 };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) sample.value = doubleOf(field);
    else if (field.number === 3) sample.created = timeOf(field);
  }
  return sample;
}

function readSummary(message: Uint8Array, name: string, labels: Labels): Sample[] {
  const count: Sample = { name: `${name}_count`, labels, value: 0 };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) count.value = numberOf(field);
    else if (field.number === 4) count.created = timeOf(field);
  }
  return [count];
}

function textOf(field: Field): string {
  const bytes = bytesOf(field);
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new WireError('a text is not in UTF-8', { cause });
  }
}
