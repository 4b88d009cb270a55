import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CheckpointFiles } from '../../../../src/lib/evidence/checkpoints/files.js';
import type { VerifierKey } from '../../../../src/lib/evidence/formats/vkey.js';
import { KeptCheck } from '../../../../src/lib/evidence/verify/kept.js';
import type { EvidenceReport } from '../../../../src/lib/evidence/verify/report.js';
import { ALICE, BOB } from '../signers.js';
import { GrownLog } from '../tree/grown-log.js';

const ORIGIN = 'example.com/canaries';

describe('comparing a log with the checkpoints beside it', () => {
  const log = new GrownLog(ORIGIN, ALICE).grow(9);
  let dir: string;
  let files: CheckpointFiles;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-verify-kept-'));
    files = new CheckpointFiles(join(dir, 'checkpoints'));
    for (const size of [0, 3, 7]) await files.add(size, log.note(size));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const kept = (name: string | number) => join(files.folder, String(name));
  async function report(of = log, key: VerifierKey | null = log.vkey): Promise<EvidenceReport> {
    const check = await KeptCheck.open(files);
    const size = of.entries.length;
    for (const each of check.sizes) if (each <= size) check.take(each, (await of.root(each)).root);
    return check.report(size, key);
  }

  it('says that all of them are in it, and what that is worth', async () => {
    const { ok, holds, notChecked } = await report();
    expect({ ok, notChecked }).to.deep.equal({ ok: true, notChecked: [] });
    expect(holds).to.have.length(1);
    expect(holds[0])
      .to.include(`${files.folder} (3, newest: 7 entries)`)
      .and.include('does not protect against someone who can change these files');
  });

  it('says nothing where none are kept', async () => {
    await rm(files.folder, { recursive: true });
    const { ok, holds, problems, notShown, notChecked } = await report();
    expect({ ok, holds, problems, notShown, notChecked }).to.deep.equal({
      ok: true,
      holds: [],
      problems: [],
      notShown: [],
      notChecked: [],
    });
  });

  it('finds an older copy and another history, by size and file', async () => {
    expect((await report(log.fork(5))).problems).to.deep.equal([
      `${kept(7)}: covers 7 entries, the log has only 5: entries are missing`,
    ]);
    // Longer than what was signed, and another one from entry 4 on.
    expect((await report(log.fork(4).grow(8, 'others'))).problems).to.deep.equal([
      `${kept(7)}: the first 7 entries of the log differ from those that were signed`,
    ]);
    // Not only the newest is compared.
    const forged = new GrownLog(ORIGIN, ALICE).grow(3, 'forged');
    await writeFile(kept(3), forged.note());
    expect((await report()).problems).to.deep.equal([
      `${kept(3)}: the first 3 entries of the log differ from those that were signed`,
    ]);
  });

  it('finds files that say something else than was signed', async () => {
    for (const [text, says] of [
      ['', 'note: has no empty line'],
      ['hello', 'note: has no empty line'],
      [log.note(4), 'is a checkpoint of 4 entries'],
      [log.note(3).replace(/.{6}\n$/, 'AAAAA=\n'), 'signature'],
    ] as const) {
      await writeFile(kept(3), text);
      const { ok, problems } = await report();
      expect(ok).to.equal(false);
      expect(problems.join())
        .to.include(`${kept(3)}: `)
        .and.include(says);
    }
  });

  it('says whose signatures it could not check', async () => {
    const { vkey } = new GrownLog(ORIGIN, BOB);
    const other = await report(log, vkey);
    expect(other.ok).to.equal(true);
    expect(other.notChecked).to.deep.equal([
      `signer of checkpoints in ${files.folder} (3): not the log key on this machine`,
    ]);
    expect((await report(log, null)).notChecked.join()).to.include('no log key on this machine');
  });

  it('does not take for a checkpoint what is no file of its own, or endless, and waits for nobody', async () => {
    const note = await readFile(kept(3));
    await writeFile(join(dir, 'elsewhere'), note);
    const put: Record<string, (path: string) => Promise<unknown> | unknown> = {
      'not a checkpoint file, but a link, folder or pipe': (path) => mkdir(path),
      'a link, folder': (path) => symlink(join(dir, 'elsewhere'), path),
      'folder or pipe': (path) => execFileSync('mkfifo', [path]),
      'is too long to be a checkpoint': (path) => writeFile(path, Buffer.alloc(2 << 20, note)),
    };
    for (const [says, make] of Object.entries(put)) {
      await rm(kept(3), { recursive: true });
      await make(kept(3));
      const { ok, problems } = await report();
      expect(ok).to.equal(false);
      expect(problems.join())
        .to.include(`${kept(3)}: `)
        .and.include(says);
    }
  });

  it('says what it could not read', async () => {
    await rm(files.folder, { recursive: true });
    await writeFile(files.folder, 'a file');
    expect((await report()).notChecked).to.deep.equal([`${files.folder}: checkpoints cannot be read (ENOTDIR)`]);
  });

  it('what a witness has refused is a problem of the log that it is of, and of no other', async () => {
    await rename(kept(7), kept('7.refused'));
    const same = await report();
    expect(same.problems).to.have.length(1);
    expect(same.problems[0]).to.include(`${kept('7.refused')}: a witness has cosigned a different history`);
    const { ok, notChecked } = await report(log.fork(3).grow(9, 'as the witness knows it'));
    expect(ok).to.equal(true);
    expect(notChecked.join()).to.include(`${kept('7.refused')}: refused by a witness; this log does not contain it`);
    expect(await readFile(kept('7.refused'), 'utf8')).to.equal(log.note(7));
  });
});
