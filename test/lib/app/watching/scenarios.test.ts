import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { verifyEvidence } from '../../../../src/lib/app/evidence/verify-file.js';
import { initKeys } from '../../../../src/lib/app/signing-keys.js';
import { systemClock } from '../../../../src/lib/clock.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { canaryView } from '../../../../src/lib/view/canary.js';
import { until } from '../../../until.js';
import { BAD, drive, driver, FakeClock, HEALTHY, scripted, start } from '../../canary/harness.js';
import { policy } from '../../judge/looks.js';
import { recordOf } from '../../view/record.js';
import { idsIn, type Kind, type Stage, stage } from './stage.js';

const KINDS: Kind[] = ['the log itself', 'a daemon'];
const RULES = { windowSeconds: 60, intervalSeconds: 5, targets: { max_error_rate: 0.02 } };

/** A canary from its request to its end. @returns its id */
async function run(
  ledger: Ledger,
  found = HEALTHY,
  more: Record<string, unknown> = {},
  { modelId = 'fraud-v2', clock = new FakeClock() } = {},
) {
  const { id } = await start(ledger, clock, { policy: policy({ ...RULES, ...more }), modelId });
  await drive({ ...driver({ ledger, clock, source: scripted(clock, () => found) }), clock }, id);
  return id;
}

/** So many checks of a canary that goes on afterwards. */
async function checked(ledger: Ledger, clock: FakeClock, id: string, count: number): Promise<void> {
  const context = { ...driver({ ledger, clock, source: scripted(clock, () => HEALTHY) }), clock };
  const enough = new Error('enough');
  let left = count;
  const between = () => {
    if (left-- === 0) throw enough;
  };
  await drive(context, id, between).catch((error: unknown) => {
    if (error !== enough) throw error;
  });
}

