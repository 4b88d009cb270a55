import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { MIGRATIONS } from '../../../../src/lib/ledger/sqlite/schema.js';
import { finished, withFolder } from '../examples.js';

async function refusal(promise: Promise<unknown>): Promise<LukhasError> {
  const error = await promise.then(
    () => expect.fail('it was accepted'),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(LukhasError);
  expect((error as LukhasError).message).not.to.include('\n');
  expect((error as LukhasError).suggestions).not.to.deep.equal([]);
  return error as LukhasError;
}

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

async function withEntry(path: string): Promise<void> {
  const ledger = await openLedger(path);
  await ledger.commit({ events: [finished('c1')] });
  await ledger.close();
}

/** As an older lukhas made it, with nothing in it. */
function ofVersion(path: string, version: number): Database.Database {
  const db = new Database(path);
  for (const step of MIGRATIONS.slice(0, version)) db.exec(step);
  db.pragma(`user_version = ${version}`);
  return db;
}

/** Takes the rights away, and those of root with them. */
async function withoutWriteAccess(path: string, test: () => Promise<void>): Promise<void> {
  const folder = dirname(path);
  const isRoot = process.geteuid?.() === 0;
  for (const name of await readdir(folder)) await chmod(join(folder, name), 0o444);
  if (isRoot) await chmod(dirname(folder), (await stat(dirname(folder))).mode | 0o055);
  await chmod(folder, 0o555);
  if (isRoot) process.seteuid?.('nobody');
  try {
    await test();
  } finally {
    if (isRoot) process.seteuid?.('root');
    await chmod(folder, 0o755);
  }
}

describe('opening a ledger', () => {
  it('makes the folder and the file for this user alone', async () => {
    await withFolder(async (path) => {
      const deep = join(dirname(path), 'a', 'b', 'log.db');
      await withEntry(deep);
      expect(await mode(dirname(deep))).to.equal('700');
      expect(await mode(deep)).to.equal('600');
    });
  });

  it('ends where no folder can be made, and says so', async () => {
    // In a process of its own: what never ends would take this one with it.
    const open = `
      import { openLedger } from ${JSON.stringify(new URL('../../../../src/lib/ledger/sqlite/ledger.ts', import.meta.url).href)};
      await openLedger('/proc/none/deep/log.db').catch((error) => console.log(error.code + ' ' + error.message));`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', open];
    const { stdout, signal } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 15_000 });
    expect(signal).to.equal(null);
    expect(stdout).to.match(/^LEDGER_UNAVAILABLE The ledger \/proc\/none\/deep\/log\.db cannot be opened \(ENOENT/);
  });

  it('takes any file name as it is', async () => {
    await withFolder(async (path) => {
      for (const name of [' odd name?mode=memory#1%20', ':memory:', 'file:x.db', 'größe.db']) {
        await withEntry(join(dirname(path), name));
        expect(await readdir(dirname(path))).to.include(name);
      }
    });
  });

  it('waits for every transaction to be on the disk', async () => {
    await withFolder(async (path) => {
      const { openConnection } = await import('../../../../src/lib/ledger/sqlite/open.js');
      const { db } = await openConnection(path);
      expect(db.pragma('journal_mode', { simple: true })).to.equal('wal');
      expect(db.pragma('synchronous', { simple: true })).to.equal(2);
      expect(db.pragma('foreign_keys', { simple: true })).to.equal(1);
      db.close();
    });
  });

  it('does not load the schema library for reading', async () => {
    await withFolder(async (path) => {
      await withEntry(path);
      const { execFile } = await import('node:child_process');
      const { promisify } = await import('node:util');
      const source = new URL('../../../../src/lib/ledger/sqlite/ledger.ts', import.meta.url).href;
      const script = `
        import { createRequire, register } from 'node:module';
        register('data:text/javascript,' + encodeURIComponent(
          'export async function resolve(s, c, next) { if (s === "zod") throw new Error("zod was loaded"); return next(s, c); }'));
        const { openLedger } = await import(${JSON.stringify(source)});
        const ledger = await openLedger(${JSON.stringify(path)}, { readOnly: true });
        console.log((await ledger.events()).length);
        await ledger.close();
        const writing = await openLedger(${JSON.stringify(path)});
        const event = (await writing.events())[0];
        await writing.commit({ events: [event] }).catch((error) => console.log(error.message));`;
      const args = ['--import', 'tsx', '--input-type=module', '-e', script];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      expect(stdout).to.equal('1\nzod was loaded\n');
    });
  });

  it('refuses a file that is no database, without touching it', async () => {
    await withFolder(async (path) => {
      const text = 'this is a text of more than a hundred bytes, '.repeat(10);
      await writeFile(path, text);
      expect((await refusal(openLedger(path))).code).to.equal('LEDGER_CORRUPT');
      expect((await refusal(openLedger(path, { readOnly: true }))).code).to.equal('LEDGER_CORRUPT');
      expect((await stat(path)).size).to.equal(text.length);
    });
  });

  it("refuses another program's database, without touching it", async () => {
    await withFolder(async (path) => {
      const other = new Database(path);
      other.exec('CREATE TABLE theirs (a)');
      other.close();
      expect((await refusal(openLedger(path))).code).to.equal('LEDGER_UNAVAILABLE');
      const again = new Database(path);
      expect(again.prepare('SELECT name FROM sqlite_schema').pluck().all()).to.deep.equal(['theirs']);
      expect(again.pragma('journal_mode', { simple: true })).to.equal('delete');
      again.close();
    });
  });

  it('says how a ledger of any version that was made from a dump is opened: it lacks two numbers', async () => {
    for (let version = 1; version <= MIGRATIONS.length; version++)
      await withFolder(async (path) => {
        const dumped = ofVersion(path, version);
        const applicationId = dumped.pragma('application_id', { simple: true });
        for (const name of ['application_id', 'user_version']) dumped.pragma(`${name} = 0`);
        dumped.close();
        const error = await refusal(openLedger(path));
        expect(error.message).to.include('has the tables of a ledger');
        const numbers = `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}"`;
        expect(error.suggestions[0]).to.include(numbers);
      });
  });

  it('of an older version, for reading changes nothing; for writing brings it up to date, with who holds what', async () => {
    for (let version = 1; version < MIGRATIONS.length; version++)
      await withFolder(async (path) => {
        const old = ofVersion(path, version);
        const column = version < 4 ? 'canary' : 'subject';
        old.prepare(`INSERT INTO leases (${column}, holder, expires_at) VALUES ('c1', 'web-1:1:0123abcd', 99)`).run();
        old.close();
        const reading = await openLedger(path, { readOnly: true });
        expect(await reading.events()).to.deep.equal([]);
        await reading.close();
        const ledger = await openLedger(path);
        expect(await ledger.lease('c1')).to.deep.equal({ holder: 'web-1:1:0123abcd', expiresAt: 99 });
        expect(await ledger.acquireLease('c1', 'me', 98, 1)).to.equal(false);
        expect(await ledger.acquireLease('c1', 'me', 99, 1)).to.equal(true);
        await ledger.close();
      });
  });

  it('refuses a ledger of a newer format', async () => {
    await withFolder(async (path) => {
      await withEntry(path);
      const raw = new Database(path);
      raw.pragma('user_version = 99');
      raw.close();
      for (const readOnly of [false, true]) {
        const error = await refusal(openLedger(path, { readOnly }));
        expect(error.code).to.equal('LEDGER_TOO_NEW');
        expect(error.message).to.include(path).and.include('99');
      }
    });
  });

  it('refuses a folder, and a path through a file', async () => {
    await withFolder(async (path) => {
      await mkdir(path);
      expect((await refusal(openLedger(path))).code).to.equal('LEDGER_UNAVAILABLE');
      await writeFile(`${path}.txt`, '');
      expect((await refusal(openLedger(join(`${path}.txt`, 'log.db')))).code).to.equal('LEDGER_UNAVAILABLE');
    });
  });

  describe('for reading only', () => {
    it('neither makes nor changes anything', async () => {
      await withFolder(async (path) => {
        expect((await refusal(openLedger(path, { readOnly: true }))).message).to.match(/: no ledger found$/);
        expect(await readdir(dirname(path))).to.deep.equal([]);
        await writeFile(path, '');
        expect((await refusal(openLedger(path, { readOnly: true }))).code).to.equal('LEDGER_UNAVAILABLE');
        expect((await stat(path)).size).to.equal(0);
      });
    });

    it('refuses to write', async () => {
      await withFolder(async (path) => {
        await withEntry(path);
        const ledger = await openLedger(path, { readOnly: true });
        for (const write of [
          ledger.commit({ events: [finished('c1')] }),
          ledger.acquireLease('c1', 'a', 0, 1),
          ledger.rebuildSummaries(async function* () {
            // No heads.
          }),
        ]) {
          const error = await write.then(
            () => expect.fail('it wrote'),
            (reason: LukhasError) => reason,
          );
          expect(error.code).to.equal('LEDGER_READ_ONLY');
        }
        expect(await ledger.events()).to.have.length(1);
        await ledger.close();
      });
    });

    it('sees what a writer has just committed', async () => {
      await withFolder(async (path) => {
        const writer = await openLedger(path);
        const reader = await openLedger(path, { readOnly: true });
        await writer.commit({ events: [finished('c1')] });
        expect(await reader.events()).to.have.length(1);
        await writer.close();
        await reader.close();
      });
    });

    it('reads a file and folder without write access', async () => {
      await withFolder(async (path) => {
        await withEntry(path);
        await withoutWriteAccess(path, async () => {
          const ledger = await openLedger(path, { readOnly: true });
          expect(await ledger.events()).to.have.length(1);
          await ledger.close();
          expect((await refusal(openLedger(path))).code).to.equal('LEDGER_READ_ONLY');
        });
      });
    });

    it('does not show an old state when newer entries cannot be read', async () => {
      await withFolder(async (path) => {
        const writer = await openLedger(path);
        await writer.commit({ events: [finished('c1')] });
        const copy = join(dirname(path), 'copy', 'log.db');
        await mkdir(dirname(copy));
        for (const part of ['', '-wal']) await copyFile(path + part, copy + part);
        await writer.close();
        await withoutWriteAccess(copy, async () => {
          const error = await refusal(openLedger(copy, { readOnly: true }));
          expect(error.code).to.equal('LEDGER_READ_ONLY');
          expect(error.message).to.include(`${copy}-wal`);
        });
      });
    });
  });
});
