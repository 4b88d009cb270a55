import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Run, Workspace } from './lukhas.js';

/** An account that owns nothing on this machine. */
const SERVICE = 65_432;
const isRoot = process.geteuid?.() === 0;

describe('root and the account of a service on one database', () => {
  let top: string;
  let folder: string;
  let workspace: Workspace;
  beforeEach(() => {
    workspace = new Workspace();
    // Its parent is root's, as /var/lib is.
    top = realpathSync(mkdtempSync(join(tmpdir(), 'lukhas-root-')));
    chmodSync(top, 0o755);
    folder = join(top, 'var');
    mkdirSync(folder);
    if (isRoot) chownSync(folder, SERVICE, SERVICE);
  });
  afterEach(async () => {
    await workspace.remove();
    rmSync(top, { recursive: true, force: true });
  });

  const env = () => ({ HOME: folder, SHELL: '/bin/sh', LUKHAS_MCP_DB: join(folder, 'l.db') });
  /** Without root both are the same account: then nothing may change hands, and all has to work as well. */
  const asRoot = (...args: string[]): Promise<Run> => workspace.run(args, { cwd: top, env: env() });
  const asService = (...args: string[]): Promise<Run> =>
    isRoot
      ? workspace.runAs(SERVICE, args, { cwd: folder, env: env() })
      : workspace.run(args, { cwd: folder, env: env() });
  const start = ['canary', 'start', '--model', 'm', '--from', 'a', '--to', 'b', '--max-error-rate', '0.02'];
  const detached = [...start, '--window', '60s', '--source', 'none', '--detach'];

  function everything(at: string): string[] {
    return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
      const path = join(at, entry.name);
      return entry.isDirectory() ? [path, ...everything(path)] : [path];
    });
  }

  it('leaves every file to the service, and works on with either', async () => {
    for (const run of [
      await asRoot(...detached),
      await asRoot('keys', 'init'),
      await asRoot('checkpoint'),
      await asRoot('export', '--from', '1d', '--out', join(folder, 'p.zip')),
      await asService(...detached),
      await asService('checkpoint'),
      await asRoot(...detached),
      await asRoot('checkpoint'),
      await asService('export', '--from', '1d', '--out', join(folder, 'p.zip')),
      await asService('verify'),
    ])
      expect(run.code, run.stderr).to.equal(0);
    const owner = isRoot ? SERVICE : process.getuid!();
    for (const path of everything(folder)) {
      const { uid, mode } = statSync(path);
      expect({ path, uid }).to.deep.equal({ path, uid: owner });
      if (path.endsWith('.pem')) expect(mode & 0o777).to.equal(0o600);
    }
  });

  it("leaves to root what root writes into a folder of root's", async () => {
    await asService(...detached);
    await asRoot('keys', 'init');
    const run = await asRoot('export', '--from', '1d', '--out', join(top, 'q.zip'));
    expect(run.code, run.stderr).to.equal(0);
    expect(statSync(join(top, 'q.zip')).uid).to.equal(process.getuid!());
  });

  it('sign the log under one name, that of its configuration', async () => {
    const config = join(folder, 'lukhas.yaml');
    writeFileSync(config, 'keys: { origin: example.com/canaries }\n');
    if (isRoot) chownSync(config, SERVICE, SERVICE);
    for (const run of [await asService(...detached), await asService('keys', 'init'), await asService('checkpoint')])
      expect(run.code, run.stderr).to.equal(0);
    const named = (await asService('keys', 'show', '--role', 'log', '--form', 'vkey')).stdout;
    const db = ['--db', join(folder, 'l.db')];
    for (const size of [1, 2]) {
      for (const args of [['checkpoint'], ['export', '--from', '1d', '--out', join(top, 'q.zip')], ['prove', '0']]) {
        const run = await asRoot(...args, ...db);
        expect(run.code, `${args[0]} of ${size}`).to.equal(2);
        expect(run.stderr)
          .to.match(
            /checkpoints\/1: signed as "example\.com\/canaries", but the log is now named "lukhas-log\/\w{16}"\n/,
          )
          .and.include('Pass --config with the configuration that sets keys.origin');
      }
      await asService(...detached);
    }
    expect((await asRoot('keys', 'show', '--role', 'log', '--form', 'vkey', ...db)).stdout).to.equal(named);
    for (const run of [await asRoot('checkpoint', ...db, '--config', config), await asService('checkpoint')]) {
      expect(run.code, run.stderr).to.equal(0);
      expect(run.stdout).to.match(/^(already )?signed: 3 entries of example\.com\/canaries\n/);
    }
  });

  it('does not let the service have root write elsewhere', async () => {
    await asService(...detached);
    await asService('keys', 'init');
    const elsewhere = join(top, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, join(folder, 'checkpoints'));
    const run = await asRoot('checkpoint');
    if (isRoot) {
      expect(run.code).to.equal(2);
      expect(run.stderr).to.match(
        /checkpoints: is a link or a file, not a folder; root follows no links of other users/,
      );
      expect(readdirSync(elsewhere)).to.deep.equal([]);
      renameSync(join(folder, 'keys'), join(folder, 'old-keys'));
      symlinkSync(elsewhere, join(folder, 'keys'));
      expect((await asRoot('keys', 'init')).code).to.equal(2);
      expect(readdirSync(elsewhere)).to.deep.equal([]);
    } else {
      expect(run.code, run.stderr).to.equal(0);
      expect(existsSync(join(elsewhere, 'checkpoint'))).to.equal(true);
    }
  });

  /** A folder that only root can enter, and what the service must not have root put there. */
  const rootsOwn = (): string => {
    const path = join(top, 'own');
    mkdirSync(path, { mode: 0o700 });
    return path;
  };
  const expectRefused = (run: Run, says: RegExp): void => {
    expect(run.code, run.stderr).to.equal(2);
    expect(run.stderr.split('\n')[0]).to.match(says);
  };

  it("does not sign a service's log with keys that the service links to or did not make", async () => {
    if (!isRoot) return;
    const own = { ...env(), LUKHAS_MCP_DB: join(rootsOwn(), 'l.db') };
    expect((await workspace.run(['keys', 'init'], { cwd: top, env: own })).code).to.equal(0);
    await asService(...detached);
    const keys = join(folder, 'keys');
    mkdirSync(keys, { mode: 0o700 });
    chownSync(keys, SERVICE, SERVICE);
    for (const name of ['log.pem', 'export.pem']) symlinkSync(join(top, 'own', 'keys', name), join(keys, name));
    const commands = [['checkpoint'], ['keys', 'show'], ['export', '--from', '1d', '--out', join(folder, 'p.zip')]];
    for (const command of commands)
      expectRefused(await asRoot(...command), /log\.pem: is a link; root follows no links of other users to a key/);
    rmSync(keys, { recursive: true });
    symlinkSync(join(top, 'own', 'keys'), keys);
    for (const command of commands)
      expectRefused(await asRoot(...command), /keys: is a link or a file, not a folder; root follows no links/);
    rmSync(keys);
    mkdirSync(keys);
    for (const name of ['log.pem', 'export.pem']) copyFileSync(join(top, 'own', 'keys', name), join(keys, name));
    for (const command of commands)
      expectRefused(await asRoot(...command), /log\.pem: this key belongs to uid 0, the database to uid 65432/);
    expect(existsSync(join(folder, 'p.zip'))).to.equal(false);
    expect(existsSync(join(folder, 'checkpoints'))).to.equal(false);
    // Whoever names them knows what for.
    const named = {
      LUKHAS_LOG_KEY_FILE: join(top, 'own', 'keys', 'log.pem'),
      LUKHAS_EXPORT_KEY_FILE: join(top, 'own', 'keys', 'export.pem'),
    };
    const run = await workspace.run(['checkpoint'], { cwd: top, env: { ...env(), ...named } });
    expect(run.code, run.stderr).to.equal(0);
  });

  it('does not let the service lead the outputs of root elsewhere', async () => {
    if (!isRoot) return;
    const elsewhere = rootsOwn();
    await asService(...detached);
    await asRoot('keys', 'init');
    symlinkSync(elsewhere, join(folder, 'exp'));
    mkdirSync(join(elsewhere, 'below'));
    for (const out of ['exp/p', 'exp/below/p'])
      for (const command of [
        ['prove', '0'],
        ['export', '--from', '1d'],
      ])
        expectRefused(
          await asRoot(...command, '--out', join(folder, out)),
          /var\/exp: is a link or a file, not a folder; root follows no links of other users/,
        );
    expectRefused(await asRoot(...detached, '--db', join(folder, 'exp', 'new.db')), /exp: is a link/);
    expect(everything(elsewhere)).to.deep.equal([join(elsewhere, 'below')]);
    // Root's own links, in root's folders, lead on.
    symlinkSync(folder, join(top, 'link'));
    const run = await asRoot('prove', '0', '--out', join(top, 'link', 'p'));
    expect(run.code, run.stderr).to.equal(0);
    expect(statSync(join(folder, 'p')).uid).to.equal(SERVICE);
  });

  it('does not let the service lead the anchors of root elsewhere', async () => {
    if (!isRoot) return;
    const elsewhere = rootsOwn();
    await asService(...detached);
    await asRoot('keys', 'init');
    const audit = join(folder, 'audit');
    const anchoredAt = async (...path: string[]): Promise<Run> => {
      const config = join(top, 'lukhas.json');
      writeFileSync(config, JSON.stringify({ evidence: { anchors: [{ kind: 'file', path: join(...path) }] } }));
      return asRoot('checkpoint', '--config', config);
    };
    symlinkSync(elsewhere, audit);
    const refused = await anchoredAt(audit, 'a.jsonl');
    expect(refused.code).to.not.equal(0);
    expect(refused.stdout + refused.stderr).to.match(
      /audit: is a link or a file, not a folder; root follows no links of other users/,
    );
    rmSync(audit);
    mkdirSync(audit);
    chownSync(audit, SERVICE, SERVICE);
    writeFileSync(join(elsewhere, 'precious'), '');
    symlinkSync(join(elsewhere, 'precious'), join(audit, 'b.jsonl'));
    symlinkSync(join(elsewhere, 'new'), join(audit, 'c.jsonl'));
    for (const name of ['b.jsonl', 'c.jsonl']) {
      const run = await anchoredAt(audit, name);
      expect(run.stdout + run.stderr).to.include('ELOOP');
    }
    expect(readdirSync(elsewhere)).to.deep.equal(['precious']);
    expect(statSync(join(elsewhere, 'precious')).size).to.equal(0);
    // What root makes is the service's only in a folder of the service.
    expect(await anchoredAt(audit, 'a.jsonl')).to.include({ code: 0 });
    expect(statSync(join(audit, 'a.jsonl')).uid).to.equal(SERVICE);
    expect(await anchoredAt(elsewhere, 'a.jsonl')).to.include({ code: 0 });
    expect(statSync(join(elsewhere, 'a.jsonl')).uid).to.equal(0);
    // Root's own links, in root's folders, lead on.
    symlinkSync(elsewhere, join(top, 'link'));
    symlinkSync('a.jsonl', join(elsewhere, 'd.jsonl'));
    const size = statSync(join(elsewhere, 'a.jsonl')).size;
    expect(await anchoredAt(top, 'link', 'd.jsonl')).to.include({ code: 0 });
    expect(statSync(join(elsewhere, 'a.jsonl')).size).to.be.greaterThan(size);
  });

  it("takes the owner of the folder for that of a database of root's in it", async () => {
    if (!isRoot) return;
    const elsewhere = rootsOwn();
    await asService(...detached);
    for (const name of readdirSync(folder).filter((each) => each.startsWith('l.db')))
      chownSync(join(folder, name), 0, 0);
    expect((await asRoot('keys', 'init')).code).to.equal(0);
    expect(statSync(join(folder, 'keys', 'log.pem')).uid).to.equal(SERVICE);
    symlinkSync(elsewhere, join(folder, 'checkpoints'));
    expectRefused(await asRoot('checkpoint'), /checkpoints: is a link or a file, not a folder/);
    expect(readdirSync(elsewhere)).to.deep.equal([]);
  });
});
