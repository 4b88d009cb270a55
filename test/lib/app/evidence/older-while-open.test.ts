import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type App, openApp } from '../../../../src/lib/app/app.js';
import { loadConfig } from '../../../../src/lib/app/config.js';
import { checkpointFolder } from '../../../../src/lib/app/evidence-places.js';
import { LukhasError } from '../../../../src/lib/errors.js';
import { CheckpointFiles } from '../../../../src/lib/evidence/checkpoints/files.js';
import { holderOf } from '../../../../src/lib/gates/registry.js';
import type { Actor, HookAction } from '../../../../src/lib/ledger/events.js';
import type { Canary } from '../../../../src/lib/readings/canary.js';
import { foldSummaries } from '../../../../src/lib/readings/summaries.js';
import { ACTOR, BAD, drive, driver, FakeClock, HEALTHY, SILENT, scripted, start } from '../../canary/harness.js';
import { ALICE } from '../../evidence/signers.js';
import { GrownLog } from '../../evidence/tree/grown-log.js';
import { policy } from '../../judge/looks.js';

const os = (who: string): Actor => ({ who, how: 'os-user' });
const [BO, CY] = [os('bo'), os('cy')];
const PLAIN = { targets: { max_error_rate: 0.02 }, windowSeconds: 20, noDataSeconds: 10 };

