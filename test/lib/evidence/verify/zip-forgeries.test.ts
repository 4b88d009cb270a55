import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../../src/lib/errors.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { ZippedPack } from '../../../../src/lib/evidence/verify/zip.js';
import { cases } from '../../../cases.js';
import {
  type ForgedFile,
  type ForgedZip,
  type Form,
  forgedFile,
  forgedZip,
  streamed,
  u16,
  u32,
  u64,
  writeForged,
  zip64Records,
} from './forged-zip.js';
import { readAll } from './read-all.js';
import { tinyLog, tinyPack } from './tiny-pack.js';

const FORMS: readonly Form[] = ['described', 'plain', 'stored'];
const HIDDEN = Buffer.from('HIDDEN');
const file = (zip: ForgedZip, name = 'narrative.txt'): ForgedFile =>
  zip.files.find(({ local }) => local.name.toString() === name)!;
const rename = (each: ForgedFile, name: string | Buffer) => {
  each.local.name = Buffer.from(name as string);
  each.central.name = Buffer.from(name as string);
};
const both = (each: ForgedFile, change: Partial<ForgedFile['local']>) => {
  Object.assign(each.local, change);
  Object.assign(each.central, change);
};
/** One more file, under a name that somebody may take for another. */
const another = (name: string | Buffer) => (zip: ForgedZip, form: Form) => {
  const more = forgedFile('narrative.txt', Buffer.from('Nothing was ever rolled back.\n'), form);
  rename(more, name);
  zip.files.push(more);
};
const unlisted = (at: number) => (zip: ForgedZip, form: Form) => {
  const more = forgedFile('narrative.txt', Buffer.from('Nothing was ever rolled back.\n'), form);
  zip.files.splice(at, 0, { ...more, listed: false });
};
const local = (change: Partial<ForgedFile['local']>) => (zip: ForgedZip) => {
  Object.assign(file(zip).local, change);
};
const central = (change: Partial<ForgedFile['central']>) => (zip: ForgedZip) => {
  Object.assign(file(zip).central, change);
};
const mode = (value: number) => central({ external: value * 65_536 });
const UNICODE_PATH = Buffer.concat([u16(0x7075, 5), Buffer.from([1]), u32(0)]);

type Forgery = readonly [what: string, forge: (zip: ForgedZip, form: Form) => void];

