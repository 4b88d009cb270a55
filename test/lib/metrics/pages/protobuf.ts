/** Writes the messages of io.prometheus.client, for tests of what reads them. */
type Part = readonly [field: number, value: Uint8Array | string | number | Float];

/** A number that is written as `double`, not as a varint. */
export class Float {
  constructor(readonly value: number) {}
}

export function message(...parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.map(([field, value]) => part(field, value)));
}

export function delimited(...messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(messages.flatMap((one) => [varint(BigInt(one.length)), one]));
}

export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** A packed repeated field. */
export function packed(...values: readonly number[]): Buffer {
  return Buffer.concat(values.map((value) => varint(BigInt(value))));
}

export const label = (name: string, value: string): Part => [1, message([1, name], [2, value])];
export const family = (name: string, type: number, ...metrics: readonly Uint8Array[]): Buffer =>
  message([1, name], [2, 'help'], [3, type], ...metrics.map((metric): Part => [4, metric]));

function part(field: number, value: Part[1]): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(BigInt(field * 8)), varint(BigInt(value))]);
  if (value instanceof Float) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value.value);
    return Buffer.concat([varint(BigInt(field * 8 + 1)), bytes]);
  }
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(BigInt(field * 8 + 2)), varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}
