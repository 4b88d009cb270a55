import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { canaryId, expectNoInsides, firstLine, type Run, type Running, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';
import { SmallDisk } from './small-disk.js';

const POLICY = `
windowSeconds: 4
intervalSeconds: 1
targets: { latency_p95_ms: 250, max_error_rate: 0.02 }
`;

describe('storage in trouble', () => {
  const workspaces: Workspace[] = [];
  const disks: SmallDisk[] = [];
  let page: Page;
  before(async () => {
    page = await serve(counting(5000, 0.0005));
  });
  afterEach(async () => {
    // Before the folders it is mounted in; lazily, as a process of a test that failed may still use it.
    for (const disk of disks.splice(0)) disk.unmount();
    await Promise.all(workspaces.splice(0).map((w) => w.remove()));
  });
  after(() => page.close());

  function workspace(): Workspace {
    const w = new Workspace();
    workspaces.push(w);
    w.file('policy.yaml', POLICY);
    return w;
  }

  function small(w: Workspace): SmallDisk {
    const disk = new SmallDisk(join(w.dir, 'disk'));
    disks.push(disk);
    return disk;
  }

  const starting = (model = 'fraud-v2') => {
    const names = ['--model', model, '--from', 'stage', '--to', 'production'];
    return ['canary', 'start', ...names, '--policy', 'policy.yaml', '--canary-url', page.url];
  };
  const started = async (running: Running): Promise<void> => {
    await running.says(/^started c-/m);
    // A few looks.
    await wait(1500);
  };
  const ticksOf = async (db: string, id: string) => {
    const ledger = await openLedger(db, { readOnly: true });
    try {
      return (await ledger.observations(id)).map(({ tick }) => tick);
    } finally {
      await ledger.close();
    }
  };
  const wholeAgain = async (w: Workspace, db: string, id: string): Promise<void> => {
    const resumed = await w.run(['canary', 'resume', id, '--db', db]);
    expect(resumed.code, resumed.stderr).to.equal(0);
    expect(resumed.stdout).to.match(/^PROMOTED /);
    const ticks = await ticksOf(db, id);
    expect(ticks).to.deep.equal(ticks.map((_, i) => i));
    const verified = await w.run(['verify', '--db', db]);
    expect(verified.code, verified.stdout).to.equal(0);
  };
  /** One line says it, one what to do. */
  const says = (run: Run, code: number, line: RegExp): void => {
    expect(run.code, run.stderr).to.equal(code);
    expect(firstLine(run), run.stderr).to.match(line);
    expect(run.stderr.trimEnd().split('\n').length, run.stderr).to.be.at.most(2);
    expect(run.stdout).to.equal('');
  };

  describe('a disk that is full', () => {
    it('stops a running canary with one line; with space again it goes on, and nothing is lost', async () => {
      const w = workspace();
      const disk = small(w);
      const db = join(disk.dir, 'log.db');
      const running = w.start([...starting(), '--db', db]);
      await started(running);
      disk.fill();
      const run = await running.finished;
      const id = canaryId(run);
      expect(run.code, run.stderr).to.equal(1);
      const lines = run.stderr.trimEnd().split('\n');
      expect(lines.at(-2)).to.match(/^lukhas: The ledger .*log\.db cannot grow: its disk is full/);
      expect(lines.at(-1)).to.match(/^ {2}Free disk space .*nothing was partly recorded\.$/);
      expectNoInsides(run);
      const before = await ticksOf(db, id);
      expect(before.length).to.be.at.least(1);

      const status = await w.run(['canary', 'status', id, '--db', db]);
      expect(status.code, status.stderr).to.equal(0);
      const still = await w.run(['canary', 'resume', id, '--db', db]);
      expect(still.code).to.equal(1);
      expect(still.stderr).to.match(/^lukhas: The ledger .* cannot grow/m);

      disk.free();
      await wholeAgain(w, db, id);
      expect((await ticksOf(db, id)).slice(0, before.length)).to.deep.equal(before);
    });

    it('refuses a start, and leaves no trace of it', async () => {
      const w = workspace();
      const disk = small(w);
      const db = join(disk.dir, 'log.db');
      const first = await w.run([...starting(), '--detach', '--db', db]);
      expect(first.code, first.stderr).to.equal(0);
      disk.fill();
      const full = /^lukhas: The ledger .* (cannot grow|could not be written or read): its disk .*full/;
      says(await w.run([...starting('other'), '--db', db]), 1, full);
      says(await w.run([...starting(), '--db', join(disk.dir, 'new.db')]), 1, full);
      disk.free();
      const { canaries } = await w.json(['canary', 'list', '--db', db]);
      expect((canaries as { modelId: string }[]).map(({ modelId }) => modelId)).to.deep.equal(['fraud-v2']);
      expect((await w.run(['verify', '--db', db])).code).to.equal(0);
      expect((await w.run([...starting(), '--detach', '--db', join(disk.dir, 'new.db')])).code).to.equal(0);
    });
  });

  describe('a database that may only be read', () => {
    it('refuses what would change it, and answers everything else', async () => {
      const w = workspace();
      const disk = small(w);
      const db = join(disk.dir, 'log.db');
      const first = await w.run([...starting(), '--detach', '--db', db]);
      const id = canaryId(first);
      disk.readOnly();
      const refusal = /^lukhas: The ledger .*log\.db is not writable by this user/;
      says(await w.run([...starting(), '--db', db]), 2, refusal);
      says(await w.run(['canary', 'resume', id, '--db', db]), 2, refusal);
      says(await w.run(['canary', 'abort', id, '--reason', 'enough', '--db', db]), 2, refusal);
      for (const command of [['canary', 'status', id], ['canary', 'list'], ['gate', 'list'], ['verify']]) {
        const run = await w.run([...command, '--db', db]);
        expect(run.code, `${command.join(' ')}: ${run.stderr}`).to.equal(0);
      }
      disk.writable();
      await wholeAgain(w, db, id);
    });
  });

  describe('a database that another process writes', () => {
    it('is waited for, however long it takes, by a canary that is running', async () => {
      const w = workspace();
      const running = w.start(starting());
      await started(running);
      const other = new Database(w.db);
      other.exec('BEGIN IMMEDIATE');
      await running.says(/is locked by another process/);
      other.exec('ROLLBACK');
      other.close();
      const run = await running.finished;
      expect(run.code, run.stderr).to.equal(0);
      expectNoInsides(run);
      await wholeAgain(w, w.db, canaryId(run));
    });

    it('is refused with one line by a command that would have to wait for long', async () => {
      const w = workspace();
      const first = await w.run([...starting(), '--detach']);
      const other = new Database(w.db);
      other.exec('BEGIN IMMEDIATE');
      const abort = ['canary', 'abort', canaryId(first), '--reason', 'enough'];
      says(await w.run(abort), 1, /^lukhas: The ledger .* is locked by another process/);
      other.exec('ROLLBACK');
      other.close();
      expect((await w.run(abort)).code).to.equal(0);
    });

    it('takes the starts of many that begin it together', async () => {
      const w = workspace();
      const models = Array.from({ length: 8 }, (_, i) => `model-${i}`);
      const runs = await Promise.all(
        models.map((model) => w.run([...starting(model), '--detach', '--allow-shared-series'])),
      );
      for (const run of runs) expect(run.code, run.stderr).to.equal(0);
      const { canaries } = await w.json(['canary', 'list']);
      expect((canaries as { modelId: string }[]).map(({ modelId }) => modelId).sort()).to.deep.equal(models);
      expect((await w.run(['verify'])).code).to.equal(0);
    });
  });

  describe('a database replaced by something else', () => {
    const GARBAGE: [string, Buffer][] = [
      ['noise', Buffer.alloc(64 * 1024, 0x5a)],
      [
        'noise under a header of SQLite',
        Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(64 * 1024, 0x5a)]),
      ],
      ['a text', Buffer.from('this is no database\n'.repeat(500))],
    ];

    it('is refused with one line by every command; with the right one again the canary goes on', async () => {
      const w = workspace();
      const running = w.start(starting());
      await started(running);
      running.child.kill('SIGKILL');
      const id = canaryId(await running.finished);
      const files = ['', '-wal', '-shm'].map((end) => w.db + end).filter((file) => existsSync(file));
      for (const file of files) copyFileSync(file, `${file}.kept`);
      for (const [what, bytes] of GARBAGE) {
        for (const file of files) rmSync(file, { force: true });
        writeFileSync(w.db, bytes);
        const commands = [
          starting(),
          ['canary', 'resume', id],
          ['canary', 'list'],
          ['canary', 'status', id],
          ['verify'],
        ];
        for (const command of commands) {
          const run = await w.run(command);
          says(run, 7, /^lukhas: The ledger .* is damaged or is not a database/);
          expect(run.stderr, what).to.match(/restore the file from a backup/);
        }
      }
      for (const file of ['', '-wal', '-shm'].map((end) => w.db + end)) rmSync(file, { force: true });
      for (const file of files) copyFileSync(`${file}.kept`, file);
      await wholeAgain(w, w.db, id);
    });

    it('by a database of another program is left as it is', async () => {
      const w = workspace();
      const other = new Database(w.db);
      other.exec('CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES (1)');
      other.close();
      says(await w.run(starting()), 2, /^lukhas: .* is a database of another program/);
      const again = new Database(w.db, { readonly: true });
      expect(again.prepare('SELECT name FROM sqlite_schema').pluck().all()).to.deep.equal(['notes']);
      again.close();
    });
  });

  it('is told as a disk without space, not as a wrong set-up; keys that are there are used', async () => {
    const w = workspace();
    const disk = small(w);
    const db = join(disk.dir, 'l.db');
    for (const args of [
      ['job', 'run', 'probe'],
      ['keys', 'init'],
    ])
      expect((await w.run([...args, '--db', db])).code).to.equal(0);
    disk.fill();
    expect((await w.run(['keys', 'init', '--db', db])).code).to.equal(0);
    const signed = await w.run(['checkpoint', '--db', db]);
    says(signed, 1, /\(ENOSPC\)$|disk reports an error or is full/);
    disk.free();
    expect((await w.run(['checkpoint', '--db', db])).code).to.equal(0);
  });
});
