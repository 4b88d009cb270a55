import { expect } from 'chai';
import fc from 'fast-check';
import { why, whyMath } from '../../../src/lib/app/explanations.js';
import { readOverview } from '../../../src/lib/app/watching/index.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { systemClock } from '../../../src/lib/clock.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import { Judging } from '../../../src/lib/stream/judging.js';
import { eventId } from '../../../src/lib/stream/position.js';
import { Teller } from '../../../src/lib/stream/teller.js';
import { type CanaryView, canaryView, foldOf } from '../../../src/lib/view/canary.js';
import { sourceHealth, timeLeft } from '../../../src/lib/view/cell.js';
import { courseOf } from '../../../src/lib/view/course.js';
import { emptyOverview, type Overview, overviewOf, take } from '../../../src/lib/view/overview.js';
import type { Told } from '../../../src/lib/view/told.js';
import { cases } from '../../cases.js';
import { canaryIn, found } from '../../tui/fake-watching.js';
import { type Place, place } from '../canary/harness.js';
import { run, scenarios } from '../canary/scenarios.js';
import { recordOf } from './record.js';

const CANARIES = cases(500);

async function streamOf({ ledger }: Place): Promise<Told[]> {
  const teller = new Teller(ledger);
  const judging = new Judging(ledger);
  const told: Told[] = [];
  for (let position = { seq: 0, row: 1 }; ; ) {
    const items = await ledger.feed(position, 100);
    if (items.length === 0) return told;
    const events = await teller.events(items, judging);
    for (const [i, event] of events.entries())
      if (event !== null) told.push({ id: eventId(items[i]!.position, null), ...event });
    position = items.at(-1)!.position;
  }
}

function folded(told: readonly Told[], overview: Overview = emptyOverview()): Overview {
  for (const event of told) take(overview, event);
  return overview;
}