for (const kind of KINDS) {
  describe(`watching ${kind}`, () => {
    let on: Stage;
    afterEach(() => on.close());

    /** Everything that is in the log has been told. */
    const caughtUp = async () => {
      const last = (await idsIn(on.ledger)).at(-1);
      await until(() => on.told.at(-1)?.id === last);
    };
    const begun = async (before?: (ledger: Ledger) => Promise<void>) => {
      on = await stage(kind, before);
      on.follow();
      await until(() => on.watching.connection.state === 'live');
    };
    const state = (id: string) => on.watching.overview.canaries.get(id)?.state;

    it('shows what was there, and tells each event of what comes once, in order', async () => {
      let before = '';
      await begun(async (ledger) => {
        before = await run(ledger);
      });
      expect(state(before)).to.equal('PROMOTED');
      const told = (await idsIn(on.ledger)).length;
      const after = await run(on.ledger, BAD);
      await caughtUp();
      expect(on.told.map(({ id }) => id)).to.deep.equal((await idsIn(on.ledger)).slice(told));
      expect(on.told[0]).to.deep.include({ name: 'requested' });
      expect(state(after)).to.equal('ROLLED_BACK');
      expect(on.watching.overview.gates.get('production')?.modelId).to.equal('fraud-v2');
      expect(on.states).to.deep.equal(['live']);
    });

    it('says of the newest check how its canary stands', async () => {
      await begun();
      const id = await run(on.ledger, BAD);
      await caughtUp();
      const checks = on.told.filter(({ name }) => name === 'metric');
      expect(checks).to.have.length.above(1);
      const { data } = checks.at(-1)!;
      expect(data['canaryId']).to.equal(id);
      expect(data['judged']).to.include({ tick: data['tick'] });
      expect(on.watching.overview.canaries.get(id)?.trail['error_rate']?.at(-1)).to.equal(data['error_rate']);
    });

    it('reads all that is recorded of a canary, by its id or a beginning of it, while it goes on and afterwards', async () => {
      await begun();
      const clock = new FakeClock();
      const { id } = await start(on.ledger, clock, { policy: policy(RULES) });
      const seen: number[] = [];
      await drive(
        { ...driver({ ledger: on.ledger, clock, source: scripted(clock, () => HEALTHY) }), clock },
        id,
        async () => {
          const record = await on.watching.canary(id);
          seen.push(record.observations.length);
          // What nobody has decided commits to nothing.
          expect(record.digest !== null).to.equal(record.events.some((event) => event.kind === 'canary.decided'));
        },
      );
      expect(seen.at(-1)).to.be.above(seen[0]!);
      const record = await on.watching.canary(id.slice(0, 8));
      const whole = await recordOf(on.ledger, id);
      expect(record.observations).to.deep.equal(whole.observations);
      expect(record.digest).to.equal(whole.digest);
      expect(canaryView(record)).to.deep.include({ intact: true });
      // Whoever looked from the beginning and whoever looks now see the same.
      expect(await on.watching.canary(id)).to.deep.equal(record);
    });

    it('fails for an id that is not there, and for what cannot be done, in words', async () => {
      let id = '';
      await begun(async (ledger) => {
        id = await run(ledger);
      });
      const code = (work: Promise<unknown>) =>
        work.then(
          () => null,
          (error: { code: string }) => error.code,
        );
      expect(await code(on.watching.canary('c-unknown'))).to.equal('NOT_FOUND');
      expect(await code(on.watching.act('abort', 'c-unknown', 'no'))).to.equal('NOT_FOUND');
      expect(await code(on.watching.act('abort', id, 'too late'))).to.equal('ILLEGAL_TRANSITION');
    });

    it('aborts, and whoever watches is told', async () => {
      let id = '';
      await begun(async (ledger) => {
        ({ id } = await start(ledger, new FakeClock(Date.now()), { policy: policy(RULES) }));
      });
      expect(await on.watching.act('abort', id, 'wrong build')).to.equal(`aborted ${id}: ABORTED`);
      await until(() => state(id) === 'ABORTED');
      expect(on.watching.overview.canaries.get(id)?.reason).to.equal('wrong build');
    });

    it('approves what waits for it', async () => {
      let id = '';
      await begun(async (ledger) => {
        id = await run(ledger, HEALTHY, { approvals: { required: 1 } }, { clock: new FakeClock(Date.now()) });
      });
      expect(on.watching.overview.canaries.get(id)?.approval?.state).to.equal('awaiting');
      expect(await on.watching.act('approve', id, 'looks fine')).to.equal(`approved ${id}: PROMOTED`);
      await until(() => state(id) === 'PROMOTED');
      const { told } = on;
      expect(told.map(({ name }) => name)).to.include('promoted');
    });

    it('exports the evidence of a canary as a pack that verifies, again over an older one, and over nothing else', async () => {
      let id = '';
      await begun(async (ledger) => {
        await run(ledger, HEALTHY, {}, { modelId: 'another' });
        id = await run(ledger);
      });
      await initKeys(on.config);
      const folder = dirname(on.config.dbPath);
      const path = join(folder, `lukhas-evidence-${id}.zip`);
      for (let again = 0; again < 2; again++) expect(await on.watching.exportPack(id, folder)).to.equal(path);
      const report = await verifyEvidence(path, { trust: [], since: null, db: null, clock: systemClock() });
      expect(report.ok, JSON.stringify(report)).to.equal(true);
      await writeFile(path, 'a letter');
      const refused = await on.watching.exportPack(id, folder).then(
        () => null,
        (error: Error) => error.message,
      );
      expect(refused).to.match(/already exists and is not a valid evidence pack/);
      expect(await readFile(path, 'utf8')).to.equal('a letter');
      expect((await readdir(folder)).filter((name) => /part|tmp/.test(name))).to.deep.equal([]);
    });

    it('goes on with what comes after a restart, and nothing is missing or doubled', async () => {
      await begun(async (ledger) => {
        await run(ledger);
      });
      const told = (await idsIn(on.ledger)).length;
      await run(on.ledger, BAD);
      await on.restart(async () => {
        await run(on.ledger, HEALTHY, {}, { modelId: 'fraud-v3' });
      });
      await run(on.ledger, BAD, {}, { modelId: 'fraud-v4' });
      await caughtUp();
      expect(on.told.map(({ id }) => id)).to.deep.equal((await idsIn(on.ledger)).slice(told));
    });

    it('says that it is stale while it hears nothing, and is live again with nothing missing or doubled', async () => {
      await begun(async (ledger) => {
        await run(ledger);
      });
      const told = (await idsIn(on.ledger)).length;
      await on.cut(async () => {
        await until(() => on.watching.connection.state === 'stale');
        await run(on.ledger, BAD);
        expect(on.watching.connection.problem).to.be.a('string').and.not.equal('');
        expect([...on.watching.overview.canaries.values()]).to.have.length(1);
      });
      await until(() => on.watching.connection.state === 'live');
      expect(on.watching.connection.problem).to.equal(null);
      await caughtUp();
      expect(on.told.map(({ id }) => id)).to.deep.equal((await idsIn(on.ledger)).slice(told));
      expect(on.states).to.deep.equal(['live', 'stale', 'live']);
    });

    it('shows after a break how a canary stands by the checks of meanwhile', async () => {
      const clock = new FakeClock();
      let id = '';
      const checks = (ledger: Ledger, count: number) => checked(ledger, clock, id, count);
      await begun(async (ledger) => {
        ({ id } = await start(ledger, clock, { policy: policy({ ...RULES, windowSeconds: 6000 }) }));
        await checks(ledger, 3);
      });
      await on.cut(async () => {
        await until(() => on.watching.connection.state === 'stale');
        await checks(on.ledger, 9);
      });
      await caughtUp();
      const row = () => on.watching.overview.canaries.get(id)!;
      expect(row().tick).to.be.above(8);
      await until(() => row().glance?.tick === row().tick);
      expect(row().state).to.equal('RUNNING');
    });

    it('shows another log that takes the place of this one, and nothing of this one', async () => {
      let before = '';
      await begun(async (ledger) => {
        before = await run(ledger);
      });
      const { overview } = on.watching;
      let after = '';
      await on.replace(async (ledger) => {
        after = await run(ledger, BAD, {}, { modelId: 'other-model' });
      });
      await until(() => overview.canaries.has(after));
      expect(overview.canaries.has(before)).to.equal(false);
      expect(overview).to.equal(on.watching.overview);
      await until(() => on.watching.connection.state === 'live');
      const { observations } = await on.watching.canary(after);
      expect(observations).to.deep.equal((await recordOf(on.ledger, after)).observations);
    });

    it('ends when it is told to, without an error', async () => {
      await begun();
      await on.close();
      await on.ended;
      on = await stage(kind);
    });
  });
}

