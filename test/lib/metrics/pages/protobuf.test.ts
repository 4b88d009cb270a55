import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { readProtobuf } from '../../../../src/lib/metrics/pages/protobuf.js';
import { WireError } from '../../../../src/lib/metrics/pages/wire.js';
import { cases } from '../../../cases.js';
import { delimited, Float, family, label, message, packed, zigzag } from './protobuf.js';

/** A page of a service with client_golang 1.14.0, as it answers who accepts Protocol Buffers. */
const GO = Buffer.from(
  `
  iwMKDGJvdGhfc2Vjb25kcxIBaBgEIvUCOvICCNAPEWaGFWtd5WZAGgwItQoRmpmZmZmZuT8aDAjBDhEAAAAAAADQPxoMCNAPEQAAAAAAAPA/KA
  YxAAAAAAAA8Dc4KEoECH0QAUoECBwQCUoECAwQDEoECAYQBkoECAgQAVACUABQAFAAUABQAFABUAJQAVACUABQAVACUAFQAFACUAFQBFADUARQ
  A1AEUAFQAVACUAJQAVAAUABiBQjdARAFYgQIDBABYgQIChBcaAJoAGgAaAFoAmgAaABoAWgEaAFoAGgAaABoAWgEaABoAWgAaAFoAGgCaAFoBG
  gBaARoAGgCaAVoBmgDaARoAmgAaANoAGgKaANoAWgOaAdoB2gKaAJoBGgDaARoDmgGaA1oCmgMaA1oAGgEaAdoEGgGaBRoC2gQaAtoA2ggaAZo
  A2gJaA9oNGgdaCRoC2gkaCFoGmgFaBtoEGgFaBloFmgZaBxoK2gJaA9oFGgbaAVoC2gBaApoCWgLaAJoBWgBaABoARwKCGluZmxpZ2h0EgFoGA
  EiCxIJCQAAAAAAMH9AoQMKDm5hdGl2ZV9zZWNvbmRzEgFoGAQi2AIKCwoEY29kZRIDMjAwOsgCCNAPEWaGFWtd5WZAKAYxAAAAAAAA8Dc4KEoE
  CH0QAUoECBwQCUoECAwQDEoECAYQBkoECAgQAVACUABQAFAAUABQAFABUAJQAVACUABQAVACUAFQAFACUAFQBFADUARQA1AEUAFQAVACUAJQAV
  AAUABiBQjdARAFYgQIDBABYgQIChBcaAJoAGgAaAFoAmgAaABoAWgEaAFoAGgAaABoAWgEaABoAWgAaAFoAGgCaAFoBGgBaARoAGgCaAVoBmgD
  aARoAmgAaANoAGgKaANoAWgOaAdoB2gKaAJoBGgDaARoDmgGaA1oCmgMaA1oAGgEaAdoEGgGaBRoC2gQaAtoA2ggaAZoA2gJaA9oNGgdaCRoC2
  gkaCFoGmgFaBtoEGgFaBloFmgZaBxoK2gJaA9oFGgbaAVoC2gBaApoCWgLaAJoBWgBaABoASIvCgsKBGNvZGUSAzUwMDogCAERAAAAAAAA0D8o
  BjEAAAAAAADwNzgAYgQIHxABaAJcChlwcm9jZXNzX2NwdV9zZWNvbmRzX3RvdGFsEjBUb3RhbCB1c2VyIGFuZCBzeXN0ZW0gQ1BVIHRpbWUgc3
  BlbnQgaW4gc2Vjb25kcy4YACILGgkJexSuR+F6lD9KCg9wcm9jZXNzX21heF9mZHMSKE1heGltdW0gbnVtYmVyIG9mIG9wZW4gZmlsZSBkZXNj
  cmlwdG9ycy4YASILEgkJAAAAAACI00BDChBwcm9jZXNzX29wZW5fZmRzEiBOdW1iZXIgb2Ygb3BlbiBmaWxlIGRlc2NyaXB0b3JzLhgBIgsSCQ
  kAAAAAAAAmQE4KHXByb2Nlc3NfcmVzaWRlbnRfbWVtb3J5X2J5dGVzEh5SZXNpZGVudCBtZW1vcnkgc2l6ZSBpbiBieXRlcy4YASILEgkJAAAA
  AAAgZ0FjChpwcm9jZXNzX3N0YXJ0X3RpbWVfc2Vjb25kcxI2U3RhcnQgdGltZSBvZiB0aGUgcHJvY2VzcyBzaW5jZSB1bml4IGVwb2NoIGluIH
  NlY29uZHMuGAEiCxIJCSlcr4RQw9pBTAoccHJvY2Vzc192aXJ0dWFsX21lbW9yeV9ieXRlcxIdVmlydHVhbCBtZW1vcnkgc2l6ZSBpbiBieXRl
  cy4YASILEgkJAAAAAMyf0EFnCiBwcm9jZXNzX3ZpcnR1YWxfbWVtb3J5X21heF9ieXRlcxI0TWF4aW11bSBhbW91bnQgb2YgdmlydHVhbCBtZW
  1vcnkgYXZhaWxhYmxlIGluIGJ5dGVzLhgBIgsSCQkAAAAAAADwQyIKDnJlcXVlc3RzX3RvdGFsEgFoGAAiCxoJCQAAAAAAQJ9ALwoEc3VtbRIB
  aBgCIiIiIAjQDxFmhhVrXeVmQBoSCQAAAAAAAOA/EbgDg5OLlq8/
  `,
  'base64',
);
const all = () => true;
const read = (...messages: readonly Uint8Array[]) => readProtobuf(delimited(...messages), all);
const refusal = (bytes: Uint8Array) => readProtobuf(bytes, all).catch((error: unknown) => error);

