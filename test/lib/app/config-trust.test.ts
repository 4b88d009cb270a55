import { execFileSync } from 'node:child_process';
import { chmod, lchown, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { loadConfig } from '../../../src/lib/app/config.js';
import { ownAccounts, type Place, requireTrusted, whoElse } from '../../../src/lib/app/config-trust.js';
import { cases } from '../../cases.js';
import { refusal } from '../refusal.js';

const [ME, OTHER] = [1000, 1001];
const NOT_ROOT = new Set([ME, 0]);

const place = (changes: Partial<Place> = {}): Place => ({
  path: '/srv/lukhas.yaml',
  kind: 'file',
  uid: ME,
  gid: ME,
  mode: 0o644,
  ...changes,
});

describe('who can decide what a configuration file says', () => {
  it('is the user, root, and under sudo the person', () => {
    expect([...ownAccounts(ME, undefined)!]).to.deep.equal([ME, 0]);
    expect([...ownAccounts(0, '1001')!]).to.deep.equal([0, 1001]);
    // Anybody but root can set the variable as they like.
    expect([...ownAccounts(ME, '1001')!]).to.deep.equal([ME, 0]);
    expect([...ownAccounts(0, 'x')!]).to.deep.equal([0]);
    expect(ownAccounts(undefined, undefined)).to.equal(null);
  });

  const cases_: [string, Partial<Place>, ReturnType<typeof whoElse>][] = [
    ['my file', {}, null],
    ["root's file", { uid: 0, gid: 0 }, null],
    ["another user's file", { uid: OTHER }, { uid: OTHER }],
    ["another user's link", { kind: 'link', uid: OTHER, mode: 0o777 }, { uid: OTHER }],
    ['my link, whose mode says nothing', { kind: 'link', mode: 0o777 }, null],
    ["another user's folder", { kind: 'folder', uid: OTHER, mode: 0o755 }, { uid: OTHER }],
    ["another user's sticky folder", { kind: 'folder', uid: OTHER, mode: 0o1777 }, { uid: OTHER }],
    ['/tmp', { kind: 'folder', uid: 0, gid: 0, mode: 0o1777 }, null],
    [
      'a folder like /tmp without its sticky bit',
      { kind: 'folder', uid: 0, mode: 0o777 },
      'every user can write to it',
    ],
    ['a file that all may write to', { mode: 0o666 }, 'every user can write to it'],
    ['my private group', { mode: 0o664 }, null],
    ['a group of several', { mode: 0o664, gid: 50 }, 'members of group 50 can write to it'],
    [
      'a folder of a group of several',
      { kind: 'folder', mode: 0o2775, gid: 50 },
      'members of group 50 can write to it',
    ],
    ["root's group", { mode: 0o664, gid: 0 }, null],
    ["another user's repository", { kind: 'repository', uid: OTHER }, { uid: OTHER }],
    ['my repository, whatever its mode', { kind: 'repository', mode: 0o777 }, null],
  ];
  for (const [what, changes, expected] of cases_)
    it(`knows ${what}`, () => expect(whoElse(place(changes), NOT_ROOT)).to.deep.equal(expected));

  it('never takes what another account owns for its own', () => {
    const any = fc.record({
      kind: fc.constantFrom<Place['kind']>('file', 'folder', 'link', 'repository'),
      uid: fc.integer({ min: 1, max: 70_000 }).filter((uid) => uid !== ME),
      gid: fc.nat(70_000),
      mode: fc.nat(0o7777),
    });
    fc.assert(
      fc.property(any, (changes) => {
        expect(whoElse(place(changes), NOT_ROOT)).to.deep.equal({ uid: changes.uid });
      }),
      { numRuns: cases(200) },
    );
  });
});

describe('a configuration file that was found', () => {
  let top: string;
  let folder: string;
  let file: string;
  /** An account that owns nothing here, so that everything here belongs to another. */
  const nobody = new Set([4_000_000]);
  beforeEach(async () => {
    top = await realpath(await mkdtemp(join(tmpdir(), 'lukhas-trust-')));
    folder = join(top, 'repo');
    file = join(folder, 'lukhas.yaml');
    await mkdir(folder);
    await writeFile(file, 'db: x.db\n');
  });
  afterEach(() => rm(top, { recursive: true, force: true }));

  const found = (more: Partial<Parameters<typeof requireTrusted>[0]> = {}) => ({
    path: file,
    repository: null,
    ...more,
  });
  const mine = new Set([process.geteuid!(), 0]);

  it('is refused with its owner and with what to write where', async () => {
    const error = await refusal(requireTrusted(found(), nobody, [], '/home/ana/.config/lukhas/config.yaml'));
    expect(error.code).to.equal('CONFIG');
    expect(error.message).to.match(
      /lukhas\.yaml: not used, because it names programs to run and it belongs to .*uid \d+/,
    );
    expect(error.suggestions[0]).to.equal(`If you trust it, name it: --config ${file}`);
    const ofJob = await refusal(requireTrusted(found(), nobody, [], 'u', '--config-file'));
    expect(ofJob.suggestions[0]).to.equal(`If you trust it, name it: --config-file ${file}`);
    expect(error.suggestions[1]).to.include(`trustedFolders: ["${folder}"] into /home/ana/.config/lukhas/config.yaml`);
  });

  it('is used where its folder, or one above it, is trusted by name', async () => {
    for (const trusted of [[folder], [top], ['*'], ['/nowhere', `${top}/`], ['/']])
      await requireTrusted(found(), nobody, trusted, 'u');
    for (const trusted of [[], [`${folder}x`], [join(folder, 'below')], [top.slice(0, -1)]])
      expect((await refusal(requireTrusted(found(), nobody, trusted, 'u'))).code).to.equal('CONFIG');
  });

  it('is refused where every user can write to it, its folder, or the one that a link leads to', async () => {
    await requireTrusted(found(), mine, [], 'u');
    await chmod(file, 0o666);
    expect((await refusal(requireTrusted(found(), mine, [], 'u'))).message).to.include('every user can write to it');
    await chmod(file, 0o644);
    await chmod(folder, 0o777);
    const open = await refusal(requireTrusted(found(), mine, [], 'u'));
    expect(open.message).to.include(`every user can write to the folder ${folder}`);
    const link = join(top, 'lukhas.yaml');
    await symlink(file, link);
    const behind = await refusal(requireTrusted(found({ path: link }), mine, [], 'u'));
    expect(behind.message).to.include(`every user can write to the folder ${folder}`);
    await chmod(folder, 0o1777);
    await requireTrusted(found({ path: link }), mine, [], 'u');
  });

  it('cannot say itself that it is trusted; only the user can', async () => {
    await writeFile(file, 'trustedFolders: ["*"]\n');
    const env = { HOME: top };
    expect((await refusal(loadConfig({ cwd: folder, env }))).message).to.match(
      /trustedFolders: can only be set in your own/,
    );
    expect((await refusal(loadConfig({ cwd: top, env, flags: { config: file } }))).message).to.match(/trustedFolders/);
    const user = join(top, '.config', 'lukhas', 'config.yaml');
    await mkdir(dirname(user), { recursive: true });
    await writeFile(user, `trustedFolders: [~/repo, /srv]\n`);
    await writeFile(file, 'db: x.db\n');
    await chmod(folder, 0o777);
    expect((await loadConfig({ cwd: folder, env })).files).to.deep.equal([file, user]);
    await writeFile(user, 'trustedFolders: [repo]\n');
    expect((await refusal(loadConfig({ cwd: folder, env }))).message).to.match(
      /trustedFolders\[0\]: must be an absolute path/,
    );
  });

  it('is used as it is when --config names it', async () => {
    await chmod(file, 0o666);
    expect((await refusal(loadConfig({ cwd: folder, env: { HOME: top } }))).message).to.include('every user');
    expect((await loadConfig({ cwd: folder, env: { HOME: top }, flags: { config: file } })).files).to.deep.equal([
      file,
    ]);
  });

  it("is the user's own only if nobody else can write to it", async () => {
    const user = join(top, '.config', 'lukhas', 'config.yaml');
    await mkdir(dirname(user), { recursive: true });
    await writeFile(user, 'db: x.db\n');
    await chmod(user, 0o666);
    const error = await refusal(loadConfig({ cwd: folder, env: { HOME: top } }));
    expect(error.message).to.include(`${user}: not used`);
  });

  it('is the one that the system finds, not the one that its links spell', async () => {
    // `sub` is a folder elsewhere, and `..` behind it the folder above that one.
    const far = join(top, 'far');
    await mkdir(join(far, 'dir'), { recursive: true });
    await writeFile(join(far, 'real.yaml'), 'db: real.db\n');
    await writeFile(join(folder, 'real.yaml'), 'db: spelled.db\n');
    await symlink('../real.yaml', join(far, 'dir', 'link'));
    await symlink('../far/dir', join(folder, 'sub'));
    await rm(file);
    await symlink('sub/link', file);
    expect(await requireTrusted(found(), mine, [], 'u')).to.equal('db: real.db\n');
    await chmod(join(far, 'real.yaml'), 0o666);
    const error = await refusal(requireTrusted(found(), mine, [], 'u'));
    expect(error.message).to.include(`every user can write to the file ${join(far, 'real.yaml')}`);
    await chmod(join(far, 'real.yaml'), 0o644);
    await chmod(far, 0o777);
    expect((await refusal(requireTrusted(found(), mine, [], 'u'))).message).to.include(`to the folder ${far}`);
  });

  it('may not be reached over the link to a folder that others can replace', async () => {
    const shared = join(top, 'shared');
    const link = join(top, 'lukhas.yaml');
    await mkdir(shared);
    await symlink(folder, join(shared, 'current'));
    await symlink('shared/current/lukhas.yaml', link);
    const from = found({ path: link });
    expect(await requireTrusted(from, mine, [], 'u')).to.equal('db: x.db\n');
    await chmod(shared, 0o777);
    expect((await refusal(requireTrusted(from, mine, [], 'u'))).message).to.include(`to the folder ${shared}`);
    if (process.geteuid!() !== 0) return;
    await chmod(shared, 0o1777);
    await requireTrusted(from, mine, [], 'u');
    await lchown(join(shared, 'current'), OTHER, OTHER);
    const led = await refusal(requireTrusted(from, mine, [], 'u'));
    expect(led.message).to.include(`the link ${join(shared, 'current')} belongs to`);
  });

  it('is refused when its links lead nowhere or round, and when it is a pipe', async () => {
    await rm(file);
    await symlink('none.yaml', file);
    expect((await refusal(requireTrusted(found(), mine, ['*'], 'u'))).message).to.equal(`${file}: file not found`);
    await rm(file);
    await symlink('lukhas.yaml', file);
    expect((await refusal(requireTrusted(found(), mine, ['*'], 'u'))).message).to.include('cannot be read (ELOOP)');
    await rm(file);
    execFileSync('mkfifo', [file]);
    expect((await refusal(requireTrusted(found(), mine, ['*'], 'u'))).message).to.include('is not a regular file');
  });

  it('may not have been led to by the repository or the link of another', async () => {
    // Without root nobody can give files away; the rule itself is tested above.
    if (process.geteuid!() !== 0) {
      expect(whoElse(place({ kind: 'repository', uid: OTHER }), NOT_ROOT)).to.deep.equal({ uid: OTHER });
      return;
    }
    const below = join(folder, 'a', 'b');
    await mkdir(below, { recursive: true });
    await mkdir(join(folder, '.git'));
    const env = { HOME: '/nowhere' };
    expect((await loadConfig({ cwd: below, env })).files).to.deep.equal([file]);
    await lchown(join(folder, '.git'), OTHER, OTHER);
    const led = await refusal(loadConfig({ cwd: below, env }));
    expect(led.message).to.include(`the repository ${join(folder, '.git')} belongs to`);
    expect((await loadConfig({ cwd: below, env: { ...env, SUDO_UID: String(OTHER) } })).files).to.deep.equal([file]);
    await rename(join(folder, '.git'), join(top, 'theirs'));
    await symlink(join(top, 'theirs'), join(folder, '.git'));
    const linked = await refusal(loadConfig({ cwd: below, env }));
    expect(linked.message).to.include(`the repository ${join(top, 'theirs')} belongs to`);
    const elsewhere = join(top, 'link');
    await mkdir(elsewhere);
    await symlink(file, join(elsewhere, 'lukhas.yaml'));
    await rm(join(folder, '.git'), { recursive: true });
    expect((await loadConfig({ cwd: elsewhere, env })).files).to.have.length(1);
    await lchown(join(elsewhere, 'lukhas.yaml'), OTHER, OTHER);
    expect((await refusal(loadConfig({ cwd: elsewhere, env }))).message).to.include('the link');
  });
});
