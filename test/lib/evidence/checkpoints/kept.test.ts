import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import { Checkpoints } from '../../../../src/lib/evidence/checkpoints/checkpoints.js';
import { CheckpointFiles } from '../../../../src/lib/evidence/checkpoints/files.js';
import { refuseOlderLog } from '../../../../src/lib/evidence/checkpoints/kept.js';
import { noteVerifier, type Signer, verifyNote } from '../../../../src/lib/evidence/formats/note.js';
import { SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import { ALICE, BOB, keyFrom } from '../signers.js';
import { GrownLog } from '../tree/grown-log.js';

const ORIGIN = 'example.com/canaries';
const CAROL = keyFrom('07'.repeat(32));

describe('checkpoints that are kept', () => {
  let dir: string;
  let folder: string;
  let files: CheckpointFiles;
  let log: GrownLog;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-kept-'));
    folder = join(dir, 'checkpoints');
    files = new CheckpointFiles(folder);
    log = new GrownLog(ORIGIN, ALICE);
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const signed = (by: { key?: Signer; previous?: Signer; origin?: string; named?: boolean } = {}) =>
    new Checkpoints({ log, files, origin: ORIGIN, key: ALICE, ...by }).make();
  const sized = (of: GrownLog) => ({
    root: (size?: number) => of.root(size),
    size: () => Promise.resolve(of.entries.length),
  });
  const caught = async (work: Promise<unknown>): Promise<LukhasError> => {
    const error = await work.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(LukhasError);
    return error as LukhasError;
  };

  describe('before a log is written', () => {
    it('let a log pass that begins with the newest one, and one of which nothing was signed', async () => {
      await refuseOlderLog(sized(log), files);
      log.grow(5);
      await signed();
      for (const more of [0, 1, 9]) await refuseOlderLog(sized(log.fork().grow(more)), files);
    });

    it('refuse an older copy, of whatever size, and another log', async () => {
      log.grow(3);
      await signed();
      log.grow(5);
      await signed();
      for (const size of [0, 3, 7]) {
        const error = await caught(refuseOlderLog(sized(log.fork(size)), files));
        expect(error).to.include({ code: 'VERIFICATION', exit: 7 });
        expect(error.message).to.equal(
          `the log has ${size} entries, but 8 were signed in ${folder}: entries are missing`,
        );
        expect(error.suggestions.join()).to.include('docs/witness.md');
      }
      for (const size of [8, 12]) {
        const grown = log.fork(3).grow(size - 3, 'others');
        expect((await caught(refuseOlderLog(sized(grown), files))).message).to.include('the first 8 entries');
      }
    });
  });

  describe('when a witness has refused one', () => {
    it('go on from the one before, and keep it under a name that says so', async () => {
      log.grow(3);
      const { note } = await signed();
      log.grow(2);
      const refused = await signed();
      await files.setAside(5);
      expect((await readdir(folder)).sort()).to.deep.equal(['3', '5.refused', 'checkpoint']);
      expect(await readFile(join(folder, '5.refused'), 'utf8')).to.equal(refused.note);
      expect(await readFile(join(folder, 'checkpoint'), 'utf8')).to.equal(note);
      // The history that the witness knows may come back.
      await refuseOlderLog(sized(log.fork(3).grow(4, 'others')), files);
      await files.setAside(5);
      await files.setAside(3);
      expect((await readdir(folder)).sort()).to.deep.equal(['3.refused', '5.refused']);
    });
  });

  describe('on disk', () => {
    let umask: number;
    beforeEach(() => {
      umask = process.umask(0);
    });
    afterEach(() => {
      process.umask(umask);
    });

    it('are nobody else’s to read or write, whatever the umask', async () => {
      log.grow(2);
      await signed();
      // Of a time when they were not.
      await chmod(join(folder, '2'), 0o644);
      await signed({ key: BOB, previous: ALICE });
      const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
      expect(await mode(folder)).to.equal('700');
      for (const name of ['2', 'checkpoint']) expect(await mode(join(folder, name)), name).to.equal('600');
    });

    it('are not put where others may write', async () => {
      log.grow(2);
      for (const open of [0o720, 0o702, 0o777]) {
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { mode: open });
        const error = await caught(signed());
        expect(error).to.include({ code: 'CONFIG', exit: 2 });
        expect(error.message).to.include(`${folder}: other users can write to this folder`);
        expect(await readdir(folder)).to.deep.equal([]);
      }
      await chmod(folder, 0o755);
      await signed();
    });
  });

  describe('when the log has another name', () => {
    const RENAMED = 'example.com/renamed';

    it('refuse it at any size, chosen or not, in a line that tells both names, and sign nothing', async () => {
      log.grow(2);
      await signed();
      for (const more of [0, 3])
        for (const by of [{}, { named: true }, { key: BOB }, { key: BOB, previous: ALICE, named: true }]) {
          log.grow(more);
          const error = await caught(signed({ ...by, origin: RENAMED }));
          expect(error).to.include({ code: 'CONFIG', exit: 2 });
          expect(error.message).to.equal(`${folder}/2: signed as "${ORIGIN}", but the log is now named "${RENAMED}"`);
          expect(error.suggestions.join('\n')).to.include('--config').and.include(`keys: {origin: "${ORIGIN}"}`);
        }
      expect((await readdir(folder)).sort()).to.deep.equal(['2', 'checkpoint']);
      await signed();
    });

    it('take it when it was chosen, and the old key is not there: to others it is another log', async () => {
      log.grow(2);
      await signed();
      log.grow(1);
      expect(await signed({ key: BOB, origin: RENAMED, named: true })).to.include({ size: 3, origin: RENAMED });
      log.grow(1);
      expect((await caught(signed())).message).to.include(`signed as "${RENAMED}"`);
      await signed({ key: BOB, origin: RENAMED, named: true });
    });
  });

  describe('when the log key is another one', () => {
    const verified = (note: string, key: Signer) =>
      verifyNote(note, [noteVerifier({ name: ORIGIN, type: SIGNATURE_TYPE.note, publicKey: key.publicKey })]);

    it('refuse it under the same name, at any size, and sign nothing', async () => {
      log.grow(2);
      await signed();
      for (const more of [0, 3]) {
        log.grow(more);
        const error = await caught(signed({ key: BOB }));
        expect(error).to.include({ code: 'CONFIG', exit: 2 });
        expect(error.message).to.include(`${folder}/2: signed as "${ORIGIN}" by a different key`);
      }
      expect((await readdir(folder)).sort()).to.deep.equal(['2', 'checkpoint']);
      expect(await readFile(join(folder, '2'), 'utf8')).to.equal(log.note(2));
    });

    it('take it when the old one agrees: both sign once, then the new one alone', async () => {
      for (const more of [0, 3]) {
        await rm(folder, { recursive: true, force: true });
        log = new GrownLog(ORIGIN, ALICE).grow(2);
        await signed();
        log.grow(more);
        expect((await caught(signed({ key: BOB, previous: CAROL }))).code).to.equal('CONFIG');
        const { note, size } = await signed({ key: BOB, previous: ALICE });
        for (const key of [ALICE, BOB]) expect(verified(note, key).verified).to.have.length(1);
        expect(await readFile(join(folder, String(size)), 'utf8')).to.equal(note);
        log.grow(1);
        const after = await signed({ key: BOB });
        expect(verified(after.note, BOB).unknown).to.deep.equal([]);
        // From now on the old one is the other one.
        expect((await caught(signed())).code).to.equal('CONFIG');
      }
    });
  });
});
