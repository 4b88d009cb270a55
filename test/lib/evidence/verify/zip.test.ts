import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { ZippedPack } from '../../../../src/lib/evidence/verify/zip.js';
import { cases } from '../../../cases.js';
import { tinyLog, tinyPack } from './tiny-pack.js';
import { type TinyEntry, tinyZip } from './tiny-zip.js';

describe('the zip of a pack', () => {
  let dir: string;
  const files: TinyEntry[] = [...tinyPack(tinyLog())].map(([name, bytes]) => ({ name, bytes }));

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lukhas-zip-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** Problems of this zip, by whichever part finds them. */
  async function problems(zip: Buffer): Promise<string> {
    const path = join(dir, 'pack.zip');
    writeFileSync(path, zip);
    try {
      const pack = await ZippedPack.open(path);
      try {
        return (await verifyPack(pack, { trust: null })).problems.join('\n');
      } finally {
        pack.close();
      }
    } catch (error) {
      expect(error).to.be.instanceOf(LukhasError).and.include({ code: 'VERIFICATION' });
      return (error as LukhasError).message;
    }
  }

  const extra = (entry: Partial<TinyEntry>): TinyEntry[] => [
    ...files,
    { name: 'x', bytes: Buffer.from('x'), ...entry },
  ];
  const other = (entry: Partial<TinyEntry>): TinyEntry[] => files.with(1, { ...files[1]!, ...entry });

  it('is read when it is plain, stored or deflated', async () => {
    expect(await problems(tinyZip(files))).to.equal('');
    expect(await problems(tinyZip(files.map((file) => ({ ...file, method: 0 }))))).to.equal('');
  });

  const HOSTILE: [what: string, zip: () => Buffer, says: RegExp][] = [
    ['has a name twice', () => tinyZip(extra({ name: 'meta.json' })), /"meta.json" is in the pack twice/],
    ['has a file more', () => tinyZip(extra({ name: 'run.sh' })), /"run.sh" is not a file of an evidence pack/],
    ['has a folder', () => tinyZip(extra({ name: 'policies/', bytes: Buffer.alloc(0) })), /"policies\/" is not a file/],
    ['leads out of the folder', () => tinyZip(extra({ name: '../x' })), /points outside the pack/],
    ['leads to the root', () => tinyZip(extra({ name: '/etc/x' })), /points outside the pack/],
    ['has another name before the file', () => tinyZip(other({ localName: 'audits.ndjsom' })), /has two names/],
    ['is encrypted', () => tinyZip(other({ flags: 0x801 })), /is encrypted/],
    ['is packed in another way', () => tinyZip(other({ method: 12 })), /uses a compression/],
    ['has a link', () => tinyZip(other({ mode: 0o120777 })), /is not a regular file/],
    [
      'has another name in a field',
      () => tinyZip(other({ extra: Buffer.from('7570010000', 'hex') })),
      /fields that packs/,
    ],
    ['says a smaller size', () => tinyZip(other({ size: 5 })), /audits.ndjson: does not have the size it states/],
    [
      'says a larger size',
      () => tinyZip(other({ size: 5_000_000 })),
      /audits.ndjson: does not have the size it states/,
    ],
    [
      'has one file over another',
      () => tinyZip(files.with(2, { ...files[2]!, name: files[1]!.name, overlap: true })),
      /overlaps another file/,
    ],
    ['has a comment', () => tinyZip(files, { comment: 'trust me' }), /has a comment/],
    [
      'hides files from the end',
      () => tinyZip(extra({ name: 'hidden' }), { count: files.length }),
      /has bytes before its directory/,
    ],
    ['hides bytes before the end', () => tinyZip(files, { gap: Buffer.alloc(10) }), /not directly before its end/],
    ['is cut off', () => tinyZip(files).subarray(0, -30), /^zip: is cut off: its end is missing$/],
    ['has something behind it', () => Buffer.concat([tinyZip(files), Buffer.from('x')]), /has data after its end/],
  ];
  for (const [what, zip, says] of HOSTILE) {
    it(`is refused when it ${what}`, async () => {
      expect(await problems(zip())).to.match(says);
    });
  }

  it('says in its own words what the reader of zips found, whatever byte is another one', async () => {
    const whole = tinyZip(files);
    const own = /central|signature|bytes in the stream|invalid|EOF|bounds|distance|block|0x|header/i;
    const trials = cases(Math.floor(whole.length / 97));
    let refused = 0;
    for (let at = 2; at < whole.length; at += Math.floor(whole.length / trials)) {
      const zip = Buffer.from(whole);
      zip[at]! ^= 0xff;
      const found = await problems(zip);
      if (found !== '') refused++;
      for (const line of found.split('\n').filter((text) => /^(zip|audits\.\w+): /.test(text))) {
        expect(line, `byte ${at}`).to.not.match(own);
      }
    }
    expect(refused).to.be.above(trials / 4);
  });

  it('does not fill the memory when it is a bomb', async () => {
    const bytes = Buffer.alloc(80 * 1024 * 1024, 'a');
    const bomb = files.map((file) =>
      ['meta.json', 'keys/log.vkey', 'audits.ndjson', 'observations.ndjson', 'completeness.json'].includes(
        String(file.name),
      )
        ? { ...file, bytes }
        : file,
    );
    const zip = tinyZip(bomb);
    const before = process.memoryUsage().rss;
    expect(await problems(zip)).to.match(/is longer than|of more than/);
    expect(process.memoryUsage().rss - before).to.be.below(400 * 1024 * 1024);
  });

  it('that is not there, or is something else, is a mistake of the command, not of the pack', async () => {
    const [hello, empty] = [join(dir, 'hello'), join(dir, 'empty')];
    writeFileSync(hello, 'hello');
    writeFileSync(empty, '');
    for (const path of [join(dir, 'none.zip'), dir, hello, empty]) {
      const error = await ZippedPack.open(path).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(LukhasError).and.include({ code: 'USAGE' });
    }
  });
});