const FORGERIES: readonly Forgery[] = [
  ['bytes before the first file', (zip) => (zip.files[0]!.before = HIDDEN)],
  [
    'a program before the first file, places counted from its end',
    (zip) => {
      zip.files[0]!.before = HIDDEN;
      for (const each of zip.files) each.shift = -HIDDEN.length;
    },
  ],
  ['bytes between two files', (zip) => (file(zip).after = HIDDEN)],
  ['bytes between header and data', (zip) => (file(zip).local.extra = HIDDEN)],
  ['bytes before the directory', (zip) => (zip.gap = HIDDEN)],
  ['bytes between directory and end', (zip) => (zip.beforeEnd = HIDDEN)],
  ['bytes behind the end', (zip) => (zip.tail = HIDDEN)],
  ['a file only in a stream, first', unlisted(0)],
  ['a file only in a stream, between', unlisted(4)],
  ['a file only in a stream, last', unlisted(99)],
  ['a file only in the directory', (zip) => (zip.order = (all) => [...all, all[3]!])],
  [
    'a file as the data of no file',
    (zip, form) => {
      const inner = forgedZip([['narrative.txt', HIDDEN]], form);
      zip.gap = writeForged(inner);
    },
  ],
  [
    'a whole zip before it',
    (zip, form) => {
      zip.files[0]!.before = writeForged(forgedZip([['narrative.txt', HIDDEN]], form));
    },
  ],
  [
    'a whole zip behind it',
    (zip, form) => {
      zip.tail = writeForged(forgedZip([['narrative.txt', HIDDEN]], form));
    },
  ],
  ['another name in the header', local({ name: Buffer.from('narrative.TXT') })],
  ['a name of another length in the header', local({ name: Buffer.from('narrative') })],
  ['another version in the header', local({ version: 10 })],
  ['another version in the directory', central({ version: 45 })],
  ['a version that no pack needs', (zip) => both(file(zip), { version: 63 })],
  ['other flags in the header', (zip) => (file(zip).local.flags |= 0x800)],
  ['other flags in the directory', (zip) => (file(zip).central.flags |= 0x800)],
  ['sizes after the data in one of two places', (zip) => (file(zip).central.flags ^= 8)],
  ['another compression in the header', (zip) => (file(zip).local.method ^= 8)],
  ['another compression in the directory', (zip) => (file(zip).central.method ^= 8)],
  ['another time in the header', local({ time: 1 })],
  ['another date in the directory', central({ date: 0x22 })],
  ['another CRC in the header', (zip) => (file(zip).local.crc ^= 1)],
  ['another CRC in the directory', (zip) => (file(zip).central.crc ^= 1)],
  ['another size in the header', (zip) => (file(zip).local.size += 1)],
  ['another compressed size in the header', (zip) => (file(zip).local.compressed += 1)],
  [
    'the same wrong CRC everywhere',
    (zip, form) => {
      const each = file(zip);
      each.central.crc = (each.central.crc ^ 1) >>> 0;
      if (form === 'described') each.descriptor.writeUInt32LE(each.central.crc, 4);
      else each.local.crc = each.central.crc;
    },
  ],
  [
    'the same wrong size everywhere',
    (zip, form) => {
      const each = file(zip);
      each.central.size += 1;
      if (form === 'described') each.descriptor.writeUInt32LE(each.central.size, 12);
      else each.local.size = each.central.size;
    },
  ],
  ['extra fields in the header', local({ extra: UNICODE_PATH })],
  ['extra fields in the directory', central({ extra: UNICODE_PATH })],
  ['the same extra fields in both', (zip) => both(file(zip), { extra: UNICODE_PATH })],
  [
    'times in extra fields',
    (zip) => both(file(zip), { extra: Buffer.concat([u16(0x5455, 5), Buffer.from([1]), u32(1)]) }),
  ],
  ['extra fields that are none', central({ extra: Buffer.from('x') })],
  ['sizes of 64 bits that are not needed', central({ extra: Buffer.concat([u16(1, 24), u64(1, 1, 0)]) })],
  ['sizes of 64 bits in the header', local({ extra: Buffer.concat([u16(1, 16), u64(1, 1)]) })],
  [
    'sizes of 64 bits in the directory alone',
    (zip) => {
      const { central: c } = file(zip);
      c.extra = Buffer.concat([u16(1, 16), u64(c.size, c.compressed)]);
      c.size = c.compressed = 0xffffffff;
    },
  ],
  ['a comment of a file', central({ comment: HIDDEN })],
  ['a comment of the zip', (zip) => (zip.end.comment = HIDDEN)],
  [
    'an end within a comment',
    (zip) => {
      zip.end.comment = Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)]);
    },
  ],
  ['the name twice', another('narrative.txt')],
  ['the name in capitals', another('NARRATIVE.TXT')],
  ['the name in full width', another('narrative．txt')],
  ['the name with a letter that is composed', another('narrativé.txt')],
  ['the name with a letter that is not composed', another('narrativé.txt')],
  ['the name with a sign that folds to a letter', another('ſHA256SUMS')],
  ['a backslash', another('keys\\log.pem')],
  ['two slashes', another('keys//log.pem')],
  ['a slash before it', another('/narrative.txt')],
  ['a slash behind it', another('narrative.txt/')],
  ['a dot before it', another('./narrative.txt')],
  ['a way out and back', another('keys/../narrative.txt')],
  ['a drive', another('C:narrative.txt')],
  ['a stream of NTFS', another('narrative.txt::$DATA')],
  ['a dot behind it', another('narrative.txt.')],
  ['a space behind it', another('narrative.txt ')],
  ['a space before it', another(' narrative.txt')],
  ['NUL and more behind it', another('narrative.txt\0.png')],
  ['NUL before it', another('\0narrative.txt')],
  ['bytes that are no UTF-8', another(Buffer.from('narrative.txt\xff', 'latin1'))],
  ['no name', another('')],
  ['a name that is NUL in the header alone', local({ name: Buffer.from('narrative.tx\0') })],
  ['encryption', (zip) => both(file(zip), { flags: file(zip).local.flags | 1 })],
  ['strong encryption', (zip) => both(file(zip), { flags: file(zip).local.flags | 0x41 })],
  ['masked headers', (zip) => both(file(zip), { flags: file(zip).local.flags | 0x2000 })],
  ['patched data', (zip) => both(file(zip), { flags: file(zip).local.flags | 0x20 })],
  ['enhanced deflation', (zip) => both(file(zip), { method: 9 })],
  ['a version of another system', central({ madeBy: 0x0a14 })],
  ['a version of no system', central({ madeBy: 0xff14 })],
  ['a version of the format that does not exist', central({ madeBy: 0x03ff })],
  ['attributes of MS-DOS: a folder', central({ external: 0o100644 * 65_536 + 0x10 })],
  ['attributes of MS-DOS: hidden', central({ external: 0o100644 * 65_536 + 2 })],
  ['a mode where the system has none', central({ madeBy: 0x0014 })],
  ['a link', mode(0o120777)],
  ['a folder', mode(0o040755)],
  ['a pipe', mode(0o010644)],
  ['a device', mode(0o020644)],
  ['a socket', mode(0o140644)],
  ['set-user-id', mode(0o104755)],
  ['a program', mode(0o100755)],
  ['internal attributes', central({ internal: 2 })],
  ['another disk', central({ disk: 1 })],
  ['another order of the directory', (zip) => (zip.order = (all) => all.toReversed())],
  [
    'two files that change places in the directory',
    (zip) => (zip.order = (all) => all.with(0, all[1]!).with(1, all[0]!)),
  ],
  ['one file over another', (zip) => (file(zip).shift = -1)],
  ['a file further on', (zip) => (file(zip).shift = 1)],
  ['an end that counts less', (zip) => (zip.end.count = zip.files.length - 1)],
  ['an end that counts more', (zip) => (zip.end.count = zip.files.length + 1)],
  ['an end that counts another number on its disk', (zip) => (zip.end.onDisk = zip.files.length - 1)],
  ['an end on another disk', (zip) => (zip.end.disk = 1)],
  ['an end whose directory is on another disk', (zip) => (zip.end.startDisk = 1)],
  ['an end with a smaller directory', (zip) => (zip.end.size = 46)],
  ['an end with a directory further on', (zip) => (zip.end.start = 1)],
  ['records of zip64 that are not needed', (zip) => (zip.zip64 = zip64Records())],
  ['records of zip64 with less files', (zip) => (zip.zip64 = zip64Records({ count: 3 }))],
  ['records of zip64 with another directory', (zip) => (zip.zip64 = zip64Records({ start: 0 }))],
  [
    'records of zip64 in place of the plain values',
    (zip) => {
      zip.zip64 = zip64Records();
      Object.assign(zip.end, { count: 0xffff, size: 0xffffffff, start: 0xffffffff });
    },
  ],
  [
    'a place of zip64 without its record',
    (zip) => {
      zip.beforeEnd = Buffer.concat([Buffer.from('PK\x06\x07'), u32(0), u64(0), u32(1)]);
    },
  ],
  ['two ends', (zip) => (zip.beforeEnd = Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)]))],
  [
    'a signature of the whole',
    (zip) => (zip.beforeEnd = Buffer.concat([Buffer.from('PK\x05\x05'), u16(2), Buffer.from('xx')])),
  ],
  ['a spanning mark before it', (zip) => (zip.files[0]!.before = Buffer.from('PK\x07\x08'))],
];

