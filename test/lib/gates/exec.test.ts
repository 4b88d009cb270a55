import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { systemClock } from '../../../src/lib/clock.js';
import { type ExecSettings, exec } from '../../../src/lib/gates/exec.js';
import type { HookCall, HookContext } from '../../../src/lib/gates/hook-kind.js';
import { until } from '../../until.js';
import { aCall } from './call.js';

describe('exec hook', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-exec-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const script = (code: string, ...args: string[]) => hook({ command: [process.execPath, '-e', code, ...args] });
  const env = { PATH: process.env['PATH'] };

  it('passes the call in the environment and on standard input', async () => {
    const out = join(dir, 'out.json');
    const code = `const env = process.env; let text = '';
      process.stdin.on('data', (c) => (text += c)).on('end', () =>
        require('fs').writeFileSync(process.argv[1], JSON.stringify({ env, call: JSON.parse(text) })));`;
    const call = aCall({ attempt: 2, reason: 'certified_early' });
    const result = await runExecHook(script(code, out), call, { env });
    expect(result).to.include({ ok: true, detail: 'exit code 0' });
    expect(result.durationMs).to.be.a('number').above(0);
    const seen = JSON.parse(await readFile(out, 'utf8'));
    expect(seen.call).to.deep.equal(call);
    expect(seen.env).to.include({
      LUKHAS_ACTION: 'promote',
      LUKHAS_IDEMPOTENCY_KEY: call.canaryId,
      LUKHAS_CANARY_ID: call.canaryId,
      LUKHAS_MODEL_ID: call.modelId,
      LUKHAS_FROM_GATE: 'stage',
      LUKHAS_TO_GATE: 'production',
      LUKHAS_DECISION: 'promote',
      LUKHAS_REASON: 'certified_early',
      LUKHAS_CERTAINTY: 'certified',
      LUKHAS_DECIDED_AT: call.decidedAt,
      LUKHAS_ATTEMPT: '2',
    });
  });

  it('succeeds when the program never reads its input', async () => {
    const call = aCall({ reason: 'x'.repeat(100_000) });
    expect((await runExecHook(hook({ command: ['true'] }), call, { env })).ok).to.equal(true);
  });

  it('hands arguments and values on verbatim, whatever they hold', async () => {
    const out = join(dir, 'echo.json');
    const code = `require('fs').writeFileSync(process.argv[1],
      JSON.stringify([process.argv.slice(2), process.env.LUKHAS_MODEL_ID]))`;
    const hostile = fc.oneof(
      fc.constantFrom('$(touch pwned)', '`id`', '; rm -rf .', "' || true '", '"', '$HOME', '*', 'a  b', '%PATH%', '\n'),
      fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { maxLength: 3 }), hostile, async (args, modelId) => {
        const result = await runExecHook(script(code, '--', out, ...args), aCall({ modelId }), { env: { ...env } });
        expect(result.ok, result.detail).to.equal(true);
        expect(JSON.parse(await readFile(out, 'utf8'))).to.deep.equal([args, modelId]);
      }),
      { numRuns: 25 },
    );
  });

  it('gives the program what every program needs, and what the hook names', async () => {
    const code = 'console.log(Object.keys(process.env).sort().join())';
    const inherited = {
      ...env,
      PROM_BEARER: 's',
      LUKHAS_MCP_API_KEYS: 's',
      LUKHAS_WEBHOOK_SECRET: 's',
      SIGNING: 's',
      LUKHAS_MCP_DB: 'db',
      KUBECONFIG: '/etc/kube',
      OTHER_TOKEN: 't',
    };
    const { detail } = await runExecHook(script(code), aCall(), { env: inherited });
    expect(detail).to.include('PATH').and.include('LUKHAS_MCP_DB');
    expect(detail).not.to.match(/PROM_BEARER|API_KEYS|SECRET|SIGNING|TOKEN|KUBECONFIG/);
    const naming = hook({ command: [process.execPath, '-e', code], passEnv: ['KUBECONFIG', 'NOT_SET'] });
    const named = (await runExecHook(naming, aCall(), { env: inherited })).detail;
    expect(named)
      .to.include('KUBECONFIG')
      .and.not.match(/NOT_SET|TOKEN/);
    const given = hook({ command: [process.execPath, '-e', code], env: { PROM_BEARER: 'mine' } });
    expect((await runExecHook(given, aCall(), { env: inherited })).detail).to.include('PROM_BEARER');
  });

  it('fails on any other exit code and keeps what was printed, in one clean line', async () => {
    const code = `console.error('no \\u001b[31msuch\\u001b[0m\\r\\nmodel\\u0007 \\u202efdp'); process.exit(3)`;
    const result = await runExecHook(script(code), aCall(), { env });
    expect(result).to.include({ ok: false, detail: String.raw`exit code 3: no such model\u0007 \u202efdp` });
  });

  it('says when a signal ended it', async () => {
    const result = await runExecHook(script(`process.kill(process.pid, 'SIGKILL')`), aCall(), { env });
    expect(result).to.include({ ok: false, detail: 'ended by SIGKILL' });
  });

  it('keeps only the end of huge output', async () => {
    const code = `process.stdout.write('é'.repeat(4_000_000) + 'the end', () => process.exit(1))`;
    const { ok, detail } = await runExecHook(script(code), aCall(), { env });
    expect(ok).to.equal(false);
    expect(detail.endsWith('éthe end')).to.equal(true);
    expect(detail).not.to.include('\ufffd');
    expect(Buffer.byteLength(detail)).to.be.within(4000, 4200);
  });

  it('explains a program or directory that is not there', async () => {
    const missing = await runExecHook(hook({ command: ['no-such-program-here', 'x'] }), aCall(), { env });
    expect(missing).to.include({ ok: false, detail: 'command not found: "no-such-program-here"' });
    const cwd = join(dir, 'gone');
    const nowhere = await runExecHook(hook({ command: ['true'], cwd }), aCall(), { env });
    expect(nowhere).to.include({ ok: false, detail: `no such directory: ${JSON.stringify(cwd)}` });
    const plain = await runExecHook(hook({ command: [dir] }), aCall(), { env });
    expect(plain.ok).to.equal(false);
    expect(plain.detail).to.include('EACCES');
  });

  it('runs in the directory it is given', async () => {
    const result = await runExecHook(hook({ command: ['pwd'], cwd: dir }), aCall(), { env });
    expect(result.detail).to.equal(`exit code 0: ${dir}`);
  });

  it('stops the whole process tree on timeout, also one that ignores SIGTERM', async () => {
    const pids = join(dir, 'pids');
    const grandchild = `trap '' TERM; echo up; while :; do sleep 1; done`;
    const code = `const child = require('child_process').spawn('/bin/sh', ['-c', ${JSON.stringify(grandchild)}]);
      child.stdout.once('data', () => {
        require('fs').writeFileSync(process.argv[1], child.pid + ' ' + process.pid); console.log('working');
      });`;
    const config = hook({ command: [process.execPath, '-e', code, pids], timeoutSeconds: 2 });
    const result = await runExecHook(config, aCall(), { env, graceMs: 100 });
    expect(result).to.include({ ok: false, detail: 'timed out after 2 s and was stopped: working' });
    const started = (await readFile(pids, 'utf8')).split(' ').map(Number);
    expect(started).to.have.length(2);
    for (const pid of started) await goneSoon(pid);
  });

  it('does not wait for what a program leaves in the background', async () => {
    const code = `const child = require('child_process').spawn('sleep', ['60'], { stdio: 'inherit' });
      console.log(child.pid); child.unref();`;
    const { ok, detail } = await runExecHook(script(code), aCall(), { env });
    expect(ok).to.equal(true);
    // It still runs.
    expect(process.kill(Number(/\d+$/.exec(detail)?.[0]))).to.equal(true);
  });

  it('stops the program and rejects with the reason when aborted', async () => {
    const pids = join(dir, 'pid');
    const code = `require('fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1000)`;
    const stop = new AbortController();
    const running = runExecHook(script(code, pids), aCall(), { env, signal: stop.signal, graceMs: 100 });
    const outcome = running.catch((error: unknown) => error);
    let pid = 0;
    await until(async () => {
      pid = Number(await readFile(pids, 'utf8').catch(() => ''));
      return pid > 0;
    });
    const reason = new Error('stopping');
    stop.abort(reason);
    expect(await outcome).to.equal(reason);
    await goneSoon(pid);
  });
});

function hook(settings: Partial<ExecSettings> & Pick<ExecSettings, 'command'>): ExecSettings {
  return { timeoutSeconds: 10, env: {}, ...settings };
}

function runExecHook(settings: ExecSettings, call: HookCall, context: Partial<HookContext>) {
  return exec.call(settings, call, { clock: systemClock(), env: {}, random: Math.random, ...context });
}

/** Gone, or a zombie that nobody has reaped yet. */
async function goneSoon(pid: number): Promise<void> {
  await until(async () => /^$|\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
}
