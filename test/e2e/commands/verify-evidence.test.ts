import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Approvals } from '../../../src/lib/canary/approvals.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { drive, driver, FakeClock, HEALTHY, scripted, start } from '../../lib/canary/harness.js';
import { policy } from '../../lib/judge/looks.js';
import { onlyDocument, Workspace } from '../lukhas.js';

const P = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 30, noDataSeconds: 15 });

const EXTENDS = /verified {2}the log extends the --since checkpoint \(\d+ entries\)/;

describe('lukhas verify of evidence, and lukhas prove', () => {
  let at: Workspace;
  let clock: FakeClock;
  let canary: string;

  const decide = async () => {
    const ledger = await openLedger(at.db);
    const { id } = await start(ledger, clock, { policy: P });
    await drive({ ...driver({ ledger, clock, source: scripted(clock, () => HEALTHY) }), clock }, id);
    await ledger.close();
    return id;
  };
  /** Runs it, and expects it to succeed. */
  const done = async (...args: string[]) => {
    const run = await at.run(args);
    expect(run.code, run.stdout + run.stderr).to.equal(0);
    return run;
  };

  beforeEach(async () => {
    at = new Workspace();
    clock = new FakeClock(Date.now() - 600_000);
    canary = await decide();
    await done('keys', 'init');
    at.file('log.vkey', (await done('keys', 'show', '--form', 'vkey')).stdout);
    at.file('export.pub', (await done('keys', 'show', '--form', 'ssh', '--role', 'export')).stdout);
  });
  afterEach(() => at.remove());

  it('a pack holds, by keys that are trusted, and with the root of the log', async () => {
    await done('export', '--from', '30d', '--out', 'p.zip');
    const plain = await done('verify', 'p.zip');
    expect(plain.stdout)
      .to.match(/^self-consistent; signer not verified \(no --trust\): p.zip\n/)
      .and.include('  not checked  signer: a key inside the pack proves nothing');
    const trusted = await done('verify', 'p.zip', '--trust', 'log.vkey', '--trust', 'export.pub');
    expect(trusted.stdout)
      .to.match(/^verified: p.zip\n/)
      .and.include('signed by trusted key')
      .and.not.include('not checked  signer');
    const json = onlyDocument(await at.run(['verify', 'p.zip', '--json']));
    expect(json).to.include({ ok: true, type: 'pack', file: 'p.zip', problemCount: 0 });
    expect(json).to.have.all.keys(
      'ok',
      'type',
      'file',
      'holds',
      'problems',
      'problemCount',
      'notShown',
      'notChecked',
      'log',
      'window',
      'counts',
      'keys',
      'witnesses',
    );
    const inPlace = onlyDocument(await at.run(['verify', '--json']));
    expect((json['log'] as { root: string }).root).to.equal(inPlace['root']);
  });

  it('a pack that was changed, or is signed by others, ends with 7', async () => {
    await done('export', '--from', '30d', '--out', 'p.zip');
    const bytes = readFileSync(join(at.dir, 'p.zip'));
    // Within what the entries are compressed to; dates and the like, of the zip alone, are no part of the pack.
    bytes[bytes.indexOf('audits.ndjson') + 200]! ^= 1;
    at.file('changed.zip', bytes);
    const changed = await at.run(['verify', 'changed.zip']);
    expect(changed.code).to.equal(7);
    expect(changed.stdout).to.match(/^VERIFICATION FAILED: changed.zip\n {2}problem {2}/);
    await done('keys', 'init', '--db', 'other/lukhas.db');
    at.file('other.vkey', (await done('keys', 'show', '--form', 'vkey', '--db', 'other/lukhas.db')).stdout);
    const other = await at.run(['verify', 'p.zip', '--trust', 'other.vkey', '--json']);
    expect(other.code).to.equal(7);
    expect(onlyDocument(other)).to.include({ ok: false });
  });

  it('a checkpoint that was kept binds packs and the log that come after it', async () => {
    await done('checkpoint', '--out', 'march');
    await decide();
    await done('export', '--from', '30d', '--out', 'p.zip');
    expect((await done('verify', 'p.zip', '--since', 'march')).stdout).to.match(EXTENDS);
    expect((await done('verify', '--since', 'march')).stdout).to.match(EXTENDS);
    expect((await done('verify', '--since', 'march', '--trust', 'log.vkey')).stdout).to.include(
      'signed by a trusted key',
    );
    // One that begins later cannot tell by itself; the log can.
    await done('export', '--from', '1s', '--out', 'late.zip');
    const unproved = await at.run(['verify', 'late.zip', '--since', 'march']);
    expect(unproved.code).to.equal(7);
    expect(unproved.stdout)
      .to.match(/^NOT PROVEN: late.zip\n {2}not proven {2}--since: .*--db PATH\n/)
      .and.not.include('problem');
    const json = onlyDocument(await at.run(['verify', 'late.zip', '--since', 'march', '--json']));
    expect(json).to.deep.include({ ok: false, problemCount: 0 });
    expect(json['notShown']).to.have.length(1);
    expect((await done('verify', 'late.zip', '--since', 'march', '--db', at.db)).stdout).to.match(EXTENDS);
  });

  it('a checkpoint that is later than pack or proof is compared through the log', async () => {
    await done('export', '--from', '30d', '--out', 'p.zip');
    await done('prove', canary, '--out', 'd.tlog-proof');
    await done('checkpoint', '--out', 'same');
    await decide();
    await done('checkpoint', '--out', 'later');
    for (const file of ['p.zip', 'd.tlog-proof']) {
      expect((await done('verify', file, '--since', 'same', '--trust', 'log.vkey', '--trust', 'export.pub')).stdout)
        .to.match(/^verified: /)
        .and.match(EXTENDS);
      const alone = await at.run(['verify', file, '--since', 'later']);
      expect(alone.code, file).to.equal(7);
      expect(alone.stdout).to.match(
        /^NOT PROVEN: .*\n(.*\n)*? {2}not proven {2}--since: .* ends at \d+: .*--db PATH\n/,
      );
      expect((await done('verify', file, '--since', 'later', '--db', at.db)).stdout).to.match(
        /verified {2}the log \(\d+ entries\) is the beginning of the log of the --since checkpoint \(\d+ entries\)/,
      );
    }
    // The log of today is longer than a copy that somebody has: that one cannot tell.
    const other = new Workspace();
    try {
      await (await openLedger(other.db)).close();
      const run = await at.run(['verify', 'p.zip', '--since', 'later', '--db', other.db]);
      expect(run.code).to.equal(7);
      expect(run.stdout).to.include('the database at --db has fewer than ');
    } finally {
      await other.remove();
    }
  });

  it('a proof is of another history when the checkpoint says so, or is somebody else’s', async () => {
    await done('prove', canary, '--out', 'd.tlog-proof');
    await done('checkpoint', '--out', 'mine');
    const note = readFileSync(join(at.dir, 'mine'), 'utf8');
    const [origin = '', size = '', , , signature = ''] = note.split('\n');
    at.file('other-root', [origin, size, Buffer.alloc(32, 1).toString('base64'), '', signature, ''].join('\n'));
    const rewritten = await at.run(['verify', 'd.tlog-proof', '--since', 'other-root']);
    expect(rewritten.code).to.equal(7);
    expect(rewritten.stdout)
      .to.match(/^VERIFICATION FAILED: /)
      .and.include('problem  --since: the log was rewritten');
    const forged = await at.run(['verify', 'd.tlog-proof', '--since', 'other-root', '--trust', 'log.vkey']);
    expect(forged.stdout).to.include('problem  --since: note: the signature by');
    at.file('other-log', note.replace(origin, 'example.com/other'));
    const other = await at.run(['verify', 'd.tlog-proof', '--since', 'other-log']);
    expect(other.stdout).to.include('problem  --since: checkpoint of log "example.com/other"');
  });

  it('another log with the same keys does not go on from it', async () => {
    await done('checkpoint', '--out', 'march');
    const keys = {
      LUKHAS_LOG_KEY_FILE: join(at.dir, 'keys/log.pem'),
      LUKHAS_EXPORT_KEY_FILE: join(at.dir, 'keys/export.pem'),
    };
    const first = at.db;
    const other = new Workspace();
    try {
      const ledger = await openLedger(other.db);
      for (let n = 0; n < 2; n++) {
        const { id } = await start(ledger, clock, { policy: P });
        await drive({ ...driver({ ledger, clock, source: scripted(clock, () => HEALTHY) }), clock }, id);
      }
      await ledger.close();
      const since = join(at.dir, 'march');
      const run = await other.run(['verify', '--since', since], { env: keys });
      expect(run.code).to.equal(7);
      expect(run.stdout).to.include('the log was rewritten');
      await other.run(['export', '--from', '30d', '--out', 'p.zip'], { env: keys });
      const pack = await other.run(['verify', 'p.zip', '--since', since]);
      expect(pack.code).to.equal(7);
      expect(pack.stdout).to.include('the log was rewritten');
      expect(first).to.not.equal(other.db);
    } finally {
      await other.remove();
    }
  });

  it('one decision is proved without the log', async () => {
    await done('prove', canary, '--out', 'd.tlog-proof');
    const proof = readFileSync(join(at.dir, 'd.tlog-proof'), 'utf8');
    expect(proof).to.match(/^c2sp.org\/tlog-proof@v1\nextra /);
    expect((await at.run(['prove', canary])).stdout).to.equal(proof);
    const nowhere = { env: { LUKHAS_MCP_DB: join(at.dir, 'none.db') } };
    const trusted = await at.run(['verify', 'd.tlog-proof', '--trust', 'log.vkey'], nowhere);
    expect(trusted.code, trusted.stdout).to.equal(0);
    expect(trusted.stdout)
      .to.match(/canary\.decided {2}"c-[a-z0-9]+" {2}"promote"\n/)
      .and.include('not checked  entries after')
      .and.include('signed by trusted key');
    const plain = await at.run(['verify', 'd.tlog-proof'], nowhere);
    expect(plain.code).to.equal(0);
    expect(plain.stdout)
      .to.match(/^self-consistent; signer not verified \(no --trust\): d.tlog-proof\n/)
      .and.include('not checked  who signed and cosigned the checkpoint');
    const [, extra = ''] = /^extra (.*)$/m.exec(proof) ?? [];
    const entry = Buffer.from(extra, 'base64').toString();
    const forged = Buffer.from(entry.replace('"promote"', '"block"')).toString('base64');
    expect(forged).to.not.equal(extra);
    at.file('forged.tlog-proof', proof.replace(extra, forged));
    const refused = await at.run(['verify', 'forged.tlog-proof']);
    expect(refused.code).to.equal(7);
    expect(refused.stdout).to.include('its entry is not entry');
  });

  it('what became of a decision is what is proved, not the verdict alone', async () => {
    const ledger = await openLedger(at.db);
    const approvals = { required: 1, not: 'requester' as const };
    const asked = { ...P, approvals: { ...approvals, expiresAfter: '1d' } };
    const { id } = await start(ledger, clock, { policy: asked });
    await drive({ ...driver({ ledger, clock, source: scripted(clock, () => HEALTHY) }), clock }, id);
    await new Approvals(ledger, clock).reject(id, { who: 'bo', how: 'os-user' }, 'not before the holidays');
    await ledger.close();
    await done('prove', id, '--out', 'r.tlog-proof');
    expect((await done('verify', 'r.tlog-proof', '--trust', 'log.vkey')).stdout).to.include('canary.rejected');
  });

  it('says what is asked wrongly', async () => {
    at.file('hello', 'hello');
    at.file('p.zip', 'PK');
    at.file('ecdsa', 'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAA ann@host\n');
    at.file('d.tlog-proof', 'c2sp.org/tlog-proof@v1\n');
    for (const [args, says] of [
      [['verify', 'none.zip'], /none.zip: file not found/],
      [['verify', '.'], /is not a file/],
      [['verify', '--trust', 'log.vkey'], /--trust needs a pack, a proof or --since/],
      [['verify', 'p.zip', '--expect-root', '0'.repeat(64)], /--expect-root works with the database only/],
      [['verify', 'log.vkey'], /log.vkey: not an evidence pack \(\.zip\) or a proof of one entry/],
      [['verify', 'd.tlog-proof', '--db', at.db], /--db needs --since/],
      [['verify', 'p.zip', '--db', at.db], /--db needs --since/],
      [['verify', at.db], /lukhas.db: this is a database, not a pack or proof/],
      [['verify', 'p.zip', '--trust', '/dev/zero'], /\/dev\/zero: too long: more than/],
      [['verify', 'p.zip', '--trust', 'ecdsa'], /--trust ecdsa, line 1: public key: is of type ecdsa-sha2-nistp256/],
      [['verify', 'p.zip', '--trust', 'p.zip'], /--trust p.zip, line 1: not a public key: expected a vkey/],
      [['verify', 'd.tlog-proof', '--since', 'hello'], /--since hello: not a checkpoint \(note: has no empty line/],
      [['verify', '--since', 'log.vkey'], /--since log.vkey: not a checkpoint/],
      [['witness', 'key', '--db-dir', 'w', '--name', 'a+b'], /--name: key name "a\+b": must not/],
      [['prove', '999'], /Entry 999 not found/],
      [['prove', 'c-nothing'], /No canary/],
    ] as const) {
      const run = await at.run([...args]);
      expect(run.code, args.join(' ')).to.equal(2);
      expect(run.stderr).to.match(says);
    }
    expect(existsSync(join(at.dir, 'w'))).to.equal(false);
  });
});
