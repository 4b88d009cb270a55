import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import type { Verdict } from '../../src/lib/judge/verdict.js';
import { canaryId, expectNoInsides, onlyDocument, type Run, type Running, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';
import { observations } from './observations.js';

const POLICY = 'windowSeconds: 6\nintervalSeconds: 1\nnoDataSeconds: 2\ntargets: { max_error_rate: 0.02 }\n';
const START = ['canary', 'start', '--model', 'm2', '--from', 'stage', '--to', 'production', '--policy', 'policy.yaml'];
const STDIN = [...START, '--input', '-'];

describe('the exit code tells how it ended', () => {
  let service: Page;
  const workspaces: Workspace[] = [];

  before(async () => {
    service = await serve(counting(400));
  });
  after(() => service.close());
  afterEach(async () => {
    await Promise.all(workspaces.splice(0).map((workspace) => workspace.remove()));
  });

  function workspaceWith(policy = POLICY): Workspace {
    const workspace = new Workspace();
    workspaces.push(workspace);
    workspace.file('policy.yaml', policy);
    return workspace;
  }

  const outcomes: Record<string, { code: number; status: string; args: string[]; input?: string; config?: string }> = {
    promoted: { code: 0, status: 'PROMOTED', args: STDIN, input: observations(6) },
    'rolled back': { code: 3, status: 'ROLLED_BACK', args: STDIN, input: observations(6, { bad: 60 }) },
    inconclusive: { code: 4, status: 'BLOCKED', args: STDIN, input: observations(6, { total: 2 }) },
    'no source': { code: 4, status: 'BLOCKED', args: START },
    'promoted, but a hook failed': {
      code: 5,
      status: 'PROMOTED',
      args: STDIN,
      input: observations(6),
      config: 'hooks: { promote: [{ name: shift, exec: { command: [/bin/false] } }] }\n',
    },
    'source unreachable': {
      code: 6,
      status: 'BLOCKED',
      args: [...START, '--canary-url', 'http://127.0.0.1:1/metrics', '--allow-missing'],
    },
  };
  for (const [name, { code, status, args, input = '', config }] of Object.entries(outcomes))
    it(`${name}: ${code}, with and without --json`, async () => {
      const workspace = workspaceWith();
      if (config !== undefined) workspace.file('lukhas.yaml', config);
      const [plain, json] = await Promise.all([
        workspace.run(args, { input }),
        workspace.run([...args, '--json', '--db', 'json.db'], { input }),
      ]);
      expect(plain.code, plain.stdout + plain.stderr).to.equal(code);
      expect(json.code, json.stdout + json.stderr).to.equal(code);
      expect(plain.stdout).to.match(new RegExp(`^${status.replace('_', ' ')} {2}m2 {2}stage → production`));
      const document = onlyDocument(json);
      expect(document).to.include({ canaryId: canaryId(json), status, exit: code });
      // Whoever asks later is told the same, and asking is no failure.
      const asked = await workspace.run(['canary', 'status', canaryId(plain), '--json']);
      expect(asked.code).to.equal(0);
      expect(onlyDocument(asked)).to.include({ status, exit: code });
      for (const run of [plain, json]) expectNoInsides(run);
    });

  it('aborted by somebody else: 10, with and without --json', async () => {
    const workspace = workspaceWith(POLICY.replace('windowSeconds: 6', 'windowSeconds: 60'));
    const args = [...START, '--canary-url', service.url, '--allow-shared-series'];
    const both = [workspace.start(args), workspace.start([...args, '--json'])];
    await Promise.all(both.map(looked));
    const { canaries } = await workspace.json(['canary', 'list']);
    for (const { canaryId } of canaries as { canaryId: string }[]) {
      const aborted = await workspace.run(['canary', 'abort', canaryId, '--reason', 'wrong model']);
      expect(aborted.code, aborted.stderr).to.equal(0);
    }
    const [plain, json] = await Promise.all(both.map(({ finished }) => finished));
    expect([plain!.code, json!.code]).to.deep.equal([10, 10]);
    expect(plain!.stdout)
      .to.match(/^ABORTED {2}m2/)
      .and.to.contain('wrong model');
    expect(onlyDocument(json!)).to.include({ status: 'ABORTED', exit: 10 });
    expect(await workspace.json(['gate', 'list'])).to.deep.equal({ gates: [] });
  });

  describe('when the watching ends before the canary does', () => {
    const endings: Record<string, { code: number; more: string[]; end: (running: Running) => void }> = {
      'SIGINT: 130': { code: 130, more: [], end: ({ child }) => child.kill('SIGINT') },
      'SIGTERM: 143': { code: 143, more: [], end: ({ child }) => child.kill('SIGTERM') },
      '--timeout: 8': { code: 8, more: ['--timeout', '3s'], end: () => undefined },
    };
    const ended = new Map<string, { workspace: Workspace; plain: Run; json: Run }>();

    before(async () => {
      const all = Object.entries(endings).map(async ([name, { more, end }]) => {
        const workspace = new Workspace();
        workspace.file('policy.yaml', POLICY);
        const args = [...START, '--canary-url', service.url, ...more];
        const both = [workspace.start(args), workspace.start([...args, '--json', '--db', 'json.db'])];
        await Promise.all(both.map(looked));
        for (const running of both) end(running);
        const [plain, json] = (await Promise.all(both.map(({ finished }) => finished))) as [Run, Run];
        ended.set(name, { workspace, plain, json });
      });
      await Promise.all(all);
    });
    after(() => Promise.all([...ended.values()].map(({ workspace }) => workspace.remove())));

    for (const [name, { code }] of Object.entries(endings))
      it(`${name}; it stays RUNNING and is resumed to its verdict`, async () => {
        const { workspace, plain, json } = ended.get(name)!;
        expect([plain.code, json.code], plain.stderr + json.stderr).to.deep.equal([code, code]);
        for (const run of [plain, json]) expectNoInsides(run);
        expect(plain.stdout).to.equal('');
        expect(onlyDocument(json)).to.include({ status: 'RUNNING', exit: code });

        const id = canaryId(plain);
        expect(plain.stderr).to.contain(`it is still RUNNING`).and.to.contain(`lukhas canary resume ${id}`);
        expect(await workspace.json(['canary', 'status', id])).to.include({ status: 'RUNNING' });
        const resumed = await workspace.run(['canary', 'resume', id]);
        expect(resumed.code, resumed.stdout + resumed.stderr).to.equal(0);
        await wholeWindow(workspace, id);
      });

    it('killed: the next one goes on at once', async () => {
      const workspace = workspaceWith();
      const running = workspace.start([...START, '--canary-url', service.url]);
      await looked(running);
      running.child.kill('SIGKILL');
      const killed = await running.finished;
      expect(killed.code).to.equal(null);
      const resumed = await workspace.run(['canary', 'resume', canaryId(killed)]);
      expect(resumed.code, resumed.stdout + resumed.stderr).to.equal(0);
      await wholeWindow(workspace, canaryId(killed));
    });
  });
});

/** Until it has taken its first look and a little longer: a second one may be under way. */
async function looked(running: Running): Promise<void> {
  await running.says(/ of \d+ s: /);
  await wait(1200);
}

/** Promoted on ticks that follow one another, the same when judged again from what was recorded. */
async function wholeWindow(workspace: Workspace, id: string): Promise<void> {
  const status = await workspace.json(['canary', 'status', id]);
  expect(status['status']).to.equal('PROMOTED');
  const verdict = status['verdict'] as Verdict;
  const ticks = await workspace.read(async (ledger) => (await ledger.observations(id)).map(({ tick }) => tick));
  expect(ticks).to.deep.equal(ticks.map((_, i) => i));
  expect(verdict.tick).to.equal(ticks.at(-1));
  expect(verdict.elapsedSeconds).to.be.at.least(6);
  expect((await workspace.run(['verify'])).code).to.equal(0);
}