/** Only where data is deflated. */
const DEFLATED: readonly Forgery[] = [
  ['bytes behind the end of the data', (zip, form) => grow(file(zip), HIDDEN, form)],
  ['many bytes behind the end of the data', (zip, form) => grow(file(zip), Buffer.alloc(300_000, 1), form)],
  ['a second stream behind the first', (zip, form) => grow(file(zip), deflateRawSync(HIDDEN), form)],
  [
    'data without its end',
    (zip, form) => {
      const each = file(zip);
      each.data = each.data.subarray(0, -1);
      restate(each, form);
    },
  ],
];

/** Only where sizes follow the data. */
const DESCRIBED: readonly Forgery[] = [
  ['no sizes after the data', (zip) => (file(zip).descriptor = Buffer.alloc(0))],
  ['sizes after the data without a signature', (zip) => (file(zip).descriptor = file(zip).descriptor.subarray(4))],
  ['another signature before the sizes', (zip) => (file(zip).descriptor[3] = 9)],
  ['another CRC after the data', (zip) => (file(zip).descriptor[4]! ^= 1)],
  ['another compressed size after the data', (zip) => (file(zip).descriptor[8]! ^= 1)],
  ['another size after the data', (zip) => (file(zip).descriptor[12]! ^= 1)],
  [
    'sizes of 64 bits after the data',
    (zip) => {
      const { crc, compressed, size } = file(zip).central;
      file(zip).descriptor = Buffer.concat([Buffer.from('PK\x07\x08'), u32(crc), u64(compressed, size)]);
    },
  ],
  [
    'sizes before and after the data',
    (zip) => {
      const { crc, compressed, size } = file(zip).central;
      Object.assign(file(zip).local, { crc, compressed, size });
    },
  ],
  ['the sizes twice', (zip) => (file(zip).after = file(zip).descriptor)],
];

