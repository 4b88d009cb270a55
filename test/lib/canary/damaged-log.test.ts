import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Approvals } from '../../../src/lib/canary/approvals.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { provenCanary } from '../../../src/lib/canary/load.js';
import { pruneCanary } from '../../../src/lib/canary/prune.js';
import { Runner } from '../../../src/lib/canary/runner.js';
import type { LukhasError } from '../../../src/lib/errors.js';
import type { HooksConfig } from '../../../src/lib/gates/hook.js';
import { holderOf } from '../../../src/lib/gates/registry.js';
import type { Actor, HookAction } from '../../../src/lib/ledger/events.js';
import { LogFollower } from '../../../src/lib/ledger/follower.js';
import type { Canary } from '../../../src/lib/readings/canary.js';
import { policy } from '../judge/looks.js';
import { Unguarded } from '../ledger/sqlite/unguarded.js';
import { refusal } from '../refusal.js';
import {
  ACTOR,
  BAD,
  drive,
  driver,
  FakeClock,
  type Found,
  HEALTHY,
  NO_HOOKS,
  type Place,
  place,
  SILENT,
  scripted,
  start,
} from './harness.js';

const os = (who: string): Actor => ({ who, how: 'os-user' });
const [BO, CY, DI] = [os('bo'), os('cy'), os('di')];
const PLAIN = { targets: { max_error_rate: 0.02 }, windowSeconds: 20, noDataSeconds: 10 };
const EMERGENCY = 'v1 refuses every payment, this mends it';

type Edit = (db: Unguarded, id: string) => number | null;
const only = (db: Unguarded, id: string, kind: string): number => db.entries(id, kind)[0] as number;

/** What somebody does to a canary that BO has approved and that wants one more. @returns the entry that is named */
const EDITS: Record<string, Edit> = {
  'how many the policy wants': (db, id) => db.replace(only(db, id, 'canary.requested'), '"required":2', '"required":1'),
  'that the policy wants any': (db, id) => db.replace(only(db, id, 'canary.requested'), '"approvals"', '"approvalz"'),
  'who asked for it': (db, id) => db.replace(only(db, id, 'canary.requested'), '"who":"ana"', '"who":"eve"'),
  'who approved it': (db, id) => db.replace(only(db, id, 'canary.approved'), '"who":"bo"', '"who":"di"'),
  'how many an approval says are wanted': (db, id) =>
    db.replace(only(db, id, 'canary.approved'), '"required":2', '"required":1'),
  'the verdict': (db, id) => db.replace(only(db, id, 'canary.decided'), '"certified":true', '"certified":null'),
  'an observation': (db, id) => {
    const sql = `UPDATE canary_metrics SET body = replace(body, '"bad":1', '"bad":0') WHERE canary = ? AND tick = 2`;
    if (db.db.prepare(sql).run(id).changes !== 1) throw new Error('nothing was changed');
    return only(db, id, 'canary.decided');
  },
  'an observation put in': (db, id) => {
    db.db
      .prepare(
        `INSERT INTO canary_metrics SELECT canary, 99, t, body FROM canary_metrics WHERE canary = ? AND tick = 2`,
      )
      .run(id);
    return only(db, id, 'canary.decided');
  },
  'all observations gone': (db, id) => {
    db.db.prepare('DELETE FROM canary_metrics WHERE canary = ?').run(id);
    return only(db, id, 'canary.decided');
  },
  'a stored hash': (db, id) => {
    const seq = only(db, id, 'canary.requested');
    db.db.prepare('UPDATE events SET hash = zeroblob(32) WHERE seq = ?').run(seq);
    return seq;
  },
  'a policy with its hash and the nodes beside it': (db, id) => {
    const seq = db.replace(only(db, id, 'canary.requested'), '"required":2', '"required":1');
    db.rehash(seq);
    return seq;
  },
  'an approval that was moved away': (db, id) => {
    const seq = only(db, id, 'canary.approved');
    db.db.prepare("UPDATE events SET subject = 'c-elsewhere' WHERE seq = ?").run(seq);
    return seq;
  },
  'a trigger on what is written before hooks': (db) => {
    db.db.exec('CREATE TRIGGER thief AFTER INSERT ON leases BEGIN DELETE FROM cursors; END');
    return null;
  },
  'an entry that is gone': (db, id) => {
    db.db.prepare('DELETE FROM events WHERE seq = ?').run(only(db, id, 'canary.started'));
    return null;
  },
};

