import type { Labels } from '../labels.js';
import { onGrid, schemaProblem } from '../native-histogram.js';
import type { Sample } from '../signals/index.js';
import { addDoubles, addZigzags, bytesOf, doubleOf, fieldsOf, numberOf, timeOf, WireError, zigzagOf } from './wire.js';

/** Half of a native histogram: runs of buckets, and how many observations each has. */
class Side {
  readonly spans: { offset: number; length: number }[] = [];
  /** Each the difference from the bucket before. */
  readonly deltas: number[] = [];
  /** Of histograms of floats, in the place of differences. */
  readonly floats: number[] = [];

  /** Buckets by their number: bucket i reaches up to 2^(i * 2^-schema). */
  *buckets(): Generator<{ index: number; count: number }> {
    let sum = 0;
    const counts = this.floats.length > 0 ? this.floats : this.deltas.map((delta) => (sum += delta));
    let [index, next] = [0, 0];
    for (const { offset, length } of this.spans) {
      index += offset;
      if (next + length > counts.length) throw new WireError('a native histogram has more buckets than counts');
      for (const end = next + length; next < end; next++) yield { index: index++, count: counts[next]! };
    }
    if (next < counts.length) throw new WireError('a native histogram has more counts than buckets');
  }
}

interface ProtobufHistogram {
  count: number;
  created?: number;
  classic: { upper: number; total: number }[];
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  negative: Side;
  positive: Side;
}

/** The message Histogram. Counts as floats stand in the place of whole ones where they are more than 0. */
export function readHistogram(message: Uint8Array): ProtobufHistogram {
  const [negative, positive] = [new Side(), new Side()];
  const read: ProtobufHistogram = {
    ...{ count: 0, classic: [], schema: 0, zeroThreshold: 0, zeroCount: 0 },
    ...{ negative, positive },
  };
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1:
        read.count ||= numberOf(field);
        break;
      case 3:
        read.classic.push(readBucket(bytesOf(field)));
        break;
      case 4:
        read.count = doubleOf(field) || read.count;
        break;
      case 5:
        read.schema = zigzagOf(field);
        break;
      case 6:
        read.zeroThreshold = doubleOf(field);
        break;
      case 7:
        read.zeroCount ||= numberOf(field);
        break;
      case 8:
        read.zeroCount = doubleOf(field) || read.zeroCount;
        break;
      case 9:
        negative.spans.push(readSpan(bytesOf(field)));
        break;
      case 10:
        addZigzags(field, negative.deltas);
        break;
      case 11:
        addDoubles(field, negative.floats);
        break;
      case 12:
        positive.spans.push(readSpan(bytesOf(field)));
        break;
      case 13:
        addZigzags(field, positive.deltas);
        break;
      case 14:
        addDoubles(field, positive.floats);
        break;
      case 15:
        read.created = timeOf(field);
        break;
    }
  }
  return read;
}

function readBucket(message: Uint8Array): { upper: number; total: number } {
  const bucket = { upper: 0, total: 0 };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) bucket.total ||= numberOf(field);
    else if (field.number === 2) bucket.upper = doubleOf(field);
    else if (field.number === 4) bucket.total = doubleOf(field) || bucket.total;
  }
  return bucket;
}

function readSpan(message: Uint8Array): { offset: number; length: number } {
  const span = { offset: 0, length: 0 };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) span.offset = zigzagOf(field);
    else if (field.number === 2) span.length = numberOf(field);
  }
  return span;
}

/** Samples as the text format has them. Classic buckets go before native ones: somebody chose their bounds. */
export function histogramSamples(histogram: ProtobufHistogram, name: string, labels: Labels): Sample[] {
  const { count, created, classic } = histogram;
  const sample = (suffix: string, value: number, more: Labels = {}): Sample => ({
    name: name + suffix,
    labels: { ...labels, ...more },
    value,
    ...(created === undefined ? {} : { created }),
  });
  const bucket = (le: number, total: number) => sample('_bucket', total, { le: le === Infinity ? '+Inf' : String(le) });
  const finite = classic.filter(({ upper }) => upper !== Infinity);
  const { bounds, totals } =
    finite.length === 0 && isNative(histogram) ? native(histogram) : { bounds: [], totals: [] };
  return [
    ...finite.map(({ upper, total }) => bucket(upper, total)),
    ...bounds.map((bound, i) => bucket(bound, totals[i]!)),
    bucket(Infinity, count),
    sample('_count', count),
  ];
}

function isNative({ zeroThreshold, zeroCount, negative, positive }: ProtobufHistogram): boolean {
  return zeroThreshold > 0 || zeroCount > 0 || negative.spans.length > 0 || positive.spans.length > 0;
}

/** None where the schema is not known: a histogram without bounds, as in the text format. */
function native({ schema, zeroThreshold, zeroCount, negative, positive, count }: ProtobufHistogram) {
  if (schemaProblem(schema) !== null) return { bounds: [], totals: [] };
  const base = 2 ** -schema;
  const buckets = [{ upper: zeroThreshold, count: zeroCount }];
  for (const one of negative.buckets()) buckets.push({ upper: -1, count: one.count });
  for (const { index, count: ofBucket } of positive.buckets()) {
    buckets.push({ upper: 2 ** (index * base), count: ofBucket });
  }
  return onGrid({ schema, zeroThreshold, buckets, count });
}
