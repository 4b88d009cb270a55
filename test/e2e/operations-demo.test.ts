import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { portFree, ROOT, type Running, Workspace } from './lukhas.js';

/** The demonstration as operators have it. Its lines are run as they stand. */
const DEMO = readFileSync(join(ROOT, 'test/e2e/operations-demo.md'), 'utf8');
const BLOCKS = [...DEMO.matchAll(/```bash\n(.*?)```/gs)].map(([, block]) => block!);
const WOW = BLOCKS.find((block) => block.includes('# 1) Start canary')) ?? '';
const QUICK = BLOCKS.find((block) => block.includes('# Health check')) ?? '';

/** The lines below a comment, up to the next blank line. */
function part(block: string, comment: string): string {
  const [, rest = ''] = block.split(comment);
  return rest.slice(rest.indexOf('\n') + 1).split('\n\n')[0] ?? '';
}

interface Shell {
  stdout: string;
  stderr: string;
  code: number | null;
}

/** Runs lines in bash, in the workspace's folder; ends them when `until` is seen on stdout, as Ctrl-C would. */
function bash(space: Workspace, lines: string, until?: RegExp): Promise<Shell> {
  const setup = WOW.split('\n')[0] ?? '';
  const child: ChildProcess = spawn('bash', ['-c', `${setup}\n${lines}`], {
    cwd: space.dir,
    env: space.environment(),
    detached: true,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (until?.test(stdout)) process.kill(-(child.pid as number), 'SIGINT');
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ stdout, stderr, code }));
  });
}

interface Frame {
  name: string;
  id: string;
  data: Record<string, unknown>;
}

function frames(stream: string): Frame[] {
  return stream.split('\n\n').flatMap((text) => {
    const field = (key: string) => new RegExp(`^${key}: ?(.*)$`, 'm').exec(text)?.[1];
    const name = field('event');
    return name === undefined ? [] : [{ name, id: field('id') ?? '', data: JSON.parse(field('data') ?? 'null') }];
  });
}

/** `lukhas serve` on the port that the demonstration names. */
async function serve(space: Workspace, args: readonly string[]): Promise<Running> {
  await portFree(8766);
  const server = space.start(['serve', ...args]);
  await server.says(/http:\/\/127\.0\.0\.1:8766/);
  return server;
}

async function stop(server: Running | undefined): Promise<void> {
  server?.child.kill('SIGTERM');
  await server?.finished;
}

/** Sections 1 to 3: starts the canary, watches it to its end, asks why. */
async function sections(space: Workspace, ending: string) {
  const started = await bash(space, `${part(WOW, '# 1)')}\necho "CANARY=$CANARY"`);
  expect(started.stderr).to.equal('');
  const [, canary = ''] = /CANARY=(.*)/.exec(started.stdout) ?? [];
  expect(canary).to.match(/^c-[a-z0-9]+$/);
  const answer = JSON.parse(readFileSync(join(space.dir, 'canary.json'), 'utf8'));
  expect(answer).to.include({ jsonrpc: '2.0', id: 1 });
  const request = JSON.parse(answer.result.content[0].text);
  expect(request).to.include({ modelId: 'matriz-v3', fromGate: 'stage', toGate: 'production' });
  expect(request).to.have.nested.property('policy.targets').that.deep.equals({
    latency_p95_ms: 250,
    max_error_rate: 0.02,
    max_drift: 0.15,
    // Not asked for: every policy limits how often a canary may not answer.
    max_unavailable: 0.05,
  });
  const watching = part(WOW, '# 2)');
  expect(watching).to.include('curl -N');
  const seen = await bash(space, `CANARY=${canary}\n${watching}`, new RegExp(`^event: ?${ending}\n(.*\n)*\n`, 'm'));
  const asked = part(WOW, '# 3)').split(/(?<=jq -r '\.result\.content\[0\]\.text')\n/);
  expect(asked).to.have.length(2);
  const why = await bash(space, `CANARY=${canary}\n${asked[0]}`);
  const math = await bash(space, `CANARY=${canary}\n${asked[1]}`);
  expect(why.stderr + math.stderr).to.equal('');
  return { canary, frames: frames(seen.stdout), why: why.stdout, math: JSON.parse(math.stdout) };
}