describe('a damaged log', () => {
  let here: Place;
  let clock: FakeClock;
  let approvals: Approvals;
  let canaries: Canaries;
  let db: Unguarded;
  beforeEach(async () => {
    here = await place();
    clock = new FakeClock();
    approvals = new Approvals(here.ledger, clock);
    canaries = new Canaries(here.ledger, clock);
    db = new Unguarded(here.path);
  });
  afterEach(async () => {
    db.close();
    await here.close();
  });

  let drivers = 0;
  const context = (look: Found = HEALTHY, hooks: HooksConfig = NO_HOOKS) => ({
    ...driver({
      ledger: here.ledger,
      clock,
      source: scripted(clock, () => look),
      hooks,
      holder: `here:1:${++drivers}`,
    }),
    clock,
  });
  const decided = async (required: number, look = HEALTHY): Promise<Canary> => {
    const asked = required === 0 ? PLAIN : { ...PLAIN, approvals: { required } };
    const { id } = await start(here.ledger, clock, { policy: policy(asked) });
    return drive(context(look), id);
  };
  /** Hooks that note what was called. */
  const noting = (): HooksConfig => {
    const hook = (action: HookAction) => {
      const note = `require('fs').appendFileSync(process.argv[1], '${action}\\n')`;
      const command: [string, ...string[]] = [process.execPath, '-e', note, join(dirname(here.path), 'calls')];
      return { name: 'deploy', exec: { command, timeoutSeconds: 10, env: {} } };
    };
    return { promote: [hook('promote')], rollback: [hook('rollback')] };
  };
  const calls = async () =>
    (await readFile(join(dirname(here.path), 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const runner = (onError: (id: string, error: LukhasError) => void) =>
    new Runner({
      ledger: here.ledger,
      follower: new LogFollower(here.ledger, clock),
      clock,
      hooks: NO_HOOKS,
      env: {},
      openSource: async () => scripted(clock, () => HEALTHY),
      onError,
    });
  /** That it is told, names the entry, and nothing came of it. */
  async function refused(attempt: Promise<unknown>, named: number | null): Promise<void> {
    const before = await here.ledger.size();
    const { code, exit, message } = await refusal(attempt);
    expect([code, exit]).to.deep.equal(['LEDGER_CORRUPT', 7]);
    if (named !== null) expect(message).to.match(new RegExp(`[Ee]ntry ${named}\\b`));
    expect(await here.ledger.size()).to.equal(before);
    expect(await calls()).to.deep.equal([]);
    expect(await holderOf(here.ledger, 'production')).to.equal(null);
  }

  for (const [what, edit] of Object.entries(EDITS)) {
    it(`is approved by nobody: ${what}`, async () => {
      const { id } = await decided(2);
      await approvals.approve(id, BO, 'ok');
      const named = edit(db, id);
      await refused(approvals.approve(id, CY, 'ok'), named);
    });

    it(`has no hook called: ${what}`, async () => {
      const { id } = await decided(2);
      await approvals.approve(id, BO, 'ok');
      await approvals.approve(id, CY, 'ok');
      edit(db, id);
      // Which entry is named depends on who looks first: what cannot follow is noticed before it is proved.
      await refused(drive(context(HEALTHY, noting()), id), null);
      // Nobody holds what others would have to wait for.
      expect([await here.ledger.lease(id), await here.ledger.lease('gate:production')]).to.deep.equal([null, null]);
    });
  }

  it('lets promotions pass that were not touched, hooks and all', async () => {
    const other = await decided(2);
    const { id } = await decided(2);
    await approvals.approve(id, BO, 'ok');
    db.replace(only(db, other.id, 'canary.requested'), '"required":2', '"required":1');
    await approvals.approve(id, CY, 'ok');
    expect((await drive(context(HEALTHY, noting()), id)).action.state).to.equal('done');
    expect([await calls(), await holderOf(here.ledger, 'production')]).to.deep.equal([['promote'], 'fraud-v2']);
  });

  it('takes no other word either: override, rejection, break-glass and review', async () => {
    const blocked = await decided(0, SILENT);
    const seq = db.replace(only(db, blocked.id, 'canary.decided'), '"decision":"block"', '"decision":"blocc"');
    await refused(canaries.override(blocked.id, BO, 'known'), seq);
    const awaiting = await decided(1);
    const edited = db.replace(only(db, awaiting.id, 'canary.requested'), '"who":"ana"', '"who":"eve"');
    await refused(approvals.reject(awaiting.id, BO, 'no'), edited);
    await refused(approvals.breakGlass(awaiting.id, BO, EMERGENCY), edited);
    db.replace(edited, '"who":"eve"', '"who":"ana"');
    await approvals.breakGlass(awaiting.id, BO, EMERGENCY);
    db.replace(only(db, awaiting.id, 'canary.forced'), '"who":"bo"', '"who":"cy"');
    await refused(approvals.review(awaiting.id, BO, 'fine'), only(db, awaiting.id, 'canary.forced'));
  });

  it('is not approved where a change of the gate was hidden', async () => {
    const { id } = await decided(2);
    await approvals.approve(id, BO, 'ok');
    const rival = await start(here.ledger, clock, { policy: policy(PLAIN), modelId: 'rival' });
    await drive(context(), rival.id);
    const [seq] = db.entries('gate:production') as [number];
    db.db.prepare("UPDATE events SET subject = 'gate:elsewhere' WHERE seq = ?").run(seq);
    expect((await refusal(approvals.approve(id, CY, 'ok'))).message).to.match(
      new RegExp(`Entry ${seq} .*its row another subject`),
    );
  });

  it('is promoted without its observations only where an entry says that they were pruned', async () => {
    const { id } = await decided(0, SILENT);
    const pruned = await decided(0, SILENT);
    clock.time += 31 * 86_400_000;
    const request = { ledger: here.ledger, clock, by: BO, before: clock.time, olderThanDays: 30, dryRun: false };
    expect((await pruneCanary(pruned.id, request)).kind).to.equal('pruned');
    db.db.prepare('DELETE FROM canary_metrics WHERE canary = ? AND tick > 1').run(id);
    expect((await refusal(canaries.override(id, BO, 'known'))).code).to.equal('LEDGER_CORRUPT');
    db.db.prepare('DELETE FROM canary_metrics WHERE canary = ?').run(id);
    expect((await refusal(canaries.override(id, BO, 'known'))).code).to.equal('LEDGER_CORRUPT');
    expect((await canaries.override(pruned.id, BO, 'known')).state).to.equal('PROMOTED');
  });

  it('keeps no rollback back, and the damage is told', async () => {
    const edits: Edit[] = [
      (at, id) => at.replace(only(at, id, 'canary.decided'), '"decision":"rollback"', '"decision":"promote"'),
      (at, id) => at.replace(only(at, id, 'canary.requested'), '"who":"ana"', '"who":"eve"'),
      (at, id) => {
        at.db.prepare('DELETE FROM canary_metrics WHERE canary = ? AND tick = 1').run(id);
        return only(at, id, 'canary.decided');
      },
    ];
    for (const [n, edit] of edits.entries()) {
      const told: LukhasError[] = [];
      const { id } = await start(here.ledger, clock, { policy: policy(PLAIN) });
      let named: number | null = null;
      const driving = { ...context(BAD, noting()), onDamage: (_: string, error: LukhasError) => told.push(error) };
      await drive(driving, id, async () => {
        if (named === null && (await canaries.get(id)).state === 'ROLLED_BACK') named = edit(db, id);
      });
      expect(await calls()).to.deep.equal(Array(n + 1).fill('rollback'));
      expect(told).to.have.length(1);
      expect(told[0]?.message).to.match(new RegExp(`ntry ${named}\\b.*; the rollback of ${id} continues anyway$`));
    }
  });

  it('keeps no rollback back where the schema was changed while it ran', async () => {
    const told: string[] = [];
    const { id } = await start(here.ledger, clock, { policy: policy(PLAIN) });
    db.db.exec('CREATE TRIGGER thief AFTER INSERT ON leases BEGIN DELETE FROM cursors; END');
    await drive(
      { ...context(BAD, noting()), onDamage: (_: string, { message }: LukhasError) => told.push(message) },
      id,
    );
    expect(await calls()).to.deep.equal(['rollback']);
    expect(told.join()).to.match(
      new RegExp(`unknown trigger thief on leases; the rollback of ${id} continues anyway$`),
    );
  });

  it('keeps no rollback back that another driver has left, and whoever watches is told', async () => {
    const { id } = await start(here.ledger, clock, { policy: policy(PLAIN) });
    const killed = new Error('killed');
    const driving = drive(context(BAD), id, async () => {
      if ((await canaries.get(id)).state === 'ROLLED_BACK') throw killed;
    });
    expect(await driving.catch((error: unknown) => error)).to.equal(killed);
    db.replace(only(db, id, 'canary.requested'), '"who":"ana"', '"who":"eve"');
    const told: string[] = [];
    clock.time += 3_600_000;
    await runner((of, { message }) => told.push(`${of}: ${message}`)).drive([id]);
    expect((await canaries.get(id)).action).to.include({ kind: 'rollback', state: 'done' });
    expect(told.join()).to.match(new RegExp(`^${id}: Entry 0 .*; the rollback of ${id} continues anyway$`));
  });

  it('is given no promotion by a driver that read it before it was damaged', async () => {
    const { id } = await start(here.ledger, clock, { policy: policy({ ...PLAIN, approvals: { required: 2 } }) });
    let named: number | null = null;
    const driving = drive(context(HEALTHY, noting()), id, async () => {
      if (named === null && (await canaries.get(id)).startedAt !== null)
        named = db.replace(only(db, id, 'canary.requested'), '"required":2', '"required":1');
    });
    const { code, message } = await refusal(driving);
    expect(code).to.equal('LEDGER_CORRUPT');
    expect(message).to.match(new RegExp(`[Ee]ntry ${named}\\b`));
    expect(db.entries(id, 'canary.decided')).to.deep.equal([]);
    expect(await calls()).to.deep.equal([]);
  });

  it('ends the driver of that canary, and does not keep others from the gate', async () => {
    const { id } = await decided(1);
    await approvals.approve(id, BO, 'ok');
    const other = await start(here.ledger, clock, {
      policy: policy({ ...PLAIN, approvals: { required: 1 } }),
      modelId: 'second',
    });
    await drive(context(), other.id);
    await approvals.approve(other.id, DI, 'ok');
    db.replace(only(db, id, 'canary.requested'), '"who":"ana"', '"who":"eve"');
    const told: { id: string; at: number }[] = [];
    const stop = new AbortController();
    expect((await refusal(runner(() => undefined).drive([id]))).code).to.equal('LEDGER_CORRUPT');
    expect(await here.ledger.lease(id)).to.equal(null);
    let holder: string | null = null;
    // Nothing takes longer than a lease in between.
    clock.patience = 2000;
    const onError = (of: string) => {
      told.push({ id: of, at: clock.time });
      if (told.length === 500 || (told.length >= 3 && holder !== null)) stop.abort();
    };
    const off = here.ledger.onCommit(() => {
      void holderOf(here.ledger, 'production').then((now) => {
        holder = now;
      });
    });
    await runner(onError).driveAll(stop.signal);
    off();
    expect(await holderOf(here.ledger, 'production')).to.equal('second');
    expect(new Set(told.map((one) => one.id))).to.deep.equal(new Set([id]));
    const waits = told.slice(1).map(({ at }, i) => at - (told[i]?.at ?? 0));
    expect(Math.min(...waits)).to.be.at.least(60_000);
  });

  it('is found by any byte of any entry of the canary', async () => {
    const { id } = await decided(2);
    await approvals.approve(id, BO, 'ok "größe" \ufffd');
    const entries = db.entries(id);
    await provenCanary(here.ledger, id);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (entry, place, change) => {
        const seq = entries[entry % entries.length] as number;
        const body = db.body(seq);
        const changed = Buffer.from(body);
        const at = place % body.length;
        changed[at] = (body[at] as number) ^ change;
        db.write(seq, changed);
        const { code, message } = await refusal(provenCanary(here.ledger, id));
        expect(code).to.equal('LEDGER_CORRUPT');
        expect(message).to.include(`Entry ${seq} `);
        db.write(seq, body);
      }),
      { numRuns: 500 },
    );
    expect((await provenCanary(here.ledger, id)).requestedBy).to.deep.equal(ACTOR);
  });
});
