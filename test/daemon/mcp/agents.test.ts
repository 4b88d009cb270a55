import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { createLukhasServer } from '../../../src/daemon/mcp/server.js';
import { serveStdio } from '../../../src/daemon/mcp/stdio.js';
import { replayLog } from '../../../src/lib/app/replay.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { setGate } from '../../../src/lib/gates/registry.js';
import { parseAxis } from '../../../src/lib/replay/sweep-axes.js';
import { subjectAt } from '../../../src/lib/view/index.js';
import { BAD, drive, driver, errors, FakeClock, HEALTHY, SILENT, scripted, start } from '../../lib/canary/harness.js';
import { policy } from '../../lib/judge/looks.js';
import { request } from '../../lib/replay/recordings.js';
import { ASKER, callOf, modern, modernHeaders, type Place, place, post } from './place.js';

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire
type Json = any;

const own = policy({ targets: { max_error_rate: 0.02 } });

describe('what agents are told through MCP', () => {
  let server: Place;
  const clock = new FakeClock();

  before(async () => {
    server = await place();
  });
  after(() => server.close());

  const result = async (name: string, args: object, url = server.url): Promise<Json> =>
    (await post(url, callOf(name, args))).json.result;
  const answer = async (name: string, args: object): Promise<Json> => {
    const given = await result(name, args);
    expect(given.isError, given.content[0].text).to.equal(undefined);
    expect(JSON.parse(given.content[0].text)).to.deep.equal(given.structuredContent);
    return given.structuredContent;
  };
  const refusal = async (name: string, args: object): Promise<string> => {
    const given = await result(name, args);
    expect(given.isError, JSON.stringify(given)).to.equal(true);
    return given.content[0].text;
  };

  /** A canary of these checks, to its end, or left after so many of them. */
  const canary = async (script: (look: number) => Json, looks = Number.POSITIVE_INFINITY, judged = own) => {
    const { ledger } = server.app;
    const { id } = await start(ledger, clock, { policy: judged });
    const context = { ...driver({ ledger, clock, source: scripted(clock, script) }), clock };
    const enough = new Error('enough');
    let seen = 0;
    await drive(context, id, () => {
      if (++seen >= looks) throw enough;
    }).catch((error: unknown) => {
      if (error !== enough) throw error;
    });
    return id;
  };

  describe('the links', () => {
    it('lead every hit and every document to its page of the daemon that was asked', async () => {
      const id = await canary(() => BAD);
      const { ledger } = server.app;
      const gate = { gate: 'eu/production', modelId: 'fraud-v2', canaryId: null, by: ASKER };
      await setGate(ledger, { ...gate, ts: new Date(clock.time).toISOString() });
      const { jobId } = await answer('run_eval', { taskId: 'probe' });
      const origin = new URL(server.url).origin;
      const { policyDigest } = await answer('canary_status', { canaryId: id });
      const seq = (await ledger.events({ subject: id, kinds: ['canary.decided'] }))[0]!.seq;
      const pages: [string, string][] = [
        [`canary:${id}`, `#/canary/${id}`],
        [`job:${jobId}`, `#/job/${jobId}`],
        ['gate:eu/production', '#/gate/eu%2Fproduction'],
        [`event:${seq}`, `#/log/${seq}`],
        ['model:fraud-v2', '#/?q=fraud-v2'],
        [`policy:${policyDigest}`, `#/policy/${policyDigest}`],
        ['doc:why', '#/docs/why'],
      ];
      for (const [document, page] of pages) {
        const { url } = await answer('fetch', { id: document });
        expect(url).to.equal(`${origin}/cockpit.html${page}`);
        const { results } = await answer('search', { query: document });
        expect(results.find((hit: Json) => hit.id === document)?.url, document).to.equal(url);
      }
      const { results } = await answer('search', { query: 'fraud', limit: 50 });
      expect(results).to.have.length.above(3);
      for (const { url, id: of } of results) {
        expect(new URL(url).origin, of).to.equal(origin);
        expect(subjectAt(new URL(url).hash), of).to.not.equal(null);
      }
    });

    it('begin with the name by which the client knows the daemon, in every version, and with none that it does not answer to', async () => {
      const { port } = new URL(server.url);
      const byName = server.url.replace('127.0.0.1', 'localhost');
      const id = 'doc:why';
      expect((await result('fetch', { id }, byName)).structuredContent.url).to.match(
        new RegExp(`^http://localhost:${port}/cockpit\\.html#`),
      );
      const { json } = await post(
        byName,
        modern('tools/call', { name: 'fetch', arguments: { id } }),
        modernHeaders('tools/call', 'fetch'),
      );
      expect(json.result.structuredContent.url).to.match(new RegExp(`^http://localhost:${port}/cockpit\\.html#`));
      const batch = await post(byName, [callOf('fetch', { id }, 1), callOf('fetch', { id }, 2)]);
      for (const one of batch.json) expect(one.result.structuredContent.url).to.include('http://localhost:');
    });

    it('begin with the public address where one is configured', async () => {
      const publicUrl = 'https://ops.example.com/lukhas';
      const newServer = createLukhasServer(server.service, { version: '1', publicUrl });
      const proxied = await place({ newServer });
      try {
        const { structuredContent } = await result('fetch', { id: 'doc:why' }, proxied.url);
        expect(structuredContent.url).to.equal(`${publicUrl}/cockpit.html#/docs/why`);
      } finally {
        await proxied.close();
      }
    });

    it('are empty over stdio, where there is no page, unless an address is configured', async () => {
      const over = async (publicUrl?: string): Promise<Json> => {
        const [stdin, stdout] = [new PassThrough(), new PassThrough({ encoding: 'utf8' })];
        const newServer = createLukhasServer(server.service, { version: '1', publicUrl });
        const connection = await serveStdio(server.service, { newServer, actor: ASKER, stdin, stdout });
        try {
          const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
          stdin.write(`${JSON.stringify(modern('tools/call', { name: 'fetch', arguments: { id: 'doc:why' } }))}\n`);
          return JSON.parse((await lines.next()).value as string).result.structuredContent;
        } finally {
          await connection.close();
        }
      };
      expect((await over()).url).to.equal('');
      expect((await over('https://ops.example.com')).url).to.equal('https://ops.example.com/cockpit.html#/docs/why');
    });
  });

  describe('the numbers of a canary', () => {
    it('are those of its newest check while it runs', async () => {
      const id = await canary(() => errors(10, 500), 4);
      const { status, numbers } = await answer('canary_status', { canaryId: id });
      expect(status).to.equal('RUNNING');
      const { verdict } = await new Canaries(server.app.ledger, clock).now(id);
      expect(numbers).to.deep.include({
        check: 3,
        phase: 'window',
        elapsedSeconds: 15,
        windowSeconds: 60,
        secondsLeft: 45,
      });
      expect(Date.parse(numbers.windowEndsAt) - Date.parse(numbers.at)).to.equal(45_000);
      expect(numbers.evidence.logE).to.equal(verdict!.evidence.logE);
      expect(numbers.evidence.toRollback).to.be.within(0, 1);
      const [errorRate, ...others] = numbers.objectives;
      expect(others).to.deep.equal([]);
      expect(errorRate).to.deep.include({
        ...{ name: 'error_rate', state: 'undecided', value: 0.02, limit: 0.02, unit: 'share', headroom: 0 },
        ...{ n: 1500, bad: 30, share: 0.02, shareLimit: 0.02, missing: null, reportOnly: false },
      });
      expect(errorRate.bounds.lower).to.be.below(0.02).and.above(0);
      expect(errorRate.says).to.match(/^error_rate: 30 of 1,500 requests failed/);
    });

    it('are left out before the first check, null of missing data, and those of the verdict at the end', async () => {
      const { id: pending } = await start(server.app.ledger, clock, { policy: own });
      expect((await answer('canary_status', { canaryId: pending })).numbers).to.equal(undefined);
      const silent = await answer('canary_status', { canaryId: await canary(() => SILENT, 4) });
      expect(silent.numbers.objectives[0]).to.deep.include({ state: 'no_data', value: null, n: 0, headroom: null });
      expect(silent.numbers.objectives[0].missing).to.include('unreachable');
      const ended = await answer('canary_status', { canaryId: await canary(() => BAD) });
      expect(ended.status).to.equal('ROLLED_BACK');
      expect(ended.numbers).to.deep.include({ phase: 'decided', secondsLeft: null });
      expect(ended.numbers.evidence.toRollback).to.equal(1);
      expect(ended.numbers.objectives[0].state).to.equal('against');
      expect(ended.numbers.objectives[0].headroom).to.be.below(0);
    });
  });

  describe('what_if', () => {
    const LAXER = { targets: { max_error_rate: 0.3 } };

    it('says what other targets would have decided, with where they differ', async () => {
      const id = await canary(() => errors(20, 500));
      const { was, wouldBe, flips, changes, divergence, observations } = await answer('what_if', {
        canaryId: id.slice(0, 12),
        targets: { max_error_rate: 0.2 },
      });
      expect([was.outcome, wouldBe.outcome, flips]).to.deep.equal(['rollback', 'insufficient', null]);
      expect(wouldBe.lacking).to.match(/records end after/);
      expect(changes).to.deep.equal([{ path: 'targets.max_error_rate', original: 0.02, counterfactual: 0.2 }]);
      expect(divergence).to.deep.include({ check: was.check });
      expect(divergence.was.decision).to.equal('rollback');
      expect(observations.verified).to.equal(true);
      // Nothing of it is recorded.
      expect((await answer('canary_status', { canaryId: id })).status).to.equal('ROLLED_BACK');
    });

    it('finds the very values at which `lukhas replay --sweep` says that the verdict flips', async () => {
      const id = await canary(() => errors(9, 500), undefined, policy({ targets: { max_error_rate: 0.1 } }));
      const { sweep, was } = await answer('what_if', {
        canaryId: id,
        sweep: { key: 'max_error_rate', from: 0.005, to: 0.1, steps: 5 },
      });
      expect(was.outcome).to.equal('promote');
      const { result: replayed } = await replayLog(
        server.app.config.dbPath,
        clock,
        { canaryIds: [id], from: null, to: null, modelId: null },
        request({ axes: [parseAxis('targets.max_error_rate=0.005:0.1:0.02375')] }),
      );
      expect(sweep.key).to.equal('targets.max_error_rate');
      expect(sweep.flipPoints).to.have.length.above(0);
      expect(sweep.flipPoints).to.deep.equal(replayed.sweep?.flipPoints.map(({ path: _, ...point }) => point));
      expect(sweep.values.map(({ value }: Json) => value)).to.deep.equal(replayed.sweep?.axes[0]?.values);
      expect(sweep.values.at(-1)).to.deep.equal({ value: 0.1, outcome: 'promote', flips: false });
      expect(sweep.values[0]).to.deep.include({ outcome: 'rollback', flips: true });
    });

    it('changes any key of the policy, merges groups, and takes a policy in place of its own', async () => {
      const id = await canary(() => HEALTHY, undefined, policy({ targets: { max_error_rate: 0.02, max_drift: 0.2 } }));
      const paths = async (args: object) =>
        (await answer('what_if', { canaryId: id, ...args })).changes.map(({ path }: Json) => path);
      expect(await paths({ set: '{"targets":{"max_error_rate":"0.05"}}'.replace('"0.05"', '0.05') })).to.deep.equal([
        'targets.max_error_rate',
      ]);
      expect(await paths({ set: { 'targets.max_drift': null, windowSeconds: 30 } })).to.deep.equal([
        'targets.max_drift',
        'windowSeconds',
      ]);
      expect(await paths({ policy: { windowSeconds: 60, intervalSeconds: 5, ...LAXER } })).to.deep.equal([
        'targets.max_drift',
        'targets.max_error_rate',
      ]);
    });

    it('refuses what is not valid, by the names of its arguments', async () => {
      const id = await canary(() => HEALTHY);
      const refused = (args: object) => refusal('what_if', { canaryId: id, ...args });
      expect(await refused({})).to.match(/^USAGE: arguments of what_if: nothing is changed\.\n- Give targets/);
      expect(await refused({ set: { 'targets.max_eror_rate': 0.1 } })).to.match(
        /^POLICY: set: .*max_eror_rate.*did you mean/s,
      );
      expect(await refused({ set: { intervalSeconds: 1 } })).to.match(/intervalSeconds: cannot be changed/);
      expect(await refused({ targets: { max_error_rate: 3 } })).to.match(/^USAGE: .*max_error_rate.*below 1/);
      expect(await refused({ sweep: { key: 'targets.max_error_rate', from: 0.5, to: 2 } })).to.match(/^POLICY: sweep/);
      expect(await refused({ sweep: { key: 'windowSeconds' } })).to.match(
        /needs either values, or from and a greater to/,
      );
      expect(await refused({ sweep: { key: 'windowSeconds', from: 9, to: 9 } })).to.match(/greater to/);
      expect(await refused({ sweep: { key: 'windowSeconds', from: 1, to: 9, steps: 51 } })).to.match(
        /steps.*at most 50/,
      );
      expect(await refusal('what_if', { canaryId: 'c-none', ...LAXER })).to.match(
        /^NOT_FOUND: .*\n- List them: list_canaries$/m,
      );
      const { id: pending } = await start(server.app.ledger, clock, { policy: own });
      expect(await refusal('what_if', { canaryId: pending, ...LAXER })).to.match(/has not started/);
    });

    it('is done one at a time, and not for callers that have gone', async () => {
      const id = await canary(() => HEALTHY);
      const asked = { canaryId: id, policy: null, set: LAXER, sweep: null };
      const gone = new AbortController();
      const first = server.service.whatIf(asked);
      const left = server.service.whatIf(asked, gone.signal).catch((error: Error) => error);
      const third = server.service.whatIf(asked);
      gone.abort();
      expect(await left).to.deep.include({ code: 'STOPPED' });
      expect((await first).wouldBe).to.deep.equal((await third).wouldBe);
    });
  });

  describe('list_gates and plan', () => {
    it('list who holds each gate', async () => {
      const id = await canary(() => HEALTHY);
      const { gates } = await answer('list_gates', { random_string: 'x' });
      const production = gates.find(({ gate }: Json) => gate === 'production');
      expect(production).to.deep.include({ modelId: 'fraud-v2', promotionId: null });
      expect(production.canaryId).to.be.a('string');
      expect((await answer('canary_status', { canaryId: id })).status).to.equal('PROMOTED');
    });

    it('say whether the traffic is enough before anything is started', async () => {
      const before = await server.app.ledger.size();
      const targets = { max_error_rate: 0.02 };
      const enough = await answer('plan', { requestsPerSecond: '200', targets, windowSeconds: 60 });
      expect(enough.decidable).to.equal(true);
      expect(enough.says[0]).to.match(/^Enough traffic/);
      const little = await answer('plan', { requestsPerSecond: 1, targets, windowSeconds: 60 });
      expect(little.decidable).to.equal(false);
      expect(little.objectives[0].promotion.smallestRequestsPerSecond).to.be.above(1);
      expect(await refusal('plan', { requestsPerSecond: 0, targets })).to.match(/requestsPerSecond: must be above 0/);
      expect(await refusal('plan', { requestsPerSecond: 5 })).to.match(/^USAGE: No policy given\.\n- Give targets/);
      expect(await server.app.ledger.size()).to.equal(before);
    });
  });

  it('are tools to call, never commands that they cannot run', async () => {
    const id = await canary(() => HEALTHY, 3);
    const { content } = await result('why', { id });
    expect(content[0].text).to.include(`To stop it: abort_canary {"canaryId":"${id}","reason":"..."}`);
    expect(content[0].text).to.include(`For the numbers: why_math {"id":"${id}"}`);
    expect(await refusal('canary_status', { canaryId: 'c-unknown' })).to.match(/- List them: list_canaries$/m);
    expect(await refusal('status', { jobId: 'j-unknown' })).to.match(/- List them: search \{"query":"job"\}$/m);
    expect(await refusal('promote_model', { modelId: 'nobody', gate: 'production' })).to.match(
      /start_canary \{"modelId":"nobody","fromGate":"GATE","toGate":"production"\}/,
    );
  });
});
