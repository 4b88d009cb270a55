import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { type Config, loadConfig } from '../../../../src/lib/app/config.js';
import { type BackupResult, makeBackup } from '../../../../src/lib/app/database/backup.js';
import { type RestoreResult, restoreBackup } from '../../../../src/lib/app/database/restore.js';
import { openCheckpoints } from '../../../../src/lib/app/evidence/checkpoints.js';
import { initKeys } from '../../../../src/lib/app/signing-keys.js';
import { verifyAll } from '../../../../src/lib/app/verification.js';
import type { EventDraft } from '../../../../src/lib/ledger/events.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { MIGRATIONS } from '../../../../src/lib/ledger/sqlite/schema.js';
import { ACTOR, FakeClock } from '../../canary/harness.js';
import { finished } from '../../ledger/examples.js';
import { unguard } from '../../ledger/sqlite/unguarded.js';
import { refusal } from '../../refusal.js';

/** Age encrypts in pieces of 64 KiB: a copy cut off between two of them decrypts up to there. */
const CHUNK = 64 * 1024 + 16;

describe('backups of the database', () => {
  let dir: string;
  let to: string;
  let identity: string;
  let keyFile: string;
  let recipient: string;
  let config: Config;
  let ledger: Ledger;
  let clock: FakeClock;
  const open: Ledger[] = [];

  before(async () => {
    identity = await generateX25519Identity();
    recipient = await identityToRecipient(identity);
  });

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-backup-'));
    to = join(dir, 'backups');
    await mkdir(to);
    keyFile = join(dir, 'backup.key');
    await writeFile(keyFile, `# created: today\n# public key: ${recipient}\n${identity}\n`);
    config = await at('log.db');
    clock = new FakeClock();
    ledger = await openLedger(config.dbPath);
    open.push(ledger);
    await fill(300);
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
    await rm(dir, { recursive: true, force: true });
  });

  const at = (name: string) => loadConfig({ env: { HOME: dir, LUKHAS_MCP_DB: join(dir, name) }, cwd: dir });

  async function fill(count: number): Promise<void> {
    const long: EventDraft[] = Array.from({ length: count }, (_, i) => {
      const event = finished(`c${i}`, i);
      return event.kind === 'hook.finished' ? { ...event, data: { ...event.data, detail: 'ok '.repeat(100) } } : event;
    });
    await ledger.commit({ events: long });
  }

  async function backup(
    more: Partial<Parameters<typeof makeBackup>[0]> = {},
  ): Promise<BackupResult & { file: string }> {
    clock.time += 60_000;
    const target = { kind: 'folder', folder: to, keep: 14 } as const;
    const result = await makeBackup({ ledger, config, clock, by: ACTOR, target, recipients: [recipient], ...more });
    return result as BackupResult & { file: string };
  }

  const restore = (file: string, into = config, more = {}): Promise<RestoreResult> =>
    restoreBackup({
      config: into,
      clock,
      by: ACTOR,
      file,
      identity: keyFile,
      checkpoint: null,
      trust: [],
      older: false,
      ...more,
    });

  async function decryptedCopy(file: string): Promise<Buffer> {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return Buffer.from(await decrypter.decrypt(await readFile(file)));
  }

  /** What somebody who has the public key can make of a copy: it decrypts like an honest one. */
  async function forged(file: string, edit: (db: Database.Database) => void): Promise<string> {
    const plain = join(dir, 'forged.db');
    await writeFile(plain, await decryptedCopy(file));
    const db = new Database(plain);
    unguard(db);
    edit(db);
    db.close();
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const out = join(dir, 'forged.db.age');
    await writeFile(out, await encrypter.encrypt(await readFile(plain)));
    return out;
  }

  const nothingLeft = async (folder = dir) =>
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);

  it('are encrypted, are recorded, and give the same log again', async () => {
    await initKeys(config);
    const before = await ledger.root();
    const made = await backup();
    expect([made.size, made.root]).to.deep.equal([before.size, before.root.toString('hex')]);
    const bytes = await readFile(made.file);
    expect(bytes.includes('hook.finished')).to.equal(false);
    expect(bytes.length).to.equal(made.bytes);
    expect((await readdir(to)).sort()).to.deep.equal(
      [made.checkpoint, made.file].map((path) => path?.slice(to.length + 1)),
    );
    const [entry] = await ledger.events({ from: before.size });
    expect(entry).to.deep.include({ kind: 'backup.made', subject: 'database' });
    expect(entry?.data).to.deep.include({ size: before.size, root: made.root, sha256: made.sha256, bytes: made.bytes });
    await nothingLeft();

    const other = await at('elsewhere/log.db');
    const restored = await restore(made.file, other, { trust: [] });
    expect(restored).to.deep.include({
      size: before.size,
      root: made.root,
      sha256: made.sha256,
      kept: null,
      replaced: null,
    });
    // No key is there to verify its signature with.
    expect(restored.checkpoint).to.deep.equal({ size: before.size, file: made.checkpoint, verified: false });
    const again = await openLedger(other.dbPath);
    open.push(again);
    expect((await again.root(before.size)).root).to.deep.equal(before.root);
    expect((await again.events({ from: before.size })).map(({ kind }) => kind)).to.deep.equal(['backup.restored']);
    expect((await verifyAll(other.dbPath)).logHolds).to.equal(true);
    expect((await again.upkeep.space()).canShrink).to.equal(true);
  });

  it('are kept so many of this log, each with its checkpoint; other files stay', async () => {
    await initKeys(config);
    await writeFile(join(to, 'lukhas-00000000-20200101T000000Z.db.age'), 'of another log');
    await writeFile(join(to, 'notes.txt'), 'mine');
    const target = { kind: 'folder', folder: to, keep: 2 } as const;
    const made = [
      await backup({ target }),
      await backup({ target }),
      await backup({ target }),
      await backup({ target }),
    ];
    expect(made.map(({ removed }) => removed.length)).to.deep.equal([0, 0, 1, 1]);
    expect((await readdir(to)).length).to.equal(2 * 2 + 2);
    expect(await readdir(to)).to.include.members(['lukhas-00000000-20200101T000000Z.db.age', 'notes.txt']);
  });

  it('of a damaged log are none, and push out no copy from before the damage', async () => {
    const target = { kind: 'folder', folder: to, keep: 1 } as const;
    const good = await backup({ target });
    const size = await ledger.size();
    const db = new Database(config.dbPath);
    unguard(db);
    db.prepare("UPDATE events SET body = replace(body, 'ok ok', 'no ok') WHERE seq = 1").run();
    db.close();
    const error = await refusal(backup({ target }));
    expect(error).to.include({ code: 'VERIFICATION', exit: 7 });
    expect(error.message)
      .to.match(/the log is damaged: .*entry 1/)
      .and.to.include('no older copy was removed');
    expect(await readdir(to)).to.include(good.file.slice(to.length + 1));
    expect(await ledger.size()).to.equal(size);
  });

  it('are given to a program, which has to end well', async () => {
    const out = join(dir, 'taken');
    const program = (script: string) => ({ kind: 'command', command: ['sh', '-c', script], passEnv: [] }) as const;
    const made = await backup({ target: program(`cat > ${out}`) });
    expect([made.file, made.bytes]).to.deep.equal([null, (await readFile(out)).length]);
    expect((await decryptedCopy(out)).subarray(0, 15).toString()).to.equal('SQLite format 3');
    const size = await ledger.size();
    const { code, message } = await refusal(
      backup({ target: program('cat > /dev/null; echo no such bucket >&2; exit 3') }),
    );
    expect([code, message]).to.deep.equal(['SYSTEM', '--command sh: exit code 3: no such bucket']);
    expect(await ledger.size()).to.equal(size);
    const cut = await refusal(backup({ target: program('head -c 10 > /dev/null') }));
    expect([cut.code, cut.message]).to.deep.equal(['SYSTEM', '--command sh: ended before it had read the whole copy']);
    expect(await ledger.size()).to.equal(size);
    await nothingLeft();
  });

  it('of the same second do not take the place of one another, nor of a checkpoint', async () => {
    await initKeys(config);
    const same = () =>
      makeBackup({
        ...{ ledger, config, clock, by: ACTOR, recipients: [recipient] },
        target: { kind: 'folder', folder: to, keep: 14 },
      });
    const made = await Promise.all([same(), same()]);
    expect(new Set(made.map(({ file }) => file)).size).to.equal(2);
    for (const { file, sha256 } of made)
      expect(
        createHash('sha256')
          .update(await readFile(file!))
          .digest('hex'),
      ).to.equal(sha256);
    expect((await readdir(to)).length).to.equal(4);
  });

  it('are refused without a recipient, or with what is none, and no secret is repeated', async () => {
    expect((await refusal(backup({ recipients: [] }))).message).to.equal(
      'No recipient given: a backup is always encrypted',
    );
    expect((await refusal(backup({ recipients: ['age1nonsense'] }))).message).to.equal(
      '--recipient: "age1nonsense" is not an age recipient (age1...)',
    );
    const { message } = await refusal(backup({ recipients: [identity] }));
    expect(message).to.equal('--recipient: a secret key is not an age recipient (age1...)');
    const target = { kind: 'folder', folder: join(dir, 'missing'), keep: 1 } as const;
    expect((await refusal(backup({ target }))).message).to.match(/^--to .*missing: folder not found$/);
    expect(await readdir(to)).to.deep.equal([]);
  });

  it('that are cut off or altered replace nothing', async () => {
    const { file, bytes } = await backup();
    const whole = await readFile(file);
    const header = bytes % CHUNK;
    const untouched = await ledger.root();
    await ledger.close();
    open.splice(0);
    const cuts = [0, 10, 100, header, header + 1, header + CHUNK, bytes - CHUNK, bytes - 17, bytes - 1];
    for (const length of cuts) {
      await writeFile(file, whole);
      await truncate(file, length);
      const error = await refusal(restore(file, config, { older: true }));
      expect(error.code, `cut to ${length}: ${error.message}`).to.equal('VERIFICATION');
      expect(error.message).to.match(/is cut off/);
    }
    for (const place of [0, header, bytes >> 1, bytes - 1]) {
      const altered = Buffer.from(whole);
      altered.writeUInt8(altered.readUInt8(place) ^ 1, place);
      await writeFile(file, altered);
      const error = await refusal(restore(file, config, { older: true }));
      expect(error.code, `altered at ${place}: ${error.message}`).to.equal('VERIFICATION');
    }
    ledger = await openLedger(config.dbPath);
    open.push(ledger);
    expect(await ledger.root()).to.deep.equal(untouched);
    await nothingLeft();
  });

  it('are not decrypted by other keys, and a key file that holds none says so', async () => {
    const { file } = await backup();
    await ledger.close();
    open.splice(0);
    const other = join(dir, 'other.key');
    await writeFile(other, await generateX25519Identity());
    expect((await refusal(restore(file, config, { identity: other }))).message).to.equal(
      `${file}: none of the given keys can decrypt it`,
    );
    await writeFile(other, recipient);
    expect((await refusal(restore(file, config, { identity: other }))).message).to.equal(
      `--identity ${other}: contains no secret key (AGE-SECRET-KEY-...)`,
    );
    await writeFile(other, `${identity.slice(0, -4)}AAAA`);
    const { message } = await refusal(restore(file, config, { identity: other }));
    expect(message).to.equal(`--identity ${other}: holds a damaged secret key`);
    await nothingLeft();
  });

  it('do not replace a database that is open', async () => {
    const { file } = await backup();
    const error = await refusal(restore(file, config, { older: true }));
    expect([error.code, error.message]).to.deep.equal(['LEDGER_BUSY', `${config.dbPath} is open in another process`]);
  });

  it('that are older than the log need --older, and the old file is kept whole', async () => {
    const { file, size, root } = await backup();
    await fill(5);
    const newer = await ledger.root();
    await ledger.close();
    open.splice(0);
    const error = await refusal(restore(file));
    expect(error.code).to.equal('VERIFICATION');
    expect(error.message).to.equal(
      `${file}: is older than ${config.dbPath}: it has ${size} entries, the log there has ${newer.size}: ${newer.size - size} would be lost`,
    );
    const restored = await restore(file, config, { older: true });
    expect(restored).to.deep.include({ size, root, replaced: newer.size, setAside: [] });
    const kept = await openLedger(restored.kept ?? '', { readOnly: true });
    open.push(kept);
    expect(await kept.root()).to.deep.equal(newer);
    // In the same second: what was kept stays.
    const again = await restore(file, config, { older: true });
    expect(again.kept).to.equal(`${restored.kept}-2`);
  });

  it('that are older than what was signed need --older, and the log goes on under another name', async () => {
    await initKeys(config);
    const { file, size } = await backup();
    await fill(5);
    await (await openCheckpoints({ ledger, config })).make();
    await ledger.close();
    open.splice(0);
    // The database is lost, what was signed of it is not.
    await rm(config.dbPath);
    const error = await refusal(restore(file));
    expect(error.message).to.match(
      new RegExp(`is older than what was signed: it has ${size} entries, the checkpoint .* covers`),
    );
    const { setAside } = await restore(file, config, { older: true });
    expect(setAside.map((path) => path.replace(/\.before-restore-.*/, ''))).to.deep.equal([
      join(dir, 'checkpoints'),
      join(dir, 'keys', 'log.pem'),
    ]);
    await initKeys(config);
    ledger = await openLedger(config.dbPath);
    open.push(ledger);
    const made = await (await openCheckpoints({ ledger, config })).make();
    expect(made.size).to.equal(size + 1);
  });

  it('that somebody else made, or changed before they were encrypted, are refused', async () => {
    await initKeys(config);
    const { file, size, checkpoint } = await backup();
    await ledger.close();
    open.splice(0);
    await rm(config.dbPath);
    const edits: [string, (db: Database.Database) => void, RegExp][] = [
      ['one entry', (db) => db.exec("UPDATE events SET subject = 'other' WHERE seq = 5"), /is damaged: entry 5: /],
      [
        'the end',
        (db) => db.exec('DELETE FROM events WHERE seq > 100'),
        /is older than its log was: it has 101 entries/,
      ],
      [
        'a trigger',
        (db) => db.exec('CREATE TRIGGER x AFTER INSERT ON events BEGIN SELECT 1; END'),
        /is damaged: unknown trigger x/,
      ],
    ];
    for (const [what, edit, says] of edits) {
      const error = await refusal(restore(await forged(file, edit), config, { checkpoint }));
      expect(error.code, what).to.equal('VERIFICATION');
      expect(error.message, what).to.match(says);
    }
    // Another log of the same length, whole in itself.
    const other = await openLedger(join(dir, 'other.db'));
    open.push(other);
    await other.commit({ events: Array.from({ length: size }, (_, i) => finished('x', i)) });
    const otherConfig = await at('other.db');
    const made = await makeBackup({
      ledger: other,
      config: otherConfig,
      clock,
      by: ACTOR,
      target: { kind: 'folder', folder: to, keep: 9 },
      recipients: [recipient],
    });
    const error = await refusal(restore(made.file ?? '', config, { checkpoint }));
    expect(error.message).to.match(/does not continue .*: its first 300 entries are not those that were signed/);
    // A checkpoint that another key signed says nothing.
    await rm(join(dir, 'keys'), { recursive: true });
    await initKeys(config);
    expect((await refusal(restore(file))).code).to.equal('VERIFICATION');
    await nothingLeft();
  });

  it('of a newer version are refused in one line', async () => {
    const { file } = await backup();
    await ledger.close();
    open.splice(0);
    const newer = await forged(file, (db) => db.pragma(`user_version = ${MIGRATIONS.length + 1}`));
    const error = await refusal(restore(newer, config, { older: true }));
    expect([error.code, error.message]).to.deep.equal([
      'LEDGER_TOO_NEW',
      `The ledger ${newer} was written by a newer lukhas (format ${MIGRATIONS.length + 1}; this one knows ${MIGRATIONS.length})`,
    ]);
  });

  it('replace a database that is damaged, and keep it as it is', async () => {
    const { file, size } = await backup();
    await ledger.close();
    open.splice(0);
    const damaged = Buffer.alloc(8192, 'x');
    await writeFile(config.dbPath, damaged);
    const { kept, replaced } = await restore(file);
    expect(replaced).to.equal(null);
    expect(await readFile(kept ?? '')).to.deep.equal(damaged);
    ledger = await openLedger(config.dbPath);
    open.push(ledger);
    expect(await ledger.size()).to.equal(size + 1);
  });
});
