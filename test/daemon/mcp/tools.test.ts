import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createLukhasServer } from '../../../src/daemon/mcp/server.js';
import { chooseTools, parseToolsets } from '../../../src/daemon/mcp/tools/catalogue.js';
import { CANARY, callOf, type Place, place, post } from './place.js';

const GOLDEN = fileURLToPath(new URL('../../golden/mcp', import.meta.url));
const ORDER = [
  'search',
  'fetch',
  'start_canary',
  'canary_status',
  'abort_canary',
  'why',
  'why_math',
  'run_eval',
  'status',
  'promote_model',
  'list_canaries',
  'verify_log',
  'list_gates',
  'what_if',
  'plan',
];

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire
type Json = any;

describe('the tools of the MCP server', () => {
  let server: Place;

  before(async () => {
    server = await place();
  });
  after(() => server.close());

  const list = async (): Promise<Json[]> =>
    (await post(server.url, { jsonrpc: '2.0', id: 1, method: 'tools/list' })).json.result.tools;
  const call = async (name: string, args: object | null): Promise<Json> =>
    (await post(server.url, callOf(name, args))).json;
  /** What a tool answers, having looked that both forms of it say the same. */
  const answer = async (name: string, args: object | null): Promise<Json> => {
    const { result, error } = await call(name, args);
    expect(error, JSON.stringify(error)).to.equal(undefined);
    expect(result.isError, result.content[0].text).to.equal(undefined);
    expect(result.content).to.have.length(1);
    if (name !== 'why') expect(JSON.parse(result.content[0].text)).to.deep.equal(result.structuredContent);
    return result.structuredContent;
  };

  // Clients that research documents look for the two by their place, and for fetch by exactly this field.
  it('begin with search and fetch, and fetch requires its id and nothing else', async () => {
    const [first, second] = await list();
    expect([first.name, second.name]).to.deep.equal(['search', 'fetch']);
    expect(second.inputSchema.required).to.deep.equal(['id']);
    expect(first.inputSchema.required).to.deep.equal(['query']);
  });

  it('come in the order of the contract, each with its effects and the form of its answer', async () => {
    const tools = await list();
    expect(tools.map(({ name }) => name)).to.deep.equal(ORDER);
    for (const { name, annotations, outputSchema, inputSchema, description } of tools) {
      expect(annotations, name).to.include.all.keys('readOnlyHint', 'destructiveHint', 'idempotentHint');
      expect(outputSchema.type, name).to.equal('object');
      expect(inputSchema.type, name).to.equal('object');
      expect(description.length, name).to.be.within(10, 240);
    }
    const changing = tools.filter(({ annotations }) => !annotations.readOnlyHint).map(({ name }) => name);
    expect(changing).to.deep.equal(['start_canary', 'abort_canary', 'run_eval', 'promote_model']);
  });

  it('cost a client less than 5,000 tokens, and a model, which is told no answers, less than half', async () => {
    // Four characters a token is on the high side for JSON: its punctuation goes with its words.
    const tools = await list();
    expect(JSON.stringify(tools).length / 4).to.be.below(5000);
    const told = tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
    expect(JSON.stringify(told).length / 4).to.be.below(2500);
  });

  it('have the schemas that clients were told before', async () => {
    mkdirSync(GOLDEN, { recursive: true });
    for (const tool of await list()) {
      const file = join(GOLDEN, `${tool.name}.json`);
      if (process.env['UPDATE_GOLDEN']) writeFileSync(file, `${JSON.stringify(tool, null, 2)}\n`);
      expect(tool, tool.name).to.deep.equal(JSON.parse(readFileSync(file, 'utf8')));
    }
  });

  it('start a canary and say how it stands, in the words of the contract', async () => {
    const started = await answer('start_canary', CANARY);
    expect(started).to.include({ modelId: 'matriz-v3', fromGate: 'stage', toGate: 'production', status: 'PENDING' });
    expect(started.policy.targets).to.deep.include(CANARY.targets);
    expect(started.policy.windowSeconds).to.equal(120);
    expect(started.requestedBy.how).to.equal('loopback');
    const { canaryId } = started;
    const status = await answer('canary_status', { canaryId });
    expect(status).to.include.keys('canaryId', 'modelId', 'status', 'createdAt', 'updatedAt', 'policy');
    // By the beginning of its id, as on the command line.
    expect((await answer('canary_status', { canaryId: canaryId.slice(0, 12) })).canaryId).to.equal(canaryId);
    expect((await answer('list_canaries', { modelId: 'matriz-v3' })).canaries[0]).to.include({ canaryId });
    const aborted = await answer('abort_canary', { canaryId, reason: 'only a test' });
    expect(aborted).to.deep.equal({ canaryId, status: 'ABORTED' });
    const again = await call('abort_canary', { canaryId, reason: 'twice' });
    expect(again.result.isError).to.equal(true);
    expect(again.result.content[0].text).to.match(/ILLEGAL_TRANSITION.* is ABORTED: it cannot be aborted/);
  });

  it('fill in what is left out', async () => {
    const { canaryId, policy, dryRun } = await answer('start_canary', {
      modelId: 'm',
      fromGate: 'stage',
      toGate: 'production',
      targets: { max_error_rate: 0.02 },
    });
    expect([policy.windowSeconds, dryRun]).to.deep.equal([300, false]);
    const found = await answer('search', { query: canaryId });
    expect(found.ids[0]).to.equal(`canary:${canaryId}`);
    for (let n = 0; n < 6; n++) await answer('start_canary', { ...CANARY, modelId: 'often' });
    expect((await answer('search', { query: 'often' })).results).to.have.length(5);
  });

  it('find and fetch: the same ids in every form, metadata of texts', async () => {
    const { canaryId } = await answer('start_canary', { ...CANARY, modelId: 'findable-v1' });
    const { results, ids, hits } = await answer('search', { query: 'findable-v1', limit: 3 });
    expect(ids).to.include(`canary:${canaryId}`);
    expect(results.map(({ id }: Json) => id)).to.deep.equal(ids);
    expect(hits.map(({ id }: Json) => id)).to.deep.equal(ids);
    expect(results[0]).to.have.all.keys('id', 'title', 'url');
    expect(hits[0]).to.have.all.keys('id', 'title', 'snippet');
    const fetched = await answer('fetch', { id: `canary:${canaryId}` });
    expect(fetched).to.have.all.keys('id', 'title', 'text', 'url', 'metadata');
    expect(fetched.text).to.include('findable-v1 is waiting for its first check on its way from stage to production');
    expect(Object.values(fetched.metadata).every((value) => typeof value === 'string')).to.equal(true);
    const missing = await call('fetch', { id: 'canary:none' });
    expect(missing.result.isError).to.equal(true);
    expect(missing.result.content[0].text).to.match(/^NOT_FOUND: /);
  });

  it('say why in plain text, of an unknown name in a sentence', async () => {
    const { canaryId } = await answer('start_canary', CANARY);
    const { result } = await call('why', { id: canaryId });
    expect(result.content[0].text).to.match(
      /^matriz-v3 is waiting for its first check on its way from stage to production\./,
    );
    expect(result.structuredContent).to.deep.equal({ id: canaryId, text: result.content[0].text });
    const { text } = await answer('why', { id: 'test' });
    expect(text).to.match(/^"test" not found/);
    // Too short to stand for one of the canaries: told in words, too.
    expect((await answer('why', { id: 'c-' })).text).to.match(/too short|stands for/);
    const { jobId } = await answer('run_eval', { taskId: 'probe' });
    expect((await answer('why', { id: jobId })).text).to.include('probe');
  });

  it('give the numbers, of an unknown name the same keys with nothing in them', async () => {
    const { canaryId } = await answer('start_canary', CANARY);
    const known = await answer('why_math', { id: canaryId });
    expect(known.thresholds).to.deep.equal(CANARY.targets);
    const unknown = await answer('why_math', { id: 'test' });
    expect(unknown).to.have.all.keys(...Object.keys(known));
    expect(unknown).to.deep.include({
      id: 'test',
      decision: 'unknown',
      thresholds: { latency_p95_ms: null, max_error_rate: null, max_drift: null },
      observed: { latency_p95_ms: null, error_rate: null, drift: null },
      time_to_action_sec: null,
      evidence: [],
    });
  });

  it('queue a job and say how it stands', async () => {
    const queued = await answer('run_eval', { taskId: 'probe' });
    expect(queued).to.include({ taskId: 'probe', configId: null, status: 'queued' });
    expect(queued).to.include.keys('jobId', 'startedAt', 'updatedAt');
    expect(await answer('status', { jobId: queued.jobId })).to.deep.equal(queued);
    const { result } = await call('run_eval', { taskId: 'nothing-of-that-name' });
    expect(result.isError).to.equal(true);
    expect(result.content[0].text).to.include('probe');
  });

  it('refuse to promote without evidence, and say what would be evidence', async () => {
    const { result } = await call('promote_model', { modelId: 'unproven', gate: 'production' });
    expect(result.isError).to.equal(true);
    expect(result.content[0].text).to.match(/NO_EVIDENCE.*\n- /);
    const foreseen = await call('promote_model', { modelId: 'unproven', gate: 'production', dryRun: true });
    expect(foreseen.error).to.equal(undefined);
  });

  it('verify the log', async () => {
    expect(await answer('verify_log', {})).to.include({ ok: true, problemCount: 0 });
  });

  it('refuse wrong arguments by their names', async () => {
    const refused = async (name: string, args: object) => {
      const { result } = await call(name, args);
      expect(result?.isError, JSON.stringify(args)).to.equal(true);
      return (result.content[0].text as string).replace(/^USAGE: /, '');
    };
    expect(await refused('canary_status', { canary: 'c-1' })).to.match(/canaryId: is missing/);
    expect(await refused('canary_status', { canary: 'c-1', canaryId: 'c-1' })).to.match(/did you mean canaryId/);
    expect(await refused('canary_status', { canaryId: 7 })).to.match(/canaryId: expected text, got 7/);
    expect(await refused('canary_status', { canaryId: 'c-1', waitSeconds: 26 })).to.match(/waitSeconds.*at most 25/);
    expect(await refused('start_canary', { ...CANARY, targets: { max_error_rate: 2 } })).to.match(/max_error_rate/);
    expect(await refused('start_canary', { ...CANARY, modelId: undefined })).to.match(/modelId: is missing/);
    for (const modelId of ['m'.repeat(129), '-m', 'two words', 'm\n', ''])
      expect(await refused('start_canary', { ...CANARY, modelId })).to.match(
        /^arguments of start_canary: modelId: .*128/,
      );
    expect(await refused('promote_model', { modelId: 'm', gate: 'a b' })).to.match(/gate: is not valid: use 1 to 128/);
    expect(await refused('list_canaries', { modelId: 'a b' })).to.match(/modelId: is not valid/);
    expect(await refused('run_eval', { taskId: 'probe', configId: 'a b' })).to.match(/configId: is not valid/);
    expect(await refused('search', { query: 'x'.repeat(501) })).to.match(/query: must have at most 500.*got 501/);
    expect(await refused('search', { query: '' })).to.match(/query: must not be empty/);
    expect(await refused('search', { query: 'x', limit: 51 })).to.match(/limit/);
    expect(await refused('search', { query: 'x', limit: 1.5 })).to.match(/limit/);
    expect(await refused('list_canaries', { state: 'sleeping' })).to.match(
      /state: must be one of .*\n- .*state, modelId/,
    );
    const { error } = await call('no_such_tool', {});
    expect([error.code, error.message]).to.deep.equal([-32602, error.message]);
    expect(error.message).to.match(/no_such_tool.*Available: search, fetch/);
  });

  it('understand what models send where its meaning is beyond doubt', async () => {
    const { canaryId } = await answer('start_canary', {
      model_id: 'matriz-v3',
      fromGate: 'stage',
      toGate: 'production',
      windowSeconds: '120',
      targets: '{"max_error_rate":"0.02","latencyP95Ms":250,"max_drift":null}',
      dryRun: 'True',
    });
    const { policy, dryRun } = await answer('canary_status', { canary_id: canaryId, waitSeconds: '0' });
    expect(dryRun).to.equal(true);
    expect(policy).to.include({ windowSeconds: 120 });
    expect(JSON.stringify(policy)).to.include('0.02').and.to.include('250').and.not.to.include('drift');
    const nothing = { state: '', modelId: null, limit: null };
    for (const args of [nothing, null, {}, { state: 'pending', limit: '5' }, { state: 'Pending', something: '' }])
      expect((await answer('list_canaries', args)).canaries.map((c: { canaryId: string }) => c.canaryId)).to.include(
        canaryId,
      );
    expect((await answer('list_canaries', { state: 'rolled back' })).canaries).to.deep.equal([]);
    for (const args of [{ random_string: 'x' }, null, { a: { b: [1] } }])
      expect(await answer('verify_log', args)).to.include({ ok: true });
    expect(await answer('run_eval', { taskId: 'probe', configId: '', dryRun: 'true' })).to.include({ configId: null });
  });

  it('do not guess what models mean', async () => {
    const wrong: [string, object][] = [
      ['list_canaries', { limit: '5 or so' }],
      ['list_canaries', { limit: '0x10' }],
      ['list_canaries', { limit: '1e400' }],
      ['list_canaries', { limit: true }],
      ['list_canaries', { limit: [5] }],
      ['list_canaries', { random_string: 'x' }],
      ['list_canaries', { constructor: 'x' }],
      ['list_canaries', { state: 'constructor' }],
      ['start_canary', { ...CANARY, dryRun: 'yes' }],
      ['start_canary', { ...CANARY, dryRun: 'constructor' }],
      ['start_canary', { ...CANARY, dryRun: 1 }],
      ['start_canary', { ...CANARY, windowSeconds: '2 minutes' }],
      ['start_canary', { ...CANARY, window: 60 }],
      ['start_canary', { ...CANARY, targets: 'strict' }],
      ['start_canary', { ...CANARY, targets: '[1]' }],
      ['start_canary', { ...CANARY, targets: { max_error_rate: '2%' } }],
      ['start_canary', { ...CANARY, modelId: null }],
      ['start_canary', { ...CANARY, model_id: 'another' }],
      ['promote_model', { modelId: 'm', Gate: 'a', GATE: 'b' }],
    ];
    for (const [name, args] of wrong) {
      const { result } = await call(name, args);
      expect(result?.isError, JSON.stringify(args)).to.equal(true);
      expect(result.content[0].text, JSON.stringify(args)).to.match(
        new RegExp(`^USAGE: arguments of ${name}: .*\n- ${name} takes: `, 's'),
      );
    }
  });

  it('tell a failure with what to do, and a canary without anything to meet is one', async () => {
    const { result } = await call('start_canary', { ...CANARY, targets: {} });
    expect(result.isError).to.equal(true);
    expect(result.content[0].text).to.match(/^USAGE: No policy.*\n- Give targets/);
    const same = await call('start_canary', { ...CANARY, toGate: 'stage' });
    expect(same.result.content[0].text).to.include('both are "stage"');
  });

  it('that change something are not there with --read-only', async () => {
    const reading = chooseTools({ readOnly: true }).map(({ name }) => name);
    expect(reading).to.deep.equal(ORDER.filter((name) => !/^(start|abort|run|promote)_/.test(name)));
    const limited = await place({ newServer: createLukhasServer(server.service, { version: '1', readOnly: true }) });
    try {
      const { error } = (await post(limited.url, callOf('start_canary', CANARY))).json;
      expect(error.code).to.equal(-32602);
      expect(error.message)
        .to.include('start_canary')
        .and.not.match(/There are:.*start_canary/);
    } finally {
      await limited.close();
    }
  });

  it('can be limited to some groups; search and fetch are in every one', () => {
    const names = (toolsets: string) => chooseTools({ toolsets: parseToolsets(toolsets) }).map(({ name }) => name);
    expect(names('jobs')).to.deep.equal(['search', 'fetch', 'run_eval', 'status']);
    expect(names('gates, jobs')).to.deep.equal([
      'search',
      'fetch',
      'run_eval',
      'status',
      'promote_model',
      'list_gates',
    ]);
    expect(names('search')).to.deep.equal(['search', 'fetch']);
    expect(() => parseToolsets('canaries,job')).to.throw(/unknown toolset "job"/);
  });
});
