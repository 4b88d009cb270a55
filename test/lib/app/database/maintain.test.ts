import Database from 'better-sqlite3';
import { expect } from 'chai';
import { maintain } from '../../../../src/lib/app/database/maintain.js';
import { databaseStatus } from '../../../../src/lib/app/database/status.js';
import { verifyAll } from '../../../../src/lib/app/verification.js';
import { Canaries } from '../../../../src/lib/canary/canaries.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import {
  ACTOR,
  BAD,
  drive,
  driver,
  FakeClock,
  type Found,
  HEALTHY,
  type Place,
  place,
  SILENT,
  scripted,
  start,
} from '../../canary/harness.js';
import { policy } from '../../judge/looks.js';
import { refusal } from '../../refusal.js';

const DAY_MS = 86_400_000;
const retention = { observationDays: 30 };

describe('maintenance of the database', () => {
  let here: Place;
  let clock: FakeClock;
  beforeEach(async () => {
    here = await place();
    clock = new FakeClock();
  });
  afterEach(() => here.close());

  async function ended(found: Found, plan = policy({ targets: { max_error_rate: 0.02 } })): Promise<string> {
    const { ledger } = here;
    const { id } = await start(ledger, clock, { policy: plan });
    await drive({ ...driver({ ledger, clock, source: scripted(clock, () => found) }), clock }, id);
    return id;
  }

  const request = () => ({ ledger: here.ledger, clock, by: ACTOR, retention });
  const counted = async (id: string) => (await here.ledger.observations(id)).length;

  it('prunes what ended long ago, keeps the rest, and the log says so and verifies', async () => {
    const old = [await ended(HEALTHY), await ended(BAD), await ended(SILENT)];
    const counts = await Promise.all(old.map(counted));
    clock.time += 31 * DAY_MS;
    const young = await ended(HEALTHY);
    const running = await start(here.ledger, clock, { policy: policy({ targets: { max_error_rate: 0.02 } }) });
    const kept = await counted(young);

    const dry = await maintain({ ...request(), dryRun: true });
    expect(dry.pruned).to.deep.equal({ canaries: 3, observations: counts[0]! + counts[1]! + counts[2]! });
    expect(await Promise.all(old.map(counted))).to.deep.equal(counts);

    const size = await here.ledger.size();
    const done = await maintain(request());
    expect(done).to.deep.include({ pruned: dry.pruned, refused: [], checkpointed: true });
    expect(await Promise.all(old.map(counted))).to.deep.equal([0, 0, 0]);
    expect(await counted(young)).to.equal(kept);

    const entries = await here.ledger.events({ from: size });
    expect(entries.map(({ kind }) => kind)).to.deep.equal([
      'canary.pruned',
      'canary.pruned',
      'canary.pruned',
      'maintenance.finished',
    ]);
    const canaries = new Canaries(here.ledger, clock);
    for (const [i, id] of old.entries()) {
      const { observations } = await canaries.get(id);
      const said = entries.find(({ subject }) => subject === id)?.data;
      expect(said).to.deep.include({
        olderThanDays: 30,
        observations: { count: observations?.count, digest: observations?.digest },
      });
      expect(observations?.count).to.equal(counts[i]);
    }
    expect((await canaries.get(running.id)).state).to.equal('PENDING');
    const { ok, problems, notChecked } = await verifyAll(here.path);
    expect(problems).to.deep.equal([]);
    expect(ok).to.equal(true);
    expect(notChecked.filter((line) => /were pruned on \S+ by retention/.test(line))).to.have.length(3);
    // Nothing is left to do.
    expect((await maintain(request())).pruned).to.deep.equal({ canaries: 0, observations: 0 });
  });

  it('keeps the stream free of what was pruned, and never numbers an observation like one that is gone', async () => {
    const id = await ended(HEALTHY);
    const end = await here.ledger.feedEnd();
    clock.time += 31 * DAY_MS;
    await here.ledger.commit({ events: [finishedAt(clock.time)] });
    await maintain(request());
    const items = await here.ledger.feed({ seq: 0, row: 0 }, 10_000);
    expect(items.filter(({ type }) => type === 'observation')).to.deep.equal([]);
    expect((await here.ledger.feedEnd()).row).to.equal(end.row);
    const { tables } = await databaseStatus(here.ledger, here.path, clock);
    expect(tables.find(({ name }) => name === 'observation_feed')?.rows).to.equal(0);
    expect(await counted(id)).to.equal(0);
  });

  it('leaves observations that are not those of the verdict: they are evidence', async () => {
    const [id, other] = [await ended(HEALTHY), await ended(BAD)];
    clock.time += 31 * DAY_MS;
    await here.ledger.commit({ events: [finishedAt(clock.time)] });
    const db = new Database(here.path);
    db.exec('DROP TRIGGER canary_metrics_no_update');
    db.prepare(`UPDATE canary_metrics SET body = replace(body, '"bad":1,', '"bad":0,') WHERE canary = ?`).run(id);
    db.close();
    const { pruned, refused } = await maintain(request());
    expect(pruned.canaries).to.equal(1);
    expect(refused).to.deep.equal([
      { canaryId: id, why: 'its observations are not those that its verdict is based on' },
    ]);
    expect(await counted(id)).to.be.greaterThan(0);
    expect(await counted(other)).to.equal(0);
  });

  it('does not believe a clock that is ahead of the log', async () => {
    const id = await ended(HEALTHY);
    clock.time += 400 * DAY_MS;
    expect((await maintain(request())).pruned.canaries).to.equal(0);
    expect(await counted(id)).to.be.greaterThan(0);
  });

  it('keeps what people may still be asked about', async () => {
    const approvals = { required: 2 };
    const id = await ended(HEALTHY, policy({ targets: { max_error_rate: 0.02 }, approvals }));
    expect((await new Canaries(here.ledger, clock).get(id)).action.state).to.equal('awaiting approval');
    clock.time += 31 * DAY_MS;
    await here.ledger.commit({ events: [finishedAt(clock.time)] });
    expect((await maintain(request())).pruned.canaries).to.equal(0);
  });

  it('is done by one process at a time', async () => {
    await ended(HEALTHY);
    const other = await openLedger(here.path);
    try {
      await other.acquireLease('maintenance', 'somebody else', clock, 60_000);
      const { code, message } = await refusal(maintain(request()));
      expect([code, message]).to.deep.equal(['LEDGER_BUSY', 'Another process is maintaining this database']);
      await other.releaseLease('maintenance', 'somebody else');
      await maintain(request());
      expect(await other.lease('maintenance')).to.equal(null);
    } finally {
      await other.close();
    }
  });

  it('gives free pages back to the file system', async () => {
    const wide = 'x'.repeat(1000);
    for (let i = 0; i < 20; i++) {
      const observations = Array.from({ length: 100 }, (_, tick) => ({
        canaryId: `gone-${i}`,
        observation: { v: 1, tick, t: tick, from: 0, canary: {}, note: wide } as never,
      }));
      await here.ledger.commit({ observations });
    }
    const db = new Database(here.path);
    db.exec('DELETE FROM canary_metrics');
    db.close();
    const before = await here.ledger.upkeep.space();
    const { freedBytes } = await maintain(request());
    const after = await here.ledger.upkeep.space();
    expect(after.freePages).to.be.lessThan(before.freePages / 2);
    expect(freedBytes).to.equal((before.pages - after.pages) * 4096);
  });
});

function finishedAt(ms: number) {
  const data = {
    action: 'promote',
    hook: 'deploy',
    index: 0,
    attempt: 1,
    ok: true,
    detail: '',
    durationMs: 1,
  } as const;
  return { kind: 'hook.finished', subject: 'somewhere', ts: new Date(ms).toISOString(), data } as const;
}
