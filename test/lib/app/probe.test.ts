import Database from 'better-sqlite3';
import { expect } from 'chai';
import { openApp } from '../../../src/lib/app/app.js';
import { loadConfig } from '../../../src/lib/app/config.js';
import type { EventDraft } from '../../../src/lib/ledger/events.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { ACTOR, type Place, place } from '../canary/harness.js';
import { unguard } from '../ledger/sqlite/unguarded.js';

describe('the task probe', () => {
  let here: Place;
  beforeEach(async () => {
    here = await place();
  });
  afterEach(() => here.close());

  async function probe() {
    const config = await loadConfig({ flags: { db: here.path }, env: { HOME: '/nonexistent' }, cwd: '/' });
    const app = await openApp({ config });
    try {
      const { id } = await app.jobs.start({ taskId: 'probe', configId: 'any', dryRun: false, by: ACTOR });
      await app.jobRunner().drive([id]);
      return await app.jobs.get(id);
    } finally {
      await app.close();
    }
  }

  async function fill(count: number): Promise<void> {
    const ts = new Date().toISOString();
    const event = (i: number): EventDraft => ({
      kind: 'gate.changed',
      subject: `gate:g${i}`,
      ts,
      data: { gate: `g${i}`, modelId: 'm', previous: null, canaryId: null, by: ACTOR },
    });
    for (let at = 0; at < count; at += 2000)
      await here.ledger.commit({ events: Array.from({ length: Math.min(2000, count - at) }, (_, i) => event(at + i)) });
  }

  function tamper(seq: number): void {
    const db = new Database(here.path);
    unguard(db);
    const changed = db
      .prepare(`UPDATE events SET body = replace(body, '"modelId":"m"', '"modelId":"n"') WHERE seq = ?`)
      .run(seq);
    expect(changed.changes).to.equal(1);
    db.close();
  }

  it('verifies the whole of a small log and measures the database', async () => {
    await fill(100);
    const { state, result } = await probe();
    expect(state).to.equal('completed');
    expect(result?.metrics).to.include({ checked: 'the whole log', entries_checked: 102, log_entries: 102 });
    expect(result?.metrics?.['log_root']).to.match(/^[0-9a-f]{64}$/);
    for (const name of ['commit_ms_median', 'commit_ms_max', 'read_ms_median', 'verify_ms', 'database_bytes'])
      expect(result?.metrics?.[name], name).to.be.a('number').above(0);
  });

  it('fails when an entry was changed', async () => {
    await fill(100);
    tamper(40);
    const { failure } = await probe();
    expect(failure?.reason).to.equal('exit');
    expect(failure?.message).to.match(/^the log failed verification: entry 40/);
  });

  it('checks a sample of a large log only, and finds what was changed at its end', async () => {
    await fill(60_000);
    const { result } = await probe();
    expect(result?.metrics).to.include({ checked: 'a sample of the log', entries_checked: 400, log_entries: 60_002 });
    tamper(59_990);
    expect((await probe()).failure?.message).to.match(/entry 59990/);
    const ledger = await openLedger(here.path);
    expect(await ledger.lease(`probe:x`)).to.equal(null);
    await ledger.close();
  });
});
