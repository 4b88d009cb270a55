import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { openPromise } from 'yauzl';
import { loadConfig } from '../../../../src/lib/app/config.js';
import { EvidenceExport, type ExportRequest } from '../../../../src/lib/app/evidence/export.js';
import { Canaries } from '../../../../src/lib/canary/canaries.js';
import { pruneCanary } from '../../../../src/lib/canary/prune.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { ACTOR, BAD, drive, driver, FakeClock, HEALTHY, SILENT, START, scripted, start } from '../../canary/harness.js';
import { policy } from '../../judge/looks.js';
import { unguard } from '../../ledger/sqlite/unguarded.js';

export const ALL: ExportRequest = { from: '2026-01-01T00:00:00Z' };
export const POLICY = policy({ targets: { max_error_rate: 0.02 } });

/** What one file of a pack says, read by the zip library and not by the verifier's own checks. */
export async function fileOf(pack: string, name: string): Promise<string> {
  const zip = await openPromise(pack);
  for await (const entry of zip.eachEntry())
    if (entry.fileName === name) return text(await zip.openReadStreamPromise(entry)).finally(() => zip.close());
  throw new Error(`${pack}: no file ${name}`);
}

/** A log of three canaries (promoted, rolled back, overridden) in a folder of its own, and packs of it. */
export class PackedLog {
  private constructor(
    readonly dir: string,
    readonly ledger: Ledger,
  ) {}

  static async make(): Promise<PackedLog> {
    const dir = await mkdtemp(join(tmpdir(), 'lukhas-pack-'));
    const ledger = await openLedger(join(dir, 'log.db'));
    for (const [i, look] of [HEALTHY, BAD, SILENT].entries()) {
      const clock = new FakeClock(START + i * 600_000);
      const modelId = i === 1 ? 'fraud-v3' : 'fraud-v2';
      const { id } = await start(ledger, clock, { policy: POLICY, modelId });
      await drive({ ...driver({ ledger, clock, source: scripted(clock, () => look) }), clock }, id);
      if (i === 2) await new Canaries(ledger, clock).override(id, ACTOR, '=HYPERLINK("http://x")\nALL DECISIONS');
    }
    return new PackedLog(dir, ledger);
  }

  async remove(): Promise<void> {
    await this.ledger.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  async prepare(request: ExportRequest = ALL): Promise<EvidenceExport> {
    const { dir, ledger } = this;
    const config = await loadConfig({ env: { HOME: dir, LUKHAS_MCP_DB: join(dir, 'log.db') }, cwd: dir });
    return EvidenceExport.prepare({ ledger, config, clock: new FakeClock(START + 1e8), version: '1.2.3' }, request);
  }

  /** @returns the path of the pack */
  async exported(name: string, request?: ExportRequest): Promise<string> {
    await (await this.prepare(request)).writeFile(join(this.dir, name));
    return join(this.dir, name);
  }

  /** A copy of the database in a new folder. */
  async copy(): Promise<{ home: string; db: string }> {
    const home = await mkdtemp(join(this.dir, 'copy-'));
    const db = join(home, 'log.db');
    const source = new Database(join(this.dir, 'log.db'));
    await source.backup(db);
    source.close();
    return { home, db };
  }

  /** Exports a copy of the log in which somebody changed something in spite of the triggers. */
  async exportEdited(name: string, sql: string, later = 1e8): Promise<string> {
    const { home, db: copy } = await this.copy();
    const db = new Database(copy);
    unguard(db);
    db.exec(sql);
    db.close();
    const config = await loadConfig({ env: { HOME: home, LUKHAS_MCP_DB: copy }, cwd: home });
    const edited = await openLedger(copy);
    try {
      const place = { ledger: edited, config, clock: new FakeClock(START + later), version: '1' };
      await (await EvidenceExport.prepare(place, ALL)).writeFile(join(home, name));
    } finally {
      await edited.close();
      expect((await readdir(home)).filter((file) => /\.tmp$/.test(file))).to.deep.equal([]);
    }
    return join(home, name);
  }

  /** Exports a copy of the log from which the observations of a canary were pruned. */
  async exportPruned(name: string, canaryId: string, request: ExportRequest = ALL): Promise<string> {
    const { home, db } = await this.copy();
    const config = await loadConfig({ env: { HOME: home, LUKHAS_MCP_DB: db }, cwd: home });
    const ledger = await openLedger(db);
    try {
      const clock = new FakeClock(START + 60 * 86_400_000);
      const before = { before: clock.time, olderThanDays: 30, dryRun: false };
      expect((await pruneCanary(canaryId, { ledger, clock, by: ACTOR, ...before })).kind).to.equal('pruned');
      await (await EvidenceExport.prepare({ ledger, config, clock, version: '1' }, request)).writeFile(
        join(home, name),
      );
    } finally {
      await ledger.close();
    }
    return join(home, name);
  }

  /** SQL that appends an entry of this time (ms) with its hashes, as one who may write to the database does. */
  async entryAt(ms: number): Promise<string> {
    const { db: copy } = await this.copy();
    const log = await openLedger(copy);
    const seq = await log.size();
    await start(log, new FakeClock(ms), { policy: POLICY, modelId: 'fraud-v4' });
    await log.close();
    const db = new Database(copy, { readonly: true });
    const rows = db.prepare('SELECT * FROM events WHERE seq >= ?').all(seq) as Record<string, unknown>[];
    db.close();
    return rows.map((row) => `INSERT INTO events VALUES (${Object.values(row).map(literal).join()})`).join('; ');
  }

  /** The first canary that was decided, by what its verdict says it was judged by. */
  firstDecided(): { subject: string; tick: number; count: number } {
    const db = new Database(join(this.dir, 'log.db'), { readonly: true });
    const { subject, body } = db
      .prepare(`SELECT subject, body FROM events WHERE kind = 'canary.decided' ORDER BY seq LIMIT 1`)
      .get() as { subject: string; body: string };
    db.close();
    const { verdict, observations } = JSON.parse(body).data as {
      verdict: { tick: number };
      observations: { count: number };
    };
    return { subject, tick: verdict.tick, count: observations.count };
  }
}

function literal(value: unknown): string {
  if (value === null) return 'NULL';
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  return typeof value === 'number' ? `${value}` : `'${String(value).replaceAll("'", "''")}'`;
}
