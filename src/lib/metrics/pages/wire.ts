/**
 * One field of a message in the wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding).
 * `varint` as it stands (neither zigzag nor sign undone), or the bytes of all other types.
 */
export type Field = { number: number; varint: bigint } | { number: number; bytes: Uint8Array; isFixed: boolean };

/** The bytes end within a message, or are none. */
export class WireError extends Error {}

const SIGN_BIT = 1n << 63n;

/**
 * Fields of a message, in their order. An own reader of sixty lines: what was cut off must be refused and not be read as far
 * as it goes, which the small packages do not do.
 * @throws WireError
 */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const reader = new Reader(bytes);
  while (!reader.atEnd()) yield reader.field();
}

/** The messages of a stream in which each stands behind its length. @throws WireError */
export function* delimitedMessages(bytes: Uint8Array): Generator<Uint8Array> {
  const reader = new Reader(bytes);
  while (!reader.atEnd()) yield reader.take(Number(reader.varint()));
}

/** Adds the numbers of a repeated field of `sint64`, packed or not. */
export function addZigzags(field: Field, to: number[]): void {
  if ('varint' in field) {
    to.push(zigzag(field.varint));
    return;
  }
  const reader = new Reader(packed(field));
  while (!reader.atEnd()) to.push(zigzag(reader.varint()));
}

/** Adds the numbers of a repeated field of `double`, packed or not. */
export function addDoubles(field: Field, to: number[]): void {
  if ('varint' in field || field.bytes.length % 8 !== 0) throw new WireError('expected numbers');
  const { buffer, byteOffset, length } = field.bytes;
  const view = new DataView(buffer, byteOffset, length);
  for (let at = 0; at < length; at += 8) to.push(view.getFloat64(at, true));
}

export function doubleOf(field: Field): number {
  const numbers: number[] = [];
  addDoubles(field, numbers);
  if (numbers.length !== 1) throw new WireError('expected one number');
  return numbers[0]!;
}

/** google.protobuf.Timestamp, as milliseconds since the epoch. */
export function timeOf(field: Field): number {
  let [seconds, nanos] = [0, 0];
  for (const part of fieldsOf(bytesOf(field))) {
    if (part.number === 1) seconds = signedOf(part);
    else if (part.number === 2) nanos = signedOf(part);
  }
  return Math.round(seconds * 1000 + nanos / 1e6);
}

export function numberOf(field: Field): number {
  return Number(varintOf(field));
}

/** `int32` and `int64`. */
export function signedOf(field: Field): number {
  const value = varintOf(field);
  return Number(value >= SIGN_BIT ? value - (SIGN_BIT << 1n) : value);
}

/** `sint32` and `sint64`. */
export function zigzagOf(field: Field): number {
  return zigzag(varintOf(field));
}

export function bytesOf(field: Field): Uint8Array {
  if ('varint' in field) throw new WireError('expected a message');
  return packed(field);
}

function zigzag(value: bigint): number {
  return Number(value & 1n ? -((value + 1n) >> 1n) : value >> 1n);
}

function packed({ bytes, isFixed }: Extract<Field, { bytes: Uint8Array }>): Uint8Array {
  if (isFixed) throw new WireError('expected bytes behind their length');
  return bytes;
}

function varintOf(field: Field): bigint {
  if (!('varint' in field)) throw new WireError('expected a whole number');
  return field.varint;
}

class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  field(): Field {
    const tag = Number(this.varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        return { number, varint: this.varint() };
      case 1:
        return { number, bytes: this.take(8), isFixed: true };
      case 2:
        return { number, bytes: this.take(Number(this.varint())), isFixed: false };
      case 5:
        return { number, bytes: this.take(4), isFixed: true };
      default:
        throw new WireError(`wire type ${tag % 8} is not known`);
    }
  }

  take(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.bytes.length) throw new WireError('the bytes end within a message');
    const bytes = this.bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  varint(): bigint {
    // Nearly all are short: up to 28 bits without big integers.
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.next();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.next();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError('a number has more than ten bytes');
  }

  private next(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new WireError('the bytes end within a number');
    this.at += 1;
    return byte;
  }
}
