import { spawnSync } from 'node:child_process';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { PackArchive } from '../../../src/lib/evidence/pack/archive.js';
import { cases } from '../../cases.js';
import { type ForgedZip, type Form, forgedZip, writeForged } from '../../lib/evidence/verify/forged-zip.js';
import { readAll } from '../../lib/evidence/verify/read-all.js';
import { tinyLog, tinyPack } from '../../lib/evidence/verify/tiny-pack.js';

/** Follows the local headers from the first byte on; never looks at a directory. */
const STREAM_READER = `
import sys, struct, zlib, os
data, out, at = sys.stdin.buffer.read(), sys.argv[1], 0
while data[at:at + 4] == b'PK\\3\\4':
    flags, method = struct.unpack_from('<HH', data, at + 6)
    crc, packed, size, names, extra = struct.unpack_from('<IIIHH', data, at + 14)
    name = data[at + 30:at + 30 + names].decode(); at += 30 + names + extra
    if method == 0:
        content, at = data[at:at + packed], at + packed
    else:
        d = zlib.decompressobj(-15); content = d.decompress(data[at:]) + d.flush(); at = len(data) - len(d.unused_data)
    if flags & 8:
        assert data[at:at + 4] == b'PK\\7\\x08'; crc, packed, size = struct.unpack_from('<III', data, at + 4); at += 16
    assert zlib.crc32(content) == crc and len(content) == size
    path = os.path.join(out, name); os.makedirs(os.path.dirname(path), exist_ok=True); open(path, 'wb').write(content)
`;

const READERS: readonly [name: string, command: (zip: string, out: string) => string[]][] = [
  ['unzip', (zip, out) => ['unzip', '-q', zip, '-d', out]],
  ['bsdtar, from a pipe', (zip, out) => ['sh', '-c', 'cat "$1" | bsdtar -xf - -C "$2"', 'sh', zip, out]],
  [
    'a reader of local headers',
    (zip, out) => ['sh', '-c', 'cat "$1" | python3 -c "$3" "$2"', 'sh', zip, out, STREAM_READER],
  ],
  [
    "Python's zipfile",
    (zip, out) => [
      'python3',
      '-c',
      'import sys,zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])',
      zip,
      out,
    ],
  ],
];

describe('the zip of a pack, read by others', function () {
  this.timeout(600_000);
  const pack = [...tinyPack(tinyLog())];
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lukhas-readers-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** Every file below a folder. */
  function filesIn(folder: string): Record<string, string> {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const paths = names.map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
    return Object.fromEntries(paths.sort().map((path) => [relative(folder, path), readFileSync(path, 'latin1')]));
  }

  /** Holds for a zip that `lukhas verify` refuses, too. @returns whether it did not */
  async function readAlike(zip: string): Promise<boolean> {
    const read = await readAll(zip);
    if (read === null) return false;
    const expected = Object.fromEntries([...read].sort().map(([name, bytes]) => [name, bytes.toString('latin1')]));
    for (const [name, command] of READERS) {
      const out = mkdtempSync(join(dir, 'out-'));
      const [program = '', ...args] = command(zip, out);
      const run = spawnSync(program, args, { encoding: 'utf8' });
      expect(run.status, `${name}: ${run.stderr}`).to.equal(0);
      expect(filesIn(out), name).to.deep.equal(expected);
    }
    return true;
  }

  function zipFile(bytes: Buffer): string {
    const path = join(dir, 'pack.zip');
    writeFileSync(path, bytes);
    return path;
  }

  it('is the same for all of them, in each of the forms that are accepted', async () => {
    for (const form of ['described', 'plain', 'stored'] as const) {
      expect(await readAlike(zipFile(writeForged(forgedZip(pack, form)))), form).to.equal(true);
    }
    const path = join(dir, 'own.zip');
    const archive = new PackArchive(createWriteStream(path));
    for (const [name, bytes] of pack) await archive.add(name, bytes);
    await archive.finish();
    expect(await readAlike(path), 'as packs are written').to.equal(true);
  });

  it('is accepted when somebody has unpacked it and packed it again with zip -X -D', async () => {
    const folder = join(dir, 'unpacked');
    for (const [name, bytes] of pack) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    }
    const again = join(dir, 'again.zip');
    expect(spawnSync('zip', ['-q', '-r', '-X', '-D', again, '.'], { cwd: folder }).status).to.equal(0);
    expect(await readAlike(again)).to.equal(true);
  });

  it('is refused or the same for all of them, whatever bytes are changed or inserted', async () => {
    const zips = (['described', 'plain', 'stored'] as const).map((form) => writeForged(forgedZip(pack, form)));
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      fromEnd: fc.boolean(),
      removed: fc.constantFrom(0, 1, 1, 1, 2, 4),
      added: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...zips), change, async (zip, { at, fromEnd, removed, added }) => {
        const place = Math.floor(fromEnd ? zip.length - at * 2500 : at * zip.length);
        await readAlike(zipFile(Buffer.concat([zip.subarray(0, place), added, zip.subarray(place + removed)])));
      }),
      { numRuns: cases(400, 40) },
    );
  });

  it('is refused or the same for all of them, whatever its headers say together', async () => {
    let accepted = 0;
    type Drawn = typeof value extends fc.Arbitrary<infer T> ? T : never;
    const value = fc.record({
      form: fc.constantFrom<Form>('described', 'plain', 'stored'),
      which: fc.nat(pack.length - 1),
      field: fc.constantFrom('flags', 'version', 'method', 'time', 'date', 'name', 'crc', 'compressed', 'size'),
      bit: fc.nat(15),
      central: fc.constantFrom('madeBy', 'internal', 'external', 'disk', null),
      external: fc.nat(31),
    });
    const change = (zip: ForgedZip, { which, field, bit, central, external }: Drawn) => {
      const file = zip.files[which]!;
      if (central !== null) {
        file.central[central] = (file.central[central] ^ (2 ** (central === 'external' ? external : bit))) >>> 0;
        return;
      }
      for (const fields of [file.local, file.central]) {
        if (field === 'name') fields.name = Buffer.from(fields.name).fill(32 + bit, 0, 1);
        else fields[field] = (fields[field] ^ (2 ** bit)) >>> 0;
      }
    };
    await fc.assert(
      fc.asyncProperty(value, async (drawn) => {
        const zip = forgedZip(pack, drawn.form);
        change(zip, drawn);
        if (await readAlike(zipFile(writeForged(zip)))) accepted++;
      }),
      { numRuns: cases(400, 40) },
    );
    expect(accepted).to.be.above(0);
  });
});
