import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { replayInput, replayLog, type Selection } from '../../../src/lib/app/replay.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { parseSetting } from '../../../src/lib/replay/change-policy.js';
import {
  ACTOR,
  BAD,
  drive,
  driver,
  errors,
  FakeClock,
  HEALTHY,
  type Place,
  place,
  START,
  scripted,
  start,
} from '../canary/harness.js';
import { looks, policy } from '../judge/looks.js';
import { unguard } from '../ledger/sqlite/unguarded.js';
import { refusal } from '../refusal.js';
import { request } from '../replay/recordings.js';

const HOUR = 3_600_000;
const own = policy({ targets: { max_error_rate: 0.02 } });
const clock = new FakeClock();
const select = (changes: Partial<Selection>): Selection => ({
  canaryIds: [],
  from: null,
  to: null,
  modelId: null,
  ...changes,
});

describe('a replay of a log', () => {
  let at: Place;
  const ids: string[] = [];

  before(async () => {
    at = await place();
    const scripts = [() => HEALTHY, (n: number) => (n > 6 ? BAD : HEALTHY), () => errors(20, 500)];
    for (const [i, script] of scripts.entries()) {
      const then = new FakeClock(START + i * HOUR);
      const { id } = await start(at.ledger, then, { policy: own, modelId: i === 1 ? 'spam-v1' : 'fraud-v2' });
      await drive({ ...driver({ ledger: at.ledger, clock: then, source: scripted(then, script) }), clock: then }, id);
      ids.push(id);
    }
    // One that was never looked at: it has not begun.
    ids.push((await start(at.ledger, new FakeClock(START + 4 * HOUR), { policy: own })).id);
  });
  after(() => at.close());

  const replayed = async (selection: Partial<Selection>, ...settings: string[]) => {
    const asked = request({ settings: settings.map((text) => parseSetting(text, '--set')), keepSeries: true });
    return replayLog(at.path, clock, select(selection), asked);
  };

  it('selects by time of start, the end excluded, by model, and by id', async () => {
    const chosen = async (selection: Partial<Selection>) =>
      (await replayed(selection)).result.canaries.map(({ canaryId }) => ids.indexOf(canaryId));
    expect(await chosen({ from: START })).to.deep.equal([0, 1, 2]);
    expect(await chosen({ from: START + 1, to: START + 2 * HOUR })).to.deep.equal([1]);
    expect(await chosen({ from: START, to: START })).to.deep.equal([]);
    expect(await chosen({ modelId: 'fraud-v2' })).to.deep.equal([0, 2]);
    expect(await chosen({ canaryIds: [ids[2]!, ids[0]!.slice(0, -1), ids[2]!] })).to.deep.equal([0, 2]);
  });

  it('gives the same bytes every time, with the root of the log it was verified against', async () => {
    const first = await replayed({ from: START }, 'targets.max_error_rate=0.01');
    const second = await replayed({ from: START }, 'targets.max_error_rate=0.01');
    expect(JSON.stringify(second)).to.equal(JSON.stringify(first));
    const { size, root } = await at.ledger.root();
    expect(first.result.log).to.deep.equal({ size, root: root.toString('hex') });
    expect(JSON.stringify(first.result)).to.not.include(at.path);
    expect(first.result.policyDiff).to.deep.equal([
      { path: 'targets.max_error_rate', original: 0.02, counterfactual: 0.01 },
    ]);
  });

  it('keeps the observations for charts only when they are asked for', async () => {
    const { result, series } = await replayed({ from: START });
    expect(series.map(({ canaryId, observations }) => [canaryId, observations.length])).to.deep.equal(
      result.canaries.map(({ canaryId, observations }) => [canaryId, observations.count]),
    );
    const { series: none } = await replayLog(at.path, clock, select({ from: START }), request({}));
    expect(none).to.deep.equal([]);
  });

  it('counts what would have been another decision', async () => {
    const { result } = await replayed({ from: START }, 'targets.max_error_rate=0.001');
    expect(result.totals).to.deep.equal({
      original: { promote: 1, rollback: 2, block: 0, insufficient: 0 },
      counterfactual: { promote: 0, rollback: 2, block: 1, insufficient: 0 },
      flips: 1,
      insufficient: 0,
    });
  });

  it('refuses a model or a canary that is not there, and one that has not begun', async () => {
    const model = await refusal(replayed({ modelId: 'fraud-v3' }));
    expect([model.code, model.exit, ...model.suggestions]).to.deep.equal(['NOT_FOUND', 2, 'Did you mean fraud-v2?']);
    expect((await refusal(replayed({ canaryIds: ['c-nope'] }))).code).to.equal('NOT_FOUND');
    expect((await refusal(replayed({ canaryIds: ['c-'] }))).code).to.equal('USAGE');
    expect((await refusal(replayed({ canaryIds: [ids[3]!] }))).message).to.match(/has not started/);
  });

  it('judges nothing of a log that does not hold', async () => {
    const broken = await at.ledger.root().then(() => `${at.path}.broken`);
    const db = new Database(at.path);
    await db.backup(broken);
    db.close();
    const forger = new Database(broken);
    unguard(forger);
    forger.exec("UPDATE events SET body = replace(body, 'fraud-v2', 'fraud-v9') WHERE seq = 0");
    forger.close();
    const error = await refusal(replayLog(broken, clock, select({ from: START }), request({})));
    expect([error.code, error.exit]).to.deep.equal(['VERIFICATION', 7]);
    expect(error.message).to.match(/failed verification, so nothing was judged: entry 0/);
  });

  it('says that a canary still runs, or was aborted by whom', async () => {
    const then = new FakeClock(START + 9 * HOUR);
    const { id } = await start(at.ledger, then, { policy: own });
    const context = {
      ...driver({ ledger: at.ledger, clock: then, source: scripted(then, () => HEALTHY) }),
      clock: then,
    };
    const canaries = new Canaries(at.ledger, then);
    let running = '';
    let steps = 0;
    await drive(context, id, async () => {
      if (++steps !== 3) return;
      running = (await replayed({ canaryIds: [id] })).result.canaries[0]!.original.lacking!;
      await canaries.abort(id, ACTOR, 'enough seen');
    });
    expect(running).to.equal('it is not decided yet');
    const { original, flips } = (await replayed({ canaryIds: [id] })).result.canaries[0]!;
    expect(original).to.include({ outcome: 'insufficient', overridden: 'aborted by ana: enough seen' });
    expect(flips).to.equal(null);
  });

  it('takes a log that is not there for an empty one only when it may be', async () => {
    const missing = `${at.path}.missing`;
    const { result } = await replayLog(missing, clock, select({ from: START, modelId: 'm' }), request({}), {
      mustExist: false,
    });
    expect([result.log, result.canaries]).to.deep.equal([null, []]);
    expect((await refusal(replayLog(missing, clock, select({ from: START }), request({})))).code).to.equal(
      'LEDGER_UNAVAILABLE',
    );
  });
});

