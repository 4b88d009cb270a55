import { cp, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect } from 'chai';
import type { LukhasError } from '../../../../src/lib/errors.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { finished, withFolder } from '../examples.js';

async function withTwoEntries(test: (ledger: Ledger, path: string) => Promise<void>): Promise<void> {
  await withFolder(async (path) => {
    const ledger = await openLedger(path);
    try {
      await ledger.commit({ events: [finished('a'), finished('b')] });
      await test(ledger, path);
    } finally {
      await ledger.close();
    }
  });
}

const refusal = async (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('it was written'),
    (error: LukhasError) => error,
  );

describe('a ledger whose file goes away while it is open', () => {
  it('takes no write once the file is deleted, and makes no new file', async () => {
    await withTwoEntries(async (ledger, path) => {
      await rm(path);
      for (const work of [
        ledger.commit({ events: [finished('lost')] }),
        ledger.acquireLease('a', 'me', 0, 1000),
        ledger.rebuildSummaries(async function* () {
          // No heads.
        }),
      ]) {
        const error = await refusal(work);
        expect(error.code).to.equal('LEDGER_UNAVAILABLE');
        expect(error.message).to.contain(path).and.to.contain('was deleted or replaced while it was open');
      }
      expect(await ledger.size()).to.equal(2);
      expect(await readdir(dirname(path))).not.to.include('log.db');
    });
  });

  it('takes no write once another file stands there, and leaves that one alone', async () => {
    await withTwoEntries(async (ledger, path) => {
      const other = `${path}.restored`;
      const restored = await openLedger(other);
      await restored.commit({ events: [finished('from the backup')] });
      await restored.close();
      for (const ending of ['-wal', '-shm']) await rm(path + ending);
      await rename(other, path);
      expect((await refusal(ledger.commit({ events: [finished('lost')] }))).code).to.equal('LEDGER_UNAVAILABLE');
      // What writes into the new file meanwhile must not lose its write-ahead log when the old one is closed.
      const now = await openLedger(path);
      await now.commit({ events: [finished('more')] });
      await ledger.close();
      await now.close();
      const again = await openLedger(path);
      expect((await again.events()).map(({ subject }) => subject)).to.deep.equal(['from the backup', 'more']);
      await again.close();
    });
  });

  it('takes writes again when the file is back', async () => {
    await withTwoEntries(async (ledger, path) => {
      await rename(path, `${path}.away`);
      await cp(`${path}.away`, path);
      expect((await refusal(ledger.commit({ events: [finished('lost')] }))).code).to.equal('LEDGER_UNAVAILABLE');
      await rename(`${path}.away`, path);
      await ledger.commit({ events: [finished('c')] });
      expect(await ledger.size()).to.equal(3);
    });
  });
});
