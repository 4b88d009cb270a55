import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Output, refuseToReplace, writeOutput } from '../../../src/lib/files/output-file.js';
import { formatProcess, thisProcess } from '../../../src/lib/process/identity.js';
import { refusal } from '../refusal.js';

const NOTE = { what: 'note', isOne: (head: Buffer) => head.toString().startsWith('note'), force: '--force' };

describe('an output that somebody names', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-output-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const output = (name: string, more: Partial<Output> = {}): Output => ({
    path: join(dir, name),
    flag: '--out',
    kind: NOTE,
    ...more,
  });
  const write = (to: Output, text = 'note 2') => writeOutput(to, Date.now(), (file) => file.writeFile(text));
  const read = (name: string) => readFile(join(dir, name), 'utf8');

  it('takes the place of an older one, of an empty file, and of nothing', async () => {
    await writeFile(join(dir, 'old'), 'note 1');
    await writeFile(join(dir, 'empty'), '');
    for (const name of ['old', 'empty', 'none']) {
      await write(output(name));
      expect(await read(name)).to.equal('note 2');
    }
    expect(await readdir(dir)).to.have.length(3);
  });

  it('takes the place of another file only when that is asked for', async () => {
    await writeFile(join(dir, 'letter'), 'dear all');
    const refused = await refusal(write(output('letter')));
    expect(refused.message).to.equal(
      `--out ${join(dir, 'letter')}: already exists and is not a valid note; not overwritten`,
    );
    expect(refused.suggestions.join()).to.include('--force');
    expect(await read('letter')).to.equal('dear all');
    await write(output('letter', { forced: true }));
    expect(await read('letter')).to.equal('note 2');
  });

  it('never takes the place of a link, a pipe, a device or a folder, nor writes through them', async () => {
    await writeFile(join(dir, 'old'), 'note 1');
    await symlink('old', join(dir, 'link'));
    await symlink('nowhere', join(dir, 'dangling'));
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    const before = (await readdir(dir)).sort();
    for (const [path, says] of [
      [join(dir, 'link'), /--out \S+link: is a link, not a regular file; not overwritten/],
      [join(dir, 'dangling'), /dangling: is a link/],
      [join(dir, 'pipe'), /pipe: is a pipe or a device/],
      ['/dev/null', /--out \/dev\/null: is a pipe or a device/],
      [dir, /: is a folder/],
    ] as const)
      for (const act of [refuseToReplace, write]) {
        const refused = await refusal(act(output('', { path, forced: true })));
        expect(refused.message).to.match(says);
        expect(refused.code).to.equal('USAGE');
      }
    expect((await readdir(dir)).sort()).to.deep.equal(before);
    expect(await readlink(join(dir, 'link'))).to.equal('old');
    expect(await read('old')).to.equal('note 1');
  });

  it('says in words why it cannot be there', async () => {
    await writeFile(join(dir, 'file'), 'x');
    for (const [name, why] of [
      ['none/note', 'folder not found'],
      ['file/note', 'folder not found'],
      ['x'.repeat(300), 'the name is too long'],
    ] as const)
      expect((await refusal(write(output(name)))).message).to.match(new RegExp(`: cannot be written \\(${why}\\)$`));
  });

  it('is as it was when it cannot be finished, and lets whoever writes say so', async () => {
    await writeFile(join(dir, 'old'), 'note 1');
    const full = Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' });
    const fill = async (): Promise<void> => {
      throw full;
    };
    const plain = await refusal(writeOutput(output('old'), Date.now(), fill));
    expect(plain.message).to.match(/^--out .*old: cannot be written \(the disk is full\)$/);
    const own = await writeOutput(output('old'), Date.now(), fill, (_, why) => Object.assign(plain, { message: why }))
      .then(() => null)
      .catch((error: Error) => error.message);
    expect(own).to.equal('the disk is full');
    expect(await read('old')).to.equal('note 1');
    expect(await readdir(dir)).to.deep.equal(['old']);
  });

  it('removes what a writer left beside it that was killed', async () => {
    const { pid } = spawnSync('/bin/true');
    const left = `.lukhas-${formatProcess({ ...thisProcess(), pid })}-0123abcd.tmp`;
    await writeFile(join(dir, left), 'half');
    await write(output('note'));
    expect(await readdir(dir)).to.deep.equal(['note']);
  });
});
