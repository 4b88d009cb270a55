import { execFile, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { verifyAll } from '../../../src/lib/app/verification.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { drive, driver, FakeClock, HEALTHY, START, scripted, start } from '../../lib/canary/harness.js';
import { policy } from '../../lib/judge/looks.js';
import { xorshift } from '../../xorshift.js';
import { firstLine, Workspace } from '../lukhas.js';
import { SmallDisk } from '../small-disk.js';
import { noted } from './noted.js';

const run = promisify(execFile);
const APPENDER = fileURLToPath(new URL('append-steadily.ts', import.meta.url));
const CANARIES = 24;
const KILLS = 12;

/** Runs from source and from the bundle alike; age and age-keygen are Debian's. */
describe('lukhas db', () => {
  let w: Workspace;
  let to: string;
  let key: string;
  let recipient: string;
  /** A log of canaries that ended in spring, and a newest entry of today. */
  let seeded: Workspace;

  before(async () => {
    seeded = new Workspace();
    const ledger = await openLedger(seeded.db);
    const clock = new FakeClock(START);
    for (let i = 0; i < CANARIES; i++) {
      const plan = policy({ targets: { max_error_rate: 0.02 } });
      const { id } = await start(ledger, clock, { policy: plan, toGate: `gate-${i}` });
      await drive({ ...driver({ ledger, clock, source: scripted(clock, () => HEALTHY) }), clock }, id);
    }
    await ledger.commit({ events: [noted('today')] });
    await ledger.close();
  });
  after(() => seeded.remove());

  beforeEach(() => {
    w = new Workspace();
    to = join(w.dir, 'backups');
    mkdirSync(to);
    key = join(w.dir, 'backup.key');
    execFileSync('age-keygen', ['-o', key], { stdio: 'ignore' });
    recipient = execFileSync('age-keygen', ['-y', key]).toString().trim();
    copyFileSync(seeded.db, w.db);
  });
  afterEach(() => w.remove());

  const backup = (...more: string[]) => w.run(['db', 'backup', '--to', to, '--recipient', recipient, ...more]);
  const copies = () => readdirSync(to).filter((name) => name.endsWith('.age'));
  const holds = async (path: string) => {
    const { logHolds, problems } = await verifyAll(path);
    expect(problems).to.deep.equal([]);
    expect(logHolds).to.equal(true);
  };
  /** By age and sqlite3 alone. */
  const entriesIn = async (copy: string) => {
    const plain = join(w.dir, 'plain.db');
    await run('age', ['-d', '-i', key, '-o', plain, copy]);
    const { stdout } = await run('sqlite3', [plain, 'PRAGMA integrity_check; SELECT count(*) FROM events']);
    rmSync(plain);
    const [integrity, count] = stdout.trim().split('\n');
    expect(integrity).to.equal('ok');
    return Number(count);
  };

  it('makes backups that age decrypts, and restores the same root from them', async () => {
    await w.run(['keys', 'init']);
    const made = await w.json(['db', 'backup', '--to', to, '--recipient', recipient]);
    const file = String(made['file']);
    expect(await entriesIn(file)).to.equal(made['size']);
    const status = await w.json(['db', 'status']);
    expect(status['lastBackup']).to.have.nested.property('data.sha256', made['sha256']);
    rmSync(w.db);
    const restored = await w.json(['db', 'restore', file, '--identity', key]);
    expect(restored).to.include({ size: made['size'], root: made['root'], kept: null });
    expect(restored['checkpoint']).to.include({ verified: true });
    expect(await w.read(async (ledger) => (await ledger.root(Number(made['size']))).root.toString('hex'))).to.equal(
      made['root'],
    );
    await holds(w.db);
  });

  it('refuses to restore a copy that is cut off, altered or older, in one line, and a database in use', async () => {
    await backup();
    const file = join(to, copies()[0] ?? '');
    const bytes = readFileSync(file);
    const short = w.file('short.age', bytes.subarray(0, bytes.length - 1));
    const altered = w.file('altered.age', Buffer.from(bytes).fill(0, bytes.length >> 1, (bytes.length >> 1) + 1));
    for (const copy of [short, altered]) {
      const refused = await w.run(['db', 'restore', copy, '--identity', key, '--older']);
      expect(refused.code).to.equal(7);
      expect(firstLine(refused)).to.equal(
        `lukhas: ${copy}: was altered or is cut off: it cannot be decrypted to its end`,
      );
    }
    const older = await w.run(['db', 'restore', file, '--identity', key]);
    expect(older.code).to.equal(7);
    expect(firstLine(older)).to.match(
      /: is older than .*: it has \d+ entries, the log there has \d+: 1 would be lost$/,
    );
    const ledger = await openLedger(w.db);
    const busy = await w.run(['db', 'restore', file, '--identity', key, '--older']);
    await ledger.close();
    expect(busy.code).to.equal(1);
    expect(firstLine(busy)).to.equal(`lukhas: ${w.db} is open in another process`);
    await holds(w.db);
  });

  it('lets another process go on appending during a backup and maintenance', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', APPENDER, w.db], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    while (said === '') await wait(10);
    const acknowledged = () => said.split('\n').length;
    const before = acknowledged();
    const made = await w.json(['db', 'backup', '--to', to, '--recipient', recipient]);
    const between = acknowledged();
    const maintained = await w.json(['db', 'maintain']);
    expect(maintained['pruned']).to.include({ canaries: CANARIES });
    expect(between).to.be.greaterThan(before);
    expect(acknowledged()).to.be.greaterThan(between);
    child.kill('SIGTERM');
    await ended;
    const gaps = (JSON.parse(said.trimEnd().split('\n').at(-1) ?? '[]') as number[]).sort((a, b) => a - b);
    console.log(
      `      ${gaps.length} appends, gap p99 ${gaps[Math.floor(gaps.length * 0.99)]?.toFixed(1)} ms, longest ${gaps.at(-1)?.toFixed(1)} ms`,
    );
    // Everything that was acknowledged is there.
    const seqs = said.trimEnd().split('\n').slice(0, -1).map(Number);
    const events = await w.events();
    for (const [i, seq] of seqs.entries()) expect(events[seq]?.data).to.include({ message: `s${i}` });
    expect(await entriesIn(String(made['file']))).to.equal(made['size']);
    await holds(w.db);
  });

  describe('killed at any moment', () => {
    const seed = Date.now() & 0xffffff;
    const random = xorshift(seed);

    async function killed(args: readonly string[], longestMs: number): Promise<boolean> {
      const running = w.start(args);
      await wait(random() * longestMs);
      running.child.kill('SIGKILL');
      return (await running.finished).code === null;
    }

    /** How long the command takes when nobody kills it. */
    async function lengthOf(args: readonly string[]): Promise<number> {
      const began = performance.now();
      expect((await w.run(args)).code).to.equal(0);
      return performance.now() - began;
    }

    it('a backup leaves whole copies or none, and no unencrypted one for long', async () => {
      const args = ['db', 'backup', '--to', to, '--recipient', recipient];
      const long = await lengthOf(args);
      let kills = 0;
      for (let i = 0; i < KILLS; i++) if (await killed(args, long)) kills++;
      expect((await backup()).code).to.equal(0);
      for (const name of copies()) expect(await entriesIn(join(to, name))).to.be.greaterThan(0);
      const left = readdirSync(w.dir).filter((name) => name.endsWith('.tmp') || name.endsWith('.tmp-journal'));
      expect(left, `seed ${seed}`).to.deep.equal([]);
      await holds(w.db);
      console.log(`      ${kills} of ${KILLS} killed`);
    });

    it('maintenance loses nothing that no entry says was pruned, and the next one goes on', async () => {
      copyFileSync(seeded.db, join(w.dir, 'fresh.db'));
      const long = await lengthOf(['db', 'maintain', '--db', join(w.dir, 'fresh.db')]);
      let kills = 0;
      for (let i = 0; i < KILLS; i++) {
        if (await killed(['db', 'maintain'], long)) kills++;
        await holds(w.db);
      }
      expect((await w.run(['db', 'maintain'])).code).to.equal(0);
      const pruned = (await w.events()).filter(({ kind }) => kind === 'canary.pruned');
      expect(pruned.map(({ subject }) => subject)).to.have.length(CANARIES);
      expect(new Set(pruned.map(({ subject }) => subject)).size).to.equal(CANARIES);
      await holds(w.db);
      console.log(`      ${kills} of ${KILLS} killed`);
    });

    it('restoring leaves the old database or the new one, whole', async () => {
      await backup();
      const file = join(to, copies()[0] ?? '');
      const size = (await w.events()).length;
      const args = ['db', 'restore', file, '--identity', key, '--older'];
      copyFileSync(w.db, join(w.dir, 'before.db'));
      const long = await lengthOf(args);
      let kills = 0;
      for (let i = 0; i < KILLS; i++) {
        for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(`${w.db}${ending}`, { force: true });
        copyFileSync(join(w.dir, 'before.db'), w.db);
        if (await killed(args, long)) kills++;
        await holds(w.db);
        // The copy lacks the entry about itself, and gets one about being restored.
        expect((await w.events()).length, `seed ${seed}`).to.be.oneOf([size - 1, size]);
      }
      console.log(`      ${kills} of ${KILLS} killed`);
    });
  });

  describe('on a full disk', () => {
    let disk: SmallDisk;
    beforeEach(() => {
      disk = new SmallDisk(join(w.dir, 'small'));
    });
    afterEach(() => disk.unmount());

    it('says so, leaves nothing half done, and goes on once there is room', async () => {
      const there = join(disk.dir, 'backups');
      mkdirSync(there);
      disk.fill();
      const args = ['db', 'backup', '--to', there, '--recipient', recipient];
      const full = await w.run(args);
      expect(full.code).to.equal(1);
      expect(firstLine(full)).to.match(/^lukhas: --to .*: cannot be written \(the disk is full\)$/);
      expect(readdirSync(there)).to.deep.equal([]);
      expect((await w.events()).some(({ kind }) => kind === 'backup.made')).to.equal(false);
      disk.free();
      expect((await w.run(args)).code).to.equal(0);

      // Restoring into it, and maintaining what is in it.
      const db = join(disk.dir, 'log.db');
      const copy = join(w.dir, readdirSync(there)[0] ?? '');
      writeFileSync(copy, readFileSync(join(there, readdirSync(there)[0] ?? '')));
      rmSync(there, { recursive: true });
      disk.fill();
      const noRoom = await w.run(['db', 'restore', copy, '--identity', key, '--db', db]);
      expect(noRoom.code).to.equal(1);
      expect(firstLine(noRoom)).to.equal(`lukhas: the disk of ${db} has no room for the copy`);
      expect(existsSync(db)).to.equal(false);
      disk.free();
      expect((await w.run(['db', 'restore', copy, '--identity', key, '--db', db])).code).to.equal(0);
      disk.fill();
      const maintained = await w.run(['db', 'maintain', '--db', db]);
      expect(maintained.code, maintained.stderr).to.equal(1);
      expect(firstLine(maintained)).to.match(/^lukhas: The ledger .* cannot grow|could not be written/);
      disk.free();
      expect((await w.run(['db', 'maintain', '--db', db])).code).to.equal(0);
      await holds(db);
    });
  });
});