describe('readProtobuf', () => {
  it('reads the page of a real client library under the names of its text', async () => {
    const { samples, facts } = await readProtobuf(GO, (name) => !name.startsWith('process_'));
    const value = (name: string, labels: Record<string, string> = {}) =>
      samples
        .filter((one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels))
        .map((one) => one.value);
    expect(value('requests_total')).to.deep.equal([2000]);
    expect(value('summ_count')).to.deep.equal([2000]);
    expect(value('both_seconds_bucket', { le: '0.25' })).to.deep.equal([1857]);
    // The same values went into a histogram that has no classic buckets.
    expect(value('native_seconds_bucket', { code: '200', le: '0.25' })).to.deep.equal([1857]);
    expect(value('native_seconds_bucket', { code: '200', le: '+Inf' })).to.deep.equal([2000]);
    expect(value('native_seconds_bucket', { code: '500', le: '0.25' })).to.deep.equal([1]);
    expect(value('native_seconds_count', { code: '500' })).to.deep.equal([1]);
    expect(samples.filter(({ name }) => name === 'both_seconds_bucket')).to.have.length(4);
    expect(facts.types.get('native_seconds')).to.equal('histogram');
    expect(facts.types.get('summ')).to.equal('summary');
    expect([...facts.names]).to.include.members(['both_seconds_bucket', 'process_start_time_seconds', 'summ_count']);
  });

  it('takes a label without a value for none', async () => {
    const value = message([1, new Float(5)]);
    const { samples } = await read(family('a', 0, message(label('b', ''), label('c', 'd'), [3, value])));
    expect(samples).to.deep.equal([{ name: 'a', labels: { c: 'd' }, value: 5 }]);
  });

  it('refuses every page that was cut within a message', async () => {
    const whole = await readProtobuf(GO, all);
    const ends = new Set<number>();
    for (let at = 0; at < GO.length; ) {
      const length = GO[at]! < 128 ? GO[at]! + 1 : (GO[at]! & 127) + 128 * GO[at + 1]! + 2;
      at += length;
      ends.add(at);
    }
    for (let length = 1; length < GO.length; length++) {
      const got = await refusal(GO.subarray(0, length));
      if (ends.has(length)) expect(got).to.not.be.instanceOf(Error);
      else expect(got, `${length} bytes`).to.be.instanceOf(WireError);
    }
    expect(whole.samples.length).to.be.greaterThan(300);
  });

  it('gives labels, timestamps in milliseconds, times of creation and units', async () => {
    const created = message([1, 1_700_000_000], [2, 250_000_000]);
    const { samples, facts } = await read(
      message(
        ...([
          [1, 'a_total'],
          [3, 0],
          [5, 'requests'],
        ] as const),
        [
          4,
          message(
            label('code', '2'),
            label('__proto__', 'x'),
            [3, message([1, new Float(7)], [3, created])],
            [6, 1_700_000_001_000],
          ),
        ],
      ),
      family('g', 1, message([2, message([1, new Float(-0.5)])])),
      family('u', 3, message([5, message([1, new Float(2)])])),
      family('s', 2, message([4, message([1, 9], [4, created])])),
      family('empty', 0),
    );
    expect(Object.entries(samples[0]!.labels)).to.deep.equal([
      ['code', '2'],
      ['__proto__', 'x'],
    ]);
    expect(samples[0]).to.include({ name: 'a_total', value: 7, t: 1_700_000_001_000, created: 1_700_000_000_250 });
    expect(samples.slice(1)).to.deep.equal([
      { name: 'g', labels: {}, value: -0.5 },
      { name: 'u', labels: {}, value: 2 },
      { name: 's_count', labels: {}, value: 9, created: 1_700_000_000_250 },
    ]);
    expect(facts.units.get('a_total')).to.equal('requests');
    expect(facts.names.has('empty')).to.equal(false);
  });

  it('prefers classic buckets, adds the one of everything, and gives all the time of creation', async () => {
    const bucket = (upper: number, total: number) => message([1, total], [2, new Float(upper)]);
    const created = message([1, 1_700_000_000]);
    const native = [
      [5, zigzag(3)],
      [6, new Float(2 ** -128)],
      [12, message([1, 0], [2, 1])],
      [13, zigzag(4)],
    ] as const;
    const classic = [
      [3, bucket(0.1, 1)],
      [3, bucket(0.25, 3)],
    ] as const;
    const { samples } = await read(
      family(
        'h',
        4,
        message(label('pod', 'a'), [7, message([1, 4], [2, new Float(1)], ...classic, ...native, [15, created])]),
      ),
    );
    const one = { created: 1_700_000_000_000 };
    expect(samples).to.deep.equal([
      { name: 'h_bucket', labels: { pod: 'a', le: '0.1' }, value: 1, ...one },
      { name: 'h_bucket', labels: { pod: 'a', le: '0.25' }, value: 3, ...one },
      { name: 'h_bucket', labels: { pod: 'a', le: '+Inf' }, value: 4, ...one },
      { name: 'h_count', labels: { pod: 'a' }, value: 4, ...one },
    ]);
  });

  it('reads native histograms: spans, differences, zero bucket, negative values; packed or not, whole or floats', async () => {
    // Schema 0: bucket i reaches to 2^i. Two buckets from 2^-2, a gap of one, one more: 3, 1 and 2 observations.
    const spans = [
      [12, message([1, zigzag(-2)], [2, 2])],
      [12, message([1, zigzag(1)], [2, 1])],
    ] as const;
    const negative = [
      [9, message([1, zigzag(0)], [2, 1])],
      [10, packed(zigzag(5))],
    ] as const;
    const head = [[5, zigzag(0)], [6, new Float(2 ** -128)], [7, 4], ...negative, ...spans] as const;
    const deltas = [zigzag(3), zigzag(-2), zigzag(1)];
    const floats = Buffer.concat([3, 1, 2].map((value) => Buffer.from(new Float64Array([value]).buffer)));
    for (const counts of [
      [[13, packed(...deltas)] as const],
      deltas.map((delta) => [13, delta] as const),
      [[14, floats] as const],
      [3, 1, 2].map((count) => [14, new Float(count)] as const),
    ]) {
      const { samples } = await read(family('h', 4, message([7, message([1, 16], ...head, ...counts)])));
      const at = (le: string) => samples.find(({ labels }) => labels['le'] === le)?.value;
      expect(['0.125', '0.25', '0.5', '1', '2', '4', '+Inf'].map(at)).to.deep.equal([9, 12, 13, 13, 15, 15, 16]);
    }
  });

  it('leaves a native histogram of an unknown schema without bounds', async () => {
    const { samples } = await read(
      family('h', 4, message([7, message([1, 2], [5, zigzag(-53)], [12, message([2, 1])], [13, zigzag(2)])])),
    );
    expect(samples.map(({ labels }) => labels['le'])).to.deep.equal(['+Inf', undefined]);
  });

  it('reads large numbers as well as a double can', async () => {
    const { samples } = await read(family('s', 2, message([4, message([1, Number.MAX_SAFE_INTEGER])])));
    expect(samples[0]!.value).to.equal(Number.MAX_SAFE_INTEGER);
  });

  it('refuses what is none, without much work', async () => {
    const huge = family(
      'h',
      4,
      message([7, message([5, zigzag(3)], [12, message([1, 0], [2, 4_000_000_000])], [13, zigzag(1)])]),
    );
    const few = family('h', 4, message([7, message([5, zigzag(3)], [12, message([2, 1])], [13, packed(2, 2)])]));
    const latin = Buffer.from([0x0a, 2, 0xe9, 0x41]);
    for (const [bytes, words] of [
      [delimited(huge), /more buckets than counts/],
      [delimited(few), /more counts than buckets/],
      [delimited(message([3, 0])), /no name/],
      [delimited(latin), /not in UTF-8/],
      [delimited(Buffer.from([0x0b])), /wire type 3/],
      [delimited(Buffer.from([0x0d, 1, 2, 3, 4])), /expected bytes behind their length/],
      [Buffer.alloc(100, 0xff), /more than ten bytes/],
      [Buffer.from([5, 1]), /within a message/],
    ] as const) {
      const error = await refusal(bytes);
      expect(error).to.be.instanceOf(WireError);
      expect((error as Error).message).to.match(words);
    }
  });

  it('never fails in another way, whatever the bytes', async () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(GO.length - 1), fc.nat(255)).map(([at, byte]) => Buffer.from(GO).fill(byte, at, at + 1)),
    );
    await fc.assert(
      fc.asyncProperty(noise, async (bytes) => {
        const got = await refusal(bytes);
        if (got instanceof Error) expect(got).to.be.instanceOf(WireError);
      }),
      { numRuns: cases(20_000, 400) },
    );
    const got = await refusal(randomBytes(1e6));
    if (got instanceof Error) expect(got).to.be.instanceOf(WireError);
  });
});
