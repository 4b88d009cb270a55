import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect } from 'chai';
import { openNdjson } from '../../../src/lib/metrics/ndjson.js';
import type { MetricSource, Reading } from '../../../src/lib/metrics/source.js';

const line = (t: number, more: object = {}) =>
  JSON.stringify({ v: 1, t, from: t - 1000, canary: { errors: { state: 'ok', bad: 0, total: t } }, ...more });

describe('openNdjson', () => {
  let dir: string;
  let file: string;
  const open: MetricSource[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-ndjson-'));
    file = join(dir, 'in.ndjson');
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((source) => source.close()));
    await rm(dir, { recursive: true });
  });

  function source(input: string | Readable): MetricSource {
    const opened = openNdjson(typeof input === 'string' ? { input } : { input: '-', stdin: input });
    open.push(opened);
    return opened;
  }
  const read = (from: MetricSource, cursor: unknown, more: { signal?: AbortSignal; withBaseline?: boolean } = {}) => {
    const request = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 60, at: 42 };
    return from.read({ ...request, cursor, scalars: [], withBaseline: false, ...more });
  };
  /** Reads to the end, or to the error, as a runner does. */
  async function readAll(from: MetricSource, cursor: unknown = null): Promise<Reading[]> {
    const readings: Reading[] = [];
    let last = cursor;
    for (;;) {
      const reading = await read(from, last);
      readings.push(reading);
      if (reading.ended) return readings;
      last = JSON.parse(JSON.stringify(reading.cursor));
    }
  }
  const failure = (work: Promise<unknown>) => work.then(() => null).catch((error: unknown) => error as Error);

  it('gives the observations with their own times, numbers their ticks, and ends', async () => {
    await writeFile(
      file,
      `${line(1000)}\n\n  ${line(2000)}\n${line(2000, { tick: 7, from: 2000, notes: ['é'] })}\n${line(5000)}`,
    );
    const from = source(file);
    expect(from).to.deep.include({ pace: 'input', descriptor: { kind: 'ndjson', input: file } });
    await from.check();
    const readings = await readAll(from);
    expect(readings.map(({ observation, ended }) => [observation.tick, observation.t, ended])).to.deep.equal([
      [1, 1000, undefined],
      [2, 2000, undefined],
      [7, 2000, undefined],
      [8, 5000, undefined],
      [9, 5000, true],
    ]);
    expect(readings[2]!.observation).to.deep.equal({ ...JSON.parse(line(2000)), tick: 7, from: 2000, notes: ['é'] });
    const ended = { state: 'ended' };
    const arm = { errors: ended, latency: ended, score: ended };
    expect(readings[4]!.observation).to.deep.equal({ v: 1, tick: 9, t: 5000, from: 5000, canary: arm });
    expect(readings[4]!.cursor).to.equal(null);
    const again = await read(from, readings[3]!.cursor, { withBaseline: true });
    expect(again.observation.baseline).to.deep.equal(arm);
  });

  it('goes on from a cursor after the lines that were read', async () => {
    await writeFile(file, [line(1000), '', line(2000), line(3000), ''].join('\n'));
    const first = source(file);
    const one = await read(first, null);
    const two = await read(first, one.cursor);
    await first.close();
    const rest = await readAll(source(file), JSON.parse(JSON.stringify(two.cursor)));
    expect(rest.map(({ observation, ended }) => [observation.tick, observation.t, ended ?? false])).to.deep.equal([
      [3, 3000, false],
      [4, 3000, true],
    ]);
  });

  it('ends at once when there is nothing, at the time that was asked for', async () => {
    await writeFile(file, '\n');
    const [reading] = await readAll(source(file));
    expect(reading).to.deep.include({ ended: true });
    expect(reading!.observation).to.include({ t: 42, from: 42 });
  });

  it('reads a stream as it comes, whatever its pieces', async () => {
    const stream = new PassThrough();
    const from = source(stream);
    const bytes = Buffer.from(`${line(1000, { notes: ['größer'] })}\n${line(2000)}\n`);
    const waiting = read(from, null);
    for (const byte of bytes) stream.write(Buffer.from([byte]));
    const one = await waiting;
    expect(one.observation.notes).to.deep.equal(['größer']);
    expect((await read(from, one.cursor)).observation.t).to.equal(2000);
  });

  it('loses no line to a read that was aborted', async () => {
    const stream = new PassThrough();
    const from = source(stream);
    const controller = new AbortController();
    const reason = new Error('enough');
    const waiting = failure(read(from, null, { signal: controller.signal }));
    controller.abort(reason);
    expect(await waiting).to.equal(reason);
    stream.end(line(1000));
    expect((await read(from, null)).observation.t).to.equal(1000);
  });

  it('closes while a read is aborted and pending, without an unhandled rejection', async () => {
    const stream = new PassThrough();
    const from = source(stream);
    await failure(read(from, null, { signal: AbortSignal.timeout(5) }));
    await from.close();
    expect(stream.destroyed).to.equal(true);
  });

  for (const [what, lines, message] of [
    ['no JSON', [line(1000), 'tick 2'], /^stdin:2: not JSON/],
    [
      'no observation',
      [line(1000), '', line(2000, { canary: 1 })],
      'stdin:3: canary: expected object, received number',
    ],
    ['a tick twice', [line(1000, { tick: 3 }), line(2000, { tick: 3 })], 'stdin:2: tick: expected more than 3, got 3'],
    [
      'running totals',
      [line(2000), line(3000, { from: 1000 })],
      "stdin:2: from is before the previous observation's t (1000 < 2000): counts are increments, never totals since a start",
    ],
    [
      'running totals around a gap',
      [line(2000), line(3000, { canary: {} }), line(4000, { from: 1999 })],
      "stdin:3: from is before the previous observation's t (1999 < 2000): counts are increments, never totals since a start",
    ],
    ['time going back', [line(2000), line(1999)], "stdin:2: t: 1999 is before the previous observation's, 2000"],
    ['a line too long', [line(1000), 'x'.repeat(1024 * 1024 + 1)], 'stdin:2: line is longer than 1 MiB'],
    ['no text', [line(1000), Buffer.from([0x22, 0xff, 0x22])], 'stdin:2: not UTF-8'],
  ] as const) {
    it(`refuses ${what}, with the line's number`, async () => {
      const stream = Readable.from(lines.map((text) => Buffer.concat([Buffer.from(text), Buffer.from('\n')])));
      const error = await failure(readAll(source(stream)));
      expect(error).to.include({ code: 'OBSERVATION' });
      if (typeof message === 'string') expect(error!.message).to.equal(message);
      else expect(error!.message).to.match(message);
    });
  }

  it('lets counts cover the time in which the candidate had none', async () => {
    const gone = { canary: { errors: { state: 'unreachable' } } };
    await writeFile(file, [line(2000), line(3000, gone), line(4000, gone), line(5000, { from: 2000 })].join('\n'));
    const readings = await readAll(source(file));
    expect(readings.map(({ observation }) => observation.from)).to.deep.equal([1000, 2000, 3000, 2000, 5000]);
  });

  it('goes on checking the spans over a continuation', async () => {
    await writeFile(file, [line(2000), line(3000, { from: 1000 })].join('\n'));
    const one = await read(source(file), null);
    const error = await failure(readAll(source(file), JSON.parse(JSON.stringify(one.cursor))));
    expect(error!.message).to.match(/in\.ndjson:2: from is before the previous/);
  });

  it('goes on checking the order over a continuation', async () => {
    await writeFile(file, `${line(2000)}\n${line(1500)}\n`);
    const error = await failure(readAll(source(file), { line: 1, tick: 1, t: 2000 }));
    expect(error!.message).to.match(/in\.ndjson:2: t: 1500 is before/);
  });

  it('says what cannot be read, before and within', async () => {
    expect(await failure(source(join(dir, 'none')).check())).to.include({
      code: 'CONFIG',
      message: `observations: cannot read ${join(dir, 'none')} (ENOENT)`,
    });
    const directory = source(dir);
    expect(await failure(read(directory, null, { signal: AbortSignal.abort(new Error('enough')) }))).to.include({
      message: 'enough',
    });
    const error = await failure(read(directory, null));
    expect(error).to.include({ code: 'OBSERVATION' });
    expect(error!.message).to.match(/cannot be read: EISDIR/);
    expect(await failure(read(source(file), { line: 'x' }))).to.include({ code: 'LEDGER_CORRUPT' });
  });
});