function grow(each: ForgedFile, by: Buffer, form: Form): void {
  each.data = Buffer.concat([each.data, by]);
  restate(each, form);
}

/** Says everywhere how long the data is. */
function restate(each: ForgedFile, form: Form): void {
  each.central.compressed = each.data.length;
  if (form === 'described') each.descriptor.writeUInt32LE(each.data.length, 8);
  else each.local.compressed = each.data.length;
}

describe('a forged zip of a pack', () => {
  const pack = tinyPack(tinyLog());
  let dir: string;

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'lukhas-forged-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  async function problems(zip: Buffer): Promise<string> {
    const path = join(dir, 'pack.zip');
    writeFileSync(path, zip);
    try {
      const opened = await ZippedPack.open(path);
      try {
        return (await verifyPack(opened, { trust: null })).problems.join('\n');
      } finally {
        opened.close();
      }
    } catch (error) {
      expect(error).to.be.instanceOf(LukhasError).and.include({ code: 'VERIFICATION' });
      return (error as LukhasError).message;
    }
  }

  for (const form of FORMS) {
    it(`is one that holds before it is forged: ${form}`, async () => {
      expect(await problems(writeForged(forgedZip(pack, form)))).to.equal('');
    });
    const forgeries = [
      ...FORGERIES,
      ...(form === 'stored' ? [] : DEFLATED),
      ...(form === 'described' ? DESCRIBED : []),
    ];
    for (const [what, forge] of forgeries) {
      it(`does not hold with ${what}: ${form}`, async () => {
        const zip = forgedZip(pack, form);
        forge(zip, form);
        expect(await problems(writeForged(zip))).to.match(/^[^\n]+/);
      });
    }
  }

  it('does not hold where stored data has its size after it', async () => {
    const zip = forgedZip(pack, 'described');
    const bytes = pack.get('narrative.txt')!;
    const each = file(zip);
    each.data = bytes;
    both(each, { method: 0 });
    restate(each, 'described');
    expect(await problems(writeForged(zip))).to.match(/can be read in two ways/);
  });

  it('is refused, or gives a reader of streams the bytes that are verified, whatever is changed', async () => {
    const whole = FORMS.map((form) => writeForged(forgedZip(pack, form)));
    const bytes = fc.oneof(
      fc.constantFrom('PK', 'PK\x03\x04', 'PK\x07\x08', '\0', '\xff'),
      fc.string({ unit: 'binary' }),
    );
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      fromEnd: fc.boolean(),
      removed: fc.constantFrom(0, 1, 1, 1, 2, 4, 16),
      added: bytes.map((text) => Buffer.from(text, 'latin1').subarray(0, 16)),
    });
    const changes = fc.array(change, { minLength: 1, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...whole), changes, async (zip, all) => {
        const changed = all.reduce((before, { at, fromEnd, removed, added }) => {
          // Half of all changes in the directory: most of the bytes are data.
          const place = Math.floor(fromEnd ? before.length - at * 2500 : at * before.length);
          return Buffer.concat([before.subarray(0, place), added, before.subarray(place + removed)]);
        }, zip);
        const path = join(dir, 'changed.zip');
        writeFileSync(path, changed);
        const read = await readAll(path);
        if (read !== null) expect(streamed(changed)).to.deep.equal(read);
      }),
      { numRuns: cases(3000) },
    );
  });

  describe('of more than 4 GiB', () => {
    const [PACKED, SIZE, MOST] = [5 * 2 ** 30, 6 * 2 ** 30, 0xffffffff];

    /** As packs are written: the sizes that were not known before are long after the data and in the directory. The data is a hole. */
    function writeLarge(
      forge: (zip: ForgedZip, first: ForgedFile, second: ForgedFile) => void = () => undefined,
    ): string {
      const zip = forgedZip(
        [
          ['audits.ndjson', Buffer.alloc(0)],
          ['narrative.txt', HIDDEN],
        ],
        'described',
      );
      const [first, second] = zip.files as [ForgedFile, ForgedFile];
      const start = 43 + PACKED + 24;
      const long = (...values: number[]) => Buffer.concat([u16(1, 8 * values.length), u64(...values)]);
      first.descriptor = Buffer.concat([Buffer.from('PK\x07\x08'), u32(first.central.crc), u64(PACKED, SIZE)]);
      Object.assign(first.central, { version: 45, compressed: MOST, size: MOST, extra: long(SIZE, PACKED, 0) });
      const { size, compressed } = second.central;
      Object.assign(second.central, {
        version: 45,
        compressed: MOST,
        size: MOST,
        extra: long(size, compressed, start),
      });
      [first.data, first.shift] = [Buffer.alloc(0), MOST];
      zip.zip64 = (count, length, before, at) => zip64Records()(count, length, before + PACKED, at + PACKED);
      zip.end = { ...zip.end, count: 0xffff, size: MOST, start: MOST };
      second.shift = MOST - (43 + 24);
      forge(zip, first, second);
      const written = writeForged(zip);
      const path = join(dir, 'large.zip');
      const file = openSync(path, 'w');
      writeSync(file, written, 0, 43, 0);
      writeSync(file, written, 43, written.length - 43, 43 + PACKED);
      closeSync(file);
      return path;
    }
    const opened = async (path: string): Promise<string> => {
      try {
        const zip = await ZippedPack.open(path);
        const chunks: Buffer[] = [];
        for await (const chunk of zip.read('narrative.txt')) chunks.push(chunk);
        zip.close();
        return Buffer.concat(chunks).toString();
      } catch (error) {
        return (error as Error).message;
      }
    };

    it('is read in the form that packs have', async () => {
      expect(await opened(writeLarge())).to.equal('HIDDEN');
    });
    for (const [what, forge] of [
      ['sizes of 32 bits after long data', (_, first) => (first.descriptor = first.descriptor.subarray(0, 16))],
      [
        'sizes of 64 bits after short data',
        (_, __, second) => {
          const { crc, extra } = second.central;
          second.descriptor = Buffer.concat([
            Buffer.from('PK\x07\x08'),
            u32(crc),
            extra.subarray(12, 20),
            extra.subarray(4, 12),
          ]);
        },
      ],
      ['another size in the directory', (_, first) => first.central.extra.writeBigUInt64LE(1n, 4)],
      ['another place in the directory', (_, __, second) => second.central.extra.writeBigUInt64LE(1n, 20)],
      ['short sizes beside long ones', (_, __, second) => (second.central.size = HIDDEN.length)],
      ['another version', (_, first) => (first.central.version = 20)],
      ['another version before the file', (_, first) => (first.local.version = 45)],
      ['an end that counts', (zip) => (zip.end.count = 2)],
      [
        'another place of the end',
        (zip) => (zip.zip64 = (n, l, b, at) => zip64Records({ at: at - 1 })(n, l, b + PACKED, at)),
      ],
    ] as readonly (readonly [string, (zip: ForgedZip, first: ForgedFile, second: ForgedFile) => void])[]) {
      it(`is refused with ${what}`, async () => {
        expect(await opened(writeLarge(forge))).to.match(/^zip: /);
      });
    }
  });
});