describe('what is shown of canaries', function () {
  this.timeout(240_000);
  let at: Place;
  const ids: string[] = [];
  before(async () => {
    at = await place();
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        ids.push((await run(at, scenario)).id);
      }),
      { numRuns: CANARIES },
    );
  });
  after(() => at.close());

  it(`is what \`why\` and \`why-math\` tell, with the verdict that was recorded (${CANARIES} canaries)`, async () => {
    const log = { ledger: at.ledger, canaries: new Canaries(at.ledger, systemClock()) };
    for (const id of ids) {
      const view = canaryView(await recordOf(at.ledger, id))!;
      expect(canonicalJson(view.verdict)).to.equal(canonicalJson(view.canary.verdict));
      // Judged check by check beforehand, as a page does.
      const record = await recordOf(at.ledger, id);
      const fold = foldOf(record);
      for (const observation of record.observations) fold?.take(observation);
      expect(canonicalJson(canaryView(record, fold?.verdict()))).to.equal(canonicalJson(view));
      expect(view.narrative).to.deep.equal(await why(log, id));
      expect(view.math).to.deep.equal(await whyMath(log, id));
      for (const [i, { toCertain, report }] of view.objectives.entries())
        if (toCertain.met?.startsWith('certified') && report.type !== 'reading')
          expect(toCertain.met === 'certified').to.equal(view.math.evidence[i]?.certificate === 'yes');
      expect(view.row.state).to.equal(view.canary.state);
      expect(view.intact).to.equal(true);
    }
  });

  it('says where the checks are not those that were judged, and nothing where that was not computed', async () => {
    const record = await recordOf(at.ledger, ids[0]!);
    const changed = canaryView({ ...record, digest: '0'.repeat(64) })!;
    expect([changed.intact, changed.math.check?.status]).to.deep.equal([false, 'differs']);
    const unknown = canaryView({ ...record, digest: null })!;
    expect([unknown.intact, unknown.math.check]).to.deep.equal([null, null]);
  });

  it('does not call a rollback reached while one objective alone has the evidence for it', async () => {
    // What counts is the mean of both objectives: half of the evidence against the one, as the other has none.
    const failing = (check: number) => found(check < 5 ? 0 : 4, 100);
    const views: CanaryView[] = [];
    for (let checks = 5; checks < 20; checks++) {
      const id = await canaryIn(at.ledger, { modelId: `alone-${checks}`, checks, script: failing });
      const view = canaryView(await recordOf(at.ledger, id))!;
      if (view.canary.state !== 'RUNNING') break;
      views.push(view);
    }
    const errorsOf = ({ objectives }: CanaryView) => objectives.find(({ cell }) => cell.name === 'error_rate')!;
    const alone = views.filter((view) => errorsOf(view).cell.mark === '✗');
    expect(alone).not.to.deep.equal([]);
    for (const view of alone)
      expect(errorsOf(view).toCertain.against).to.match(/^[\d,]+:1 alone, together it takes 100:1$/);
  });

  it('says first of one that a person ended who did it, and why', async () => {
    const id = await canaryIn(at.ledger, { modelId: 'ended', checks: 3, script: () => found(1, 500) });
    const by = { who: 'ana', how: 'os-user' } as const;
    await new Canaries(at.ledger, systemClock()).abort(id, by, 'wrong\nbuild');
    const { summary } = canaryView(await recordOf(at.ledger, id))!;
    expect(summary[0]).to.match(/^ABORTED/);
    expect(summary[1]).to.match(/^ {2}aborted by ana \(os-user\): wrong.build$/);
    expect(summary[2]).to.match(/^ {2}until then: no decision yet/);
    expect(summary.join('\n')).not.to.contain('neither safe nor unsafe');
  });

  it('follows each check: the evidence on its chart ends where the verdict stands', async () => {
    for (const id of ids.slice(0, 25)) {
      const record = await recordOf(at.ledger, id);
      const { canary, verdict } = canaryView(record)!;
      const course = courseOf(canary.policy, canary.startedAt!, record.observations);
      expect(course.evidence.at(-1)!.logE).to.equal(verdict!.evidence.logE);
      expect(course.series.map(({ name }) => name)).to.deep.equal(verdict!.objectives.map(({ name }) => name));
      for (const { points } of course.series)
        for (const { canary, state } of points) expect(canary === null).to.equal(state !== 'ok');
    }
  });

  it('is in a list what the stream told, event by event', async () => {
    const { ledger } = at;
    const all = folded(await streamOf(at));
    const read = overviewOf(await readOverview({ ledger, teller: new Teller(ledger), judging: new Judging(ledger) }));
    expect(read.canaries.size).to.equal(Math.min(200, all.canaries.size)).and.to.be.at.least(Math.min(200, ids.length));
    for (const [id, row] of read.canaries) {
      // Of one that a person ended a list that is read later has no numbers.
      if (row.state === 'ABORTED') continue;
      // Of an ended canary a list has the verdict, not its checks.
      const { trail: _, tick: __, checkedAt: ___, updatedAt, ...rest } = row;
      const { trail, tick, checkedAt, updatedAt: seen, ...told } = all.canaries.get(id)!;
      expect(rest).to.deep.equal(told);
      expect(seen).to.be.at.least(updatedAt);
      expect(tick).to.be.greaterThan(-1);
      expect(checkedAt).to.be.at.least(all.canaries.get(id)!.startedAt!);
      for (const values of Object.values(trail)) expect(values.length).to.be.at.most(40);
    }
    expect(read.gates).to.deep.equal(all.gates);
  });

  it('does not look as if somebody checked it when nobody does', () => {
    const overview = emptyOverview();
    const begin = Date.parse('2026-03-01T12:00:00Z');
    const tell = (id: string, name: string, seconds: number, data: Record<string, unknown>) => {
      const ts = new Date(begin + seconds * 1000).toISOString();
      take(overview, { id, name, data: { canaryId: 'c-1', ts, ...data } });
    };
    tell('1.1', 'requested', 0, { status: 'PENDING', windowSeconds: 3600, intervalSeconds: 5 });
    tell('2.1', 'started', 0, { status: 'RUNNING', startedAt: new Date(begin).toISOString() });
    tell('2.2', 'metric', 20, { tick: 4, requests: 10 });
    const row = overview.canaries.get('c-1')!;
    const at = (seconds: number) => begin + seconds * 1000;
    expect(timeLeft(row, at(40))).to.equal('59 min 20 s left');
    expect(sourceHealth(row, at(40)).tone).to.not.equal('warn');
    expect(timeLeft(row, at(60))).to.equal('not being checked');
    expect(sourceHealth(row, at(60))).to.deep.equal({ text: 'no check for 40 s', tone: 'warn' });
    expect(timeLeft(row, at(86_400))).to.equal('not being checked');
    // A list that has not read its checks knows nothing of them.
    expect(timeLeft({ ...row, checkedAt: null }, at(600))).to.equal('50 min left');
  });

  it('forgets the oldest of very many that have ended, and none that is open', () => {
    const overview = emptyOverview();
    let seq = 0;
    const tell = (name: string, data: Record<string, unknown>) => {
      const ts = new Date(Date.parse('2026-03-01T12:00:00Z') + ++seq * 1000).toISOString();
      take(overview, { id: `${seq}.1`, name, data: { ts, ...data } });
    };
    for (let i = 0; i < 1100; i++) {
      tell('requested', { canaryId: `c-${i}`, status: 'PENDING' });
      if (i > 0) tell('aborted', { canaryId: `c-${i}`, status: 'ABORTED' });
      tell('queued', { jobId: `j-${i}`, status: 'queued' });
      if (i > 0) tell('completed', { jobId: `j-${i}`, status: 'completed' });
    }
    expect([overview.canaries.size, overview.jobs.size]).to.deep.equal([1000, 1000]);
    expect(overview.older).to.deep.equal({ canaries: 100, jobs: 100 });
    for (const id of ['c-0', 'c-1099']) expect(overview.canaries.has(id), id).to.equal(true);
    expect(overview.canaries.has('c-1')).to.equal(false);
    expect([overview.jobs.has('j-0'), overview.jobs.has('j-1')]).to.deep.equal([true, false]);
  });

  it('stays the same when events come again, and when a list is newer than the stream that follows it', async () => {
    const told = await streamOf(at);
    const once = folded(told);
    const rows = structuredClone([...once.canaries]);
    expect(told.some((event) => take(once, event))).to.equal(false);
    expect([...once.canaries]).to.deep.equal(rows);
    fc.assert(
      fc.property(fc.nat(told.length), fc.nat(told.length), (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const overview = folded(told.slice(from), folded(told.slice(0, to)));
        expect([...overview.canaries]).to.deep.equal(rows);
      }),
      { numRuns: 20 },
    );
  });
});