describe('the operations demonstration', () => {
  let space: Workspace;
  let server: Running | undefined;

  beforeEach(() => {
    space = new Workspace();
    for (const name of ['scripts', 'tools', 'configs', 'node_modules'])
      symlinkSync(join(ROOT, name), join(space.dir, name));
  });
  afterEach(async () => {
    await stop(server);
    await space.remove();
  });

  it('sections 1 to 3 run as they stand on real traffic, and 5 after them', async function () {
    this.timeout(300_000);
    server = await serve(space, ['--demo']);
    const { canary, frames: seen, why, math } = await sections(space, 'promoted');
    expect(seen[0]?.name).to.equal('open');
    const names = seen.map(({ name }) => name);
    expect(names).to.include.members(['started', 'metric', 'promoted']);
    expect(names.indexOf('started')).to.be.below(names.indexOf('metric'));
    expect(names.at(-1)).to.equal('promoted');
    expect(names.filter((name) => name === 'metric').length).to.be.at.least(20);
    for (const { name, id, data } of seen) {
      expect(id, name).to.match(/^\d+\.\d+\.[0-9a-f]{8}$/);
      expect(data, name).to.have.property('ts');
      if (name !== 'open') expect(data, name).to.include({ canaryId: canary });
    }
    expect(new Set(seen.slice(1).map(({ id }) => id)).size).to.equal(seen.length - 1);
    expect(why)
      .to.include('matriz-v3')
      .and.match(/promoted/i);
    expect(math).to.deep.include({
      id: canary,
      decision: 'promote',
      thresholds: { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 },
    });
    expect(math.observed.error_rate).to.be.within(0, 0.02);
    expect(math.observed.latency_p95_ms).to.be.within(1, 250);
    expect(math.time_to_action_sec).to.be.within(100, 140);
    expect(math.evidence).to.be.an('array').that.is.not.empty;
    // Their window is long past: nothing was recorded then, and that is what is said.
    const replayed = await bash(space, part(WOW, '# 5)'));
    expect(replayed.stdout + replayed.stderr).to.match(/2025-09-28/);
  });

  it('sections 1 to 3 without a metrics source end BLOCKED, and why says so', async function () {
    this.timeout(300_000);
    server = await serve(space, []);
    const { frames: seen, why, math } = await sections(space, 'blocked');
    const blocked = seen.at(-1);
    expect(blocked?.name).to.equal('blocked');
    expect(blocked?.data).to.include({ status: 'BLOCKED' });
    expect(why)
      .to.match(/blocked/i)
      .and.match(/no metrics|no metric source|no source/i);
    expect(math).to.deep.include({
      decision: 'block',
      observed: { latency_p95_ms: null, error_rate: null, drift: null },
    });
  });

  it('the quick test commands run as they stand', async function () {
    this.timeout(200_000);
    server = await serve(space, []);
    const health = await bash(space, part(QUICK, '# Health check'));
    expect(JSON.parse(health.stdout)).to.include({ status: 'ok', server: 'lukhas' });
    const [why = '', math = ''] = [QUICK.split('# Test WHY tools')[1]!.split('\n\n')[0]!, QUICK.split('\n\n')[2]!];
    const told = JSON.parse((await bash(space, why)).stdout);
    expect(told).to.include({ jsonrpc: '2.0', id: 1 });
    expect(told.result.isError ?? false).to.equal(false);
    expect(told.result.content[0].text).to.match(/^[^{]*test/);
    const numbers = JSON.parse((await bash(space, math)).stdout);
    expect(numbers.id).to.equal(2);
    expect(JSON.parse(numbers.result.content[0].text)).to.deep.include({
      id: 'test',
      decision: 'unknown',
      thresholds: { latency_p95_ms: null, max_error_rate: null, max_drift: null },
      observed: { latency_p95_ms: null, error_rate: null, drift: null },
      time_to_action_sec: null,
    });
    const streaming = bash(space, part(QUICK, '# Test SSE streaming'), /^event: ?completed/m);
    await bash(space, 'sleep 0.5');
    const job = await bash(
      space,
      `curl -s $H/mcp -H 'Content-Type: application/json' -d '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"run_eval","arguments":{"taskId":"probe"}}}'`,
    );
    expect(JSON.parse(JSON.parse(job.stdout).result.content[0].text)).to.include({ taskId: 'probe' });
    expect((await streaming).stdout)
      .to.match(/^event: ?open/m)
      .and.match(/^event: ?queued/m);
  });
});
