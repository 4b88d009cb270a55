import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { loadConfig } from '../../../../src/lib/app/config.js';
import { EvidenceExport } from '../../../../src/lib/app/evidence/export.js';
import { verifyEvidence } from '../../../../src/lib/app/evidence/verify-file.js';
import { systemClock } from '../../../../src/lib/clock.js';
import { LukhasError } from '../../../../src/lib/errors.js';
import { signEnvelope } from '../../../../src/lib/evidence/formats/dsse.js';
import { formatStatement } from '../../../../src/lib/evidence/formats/statement.js';
import { STATEMENT_PAYLOAD_TYPE } from '../../../../src/lib/evidence/formats/statement-object.js';
import { generateSigningKey } from '../../../../src/lib/evidence/keys/keys.js';
import { CsvLines, cell } from '../../../../src/lib/evidence/pack/csv.js';
import { statementEnvelope } from '../../../../src/lib/evidence/pack/statement.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { ZippedPack } from '../../../../src/lib/evidence/verify/zip.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { FakeClock, START, start } from '../../canary/harness.js';
import { readAll } from '../verify/read-all.js';
import { ALL, fileOf, PackedLog, POLICY } from './packed-log.js';

describe('an evidence pack', () => {
  let log: PackedLog;
  before(async () => {
    log = await PackedLog.make();
  });
  after(() => log.remove());

  const fails = async (work: Promise<unknown>): Promise<Error> =>
    work.then(
      () => {
        throw new Error('it did not fail');
      },
      (error: Error) => error,
    );

  it('begins audits.csv with a byte order mark when asked to, says so in meta.json, and verifies', async () => {
    const [plain, marked] = [await log.exported('plain.zip'), await log.exported('bom.zip', { ...ALL, csvBom: true })];
    const [csv, bom] = [(await readAll(plain))?.get('audits.csv'), (await readAll(marked))?.get('audits.csv')];
    expect(bom).to.deep.equal(Buffer.concat([Buffer.from('\ufeff'), csv!]));
    expect(JSON.parse(await fileOf(marked, 'meta.json')).csv).to.deep.equal({ form: 2, bom: true });
    expect(JSON.parse(await fileOf(plain, 'meta.json')).csv).to.deep.equal({ form: 2, bom: false });
    for (const path of [plain, marked]) {
      const pack = await ZippedPack.open(path);
      expect((await verifyPack(pack, { trust: null })).problems).to.deep.equal([]);
      pack.close();
    }
  });

  it('is the same to the byte every time, also in another time zone', async () => {
    const first = await readFile(await log.exported('one.zip'));
    expect((await readFile(await log.exported('two.zip'))).equals(first)).to.equal(true);
    const zone = process.env['TZ'];
    try {
      process.env['TZ'] = 'Pacific/Kiritimati';
      expect((await readFile(await log.exported('three.zip'))).equals(first)).to.equal(true);
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  it('holds the bytes that were recorded, three times, and what they say in words', async () => {
    const pack = await log.exported('whole.zip');
    const db = new Database(join(log.dir, 'log.db'), { readonly: true });
    const bodies = db.prepare('SELECT body FROM events ORDER BY seq').pluck().all() as string[];
    db.close();
    expect(await fileOf(pack, 'audits.ndjson')).to.equal(bodies.map((body) => `${body}\n`).join(''));
    expect(JSON.parse(await fileOf(pack, 'audits.json'))).to.deep.equal(bodies.map((body) => JSON.parse(body)));
    expect((await fileOf(pack, 'audits.csv')).split('\r\n').length).to.equal(bodies.length + 2);
    const narrative = await fileOf(pack, 'narrative.txt');
    const [first = '', second = ''] = narrative.split('ALL DECISIONS, IN THE ORDER OF THE LOG');
    expect(first).to.match(/AGAINST THE VERDICT\n\n.*\n {2}PROMOTED .*fraud-v2[\s\S]*by ana \(os-user\)/);
    expect(second).to.match(/ROLLED BACK {2}fraud-v3/);
    // A reason cannot begin a line of its own.
    expect(narrative.match(/^ALL DECISIONS/gm)).to.have.lengthOf(1);
    const meta = JSON.parse(await fileOf(pack, 'meta.json'));
    expect(meta.counts).to.include({ events: bodies.length, omitted: 0, policies: 1 });
    expect(meta.window).to.deep.include({ from: 0, to: bodies.length, firstTs: '2026-03-01T12:00:00.000Z' });
  });

  it('refuses a log whose entries are not those that were recorded', async () => {
    const sql = `UPDATE events SET body = replace(body, 'fraud-v2', 'fraud-v9') WHERE seq = 0`;
    expect(((await fails(log.exportEdited('entry.zip', sql))) as LukhasError).code).to.equal('LEDGER_CORRUPT');
  });

  it('refuses observations that are not those of the verdict, and names the canary', async () => {
    const { subject, tick, count } = log.firstDecided();
    const of = `canary = '${subject}'`;
    for (const sql of [
      `UPDATE canary_metrics SET body = replace(body, '"bad":', '"bad":1') WHERE ${of} AND tick = ${tick}`,
      // One more than it was decided by.
      `INSERT INTO canary_metrics SELECT canary, -1, t, body FROM canary_metrics WHERE ${of} AND tick = ${tick}`,
    ]) {
      const error = (await fails(log.exportEdited('edited.zip', sql))) as LukhasError;
      expect([error.code, error.message.includes(subject)], error.message).to.deep.equal(['LEDGER_CORRUPT', true]);
    }
    // Of some nobody can tell whether they are those that were judged, however old.
    const month = 31 * 86_400_000;
    const one = `DELETE FROM canary_metrics WHERE ${of} AND tick = ${tick}`;
    const all = `DELETE FROM canary_metrics WHERE ${of}`;
    const ahead = await log.entryAt(START + 2 * month);
    for (const [sql, later] of [
      [one, 1e8],
      [`${one}; UPDATE canary_metrics SET body = replace(body, '"bad":', '"bad":1') WHERE ${of}`, 1e8],
      [`${one}; ${ahead}`, month],
      [all, 1e8],
      // However old it is: an entry says what was pruned.
      [all, month],
      [`${all}; ${ahead}`, month],
    ] as const) {
      const error = (await fails(log.exportEdited('gone.zip', sql, later))) as LukhasError;
      expect([error.code, error.message.includes(subject)], error.message).to.deep.equal(['LEDGER_CORRUPT', true]);
      expect(error.message).to.match(/^Entry \d+: the observations of canary \S+ are \d+, but it judged \d+$/);
    }
    const pack = await log.exportPruned('pruned.zip', subject);
    const { counts } = JSON.parse(await fileOf(pack, 'meta.json'));
    const last = JSON.parse((await fileOf(pack, 'audits.ndjson')).trimEnd().split('\n').at(-1) ?? '');
    expect(last.kind).to.equal('canary.pruned');
    const { problems, notChecked } = await verifyEvidence(pack, {
      trust: [],
      since: null,
      db: null,
      clock: systemClock(),
    });
    expect(problems).to.deep.equal([]);
    const day = last.ts.slice(0, 10);
    expect(notChecked.join('\n')).to.include(
      `verdict on ${subject}: its ${count} observations were pruned on ${day} by retention (entry ${last.seq})`,
    );
    expect(counts.observationsMissing).to.deep.equal([{ canaryId: subject, count }]);
  });

  it('is refused of a log that has lost what was signed, and every export leaves a checkpoint of what it holds', async () => {
    const { home, db } = await log.copy();
    const older = await readFile(db);
    const config = await loadConfig({ env: { HOME: home, LUKHAS_MCP_DB: db }, cwd: home });
    const to = async (name: string) => {
      const ledger = await openLedger(db);
      try {
        const place = { ledger, config, clock: new FakeClock(START + 1e8), version: '1' };
        // A part: what is signed is the whole log all the same.
        const pack = await EvidenceExport.prepare(place, { ...ALL, to: '2026-03-01T12:05:00Z' });
        await pack.writeFile(join(home, name));
        return await ledger.size();
      } finally {
        await ledger.close();
      }
    };
    const kept = async () => (await readdir(join(home, 'checkpoints'))).filter((name) => name !== 'checkpoint');
    const size = await to('first.zip');
    expect(await kept()).to.deep.equal([`${size}`]);
    expect(Number((await fileOf(join(home, 'first.zip'), 'checkpoint')).split('\n')[1])).to.be.lessThan(size);
    const ledger = await openLedger(db);
    await start(ledger, new FakeClock(START + 1e7), { policy: POLICY, modelId: 'fraud-v4' });
    await ledger.close();
    expect(await to('second.zip')).to.be.greaterThan(size);
    expect((await readFile(join(home, 'second.zip'))).equals(await readFile(join(home, 'first.zip')))).to.equal(true);
    expect(await kept()).to.have.lengthOf(2);
    await writeFile(db, older);
    const error = (await fails(to('third.zip'))) as LukhasError;
    expect([error.code, error.exit]).to.deep.equal(['VERIFICATION', 7]);
    expect(error.message).to.contain('entries are missing');
    expect((await readdir(home)).filter((name) => /third|\.tmp$/.test(name))).to.deep.equal([]);
    expect(await kept()).to.have.lengthOf(2);
  });

  it('leaves nothing where it was to be when it is interrupted or what takes it breaks', async () => {
    const stop = new AbortController();
    const pack = await log.prepare();
    const onEntries = (): void => stop.abort(new LukhasError('EXPORT_FAILED', 'enough'));
    const error = await fails(pack.writeFile(join(log.dir, 'half.zip'), { signal: stop.signal, onEntries }));
    expect(error.message).to.equal('enough');
    expect((await readdir(log.dir)).filter((name) => /half|\.tmp$/.test(name))).to.deep.equal([]);
    const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('the disk is full')) });
    expect((await fails(pack.write(full))).message).to.equal('the disk is full');
    const gone = new PassThrough();
    setImmediate(() => gone.destroy());
    expect(await fails(pack.write(gone))).to.be.instanceOf(Error);
  });

  it('replaces a pack, but no other file unless it is told to', async () => {
    const path = await log.exported('again.zip');
    await log.exported('again.zip');
    await writeFile(path, 'a letter');
    const pack = await log.prepare();
    expect((await fails(pack.writeFile(path))).message).to.contain('not a valid evidence pack');
    expect(await readFile(path, 'utf8')).to.equal('a letter');
    await pack.writeFile(path, { force: true });
    expect((await readFile(path)).subarray(0, 2).toString()).to.equal('PK');
  });

  it('refuses a log without entries, a time before all of them, and a kind that there is none of', async () => {
    for (const [request, said] of [
      [{ from: '2020-01-01T00:00:00Z', to: '2021-01-01T00:00:00Z' }, 'No entries before'],
      [{ ...ALL, include: ['cats'] }, 'is not one of'],
      [{}, 'No from given'],
      [{ from: '1d', to: '2d' }, 'must be before'],
    ] as const) {
      const error = await fails(log.prepare(request));
      expect([(error as LukhasError).code, error.message.includes(said)], error.message).to.deep.equal(['USAGE', true]);
    }
  });

  it('signs the statement that its parts would be put together to', async () => {
    const key = generateSigningKey();
    const files = [{ name: 'meta.json', sha256: 'a'.repeat(64), size: 1 }];
    const decisions = Array.from({ length: 1500 }, (_, seq) => ({
      seq,
      canaryId: `c-${seq}`,
      modelId: 'm "é"',
      fromGate: 'a',
      toGate: 'b',
      outcome: 'BLOCKED' as const,
      basis: 'evidence' as const,
      policyDigest: 'b'.repeat(64),
      kind: 'canary.decided' as const,
      unreviewed: false,
      lastTick: null,
      observations: 0,
      digest: null,
      dryRun: false,
    }));
    const at = '2026-03-01T12:00:00.000Z';
    const zero = { promoted: 0, rolledBack: 0, blocked: 0, aborted: 0, failed: 0, rejected: 0, overridden: 0 };
    const predicate = {
      generator: { name: 'lukhas' as const, version: '1', judge: '1' },
      window: { from: at, to: at, firstSeq: 0, endSeq: 1500 },
      log: { origin: 'x', size: 1, root: 'c'.repeat(64), key: `SHA256:${'A'.repeat(43)}` },
      counts: { ...zero, breakGlass: 0, breakGlassUnreviewed: 0 },
    };
    for (const some of [[], decisions.slice(0, 1), decisions]) {
      const pieces: Buffer[] = [];
      // Joined at the end: what comes later must not be written over what was handed on.
      for await (const piece of statementEnvelope(files, predicate, some, key)) pieces.push(piece);
      const whole = formatStatement(files, { ...predicate, decisions: some });
      expect(Buffer.concat(pieces).toString()).to.equal(signEnvelope(STATEMENT_PAYLOAD_TYPE, whole, [key]));
    }
  });

  it('gives spreadsheets no formula, and numbers as they are', () => {
    for (const text of ['=1+1', '+1', '-1', '@a', '\tx', '\rx', '\nx', '＝1', '＋1', '－1', '＠a'])
      expect(cell(text).replace(/^"/, '')).to.match(/^'/);
    expect([cell(-1), cell(null), cell('a=b'), cell('a,"b"')]).to.deep.equal(['-1', '', 'a=b', '"a,""b"""']);
    const line = (reason: string) =>
      `{"data":{"reason":"${reason}"},"kind":"canary.overridden","seq":3,"subject":"c,1","ts":"T","v":1},\n`;
    const row = (reason: string, as: string) =>
      `3,T,canary.overridden,"c,1",,,,,,${as},"{""reason"":""${reason}""}"\r\n`;
    const csv = new CsvLines();
    const reasons: [string, string][] = [
      ['=x', "'=x"],
      ['café', 'café'],
      ['\\u00e9', 'é'],
    ];
    for (const some of [reasons.slice(0, 1), reasons.slice(1, 2), reasons.slice(2), reasons]) {
      const page = Buffer.from(some.map(([reason]) => line(reason)).join(''));
      expect(csv.of(page).toString()).to.equal(some.map(([reason, as]) => row(reason, as)).join(''));
    }
  });
});