describe('a replay of an input', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lukhas-replay-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const file = (text: string): string => {
    const path = join(folder, 'observations.ndjson');
    writeFileSync(path, text);
    return path;
  };
  const poor = looks(12, () => ({ canary: errors(20, 500).canary }));
  const given = { written: { windowSeconds: 60, targets: { max_error_rate: 0.02 } }, where: 'slo.json' };

  it('judges it, and says that it does not know under which policy it was recorded', async () => {
    const input = file(poor.map((o) => JSON.stringify(o)).join('\n'));
    const { result } = await replayInput({ input, modelId: null, own: null }, request({ given }));
    const [canary] = result.canaries;
    expect(canary?.counterfactual.outcome).to.equal('rollback');
    expect(canary?.original).to.include({ outcome: 'insufficient', verdict: null });
    expect(canary?.original.lacking).to.match(/has no recorded policy/);
    expect([canary?.flips, canary?.observations.verified, result.log]).to.deep.equal([null, false, null]);
  });

  it('compares two policies on it', async () => {
    const input = file(poor.map(({ tick: _, ...o }) => JSON.stringify(o)).join('\n'));
    const settings = [parseSetting('targets.max_error_rate=0.1', '--set')];
    const { result } = await replayInput({ input, modelId: 'm', own }, request({ given, settings }));
    const [canary] = result.canaries;
    expect([canary?.original.outcome, canary?.counterfactual.outcome, canary?.flips]).to.deep.equal([
      'rollback',
      'promote',
      true,
    ]);
    expect(canary?.difference?.seconds).to.be.greaterThan(0);
  });

  it('does not know the end of a window that is longer than the input', async () => {
    const input = file(
      poor
        .slice(0, 3)
        .map((o) => JSON.stringify({ ...o, canary: errors(1, 500).canary }))
        .join('\n'),
    );
    const { result } = await replayInput({ input, modelId: null, own: null }, request({ given }));
    expect(result.canaries[0]?.counterfactual.lacking).to.match(/records end after 10 s/);
  });

  it('refuses what is no observation, with its place', async () => {
    const read = (text: string) =>
      refusal(replayInput({ input: file(text), modelId: null, own: null }, request({ given })));
    expect((await read('{"v":1}')).message).to.match(/observations\.ndjson:1: /);
    expect((await read('')).message).to.match(/no observations found/);
    const missing = await refusal(
      replayInput({ input: join(folder, 'no'), modelId: null, own: null }, request({ given })),
    );
    expect(missing.exit).to.equal(2);
  });
});
