import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Approvals } from '../../../src/lib/canary/approvals.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { provenCanary } from '../../../src/lib/canary/load.js';
import { LukhasError } from '../../../src/lib/errors.js';
import type { HooksConfig } from '../../../src/lib/gates/hook.js';
import { setGate } from '../../../src/lib/gates/registry.js';
import type { Actor } from '../../../src/lib/ledger/events.js';
import type { Canary } from '../../../src/lib/readings/canary.js';
import { policy } from '../judge/looks.js';
import { Unguarded } from '../ledger/sqlite/unguarded.js';
import { ACTOR, drive, driver, FakeClock, HEALTHY, type Place, place, SILENT, scripted, start } from './harness.js';

const os = (who: string): Actor => ({ who, how: 'os-user' });
const [BO, CY] = [os('bo'), os('cy')];
const PLAIN = { targets: { max_error_rate: 0.02 }, windowSeconds: 20, noDataSeconds: 10 };
const GATE = 'gate:production';

const set = (column: string, value: string) => (db: Unguarded, seq: number) => {
  db.db.prepare(`UPDATE events SET ${column} = ${value} WHERE seq = ?`).run(seq);
};

/** What somebody does to the entry that says who has held the gate since before the canary. */
const EDITS: Record<string, (db: Unguarded, seq: number) => unknown> = {
  'who holds it': (db, seq) => db.replace(seq, '"modelId":"rival"', '"modelId":"fraud-v2"'),
  'which canary set it': (db, seq) => db.replace(seq, '"canaryId":null', '"canaryId":"c-1"'),
  'its place': (db, seq) => db.replace(seq, `"seq":${seq}`, '"seq":4'),
  'its place, beyond the end': (db, seq) => db.replace(seq, `"seq":${seq}`, '"seq":4000'),
  'its hash': set('hash', 'zeroblob(32)'),
  'its kind': set('kind', "'gate.other'"),
  'where it is filed': set('subject', "'gate:elsewhere'"),
  'that it is there': (db, seq) => db.db.prepare('DELETE FROM events WHERE seq = ?').run(seq),
  'who holds it, with its hash and the nodes beside it': (db, seq) =>
    db.rehash(db.replace(seq, '"modelId":"rival"', '"modelId":"fraud-v2"')),
};

async function code(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'accepted',
    (error: unknown) => (error instanceof LukhasError ? error.code : String(error)),
  );
}

describe('a gate whose entry is older than the canary', () => {
  let here: Place;
  let clock: FakeClock;
  let approvals: Approvals;
  let db: Unguarded;
  beforeEach(async () => {
    here = await place();
    clock = new FakeClock();
    approvals = new Approvals(here.ledger, clock);
    db = new Unguarded(here.path);
    await entered('other');
    await start(here.ledger, clock, { policy: policy(PLAIN), modelId: 'unrelated', toGate: 'edge' });
    await entered('rival');
  });
  afterEach(async () => {
    db.close();
    await here.close();
  });

  const entered = (modelId: string) =>
    setGate(here.ledger, {
      gate: 'production',
      modelId,
      canaryId: null,
      by: ACTOR,
      ts: new Date(clock.now()).toISOString(),
    });
  const called = () => join(dirname(here.path), 'called');
  const hooks = (): HooksConfig => {
    const command: [string, ...string[]] = [process.execPath, '-e', "require('fs').writeFileSync(process.argv[1], '')"];
    return {
      promote: [{ name: 'deploy', exec: { command: [...command, called()], timeoutSeconds: 10, env: {} } }],
      rollback: [],
    };
  };
  let drivers = 0;
  const driven = (id: string, look = HEALTHY) => {
    const source = scripted(clock, () => look);
    const holder = `here:1:${++drivers}`;
    return drive({ ...driver({ ledger: here.ledger, clock, source, hooks: hooks(), holder }), clock }, id);
  };
  const asked = (required: number) => (required === 0 ? PLAIN : { ...PLAIN, approvals: { required } });
  const decided = async (required: number, look = HEALTHY): Promise<Canary> =>
    driven((await start(here.ledger, clock, { policy: policy(asked(required)) })).id, look);
  const newest = () => db.entries(GATE).at(-1) as number;
  const refused = async (attempt: () => Promise<unknown>) => {
    const before = await here.ledger.size();
    expect(await code(attempt())).to.equal('LEDGER_CORRUPT');
    expect(await here.ledger.size()).to.equal(before);
    expect(await readFile(called()).catch(() => 'not called')).to.equal('not called');
  };

  for (const [what, edit] of Object.entries(EDITS)) {
    it(`is believed by nobody where somebody changed ${what}`, async () => {
      const { id } = await decided(2);
      const blocked = await decided(0, SILENT);
      await approvals.approve(id, BO, 'ok');
      edit(db, newest());
      await refused(() => approvals.approve(id, CY, 'ok'));
      await refused(() => approvals.breakGlass(id, CY, 'v1 refuses every payment, this mends it'));
      await refused(() => new Canaries(here.ledger, clock).override(blocked.id, BO, 'known'));
    });

    it(`has no hook called where somebody changed ${what}`, async () => {
      const approved = await decided(1);
      const overridden = await decided(0, SILENT);
      await approvals.approve(approved.id, BO, 'ok');
      await new Canaries(here.ledger, clock).override(overridden.id, BO, 'known');
      edit(db, newest());
      for (const { id } of [approved, overridden]) await refused(() => driven(id));
    });
  }

  it('is missed where it was the only one', async () => {
    const { id } = await decided(1);
    for (const seq of db.entries(GATE)) set('subject', "'gate:elsewhere'")(db, seq);
    await refused(() => approvals.approve(id, BO, 'ok'));
  });

  it('lets pass what was not touched, and logs whom the canary took the gate from', async () => {
    const { id } = await decided(1);
    await approvals.approve(id, BO, 'ok');
    expect((await driven(id)).action.state).to.equal('done');
    const [change] = await here.ledger.events({ subject: GATE, limit: 1, newest: true });
    expect(change?.data).to.include({ modelId: 'fraud-v2', previous: 'rival', canaryId: id });
  });

  it('does not pass for the canary’s own by its id', async () => {
    const { id } = await decided(1);
    await approvals.approve(id, BO, 'ok');
    const [first] = db.entries(GATE) as [number];
    db.replace(first, '"canaryId":null', `"canaryId":"${id}"`);
    await driven(id);
    const [change] = await here.ledger.events({ subject: GATE, limit: 1, newest: true });
    expect(change?.data).to.include({ modelId: 'fraud-v2', previous: 'rival', canaryId: id });
  });

  it('is found by any byte of its entry', async () => {
    const { id } = await decided(1);
    const seq = newest();
    const body = db.body(seq);
    await provenCanary(here.ledger, id);
    await fc.assert(
      fc.asyncProperty(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(body);
        changed[at] = (body[at] as number) ^ change;
        db.write(seq, changed);
        expect(await code(provenCanary(here.ledger, id))).to.equal('LEDGER_CORRUPT');
        db.write(seq, body);
      }),
      { numRuns: 300 },
    );
  });
});
