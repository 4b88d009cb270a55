import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { heirOf, isRootsAlone, makeFolder, openFolder, ownerFor } from '../../../src/lib/process/ownership.js';
import { cases } from '../../cases.js';

describe('whom files belong to', () => {
  it('is, when root writes, who owns the database; everybody else keeps what they write', () => {
    const service = { uid: 990, gid: 991 };
    expect(heirOf(0, service)).to.deep.equal(service);
    expect(heirOf(0, { uid: 0, gid: 991 })).to.deep.equal({ uid: 0, gid: 991 });
    expect(heirOf(0, { uid: 0, gid: 0 })).to.equal(null);
    expect(heirOf(990, service)).to.equal(null);
    expect(heirOf(1000, service)).to.equal(null);
    expect(heirOf(undefined, service)).to.equal(null);
  });

  it("is of a file of root's the owner of its folder, who can put another in its place", () => {
    const root = { uid: 0, gid: 0 };
    const service = { uid: 990, gid: 991 };
    expect(heirOf(0, root, { ...service, mode: 0o40755 })).to.deep.equal(service);
    expect(heirOf(0, service, { uid: 1000, gid: 1000, mode: 0o40755 })).to.deep.equal(service);
    expect(heirOf(0, service, { ...root, mode: 0o40755 })).to.deep.equal(service);
    expect(heirOf(0, root, { ...root, mode: 0o40755 })).to.equal(null);
    // Somebody else may have put there what lies beside it.
    expect(heirOf(0, root, { uid: 0, gid: 991, mode: 0o42775 })).to.deep.equal(root);
    expect(heirOf(0, root, { ...root, mode: 0o41777 })).to.deep.equal(root);
    expect(heirOf(990, root, { ...service, mode: 0o40755 })).to.equal(null);
  });

  it('changes for nobody but root, whoever owns the database', () => {
    const id = fc.nat(70_000);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70_000 }), id, id, (uid, owner, gid) => {
        expect(heirOf(uid, { uid: owner, gid })).to.equal(null);
      }),
      { numRuns: cases(100) },
    );
  });

  it('lets root follow links only where nobody else could have put one', () => {
    expect(isRootsAlone({ uid: 0, mode: 0o40755 })).to.equal(true);
    for (const found of [
      { uid: 990, mode: 0o40755 },
      { uid: 0, mode: 0o42775 },
      { uid: 0, mode: 0o41777 },
    ])
      expect(isRootsAlone(found), JSON.stringify(found)).to.equal(false);
  });

  describe('on disk', () => {
    let dir: string;
    beforeEach(() => {
      dir = realpathSync(mkdtempSync(join(tmpdir(), 'lukhas-owner-')));
    });
    afterEach(() => rmSync(dir, { recursive: true, force: true }));

    it('is read from the nearest folder that is there, and nothing to find out without root', () => {
      expect(ownerFor(join(dir, 'a', 'b', 'l.db'))).to.deep.equal(heirOf(process.geteuid!(), statSync(dir)));
    });

    it('makes folders with their mode, and leaves those that are there as they are', () => {
      makeFolder(join(dir, 'a', 'b'), 0o700, null);
      expect(statSync(join(dir, 'a', 'b')).mode & 0o777).to.equal(0o700);
      makeFolder(join(dir, 'a', 'b'), 0o777, null);
      expect(statSync(join(dir, 'a', 'b')).mode & 0o777).to.equal(0o700);
    });

    it('opens the folder itself: a link that takes its place later leads nowhere else', () => {
      const { uid, gid } = statSync(dir);
      const kept = join(dir, 'kept');
      mkdirSync(kept);
      const folder = openFolder(kept, { uid, gid });
      try {
        expect(statSync(folder.path).ino).to.equal(statSync(kept).ino);
      } finally {
        folder.close();
      }
      symlinkSync(kept, join(dir, 'link'));
      const follow = () => openFolder(join(dir, 'link'), { uid, gid }).close();
      // In a folder that is root's alone links are root's; in any other they are not followed.
      if (isRootsAlone(statSync(dir))) follow();
      else expect(follow).to.throw(/root follows no links of other users/);
    });

    it('follows no link of others on the way to a folder either, whether it leads down, up or round', () => {
      const owner = statSync(dir);
      const open = join(dir, 'open');
      mkdirSync(join(dir, 'kept', 'below'), { recursive: true });
      mkdirSync(open);
      chmodSync(open, 0o777);
      for (const [name, to] of [
        ['abs', join(dir, 'kept')],
        ['up', '../kept'],
        ['round', 'round'],
      ] as const)
        symlinkSync(to, join(open, name));
      for (const path of ['abs', 'abs/below', 'up/below', 'round/below'])
        expect(() => openFolder(join(open, path), owner), path).to.throw(/root follows no links of other users/);
      if (!isRootsAlone(statSync(dir))) return;
      symlinkSync('kept/..//kept/./below', join(dir, 'mine'));
      const folder = openFolder(join(dir, 'mine'), owner);
      expect(statSync(folder.path).ino).to.equal(statSync(join(dir, 'kept', 'below')).ino);
      folder.close();
      expect(() => openFolder(join(dir, 'none', 'x'), owner)).to.throw(/ENOENT/);
    });
  });
});
