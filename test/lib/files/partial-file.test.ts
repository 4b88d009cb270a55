import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { partialFile, removeAbandoned } from '../../../src/lib/files/partial-file.js';

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
  const of = (pid: number, host = encodeURIComponent(hostname())) => `.lukhas-${host}-${pid}-0123abcd.tmp`;

  it('have names that say whose they are, each its own', () => {
    const [first, second] = [own(), own()];
    expect(first.replace(/[0-9a-f]{8}(?=\.tmp$)/, '0123abcd')).to.equal(of(process.pid));
    expect(second).to.not.equal(first);
  });

  it('are removed when they were left by a process of this host that is dead, a minute after it wrote last', async () => {
    await make(of(dead), 2 * MINUTE);
    const young = await make(of(dead).replace('0123', '4567'), MINUTE / 2);
    const mine = await make(own(), 2 * DAY);
    await removeAbandoned(dir, NOW);
    expect(await left()).to.deep.equal([young, mine].sort());
  });

  it('of another host are removed after a day of silence', async () => {
    const alive = await make(of(dead, 'web-1.example'), DAY - MINUTE);
    await make(of(process.pid, 'web-2.example'), DAY + MINUTE);
    await removeAbandoned(dir, NOW);
    expect(await left()).to.deep.equal([alive]);
  });

  it('are all that is removed', async () => {
    const kept = [
      await make('pack.zip', 2 * DAY),
      await make('.lukhas-notes.tmp', 2 * DAY),
      await make(`.lukhas-host-${dead}-0123abcd.tmp.zip`, 2 * DAY),
      await make(`x.lukhas-host-${dead}-0123abcd.tmp`, 2 * DAY),
      of(dead, 'folder'),
      of(dead, 'link'),
    ];
    await mkdir(join(dir, of(dead, 'folder')));
    await symlink(join(dir, 'pack.zip'), join(dir, of(dead, 'link')));
    await removeAbandoned(dir, NOW + 3 * DAY);
    expect(await left()).to.deep.equal(kept.sort());
  });

  it('are none where there is no folder', async () => {
    await removeAbandoned(join(dir, 'none'), NOW);
    await removeAbandoned(join(dir, await make('file', 0)), NOW);
  });
});
