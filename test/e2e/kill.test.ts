import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import type { StoredEvent } from '../../src/lib/ledger/events.js';
import { xorshift } from '../xorshift.js';
import { canaryId, expectNoInsides, type Run, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';

const KILLS = 50;
const AT_ONCE = 10;
/** A canary takes four seconds, and its hook half a second more. */
const LATEST_KILL_MS = 5500;

const POLICY = `
windowSeconds: 4
intervalSeconds: 1
targets: { latency_p95_ms: 250, max_error_rate: 0.02 }
`;
const CONFIG = `
hooks:
  promote:
    - name: shift-traffic
      exec: { command: [${JSON.stringify(process.execPath)}, hook.cjs] }
`;
/** Says which call it is, and takes its time. */
const HOOK = `
const { appendFileSync } = require('node:fs');
const { LUKHAS_IDEMPOTENCY_KEY: key, LUKHAS_CANARY_ID: id, LUKHAS_ACTION: action, LUKHAS_DECIDED_AT: at } = process.env;
appendFileSync('calls', [id, key, action, at].join(' ') + '\\n');
setTimeout(() => {}, 500);
`;

interface Killed {
  workspace: Workspace;
  id: string;
  at: number;
  /** How the process ended that was to be killed. */
  run: Run;
  /** What it was doing. */
  during: string;
}

describe('kill -9 of the driver', () => {
  const workspaces: Workspace[] = [];
  let page: Page;
  before(async () => {
    page = await serve(counting(5000, 0.0005));
  });
  after(async () => {
    await Promise.all(workspaces.map((w) => w.remove()));
    await page.close();
  });

  function workspace(): Workspace {
    const w = new Workspace();
    workspaces.push(w);
    w.file('policy.yaml', POLICY);
    w.file('lukhas.yaml', CONFIG);
    w.file('hook.cjs', HOOK);
    return w;
  }

  async function killAfter(w: Workspace, n: number, ms: number): Promise<Killed> {
    const names = ['--model', `fraud-${n}`, '--from', 'stage', '--to', `production-${n}`];
    // One page serves them all.
    const shared = ['--canary-url', page.url, '--allow-shared-series'];
    const running = w.start(['canary', 'start', ...names, '--policy', 'policy.yaml', ...shared]);
    await running.says(/^started c-/m);
    await wait(ms);
    running.child.kill('SIGKILL');
    const run = await running.finished;
    const id = canaryId(run);
    return { workspace: w, id, at: ms, run, during: doing(await w.events(id)) };
  }

  function doing(events: StoredEvent[]): string {
    const has = (kind: StoredEvent['kind']) => events.some((e) => e.kind === kind);
    if (has('canary.acted')) return 'after the end';
    if (has('hook.finished')) return 'after the hook';
    if (has('hook.intended')) return 'during the hook';
    if (has('canary.decided')) return 'after the decision';
    return has('canary.started') ? 'while looking' : 'before the first look';
  }

  async function checkContinued({ workspace: w, id, at }: Killed): Promise<void> {
    const where = `${id}, killed after ${Math.round(at)} ms`;
    const resumed = await w.run(['canary', 'resume', id]);
    expect(resumed.code, `${where}: ${resumed.stderr}`).to.equal(0);
    expect(resumed.stdout, where).to.match(/^PROMOTED /);
    expectNoInsides(resumed);

    const ticks = await w.read(async (ledger) => (await ledger.observations(id)).map(({ tick }) => tick));
    expect(ticks, where).to.deep.equal(ticks.map((_, i) => i));
    const events = await w.events(id);
    const count = (kind: StoredEvent['kind']) => events.filter((e) => e.kind === kind).length;
    expect(count('canary.decided'), where).to.equal(1);
    expect(count('canary.acted'), where).to.equal(1);
    const gate = (await w.events()).filter((e) => e.kind === 'gate.changed' && e.data.canaryId === id);
    expect(gate, where).to.have.length(1);

    const calls = readFileSync(`${w.dir}/calls`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(`${id} `));
    expect(calls.length, where).to.be.within(1, 2);
    expect(new Set(calls).size, `${where}: ${calls.join(', ')}`).to.equal(1);
    expect(calls[0], where).to.match(new RegExp(`^${id} ${id} promote `));
    expect(await w.read((ledger) => ledger.lease(id)), where).to.equal(null);
  }

  it(`at ${KILLS} moments loses nothing: each canary is continued to its verdict`, async function () {
    this.timeout(300_000);
    const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);
    const random = xorshift(seed);
    // Half of them write to one log.
    const shared = workspace();
    const plan = Array.from({ length: KILLS }, (_, n) => ({ n, ms: random() * LATEST_KILL_MS }));
    const killed: Killed[] = [];
    const lane = async () => {
      for (let next = plan.shift(); next !== undefined; next = plan.shift()) {
        const dead = await killAfter(next.n % 2 === 0 ? shared : workspace(), next.n, next.ms);
        killed.push(dead);
        await checkContinued(dead);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const during: Record<string, number> = {};
    for (const k of killed) during[k.during] = (during[k.during] ?? 0) + 1;
    console.log(`      KILL_SEED=${seed}`, during);
    for (const w of workspaces) {
      const verified = await w.run(['verify']);
      expect(verified.code, verified.stdout).to.equal(0);
    }
    // Those that had ended by themselves tell nothing.
    expect(killed.filter(({ run }) => run.code === null)).to.have.length.greaterThan(KILLS / 2);
  });
});
