import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { verifyAll } from '../../../../src/lib/app/verification.js';
import { LukhasError } from '../../../../src/lib/errors.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { MIGRATIONS } from '../../../../src/lib/ledger/sqlite/schema.js';
import { schemaDifferences } from '../../../../src/lib/ledger/sqlite/schema-check.js';
import { finished, withFolder } from '../examples.js';

/**
 * The same log in the format of each version, made and appended to by the code of that version. A new entry of MIGRATIONS needs
 * another one: the database that the code before it writes.
 */
const formatOf = (version: number) =>
  gunzipSync(readFileSync(new URL(`../../../golden/formats/${version}.db.gz`, import.meta.url)));

const ENTRIES = 50;

describe('databases of earlier versions', () => {
  const roots = new Set<string>();

  for (let version = 1; version <= MIGRATIONS.length; version++) {
    it(`of format ${version} are brought up to date, and nothing of the log changes`, async () => {
      await withFolder(async (path) => {
        writeFileSync(path, formatOf(version));
        const raw = new Database(path);
        expect(raw.pragma('user_version', { simple: true })).to.equal(version);
        const before = raw.prepare('SELECT seq, hash, nodes, body FROM events ORDER BY seq').all();
        const observations = raw.prepare('SELECT * FROM canary_metrics ORDER BY canary, tick').all();
        raw.close();
        expect(before).to.have.length(ENTRIES);

        // Reading changes nothing.
        const reader = await openLedger(path, { readOnly: true });
        const { root } = await reader.root();
        await reader.close();
        roots.add(root.toString('hex'));
        expect((await verifyAll(path)).logHolds).to.equal(true);

        const ledger = await openLedger(path);
        expect((await ledger.root()).root).to.deep.equal(root);
        await ledger.commit({ events: [finished('gate:old')] });
        expect(await ledger.size()).to.equal(ENTRIES + 1);
        await ledger.close();

        const now = new Database(path, { readonly: true });
        expect(now.pragma('user_version', { simple: true })).to.equal(MIGRATIONS.length);
        expect(schemaDifferences(now)).to.deep.equal([]);
        const after = now.prepare('SELECT seq, hash, nodes, body FROM events ORDER BY seq').all();
        expect(after.slice(0, ENTRIES)).to.deep.equal(before);
        expect(now.prepare('SELECT * FROM canary_metrics ORDER BY canary, tick').all()).to.deep.equal(observations);
        now.close();
        expect((await verifyAll(path)).logHolds).to.equal(true);
      });
    });
  }

  it('hold one log', () => {
    expect(roots.size).to.equal(1);
  });

  it('of a newer version are refused in one line, and not changed', async () => {
    await withFolder(async (path) => {
      writeFileSync(path, formatOf(MIGRATIONS.length));
      const raw = new Database(path);
      raw.pragma(`user_version = ${MIGRATIONS.length + 1}`);
      raw.close();
      const before = readFileSync(path);
      for (const readOnly of [true, false]) {
        const error = await openLedger(path, { readOnly }).catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(LukhasError);
        expect((error as LukhasError).code).to.equal('LEDGER_TOO_NEW');
        expect((error as LukhasError).message).to.equal(
          `The ledger ${path} was written by a newer lukhas (format ${MIGRATIONS.length + 1}; this one knows ${MIGRATIONS.length})`,
        );
      }
      expect(readFileSync(path).equals(before)).to.equal(true);
    });
  });
});
