import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { partialFile, removeAbandoned } from '../../../src/lib/files/partial-file.js';
import { formatProcess, type ProcessIdentity, thisProcess } from '../../../src/lib/process/identity.js';

const NOW = Date.now();
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

describe('partial files', () => {
  let dir: string;
  /** Of a process that has ended. */
  let dead: number;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-partial-'));
    dead = spawnSync('/bin/true').pid;
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function make(name: string, ageMs: number): Promise<string> {
    const path = join(dir, name);
    await writeFile(path, 'PK');
    const at = new Date(NOW - ageMs);
    await utimes(path, at, at);
    return name;
  }
  const left = async () => (await readdir(dir)).sort();
  const own = () => basename(partialFile(dir));
  const of = (changes: Partial<ProcessIdentity>) =>
    `.lukhas-${formatProcess({ ...thisProcess(), ...changes })}-0123abcd.tmp`;
  /** Of a process of another container or machine, perhaps one with the same host name. */
  const elsewhere = (pid: number) => of({ pid, space: '0123456789abcdef' });

  it('have names that say whose they are, each its own', () => {
    const [first, second] = [own(), own()];
    expect(first.replace(/[0-9a-f]{8}(?=\.tmp$)/, '0123abcd')).to.equal(of({}));
    expect(second).to.not.equal(first);
  });

  it('are removed when they were left by a process that is certainly dead, never when it lives', async () => {
    await make(of({ pid: dead }), 0);
    const mine = await make(own(), 2 * DAY);
    await removeAbandoned(dir, NOW);
    expect(await left()).to.deep.equal([mine]);
  });

  it('are removed after a day of silence when nobody here can tell whether the process lives', async () => {
    const kept = [
      await make(elsewhere(dead), DAY - MINUTE),
      await make(`.lukhas-old-version-${dead}-0123abcd.tmp`, DAY - MINUTE),
    ];
    await make(elsewhere(process.pid), DAY + MINUTE);
    await make(`.lukhas-old-version-${process.pid}-0123abcd.tmp`, DAY + MINUTE);
    await removeAbandoned(dir, NOW);
    expect(await left()).to.deep.equal(kept.sort());
  });

  it('are all that is removed', async () => {
    const kept = [
      await make('pack.zip', 2 * DAY),
      await make('.lukhas-notes.tmp', 2 * DAY),
      await make(`${of({ pid: dead })}.zip`, 2 * DAY),
      await make(`x${of({ pid: dead })}`, 2 * DAY),
      of({ pid: dead, host: 'folder' }),
      of({ pid: dead, host: 'link' }),
    ];
    await mkdir(join(dir, of({ pid: dead, host: 'folder' })));
    await symlink(join(dir, 'pack.zip'), join(dir, of({ pid: dead, host: 'link' })));
    await removeAbandoned(dir, NOW + 3 * DAY);
    expect(await left()).to.deep.equal(kept.sort());
  });

  it('are none where there is no folder', async () => {
    await removeAbandoned(join(dir, 'none'), NOW);
    await removeAbandoned(join(dir, await make('file', 0)), NOW);
  });
});