describe('watching the log itself', () => {
  it('may show its lists before it has judged what runs, and then says how that stands', async () => {
    let id = '';
    const on = await stage('the log itself', async (ledger) => {
      const clock = new FakeClock();
      ({ id } = await start(ledger, clock, { policy: policy(RULES) }));
      await checked(ledger, clock, id, 4);
    });
    const { LocalWatching } = await import('../../../../src/lib/app/watching/local.js');
    const watching = await LocalWatching.open({ config: on.config, version: '1', standingsLater: true });
    const end = new AbortController();
    const seen: (number | null)[] = [];
    const ended = watching.follow(
      () => void seen.push(watching.overview.canaries.get(id)?.glance?.tick ?? null),
      end.signal,
    );
    try {
      await until(() => seen.some((tick) => tick !== null));
      expect(seen[0]).to.equal(null);
      const row = watching.overview.canaries.get(id)!;
      expect(row.glance?.tick).to.equal(row.tick);
      expect(row.trail['error_rate']).to.have.length(row.tick);
    } finally {
      end.abort();
      await ended;
      await watching.close();
      await on.close();
    }
  });

  it('is refused where there is none, and makes none', async () => {
    const on = await stage('the log itself');
    try {
      const { LocalWatching } = await import('../../../../src/lib/app/watching/local.js');
      const config = { ...on.config, dbPath: `${on.config.dbPath}.missing` };
      const failed = await LocalWatching.open({ config, version: '1' }).then(
        () => null,
        (error: { code: string }) => error.code,
      );
      expect(failed).to.equal('LEDGER_UNAVAILABLE');
      expect(existsSync(config.dbPath)).to.equal(false);
    } finally {
      await on.close();
    }
  });
});
