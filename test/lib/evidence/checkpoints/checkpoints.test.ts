import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Checkpoints, type ProvableLog } from '../../../../src/lib/evidence/checkpoints/checkpoints.js';
import { CheckpointFiles } from '../../../../src/lib/evidence/checkpoints/files.js';
import { verifyCheckpoint } from '../../../../src/lib/evidence/formats/checkpoint.js';
import {
  cosignatureSigner,
  cosignatureTime,
  cosignatureVerifier,
} from '../../../../src/lib/evidence/formats/cosignature.js';
import { formatNote, noteVerifier, parseNote } from '../../../../src/lib/evidence/formats/note.js';
import { SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { finished } from '../../ledger/examples.js';
import { refusal } from '../../refusal.js';
import { ALICE, BOB, keyFrom } from '../signers.js';
import { GrownLog } from '../tree/grown-log.js';

const ORIGIN = 'example.com/canaries';

describe('Checkpoints', () => {
  let dir: string;
  let ledger: Ledger | null = null;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-checkpoints-'));
  });
  afterEach(async () => {
    await ledger?.close();
    ledger = null;
    await rm(dir, { recursive: true, force: true });
  });

  const over = (log: ProvableLog, more: { origin?: string; key?: typeof ALICE; folder?: string } = {}) =>
    new Checkpoints({
      log,
      files: new CheckpointFiles(join(dir, more.folder ?? 'checkpoints')),
      origin: more.origin ?? ORIGIN,
      key: more.key ?? ALICE,
    });
  /** The database's file as a backup has it: whole, without the write-ahead log. */
  const backup = async (path: string, to: string) => {
    await ledger?.close();
    ledger = null;
    await copyFile(path, to);
  };
  const reopened = async (path: string): Promise<Ledger> => {
    await ledger?.close();
    ledger = await openLedger(path);
    return ledger;
  };
  const append = (log: Ledger, count: number, what = 'a') =>
    log.commit({ events: Array.from({ length: count }, (_, n) => finished(what, n)) });

  const witness = cosignatureVerifier({ name: 'w', type: SIGNATURE_TYPE.cosignature, publicKey: BOB.publicKey });
  const cosigned = (log: GrownLog, size: number, seconds: number) => {
    const signer = cosignatureSigner('w', BOB, seconds);
    return { name: 'w', keyId: signer.keyId, signature: signer.sign(parseNote(log.note(size)).text) };
  };

  it('signs the log as it is, and keeps what was signed in files of its size', async () => {
    const log = new GrownLog(ORIGIN, ALICE).grow(3);
    const made = await over(log).make();
    expect(made).to.include({ size: 3, created: true, note: log.note() });
    expect(await over(log).make()).to.include({ size: 3, created: false, note: log.note() });
    await over(log.grow(4)).make();
    expect((await readdir(join(dir, 'checkpoints'))).sort()).to.deep.equal(['3', '7', 'checkpoint']);
    expect(await readFile(join(dir, 'checkpoints', '3'), 'utf8')).to.equal(log.note(3));
    const newest = await readFile(join(dir, 'checkpoints', 'checkpoint'));
    const trust = { origin: ORIGIN, log: [noteVerifier(log.vkey)] };
    expect(verifyCheckpoint(newest, trust)).to.include({ size: 7 });
  });

  it('keeps every one, in whatever order they are made', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 8 }), async (steps) => {
        const folder = await mkdtemp(join(dir, 'p-'));
        const log = new GrownLog(ORIGIN, ALICE);
        const sizes = new Set<number>();
        for (const count of steps) {
          log.grow(count);
          sizes.add(log.entries.length);
          // Two at once, as the daemon and a command may.
          const store = over(log, { folder: folder.slice(dir.length) });
          await Promise.all([store.make(), store.make()]);
        }
        const files = new CheckpointFiles(folder);
        expect(await files.sizes()).to.deep.equal([...sizes]);
        for (const size of sizes) expect(await files.read(size)).to.equal(log.note(size));
      }),
      { numRuns: 20 },
    );
  });

  it('refuses a database that was put back to an older copy', async () => {
    const path = join(dir, 'log.db');
    const copy = join(dir, 'copy.db');
    await append(await reopened(path), 5);
    await over(ledger as unknown as Ledger).make();
    await backup(path, copy);
    await append(await reopened(path), 5, 'b');
    await over(ledger as unknown as Ledger).make();
    await ledger!.close();
    ledger = null;
    await copyFile(copy, path);
    const error = await refusal(over(await reopened(path)).make());
    expect(error.code).to.equal('VERIFICATION');
    expect(error.exit).to.equal(7);
    expect(error.message).to.include('has 5 entries, but 10 were signed');
    // Nor does it help to grow past what was signed.
    await append(ledger as unknown as Ledger, 7, 'c');
    const grown = await refusal(over(ledger as unknown as Ledger).make());
    expect(grown.message).to.include('the first 10 entries of the log differ from those that were signed');
    expect((await readdir(join(dir, 'checkpoints'))).sort()).to.deep.equal(['10', '5', 'checkpoint']);
  });

  it('refuses a log that was written anew, of any size', async () => {
    const log = new GrownLog(ORIGIN, ALICE).grow(9);
    await over(log).make();
    for (const size of [0, 8, 9, 10, 30]) {
      const forged = new GrownLog(ORIGIN, ALICE).grow(size, 'forged');
      expect((await refusal(over(forged).make())).code, String(size)).to.equal('VERIFICATION');
      expect((await refusal(over(forged).check())).code, String(size)).to.equal('VERIFICATION');
    }
    await over(log.grow(1)).make();
  });

  it('refuses when the last one was damaged or is of another size', async () => {
    const log = new GrownLog(ORIGIN, ALICE).grow(4);
    await over(log).make();
    const path = join(dir, 'checkpoints', '4');
    await writeFile(path, log.note(3));
    expect((await refusal(over(log).make())).message).to.include(`${path}: is a checkpoint of 3 entries`);
    await writeFile(path, 'nothing');
    expect((await refusal(over(log).make())).message).to.include(`${path}: note: `);
  });

  it('says so when they cannot be kept', async () => {
    await writeFile(join(dir, 'checkpoints'), 'a file');
    const error = await refusal(over(new GrownLog(ORIGIN, ALICE).grow(1)).make());
    expect(error.code).to.equal('CONFIG');
    expect(error.message).to.include(join(dir, 'checkpoints'));
  });

  it('adds cosignatures, each key once, to the one they are of, and knows them again', async () => {
    const log = new GrownLog(ORIGIN, ALICE).grow(2);
    const store = over(log);
    await store.make();
    expect(await store.lastCosignedBy(witness)).to.equal(0);
    await store.addSignatures(2, [cosigned(log, 2, 1)], [witness]);
    const { note } = await store.addSignatures(2, [cosigned(log, 2, 2)], [witness]);
    const { signatures } = parseNote(note);
    expect(signatures.map(({ name }) => name)).to.deep.equal([ORIGIN, 'w']);
    // What was seen first was seen; a later cosignature says less.
    expect(cosignatureTime(signatures[1]!)).to.equal(1);
    expect(await readFile(join(dir, 'checkpoints', '2'), 'utf8')).to.equal(note);
    expect(await readFile(join(dir, 'checkpoints', 'checkpoint'), 'utf8')).to.equal(note);
    // One that does not verify is no reason to keep it.
    const damaged = parseNote(note);
    damaged.signatures[1]!.signature[20]! ^= 1;
    await writeFile(join(dir, 'checkpoints', '2'), formatNote(damaged));
    const mended = await store.addSignatures(2, [cosigned(log, 2, 3)], [witness]);
    expect(cosignatureTime(parseNote(mended.note).signatures[1]!)).to.equal(3);
    await over(log.grow(1)).make();
    expect(await store.lastCosignedBy(witness)).to.equal(2);
  });

  it('finds the smallest cosigned one that covers a size, else the largest below, and joins it to the log', async () => {
    const log = new GrownLog(ORIGIN, ALICE);
    const store = over(log);
    for (const size of [2, 5, 8, 11]) {
      await over(log.grow(size - log.entries.length)).make();
      if (size === 5 || size === 8) await store.addSignatures(size, [cosigned(log, size, size)], [witness]);
    }
    // Whoever has only the present key of the log must be able to verify it.
    const present = over(log, { key: keyFrom('05'.repeat(32)) });
    for (const [wanted, found] of [
      [1, 5],
      [5, 5],
      [6, 8],
      [8, 8],
      [9, 8],
      [11, 8],
    ] as const) {
      const { size, note, proof } = (await present.cosigned(wanted))!;
      expect(size, String(wanted)).to.equal(found);
      const [first, second] = [Math.min(wanted, found), Math.max(wanted, found)];
      expect(proof).to.deep.equal(await log.consistencyProof(first, second));
      const key = noteVerifier({ ...log.vkey, publicKey: keyFrom('05'.repeat(32)).publicKey });
      const verified = verifyCheckpoint(note, { origin: ORIGIN, log: [key], witnesses: [witness] });
      expect(verified.witnesses.map(cosignatureTime)).to.deep.equal([found]);
    }
    const forged = over(new GrownLog(ORIGIN, ALICE).grow(12, 'forged'));
    expect((await refusal(forged.cosigned(12))).message).to.include('differ from those that a witness has cosigned');
    expect(await over(log, { folder: 'none' }).cosigned(3)).to.equal(null);
    expect(await over(log, { origin: 'other' }).cosigned(3)).to.equal(null);
  });

  it('does not go on with another name', async () => {
    const log = new GrownLog(ORIGIN, ALICE).grow(2);
    await over(log).make();
    expect((await refusal(over(log, { origin: 'example.com/renamed' }).make())).code).to.equal('CONFIG');
  });
});
