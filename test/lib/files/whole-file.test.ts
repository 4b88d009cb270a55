import { execFileSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createFile, replaceFile, wholeFile } from '../../../src/lib/files/whole-file.js';
import { refusal } from '../refusal.js';

describe('a whole file', () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-whole-'));
    path = join(dir, 'file');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const text = () => readFile(path, 'utf8');

  it('is made with its folder and the rights it is to have', async () => {
    const deep = join(dir, 'a', 'b');
    expect(await createFile(deep, 'x', { mode: 0o600 })).to.equal(true);
    expect((await stat(deep)).mode & 0o777).to.equal(0o600);
    expect(await readdir(join(dir, 'a'))).to.deep.equal(['b']);
  });

  it('is made by one of those who make it at the same time, and is all of what that one wrote', async () => {
    const contents = Array.from({ length: 8 }, (_, i) => String(i).repeat(50_000));
    const made = await Promise.all(contents.map((content) => createFile(path, content)));
    expect(made.filter(Boolean)).to.have.length(1);
    expect(await text()).to.equal(contents[made.indexOf(true)]);
    expect(await readdir(dir)).to.deep.equal(['file']);
  });

  it('is not made over anything: a file, a folder, a pipe, or a link that leads nowhere', async () => {
    const there: [string, () => Promise<unknown>][] = [
      ['a file', () => writeFile(path, 'theirs')],
      ['a folder', () => mkdir(path)],
      ['a pipe', async () => execFileSync('mkfifo', [path])],
      ['a link', () => symlink(join(dir, 'nowhere'), path)],
    ];
    for (const [what, put] of there) {
      await put();
      const before = await lstat(path);
      expect(await createFile(path, 'ours'), what).to.equal(false);
      const after = await lstat(path);
      expect([after.ino, after.mode, after.size], what).to.deep.equal([before.ino, before.mode, before.size]);
      expect(await readdir(dir), what).to.deep.equal(['file']);
      await rm(path, { recursive: true });
    }
  });

  it('takes the place of a file, and is read as the one before or the one after', async () => {
    const [before, after] = ['a'.repeat(400_000), 'b'.repeat(400_000)];
    await replaceFile(path, before);
    let done = false;
    const replacing = (async () => {
      for (let i = 0; i < 20; i++) await replaceFile(path, i % 2 === 0 ? after : before);
      done = true;
    })();
    while (!done) expect([before, after]).to.include(await text());
    await replacing;
    expect(await readdir(dir)).to.deep.equal(['file']);
  });

  it('takes the place of nothing that is no file', async () => {
    await writeFile(join(dir, 'target'), 'theirs');
    const there: [RegExp, () => Promise<unknown>][] = [
      [/file: is a folder, not a regular file; not overwritten$/, () => mkdir(path)],
      [/is a pipe or a device/, async () => execFileSync('mkfifo', [path])],
      [/is a link/, () => symlink('target', path)],
    ];
    for (const [says, put] of there) {
      await put();
      expect((await refusal(replaceFile(path, 'ours'))).message).to.match(says);
      expect((await readdir(dir)).sort()).to.deep.equal(['file', 'target']);
      if ((await lstat(path)).isSymbolicLink()) expect(await readlink(path)).to.equal('target');
      await rm(path, { recursive: true });
    }
    expect(await readFile(join(dir, 'target'), 'utf8')).to.equal('theirs');
  });

  it('leaves what was there, and nothing else, when it cannot be finished', async () => {
    await writeFile(path, 'before');
    const stop = new Error('stop');
    for (const place of ['new', 'replace'] as const) {
      const failed = await wholeFile(path, { place }, async (file) => {
        await file.writeFile('half');
        throw stop;
      }).catch((error: unknown) => error);
      expect(failed).to.equal(stop);
      expect(await text()).to.equal('before');
      expect(await readdir(dir)).to.deep.equal(['file']);
    }
  });
});