describe('a log that is set back while it is open', () => {
  let dir: string;
  let app: App;
  let clock: FakeClock;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-set-back-'));
    const hook = (action: HookAction) => {
      const note = `require('fs').appendFileSync(process.argv[1], '${action}\\n')`;
      return [{ name: 'deploy', exec: { command: [process.execPath, '-e', note, join(dir, 'calls')] } }];
    };
    const hooks = { promote: hook('promote'), rollback: hook('rollback') };
    await writeFile(join(dir, 'lukhas.json'), JSON.stringify({ hooks }));
    clock = new FakeClock();
    app = await opened('log.db');
  });
  afterEach(async () => {
    await app.close();
    await rm(dir, { recursive: true, force: true });
  });

  const opened = async (db: string) => {
    const config = await loadConfig({ env: { HOME: dir }, cwd: dir, flags: { db } });
    return openApp({ config, clock });
  };
  const calls = async () => (await readFile(join(dir, 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const decided = async (required: number, look = HEALTHY): Promise<Canary> => {
    const asked = required === 0 ? PLAIN : { ...PLAIN, approvals: { required } };
    const { ledger } = app;
    const { id } = await start(ledger, clock, { policy: policy(asked) });
    return drive({ ...driver({ ledger, clock, source: scripted(clock, () => look) }), clock }, id);
  };
  /** Checkpoints that tell of another history, or of more than the log has. */
  const HISTORIES: Record<string, number> = { 'another history': 3, 'entries that are gone': 4000 };
  const signed = async (size: number) => {
    const log = new GrownLog('example.com/canaries', ALICE).grow(size, 'others');
    await new CheckpointFiles(checkpointFolder(app.config)).add(size, log.note(size));
  };
  const code = (attempt: Promise<unknown>): Promise<string> =>
    attempt.then(
      () => 'accepted',
      (error: unknown) => (error instanceof LukhasError ? error.code : String(error)),
    );
  /** As another process that was started before: time that only sleepers move would run away from hooks. */
  const carriedOut = async (id: string) => {
    const other = await openApp({ config: app.config, mayBeOlder: true });
    try {
      await other.runner().drive([id]);
    } finally {
      await other.close();
    }
  };
  /** Decided by approvals or an override, and not carried out yet. */
  const toPromote = async (): Promise<string[]> => {
    const approved = await decided(1);
    const blocked = await decided(0, SILENT);
    await app.approvals.approve(approved.id, BO, 'ok');
    await app.canaries.override(blocked.id, BO, 'known');
    return [approved.id, blocked.id];
  };

  for (const [what, size] of Object.entries(HISTORIES)) {
    it(`takes no word for a promotion where ${what} was signed meanwhile, and any other`, async () => {
      const awaiting = await decided(2);
      const blocked = await decided(0, SILENT);
      await app.approvals.approve(awaiting.id, BO, 'ok');
      await signed(size);
      const before = await app.ledger.size();
      const words = [
        () => app.approvals.approve(awaiting.id, CY, 'ok'),
        () => app.approvals.breakGlass(awaiting.id, CY, 'v1 refuses every payment, this mends it'),
        () => app.canaries.override(blocked.id, CY, 'known'),
      ];
      for (const word of words) expect(await code(word())).to.equal('VERIFICATION');
      expect(await app.ledger.size()).to.equal(before);
      await app.approvals.reject(awaiting.id, CY, 'no');
    });

    it(`calls no promote hook where ${what} was signed meanwhile, looks again later, and gives the gate free`, async () => {
      const ids = await toPromote();
      await signed(size);
      for (const id of ids) {
        expect(await code(carriedOut(id))).to.equal('VERIFICATION');
        expect([await app.ledger.lease(id), await app.ledger.lease('gate:production')]).to.deep.equal([null, null]);
      }
      const told: { id: string; code: string; at: number }[] = [];
      const stop = new AbortController();
      const onError = (id: string, error: LukhasError) => {
        told.push({ id, code: error.code, at: clock.time });
        if (told.length === 5) stop.abort();
      };
      await app.runner({ onError }).driveAll(stop.signal);
      expect(new Set(told.map((one) => one.code))).to.deep.equal(new Set(['VERIFICATION']));
      const overridden = ids[1] as string;
      const own = told.filter(({ id }) => id === overridden).map(({ at }) => at);
      expect((own[1] as number) - (own[0] as number)).to.be.at.least(60_000);
      expect(await calls()).to.deep.equal([]);
      expect(await holderOf(app.ledger, 'production')).to.equal(null);
      // What was signed of another log is taken away: that is what somebody had to mend.
      await rm(checkpointFolder(app.config), { recursive: true });
      await carriedOut(overridden);
      expect(await calls()).to.deep.equal(['promote']);
    });
  }

  it('promotes nothing on evidence that is there, neither anew nor what was begun', async () => {
    const { id } = await decided(0);
    const asked = { modelId: 'fraud-v2', gate: 'production', dryRun: false, by: ACTOR };
    const rival = await start(app.ledger, clock, { policy: policy(PLAIN), modelId: 'rival' });
    const source = scripted(clock, () => HEALTHY);
    await drive({ ...driver({ ledger: app.ledger, clock, source }), clock }, rival.id);
    await signed(3);
    const before = await app.ledger.size();
    expect(await code(app.promotions.promote(asked))).to.equal('VERIFICATION');
    expect(await app.ledger.size()).to.equal(before);
    const data = { modelId: 'fraud-v2', gate: 'production', fromGate: 'stage', previous: 'rival', canaryId: id };
    const subject = 'p-begun';
    await app.ledger.commit({
      events: [
        {
          kind: 'promotion.requested',
          subject,
          ts: new Date(clock.now()).toISOString(),
          data: { ...data, requestedBy: ACTOR },
        },
      ],
    });
    await app.ledger.rebuildSummaries(foldSummaries);
    expect(await code(app.promotions.driveOpen(new AbortController().signal))).to.equal('VERIFICATION');
    expect(await calls()).to.deep.equal([]);
    expect(await app.ledger.lease('gate:production')).to.equal(null);
  });

  it('keeps no rollback back', async () => {
    const { id } = await start(app.ledger, clock, { policy: policy(PLAIN) });
    await signed(4000);
    const source = scripted(clock, () => BAD);
    const killed = new Error('killed');
    const driving = drive({ ...driver({ ledger: app.ledger, clock, source }), clock }, id, async () => {
      if ((await app.canaries.get(id)).state === 'ROLLED_BACK') throw killed;
    });
    expect(await driving.catch((error: unknown) => error)).to.equal(killed);
    await app.ledger.releaseLease(id, `here:${process.pid}:a`);
    await carriedOut(id);
    expect(await calls()).to.deep.equal(['rollback']);
  });

  it('is known by the folder where it is, whatever links lead there', async () => {
    await signed(4000);
    await mkdir(join(dir, 'elsewhere'));
    await symlink('../log.db', join(dir, 'elsewhere', 'linked.db'));
    await symlink('.', join(dir, 'round'));
    await symlink('elsewhere/linked.db', join(dir, 'twice.db'));
    for (const db of ['elsewhere/linked.db', 'round/log.db', 'round/elsewhere/linked.db', 'twice.db']) {
      const config = await loadConfig({ env: { HOME: dir }, cwd: dir, flags: { db } });
      expect(checkpointFolder(config), db).to.equal(join(dir, 'checkpoints'));
      expect(config.keys.log, db).to.equal(join(dir, 'keys', 'log.pem'));
      expect(await code(opened(db)), db).to.equal('VERIFICATION');
    }
    // One that is not there yet is in the folder that it will be in.
    const config = await loadConfig({ env: { HOME: dir }, cwd: dir, flags: { db: 'round/new.db' } });
    expect(checkpointFolder(config)).to.equal(join(dir, 'checkpoints'));
  });
});
