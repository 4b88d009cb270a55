import { execFile } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PackArchive } from '../src/lib/evidence/pack/archive.js';
import { ZippedPack } from '../src/lib/evidence/verify/zip.js';

const run = promisify(execFile);
const GIB = 2 ** 30;
/** Two that are smaller than 4 GiB and together larger; then small ones, which begin beyond 4 GiB as the directory does. */
const FILES = { 'first.bin': 2.2 * GIB, 'second.bin': 2.2 * GIB, 'third.bin': 1e6, SHA256SUMS: 1e3 };
/** What repeats only after more than the 32 KiB that DEFLATE looks back on cannot be compressed. */
const BLOCK = 1024 * 1024;

const PYTHON = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as zip:
    bad = zip.testzip()
    if bad is not None: sys.exit(bad + ' is damaged')
    print('; '.join(f'{i.filename} at {i.header_offset:,}' for i in zip.infolist()))`;

/**
 * Writes an archive of more than 4 GiB as packs are written, and has it read by unzip, by Python and by our own reader.
 * Takes minutes and 5 GB of disk.
 */
export async function largeArchive(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < 6e9) throw new Error(`${folder} has no room for an archive of 5 GB`);
  const path = join(folder, 'large.zip');
  try {
    const archive = new PackArchive(createWriteStream(path));
    const start = performance.now();
    for (const [name, size] of Object.entries(FILES)) await archive.add(name, incompressible(size));
    await archive.finish();
    const seconds = (performance.now() - start) / 1000;
    console.log(`${(await stat(path)).size.toLocaleString('en')} bytes written in ${seconds.toFixed(0)} s`);
    console.log(`unzip -t: ${(await run('unzip', ['-tq', path])).stdout.trim()}`);
    console.log(`Python's zipfile: ${(await run('python3', ['-c', PYTHON, path])).stdout.trim()}`);
    await readBack(path, archive);
  } finally {
    await rm(path, { force: true });
  }
}

async function* incompressible(size: number): AsyncGenerator<Buffer> {
  const block = randomFillSync(Buffer.allocUnsafe(BLOCK));
  for (let left = size; left > 0; left -= BLOCK) yield block.subarray(0, Math.min(BLOCK, left));
}

async function readBack(path: string, { files }: PackArchive): Promise<void> {
  const zip = await ZippedPack.open(path);
  try {
    for (const { name, sha256 } of files) {
      const digest = createHash('sha256');
      for await (const chunk of zip.read(name)) digest.update(chunk);
      if (digest.digest('hex') !== sha256) throw new Error(`${name}: other bytes were read than were written`);
    }
  } finally {
    zip.close();
  }
  console.log(`lukhas: ${files.length} files, the bytes that were written`);
}
