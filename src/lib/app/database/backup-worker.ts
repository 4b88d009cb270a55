/** Copies and encrypts a database; started by backup.ts as a thread of its own. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { encrypted } from '../../backup/index.js';
import { partialFile, removeAbandoned, writableOf, writeOutput } from '../../files/index.js';
import { copyDatabase } from '../../ledger/sqlite/index.js';
import { ownerFor } from '../../process/index.js';
import { answerInThread } from '../../threads/index.js';
import type { CopyTask, CopyWritten } from './backup.js';
import { inFolder } from './on-disk.js';

const MAGIC = 'age-encryption.org/v1\n';

const ENCRYPTED = {
  what: 'encrypted backup',
  isOne: (head: Buffer) => head.subarray(0, MAGIC.length).toString('latin1') === MAGIC,
  force: null,
};

await answerInThread((task: CopyTask) => inFolder(dirname(task.dbPath), () => copy(task)));

async function copy({ dbPath, to, flag, recipients, now }: CopyTask): Promise<CopyWritten> {
  const folder = dirname(dbPath);
  await removeAbandoned(folder, now);
  // Beside the database: as secret as that is, and on a disk that has room for one of its size.
  const plain = partialFile(folder);
  try {
    const copied = await copyDatabase(dbPath, plain);
    const file = await open(plain, constants.O_RDONLY);
    // From here on nobody else can open it, and a killed process leaves nothing behind.
    await rm(plain);
    const digest = createHash('sha256');
    let bytes = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _, done) {
        digest.update(chunk);
        bytes += chunk.length;
        done(null, chunk);
      },
    });
    const output = { path: to, flag, kind: ENCRYPTED, owner: ownerFor(dbPath) };
    await writeOutput(output, now, async (out) => {
      await pipeline(await encrypted(file.createReadStream(), recipients), measure, writableOf(out));
    });
    return { ...copied, bytes, sha256: digest.digest('hex') };
  } finally {
    await rm(plain, { force: true });
  }
}
