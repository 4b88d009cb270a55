import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { openPrometheus } from '../../../src/lib/metrics/prometheus/prometheus.js';
import type { Reading } from '../../../src/lib/metrics/source.js';
import { Prometheus } from '../prometheus.js';

/** Of schema 0, bucket i holds what is above 2^(i-1), up to 2^i: bucket -3 up to 0.125, bucket -2 up to 0.25, and so on. */
const FIRST_BUCKET = -3;
const TYPE_HISTOGRAM = 4;
const CONTENT = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

describe('a native histogram in a Prometheus', () => {
  let prometheus: Prometheus;
  let service: Server;
  let counts = [10, 20, 0, 1];

  before(async function () {
    this.timeout(60_000);
    service = createServer((_, response) => {
      response.writeHead(200, { 'content-type': CONTENT }).end(page('latency', counts));
    });
    await new Promise<void>((resolve) => {
      service.listen(0, '127.0.0.1', resolve);
    });
    prometheus = await Prometheus.start('prometheus', ['--enable-feature=native-histograms']);
    await prometheus.scrape([`http://127.0.0.1:${(service.address() as AddressInfo).port}/metrics`], { version: 'v2' });
  });
  after(async () => {
    await prometheus?.stop();
    service?.closeAllConnections();
    service?.close();
  });

  it('is counted at bounds that each of its buckets lies between', async function () {
    this.timeout(60_000);
    const config = { url: prometheus.url, arms: { canary: '{version="v2"}', baseline: '{}' }, queries: {} };
    const histograms = { latency: { histogram: 'latency', unit: 's' as const } };
    const signals = { preset: null, requests: null, errors: null, histograms, drift: null, inflight: null };
    const source = openPrometheus({ ...config, signals, timeoutMs: 4000, staleSeconds: 90 }, {});
    let cursor: unknown = null;
    const look = async (): Promise<Reading['observation']['canary']> => {
      const request = { modelId: 'm', canaryGate: 'a', baselineGate: 'b', windowSeconds: 60, scalars: [] };
      const reading = await source.read({ ...request, at: Date.now(), cursor, withBaseline: false });
      cursor = reading.cursor;
      return reading.observation.canary;
    };
    try {
      expect((await look()).latency).to.deep.equal({ state: 'first' });
      // Ten more up to 250 ms, and two in a bucket that did not exist before.
      counts = [10, 30, 2, 1];
      let latency = (await look()).latency;
      while (latency?.state === 'unchanged' || (latency?.state === 'ok' && sum(latency.counts) === 0)) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        latency = (await look()).latency;
      }
      if (latency?.state !== 'ok') throw new Error(JSON.stringify(latency));
      const { bounds, counts: found } = latency;
      const upTo = (limit: number) => sum(found.filter((_, i) => (bounds[i] ?? Infinity) <= limit));
      expect(bounds).to.include.members([125, 250, 500]);
      expect([upTo(125), upTo(250), upTo(500), sum(found)]).to.deep.equal([0, 10, 12, 12]);
    } finally {
      await source.close();
    }
  });
});

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** One family of one histogram in the protocol buffers that Prometheus asks for. */
function page(name: string, buckets: readonly number[]): Buffer {
  const deltas = buckets.map((count, i) => count - (buckets[i - 1] ?? 0));
  const histogram = Buffer.concat([
    field(1, varint(sum(buckets))),
    field(5, zigzag(0)),
    field(12, Buffer.concat([field(1, zigzag(FIRST_BUCKET)), field(2, varint(buckets.length))])),
    field(13, Buffer.concat(deltas.map(zigzag))),
  ]);
  const family = Buffer.concat([
    field(1, Buffer.from(name)),
    field(3, varint(TYPE_HISTOGRAM)),
    field(4, field(7, histogram)),
  ]);
  return Buffer.concat([varint(family.length), family]);
}

/** Numbers are given as they are encoded; everything else has its length before it. */
function field(number: number, content: Buffer): Buffer {
  const isNumber = NUMBERS.has(content);
  return Buffer.concat([
    varint((number << 3) | (isNumber ? 0 : 2)),
    ...(isNumber ? [] : [varint(content.length)]),
    content,
  ]);
}

const NUMBERS = new WeakSet<Buffer>();

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  const encoded = Buffer.from([...bytes, value]);
  NUMBERS.add(encoded);
  return encoded;
}

const zigzag = (value: number): Buffer => varint(value < 0 ? -2 * value - 1 : 2 * value);
