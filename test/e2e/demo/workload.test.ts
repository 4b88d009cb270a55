import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startWorkload, type Workload, type WorkloadOptions } from '../../../src/demo/workload.js';
import { histogram, psi, sample, scrape, shareAbove } from '../../demo/exposition.js';
import { until } from '../../until.js';

const OPTIONS: WorkloadOptions = {
  fault: 'none',
  canaryGate: 'stage',
  baselineGate: 'production',
  models: { canary: 'fraud-v2', baseline: 'fraud-v1' },
};

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Processes that this one started, where the system tells. */
function children(): string[] {
  const list = `/proc/${process.pid}/task/${process.pid}/children`;
  return existsSync(list) ? readFileSync(list, 'utf8').trim().split(' ') : [];
}

function environmentOf(pid: number): string {
  const file = `/proc/${pid}/environ`;
  if (existsSync(file)) return readFileSync(file, 'utf8');
  return execFileSync('ps', ['eww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
}

describe('demo workload', () => {
  const running: Workload[] = [];

  async function start(options: Partial<WorkloadOptions> = {}): Promise<Workload> {
    const workload = await startWorkload({ ...OPTIONS, ...options });
    running.push(workload);
    return workload;
  }

  afterEach(async () => {
    await Promise.all(running.splice(0).map((workload) => workload.stop()));
  });

  it('sends nothing before it is asked to, where that was wanted', async () => {
    const workload = await start({ sendsLater: true });
    const page = await (await fetch(workload.canaryUrl)).text();
    expect(page).to.match(/^model_requests_total\{.*\} 0$/m);
    expect(workload.stats().canary.sent).to.equal(0);
    workload.send();
    await until(() => workload.stats().baseline.ok > 0);
    await workload.stop();
  });

  it('serves two healthy versions, whose metrics agree with what was sent, and leaves no process', async () => {
    const workload = await start();
    await wait(3000);
    for (const [arm, url] of [
      ['canary', workload.canaryUrl],
      ['baseline', workload.baselineUrl],
    ] as const) {
      const before = workload.stats()[arm];
      const page = await scrape(url);
      const after = workload.stats()[arm];
      expect(before.ok).to.be.above(100);
      expect(sample(page, 'model_requests_total')).to.be.within(before.ok, after.sent);
      expect(sample(page, 'model_errors_total')).to.equal(0);
      // A busy machine makes some of them slow; the latency fault makes a quarter and more so.
      expect(shareAbove(histogram(page, 'model_latency'), 0.25)).to.be.below(0.2);
      expect(sample(page, 'model_inflight_requests')).to.be.within(0, 60);
      const [gate, model] = arm === 'canary' ? ['stage', 'fraud-v2'] : ['production', 'fraud-v1'];
      expect(page).to.contain(`model_requests_total{gate="${gate}",model="${model}"}`);
    }
    const pids = Object.values(workload.pids);
    expect(pids.every(alive)).to.equal(true);
    await Promise.all([workload.stop(), workload.stop()]);
    await workload.stop();
    expect(pids.some(alive)).to.equal(false);
    expect(await workload.exited).to.equal(null);
    for (const { sent, ok, failed } of Object.values(workload.stats())) {
      expect({ ok, failed }).to.deep.equal({ ok: sent, failed: 0 });
    }
  });

  it('really has the fault asked for in the canary, and in the canary alone', async () => {
    const faults = ['latency', 'errors', 'drift'] as const;
    const workloads = await Promise.all(
      faults.map((fault) => start({ fault, faultAfterSeconds: 0, requestsPerSecond: 80 })),
    );
    await wait(4000);
    const pages = await Promise.all(
      workloads.map(async (workload) => ({
        canary: await scrape(workload.canaryUrl),
        baseline: await scrape(workload.baselineUrl),
      })),
    );
    const slow = (page: string): number => shareAbove(histogram(page, 'model_latency'), 0.25);
    const errors = (page: string): number => sample(page, 'model_errors_total') / sample(page, 'model_requests_total');
    type Run = { slow: number; baseline: { slow: number } };
    const excess = (run: Run | undefined): number => run!.slow - run!.baseline.slow;
    const [latency, failing, drifting] = pages.map(({ canary, baseline }) => ({
      slow: slow(canary),
      errors: errors(canary),
      psi: psi(histogram(canary, 'model_score').counts, histogram(baseline, 'model_score').counts),
      baseline: { slow: slow(baseline), errors: errors(baseline) },
    }));
    // What a busy machine makes slow, it makes slow in both arms alike.
    expect(excess(latency), 'share above 250 ms, more than of the baseline').to.be.within(0.15, 0.5);
    expect(latency?.errors).to.equal(0);
    expect(failing?.errors).to.be.within(0.05, 0.12);
    expect(excess(failing)).to.be.below(0.15);
    expect(drifting?.psi).to.be.above(0.3);
    expect(drifting?.errors).to.equal(0);
    // Few requests: chance alone gives about 20 / requests.
    expect(latency?.psi).to.be.below(0.15);
    expect(excess(drifting)).to.be.below(0.15);
    for (const run of [latency, failing, drifting]) expect(run?.baseline.errors).to.equal(0);
  });

  it('tells when the canary crashes, and goes on with the baseline', async () => {
    const workload = await start({ fault: 'crash', faultAfterSeconds: 0.5 });
    expect(await workload.exited).to.deep.equal({ arm: 'canary', code: 1, signal: null });
    expect(alive(workload.pids.canary)).to.equal(false);
    const atCrash = workload.stats();
    await wait(500);
    const later = workload.stats();
    expect(later.canary.failed).to.be.above(atCrash.canary.failed + 20);
    expect(later.canary.ok).to.equal(atCrash.canary.ok);
    expect(later.baseline.ok).to.be.above(atCrash.baseline.ok + 20);
    await workload.stop();
    expect(alive(workload.pids.baseline)).to.equal(false);
  });

  it('ends when its signal is aborted', async () => {
    const controller = new AbortController();
    const workload = await start({ signal: controller.signal });
    controller.abort(new Error('enough'));
    expect(await workload.exited).to.equal(null);
    await workload.stop();
    expect(Object.values(workload.pids).some(alive)).to.equal(false);
  });

  it('rejects with the reason when aborted while it starts, and leaves no process', async () => {
    const before = children();
    const controller = new AbortController();
    const starting = start({ signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    expect(await starting.catch((error: unknown) => error)).to.have.property('message', 'enough');
    expect(children().filter((pid) => !before.includes(pid))).to.deep.equal([]);
  });

  it('stops the other service when one does not start', async () => {
    const before = children();
    expect(await start({ baselineGate: '' }).catch((error: unknown) => error)).to.have.property('code', 'DEMO');
    expect(children().filter((pid) => !before.includes(pid))).to.deep.equal([]);
  });

  it('gives its services nothing of the environment', async () => {
    process.env['LUKHAS_MCP_API_KEYS'] = 'hush-hush';
    try {
      const workload = await start();
      for (const pid of Object.values(workload.pids)) {
        const environment = environmentOf(pid);
        expect(environment).to.contain('NODE_CHANNEL_FD').and.not.contain('hush-hush');
      }
    } finally {
      delete process.env['LUKHAS_MCP_API_KEYS'];
    }
  });

  it('leaves no service behind when its own process is killed', async () => {
    const workloadFile = fileURLToPath(new URL('../../../src/demo/workload.ts', import.meta.url));
    const code = `import(${JSON.stringify(workloadFile)})
      .then(({ startWorkload }) => startWorkload(${JSON.stringify(OPTIONS)}))
      .then(({ pids }) => console.log(JSON.stringify(pids)))`;
    const parent = spawn(process.execPath, [...process.execArgv, '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: parent.stdout }).once('line', resolve).once('close', reject);
    });
    const pids = Object.values(JSON.parse(line) as Record<string, number>);
    expect(pids).to.have.lengthOf(2);
    expect(pids.every(alive)).to.equal(true);
    parent.kill('SIGKILL');
    await until(() => !pids.some(alive));
  });
});
