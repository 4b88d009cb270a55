import Database from 'better-sqlite3';
import { expect } from 'chai';
import { verifyAll } from '../../../src/lib/app/verification.js';
import type { HookConfig } from '../../../src/lib/gates/hook.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { Search } from '../../../src/lib/search/search.js';
import { BAD, drive, driver, FakeClock, HEALTHY, scripted, start } from '../../lib/canary/harness.js';
import { policy } from '../../lib/judge/looks.js';
import { Unguarded } from '../../lib/ledger/sqlite/unguarded.js';
import { firstLine, onlyDocument, Workspace } from '../lukhas.js';

const P = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 30, noDataSeconds: 15 });
const HOOK: HookConfig = {
  name: 'shift',
  exec: { command: [process.execPath, '-e', ''], timeoutSeconds: 10, env: {} },
};
const wrong = (subject: string) => `listing row of ${subject} does not match the log; rebuild it: lukhas db rebuild`;

describe('lukhas verify', () => {
  let at: Workspace;
  let promoted: string;
  let pending: string;

  beforeEach(async () => {
    at = new Workspace();
    const ledger = await openLedger(at.db);
    const clock = new FakeClock();
    const hooks = { promote: [HOOK], rollback: [] };
    const run = async (found: typeof HEALTHY) => {
      const { id } = await start(ledger, clock, { policy: P });
      await drive({ ...driver({ ledger, clock, source: scripted(clock, () => found), hooks }), clock }, id);
      return id;
    };
    promoted = await run(HEALTHY);
    await run(BAD);
    pending = (await start(ledger, clock, { policy: P })).id;
    await ledger.close();
  });
  afterEach(() => at.remove());

  const tamper = (sql: string) => {
    const db = new Database(at.db);
    db.exec(sql);
    db.close();
  };

  it('holds for what lukhas wrote, and says what no log can tell', async () => {
    const { code, stdout } = await at.run(['verify']);
    expect(stdout).to.match(/^verified: /);
    for (const table of ['cursors', 'leases', 'observation_feed', 'documents_text_data'])
      expect(stdout).to.match(new RegExp(`^  not checked  ${table}\\b`, 'm'));
    expect(stdout).not.to.include('problem');
    expect(code).to.equal(0);
  });

  it('finds what nothing can be told of, and every command says so in one line', async () => {
    const db = new Unguarded(at.db);
    const seq = db.entries(promoted, 'canary.decided')[0] as number;
    db.replace(seq, '"decision":"promote"', '"decision":"rollback"');
    db.close();
    const entry = new RegExp(`^lukhas: Entry ${seq} of the log was changed after it was recorded`);
    const told = [
      ['why', promoted],
      ['why-math', promoted],
      ['canary', 'status', promoted],
    ];
    for (const { code, stdout, stderr } of await Promise.all(told.map((args) => at.run(args)))) {
      expect([code, stdout]).to.deep.equal([7, '']);
      expect(stderr).to.match(entry);
    }
    tamper('DROP TABLE heads');
    const reads = [
      ['canary', 'list'],
      ['canary', 'status', promoted],
      ['canary', 'approve', promoted, '--reason', 'fine with me'],
      ['export', '--from', '1d', '--out', `${at.dir}/pack.zip`],
    ];
    for (const { code, stdout, stderr } of await Promise.all(reads.map((args) => at.run(args)))) {
      expect([code, stdout], stderr).to.deep.equal([7, '']);
      expect(stderr).to.match(/^lukhas: The schema of the ledger .* was changed: the table heads is missing\n/);
    }
  });

  it('finds forged listings, and rebuilding mends them', async () => {
    tamper(`UPDATE heads SET model = 'evil' WHERE subject = 'gate:production'`);
    const [plain, json] = await Promise.all([at.run(['verify']), at.run(['verify', '--json'])]);
    expect([plain.code, json.code]).to.deep.equal([7, 7]);
    expect(plain.stdout).to.match(/^VERIFICATION FAILED: /);
    expect(plain.stdout).to.include('\n  the log holds; the tables beside it do not match it\n');
    expect(plain.stdout).to.include(`  problem  ${wrong('gate:production')}\n`);
    expect(onlyDocument(json)).to.deep.include({
      ok: false,
      firstBad: null,
      problems: [wrong('gate:production')],
      problemCount: 1,
    });
    expect((await at.run(['db', 'rebuild'])).code).to.equal(0);
    expect((await at.run(['verify'])).code).to.equal(0);
  });

  const everyColumn = {
    type: `'gate'`,
    state: `'PROMOTED'`,
    model: `'evil'`,
    open: '0',
    first_seq: '0',
    created_at: `'2020-01-01T00:00:00.000Z'`,
    updated_at: `'2020-01-01T00:00:00.000Z'`,
    data: `json_set(data, '$.toGate', 'evil')`,
  };
  for (const [column, value] of Object.entries(everyColumn)) {
    it(`finds another ${column} in a row`, async () => {
      tamper(`UPDATE heads SET ${column} = ${value} WHERE subject = '${pending}'`);
      expect((await verifyAll(at.db)).problems).to.deep.equal([wrong(pending)]);
    });
  }

  it('finds rows that are missing, and rows of nothing', async () => {
    tamper(`DELETE FROM heads WHERE subject = '${promoted}';
      INSERT INTO heads SELECT 'c-ghost', type, state, model, open, first_seq, last_seq, created_at, updated_at, data
        FROM heads WHERE subject = '${pending}'`);
    const { ok, problems, problemCount } = await verifyAll(at.db);
    expect({ ok, problems, problemCount }).to.deep.equal({
      ok: false,
      problems: [wrong(promoted), wrong('c-ghost')],
      problemCount: 2,
    });
  });

  it('reports a row that cannot be read instead of failing', async () => {
    tamper(`UPDATE heads SET data = '{' WHERE subject = '${pending}'`);
    const { ok, problems } = await verifyAll(at.db);
    expect(ok).to.equal(false);
    expect(problems).to.have.length(1);
    expect(problems[0]).to.include(pending);
  });

  it('does not compare listings with a log that does not hold', async () => {
    tamper(`DELETE FROM canary_metrics WHERE canary = '${promoted}'; UPDATE heads SET model = 'evil'`);
    const { ok, problems, notChecked } = await verifyAll(at.db);
    expect(ok).to.equal(false);
    expect(problems.join('\n')).to.match(
      new RegExp(
        `^entry \\d+: verdict on ${promoted}: its observations are missing, and no entry says that they were pruned$`,
      ),
    );
    expect(notChecked).to.include('listing rows: not compared, because the log itself has problems');
  });

  it('compares listings and search index of one moment while canaries run and are indexed', async () => {
    const writing = await openLedger(at.db);
    const search = new Search(writing, async () => '');
    const clock = new FakeClock();
    let running = true;
    const watching = (async () => {
      for (let checks = 0; checks < 3; checks++) expect((await verifyAll(at.db)).problems).to.deep.equal([]);
    })().finally(() => (running = false));
    const working = (async () => {
      while (running) {
        const { id } = await start(writing, clock, { policy: P });
        const context = { ...driver({ ledger: writing, clock, source: scripted(clock, () => HEALTHY) }), clock };
        await drive(context, id, () => search.catchUp());
      }
    })();
    await Promise.all([watching, working]);
    await writing.close();
  });

  it('refuses what is no root before anything is read', async () => {
    for (const root of ['abc', `${'0'.repeat(63)}g`, '0'.repeat(65)]) {
      const run = await at.run(['verify', '--expect-root', root, '--db', `${at.db}.none`]);
      expect(run.code, root).to.equal(2);
      expect(firstLine(run)).to.match(/^lukhas: --expect-root ".*: must be 64 hexadecimal digits$/);
      expect(run.stdout).to.equal('');
    }
  });

  it('takes the root it printed in any case, and no other', async () => {
    const { root } = await verifyAll(at.db);
    expect((await at.run(['verify', '--expect-root', root.toUpperCase()])).code).to.equal(0);
    const other = await at.run(['verify', '--expect-root', '0'.repeat(64)]);
    expect(other.code).to.equal(7);
    expect(other.stdout).to.include('  problem  root does not match --expect-root\n');
  });
});
