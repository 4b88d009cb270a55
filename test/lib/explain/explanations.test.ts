import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { why, whyMath } from '../../../src/lib/app/explanations.js';
import { pruneCanary } from '../../../src/lib/canary/prune.js';
import { narrativeMarkdown, narrativeText } from '../../../src/lib/explain/render.js';
import { sparkline } from '../../../src/lib/explain/sparkline.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { EventDraft } from '../../../src/lib/ledger/events.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import { DEFAULT_SIGNALS } from '../../../src/lib/metrics/signals/index.js';
import type { SourceDescriptor } from '../../../src/lib/metrics/source.js';
import { ACTOR, errors, HEALTHY, NO_HOOKS, START } from '../canary/harness.js';
import { policy } from '../judge/looks.js';
import { Unguarded } from '../ledger/sqlite/unguarded.js';
import { STORIES, Story } from './stories.js';

const CANARY_KEYS = ['id', 'decision', 'thresholds', 'observed', 'time_to_action_sec', 'evidence'];

describe('explanations', () => {
  let story: Story;
  beforeEach(async () => {
    story = await Story.begin();
  });
  afterEach(() => story.end());

  const log = () => ({ ledger: story.at.ledger, canaries: story.canaries });
  const tell = (name: string) => STORIES[name]!(story);
  const text = async (id = story.id, at?: number) => narrativeText(await why(log(), id, { at }));

  /** @returns the number of the entry that says so */
  async function pruned(): Promise<number> {
    const { ledger } = story.at;
    story.clock.time += 31 * 86_400_000;
    const request = {
      ledger,
      clock: story.clock,
      by: ACTOR,
      before: story.clock.time,
      olderThanDays: 30,
      dryRun: false,
    };
    expect((await pruneCanary(story.id, request)).kind).to.equal('pruned');
    return (await ledger.size()) - 1;
  }
  const day = () => new Date(story.clock.time).toISOString().slice(0, 10);

  /** Changes the database as somebody would who means to hide something, and knows how the log is hashed. */
  function tamper(...statements: string[]): void {
    const db = new Unguarded(story.at.path);
    for (const sql of statements) db.db.exec(sql);
    for (const seq of db.all()) db.rehash(seq);
    db.close();
  }

  async function request(subject: string, modelId: string): Promise<void> {
    const p = policy({ targets: { max_error_rate: 0.02 } });
    const event: EventDraft = {
      kind: 'canary.requested',
      subject,
      ts: new Date(story.clock.time).toISOString(),
      data: {
        modelId,
        fromGate: 'stage',
        toGate: 'production',
        policy: p,
        policyDigest: createHash('sha256').update(canonicalJson(p)).digest('hex'),
        source: { kind: 'none' },
        dryRun: false,
        requestedBy: ACTOR,
      },
    };
    const data = { fromGate: 'stage', toGate: 'production' };
    const head = { subject, type: 'canary' as const, state: 'PENDING', modelId, open: true, data };
    await story.at.ledger.commit({ events: [event], summaries: [head] });
  }

  describe('by name', () => {
    it('does not take c-aaa1 for c-aaa10, whichever came first', async () => {
      await request('c-aaa10', 'ten');
      expect((await why(log(), 'c-aaa1')).id).to.equal('c-aaa10');
      await request('c-aaa1', 'one');
      await request('c-aaa11', 'eleven');
      expect((await why(log(), 'c-aaa1')).title).to.match(/^one /);
      expect((await why(log(), 'c-aaa10')).title).to.match(/^ten /);
      expect((await whyMath(log(), 'c-aaa1')).modelId).to.equal('one');
    });

    it('takes a unique beginning, and refuses one that is not', async () => {
      await request('c-aaaaa1', 'one');
      await request('c-aaaab2', 'two');
      expect((await why(log(), 'c-aaaab')).title).to.match(/^two /);
      expect((await whyMath(log(), 'c-aaaaa')).id).to.equal('c-aaaaa1');
      const refusals = ['c-aaaa', 'c-aaa'].map((id) => why(log(), id).catch((error: unknown) => error));
      const [ambiguous, short] = await Promise.all(refusals);
      expect(ambiguous).to.have.property('code', 'AMBIGUOUS_ID');
      expect(short).to.have.property('code', 'USAGE');
    });

    it('takes a model named as a canary begins for the model', async () => {
      await request('c-aa1', 'c-a');
      expect((await why(log(), 'c-a')).about).to.equal('model');
    });

    it('finds a canary in a log that lost its listings', async () => {
      await tell('promoted');
      tamper('DELETE FROM heads');
      expect((await why(log(), story.id)).state).to.equal('PROMOTED');
    });

    for (const id of ['c-none', '', 'gate:production', 'job-1', '%', 'c-\u001b[31m\u009b2J\u202e'])
      it(`says that it knows nothing of ${JSON.stringify(id)}`, async () => {
        await tell('promoted');
        const narrative = await why(log(), id);
        expect(narrative.about).to.equal('unknown');
        expect(narrative.title).to.match(
          /^".*" not found: no canary, promotion, job or model in this log has that name\.$/,
        );
        expect(narrative.title).not.to.match(/[\p{Cc}\p{Cf}]/u);
        const math = await whyMath(log(), id);
        expect(Object.keys(math).slice(0, CANARY_KEYS.length)).to.have.members(CANARY_KEYS);
        expect(math).to.deep.include({
          id,
          decision: 'unknown',
          thresholds: { latency_p95_ms: null, max_error_rate: null, max_drift: null },
          observed: { latency_p95_ms: null, error_rate: null, drift: null },
          time_to_action_sec: null,
          evidence: [],
        });
      });
  });

  describe('of a model', () => {
    it('tells the gates it entered and left, and its canaries', async () => {
      await tell('promoted');
      const first = story.id;
      story.clock.time += 60_000;
      await tell('blocked-inconclusive');
      const told = (await text('fraud-v2')).replaceAll(first, 'c-first').replaceAll(story.id, 'c-second');
      expect(told).to.equal(
        [
          'fraud-v2 holds no gate.',
          '',
          'Gates',
          '  2026-03-01 13:01:00 UTC – entered production through canary c-first, replacing fraud-v1.',
          '  2026-03-02 14:01:00 UTC – left production: replaced by fraud-v3, set by olu (operating-system account).',
          '',
          'Canaries, newest first',
          '  2026-03-02 14:03:00 UTC – c-second was blocked on its way from stage to production: not proven safe.',
          '  2026-03-01 13:01:00 UTC – c-first was promoted from stage to production.',
          '',
          'Next steps',
          '  For the newest canary: lukhas why c-second',
        ].join('\n'),
      );
      expect((await why(log(), 'fraud-v1')).title).to.equal('fraud-v1 holds no gate');
      expect((await why(log(), 'fraud-v3')).title).to.equal('fraud-v3 holds production');
      expect((await whyMath(log(), 'fraud-v2')).id).to.equal(story.id);
      expect((await whyMath(log(), 'fraud-v3')).decision).to.equal('unknown');
    });

    it('tells them as they were', async () => {
      await tell('promoted');
      const before = START + 3_600_000 + 30_000;
      expect((await why(log(), 'fraud-v2', { at: before })).title).to.equal(
        'As of 2026-03-01 13:00:30 UTC: fraud-v2 holds no gate',
      );
      const holding = await why(log(), 'fraud-v2', { at: before + 60_000 });
      expect(holding.title).to.match(/: fraud-v2 holds production$/);
      expect((await why(log(), 'fraud-v2', { at: START })).about).to.equal('unknown');
    });
  });

  describe('as it was known then', () => {
    it('knows only what had been recorded', async () => {
      await tell('override-of-blocked');
      expect((await why(log(), story.id, { at: START - 1 })).about).to.equal('unknown');
      const [during, blocked, promoted] = await Promise.all(
        [30, 90, 3600].map((s) => text(story.id, START + s * 1000)),
      );
      expect(during).to.match(/^As of 2026-03-01 12:00:30 UTC: fraud-v2 is being checked .* no decision yet/);
      expect(during).to.contain('error_rate is undecided: 0 of 36 requests failed');
      expect(during).to.contain('6 checks, all with data');
      expect(during).not.to.match(/12:01:00|by hand|olu/);
      expect(blocked).to.contain('fraud-v2 was blocked').and.not.to.contain('olu');
      expect(promoted).to.contain('was promoted from stage to production by hand');
      expect(promoted).to.contain(`For the current state: lukhas why ${story.id}`);
    });

    it('judges by the same judge and the readings up to then', async () => {
      await tell('rolled-back');
      const at = START + 12_000;
      const math = await whyMath(log(), story.id, { at });
      const observations = (await story.at.ledger.observations(story.id)).filter((o) => o.t <= at);
      const canary = await story.canaries.get(story.id);
      const verdict = judge(canary.policy, canary.startedAt!, observations);
      expect(math).to.deep.include({ decision: 'continue', elapsedSeconds: 10, asOf: '2026-03-01T12:00:12.000Z' });
      expect(math.bet).to.deep.equal(verdict.evidence);
      expect(math.ticks).to.deep.equal(verdict.ticks);
      expect(math.check?.status).to.equal('undecided');
      expect(math.time_to_action_sec).to.equal(null);
    });

    it('does not guess when an input was read', async () => {
      await story.request(
        { targets: { max_error_rate: 0.02 } },
        { source: { kind: 'ndjson', input: '/tmp/a.ndjson' } },
      );
      await story.watch(() => HEALTHY, NO_HOOKS, 5);
      expect(await text(story.id, START + 10_000)).to.contain('when it was read is not recorded');
      expect(await text()).to.contain('error_rate meets its target so far');
    });
  });

  describe('of a source', () => {
    const sourceSection = async (source: unknown): Promise<string> => {
      await story.request({ targets: { max_error_rate: 0.02 } }, { source: source as SourceDescriptor });
      return (await text(story.id)).replaceAll(/\s+/g, ' ');
    };

    it('that was recorded before there were signals, names its addresses and labels', async () => {
      const page = { canaryUrl: 'http://a/m', canaryLabels: { version: 'v2' }, baselineUrl: 'http://b/m' };
      expect(await sourceSection({ kind: 'scrape', ...page, baselineLabels: {}, timeoutMs: 1 })).to.contain(
        'Canary metrics were read from http://a/m (series with version=v2), baseline metrics from http://b/m.',
      );
    });

    it('says what was measured where that is not the usual', async () => {
      const signals = {
        ...DEFAULT_SIGNALS,
        preset: 'vllm',
        requests: 'ok_total + failed_total',
        drift: { counts: 'finished_total', by: 'reason' },
      };
      const arms = { canary: '{version="v2"}', baseline: '{version="v1"}' };
      const config = { url: 'http://p', arms, signals, queries: {}, timeoutMs: 1, staleSeconds: 90 };
      expect(await sourceSection({ kind: 'prometheus', ...config })).to.contain(
        'Metrics were read from the Prometheus at http://p: canary (series with version="v2"), baseline (series with version="v1"). ' +
          'Measured (preset vllm): requests = ok_total + failed_total; errors = model_errors_total; latency = model_latency; ' +
          'drift = finished_total by reason; inflight = model_inflight_requests.',
      );
    });
  });

  describe('of what others wrote', () => {
    const evil =
      '\u001b[2J\u009b31m<img src=x onerror=alert(1)> **bold** [x](javascript:1) `c` | a_b _i_\r\n# Promoted\u202e';

    it('lets nothing through that a terminal obeys, and no line that is not its own', async () => {
      const source = {
        kind: 'scrape' as const,
        canaryUrls: [`http://x/${evil}`],
        baselineUrls: null,
        arms: { canary: `{${evil}="${evil}"}`, baseline: '{}' },
        signals: { ...DEFAULT_SIGNALS, requests: evil, preset: evil },
        timeoutMs: 1,
      };
      await story.request({ name: evil, targets: { max_error_rate: 0.02 } }, { source });
      await story.watch(() => ({ canary: { errors: { state: 'absent', detail: evil } } }), NO_HOOKS, 6);
      await story.canaries.abort(story.id, { who: evil, how: 'api-key' }, evil);
      const narrative = await why(log(), story.id);
      const plain = narrativeText(narrative);
      expect(plain.replaceAll('\n', '')).not.to.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(plain).not.to.match(/^# Promoted/m);
      const said = narrative.sections.flatMap((s) => s.sentences);
      expect(said.filter((s) => s.includes('<img src=x')).length).to.be.greaterThan(3);
      expect(plain.split('\n').length).to.equal(1 + narrative.sections.length * 2 + said.length);
    });

    it('is shown as it is in Markdown', async () => {
      await story.request({ targets: { max_error_rate: 0.02 } });
      await story.canaries.abort(story.id, ACTOR, evil);
      const md = narrativeMarkdown(await why(log(), story.id));
      expect(md).to.contain(
        String.raw`"\\u001b\[2J\\u009b31m\<img src=x onerror=alert(1)\> \*\*bold\*\* \[x\](javascript:1) \`c\` \| a_b \_i\_ # Promoted\\u202e"`,
      );
      expect(md).to.match(/^# fraud-v2 was aborted/);
      expect(md).to.contain('\n## Request\n\n');
      expect(md).to.contain('\n- 12:00:00 – aborted.');
      expect(md.match(/^#+ /gm)?.length).to.equal(1 + (await why(log(), story.id)).sections.length);
    });

    it('is cut where it is long', async () => {
      await story.request({ targets: { max_error_rate: 0.02 } });
      await story.canaries.abort(story.id, ACTOR, 'x'.repeat(5000));
      expect(Math.max(...(await text()).split('\n').map((line) => line.length))).to.be.lessThan(400);
    });
  });

  describe('in numbers', () => {
    it('are the recorded verdict, and come out the same again', async () => {
      await tell('rolled-back');
      const math = await whyMath(log(), story.id);
      const canary = await story.canaries.get(story.id);
      const v = canary.verdict!;
      expect(math).to.deep.include({
        id: story.id,
        decision: 'rollback',
        thresholds: { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: null },
        observed: {
          latency_p95_ms: v.objectives.map((o) => (o.type === 'rate' ? o.latency?.value : 0))[0],
          error_rate: 0.002,
          drift: null,
        },
        time_to_action_sec: 25,
        savedSeconds: 35,
        certainty: 'certified',
        decidedBy: 'latency_p95_ms',
        bet: v.evidence,
        ticks: v.ticks,
        assumptions: v.assumptions,
      });
      expect(math.evidence.map(({ says: _, certificate: __, ...report }) => report)).to.deep.equal(v.objectives);
      expect(math.evidence.map((o) => o.certificate)).to.deep.equal(['no', 'so far']);
      expect(math.check).to.deep.include({ status: 'agrees', problems: [] });
      expect(math.check?.observations.digest).to.equal(canary.observations?.digest);
      const evidence = math.logic.find((step) => step.question.includes('evidence against'));
      expect(evidence).to.deep.include({ value: v.evidence.logE, limit: v.evidence.logThreshold, answer: true });
    });

    it('agree for every way a canary ends', async () => {
      for (const [name, tellIt] of Object.entries(STORIES)) {
        await story.end();
        story = await Story.begin();
        await tellIt(story);
        const math = await whyMath(log(), story.id);
        const { verdict, state } = await story.canaries.get(story.id);
        expect(math.check?.status, name).to.equal(verdict ? 'agrees' : 'undecided');
        expect(math.state, name).to.equal(state);
        expect(JSON.parse(JSON.stringify(math)), name).to.deep.equal(math);
      }
    });

    it('name the person who decided otherwise', async () => {
      await tell('override-of-blocked');
      const math = await whyMath(log(), story.id);
      expect(math).to.deep.include({ decision: 'promote', reason: 'inconclusive', certainty: 'undecided' });
      expect(math.byHand).to.deep.equal({
        by: { who: 'olu', how: 'os-user' },
        reason: 'checked by hand with the fraud team',
        at: '2026-03-01T12:11:00.000Z',
      });
    });

    it('of an aborted canary are those up to its end', async () => {
      await tell('aborted');
      const math = await whyMath(log(), story.id);
      expect(math).to.deep.include({
        decision: 'abort',
        time_to_action_sec: 20,
        elapsedSeconds: 20,
        reason: 'watching',
      });
      expect(math.observed.error_rate).to.equal(0.002);
    });

    it('cannot be recomputed once the observations were pruned; the narrative says so, and stays what it was', async () => {
      await tell('rolled-back');
      const before = (await text()).split('\n');
      const seq = await pruned();
      const { check, bet } = await whyMath(log(), story.id);
      expect(check).to.deep.include({
        status: 'pruned',
        says: `cannot be recomputed: its observations were pruned on ${day()} by retention (entry ${seq})`,
      });
      expect(bet).not.to.equal(null);
      const after = (await text()).split('\n');
      const added = after.filter((line) => !before.includes(line)).join('\n');
      expect(added, added).to.match(
        /^ +\S+ \S+ UTC – \d+ recorded checks pruned by retention \(older than 30 days\)\.$/,
      );
      expect(before.filter((line) => !after.includes(line))).to.deep.equal([]);
    });

    it('do not hold where observations are gone and nothing says that they were pruned', async () => {
      await tell('rolled-back');
      tamper('DELETE FROM canary_metrics');
      expect((await whyMath(log(), story.id)).check).to.deep.include({ status: 'differs' });
    });

    it('say so where an undecided canary has lost its observations', async () => {
      await tell('aborted');
      const seq = await pruned();
      const says = `its observations were pruned on ${day()} by retention (entry ${seq})`;
      expect(await text()).to.contain(`Its status then is unknown: ${says}.`);
      expect((await whyMath(log(), story.id)).check?.says).to.equal(`cannot be computed: ${says}`);
    });

    const forgeries: Record<string, [RegExp, ...string[]]> = {
      'an observation was changed': [
        /are not those that were judged/,
        `UPDATE canary_metrics SET body = replace(body, '"bad":1,', '"bad":0,') WHERE tick = 2`,
      ],
      'an observation was taken out': [
        /6 observations were judged, 5 are recorded/,
        'DELETE FROM canary_metrics WHERE tick = 2',
      ],
      'the verdict was changed': [
        /decision: recorded "promote", recomputed "rollback"/,
        `UPDATE events SET body = replace(body, '"decision":"rollback"', '"decision":"promote"') WHERE kind = 'canary.decided'`,
      ],
      'the policy was changed': [
        /the policy is not the one/,
        `UPDATE events SET body = replace(body, '"latency_p95_ms":250', '"latency_p95_ms":400') WHERE kind = 'canary.requested'`,
      ],
    };
    for (const [what, [found, sql = '']] of Object.entries(forgeries))
      it(`shout when ${what}`, async () => {
        await tell('rolled-back');
        tamper(sql);
        const { check } = await whyMath(log(), story.id);
        expect(check?.status).to.equal('differs');
        expect(check?.says).to.match(/^THE RECORD DOES NOT HOLD/);
        expect(check?.problems.join('\n')).to.match(found);
      });

    it('of another judge are not compared', async () => {
      await tell('rolled-back');
      tamper(`UPDATE events SET body = replace(body, '"judge":3', '"judge":99') WHERE kind = 'canary.decided'`);
      const { check } = await whyMath(log(), story.id);
      expect(check).to.deep.include({ status: 'other judge', problems: [] });
    });

    it('say how many requests an undecided objective still needs', async () => {
      await story.request({ targets: { max_error_rate: 0.02 } });
      await story.watch(() => errors(0, 6));
      const [o] = (await whyMath(log(), story.id)).evidence;
      expect(o).to.have.property('certificate', 'no');
      expect(o?.type === 'rate' ? o.needed : null).to.deep.equal({ requests: 156, seconds: 130 });
    });
  });

  it('draws a path as bars that never lose a peak', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8], 0, 8, 60)).to.equal('▁▂▃▄▅▆▇██');
    expect(sparkline([0, 0, 0, 9, 0, 0, 0, 0], 0, 8, 4)).to.equal('▁█▁▁');
    expect(sparkline([], 0, 8, 4)).to.equal('');
    expect(sparkline([1, 1], 1, 1, 4)).to.equal('▁▁');
  });
});
