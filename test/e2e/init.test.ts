import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Verdict } from '../../src/lib/judge/verdict.js';
import { until } from '../until.js';
import { onlyDocument, ROOT, Workspace } from './lukhas.js';
import { PromClientService } from './prom-client-service.js';
import { Prometheus } from './prometheus.js';

/** The window that init proposes for this traffic is two minutes, and the canaries run side by side. */
const LIMIT_MS = 600_000;

/** How often each service has been scraped. */
async function samples(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/query?query=min(count_over_time(up[5m]))`);
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? 0);
}

describe('lukhas init, as a new user has it', function () {
  this.timeout(LIMIT_MS);
  let prometheus: Prometheus;
  const services: PromClientService[] = [];
  const workspaces: Workspace[] = [];

  before(async () => {
    for (const [version, failing] of [
      ['v1', 0],
      ['v2', 0],
      ['v3', 0.1],
    ] as const)
      services.push(await PromClientService.start({ version, perSecond: 30, failing }));
    prometheus = await Prometheus.start();
    await prometheus.scrape(services.map(({ url }) => url));
    // As much as it takes to tell a rate.
    await until(async () => (await samples(prometheus.url)) >= 40, 500);
  });
  after(async () => {
    await Promise.all(workspaces.map((one) => one.remove()));
    for (const service of services) service.stop();
    await prometheus?.stop();
  });

  const workspace = (): Workspace => {
    const made = new Workspace();
    workspaces.push(made);
    return made;
  };

  /** What is typed: `init`, and then the command that it prints. */
  async function typed(init: readonly string[]) {
    const began = Date.now();
    const where = workspace();
    const first = await where.run(['init', ...init]);
    expect(first.code, first.stderr).to.equal(0);
    const next = /^next: (lukhas .*)$/m.exec(first.stdout)?.[1];
    expect(next, first.stdout).to.match(
      /^lukhas canary start --model fraud-v\d --from stage --to production --policy slo\.yaml$/,
    );
    const run = await where.shell(`${next} --json`);
    const { verdict } = onlyDocument(run) as { verdict: Verdict };
    const seconds = (Date.now() - began) / 1000;
    return { run, verdict, seconds, config: readFileSync(join(where.dir, 'lukhas.yaml'), 'utf8') };
  }

  it('leads to a certified verdict by typing only what is printed, through Prometheus and from pages', async () => {
    const [v1, v2, v3] = services.map(({ url }) => url) as [string, string, string];
    const prom = ['--prom-url', prometheus.url];
    const labels = (version: string) => ['--canary-label', `version=${version}`, '--baseline-label', 'version=v1'];
    const [good, bad, pages] = await Promise.all([
      typed([...prom, ...labels('v2'), '--yes']),
      typed([...prom, ...labels('v3'), '--yes', '--rps', '30']),
      typed(['--url', v2, '--baseline-url', v1, '--measure', '5s']),
    ]);
    for (const { run, verdict } of [good, pages]) {
      expect(run.code, run.stdout + run.stderr).to.equal(0);
      expect(verdict).to.include({ decision: 'promote', certainty: 'certified' });
    }
    expect(bad.run.code, bad.run.stdout + bad.run.stderr).to.equal(3);
    expect(bad.verdict).to.include({ certainty: 'certified', decidedBy: 'error_rate' });
    // Health checks are not among what is judged.
    for (const { config } of [good, pages]) expect(config).to.match(/route="\/predict"/);
    for (const { seconds } of [good, bad, pages]) expect(seconds).to.be.below(LIMIT_MS / 1000);
    expect(v3).to.be.a('string');
  });

  it('finds the versions by itself, and takes the newest for the canary', async () => {
    const where = workspace();
    const found = await where.json(['init', '--prom-url', prometheus.url, '--selector', '{job="models"}', '--dry-run']);
    expect(found).to.have.nested.property('found.arms.found.canaryValue', 'v3');
    expect(found).to.have.nested.property('found.arms.found.baselineValue', 'v2');
    expect(found).to.have.deep.property('written', []);
    expect(existsSync(join(where.dir, 'lukhas.yaml'))).to.equal(false);
  });

  it('replaces no file, and says what is wrong with an address', async () => {
    const where = workspace();
    where.file('slo.yaml', 'mine');
    const url = services[0]!.url;
    const there = await where.run(['init', '--url', url, '--measure', '0']);
    expect([there.code, there.stderr]).to.satisfy(
      ([code, text]: [number, string]) => code === 2 && /slo\.yaml: already exists/.test(text),
    );
    const runs = await Promise.all(
      [
        ['--url', 'http://127.0.0.1:1/metrics'],
        ['--url', url.replace('metrics', 'metrics?token=abc')],
        ['--prom-url', new URL(url).origin],
        [],
        ['--url', url, '--measure', '0', '--by', 'method'],
      ].map((args) => where.run(['init', '--dry-run', ...args])),
    );
    expect(runs.map(({ code }) => code)).to.deep.equal([6, 2, 6, 2, 2]);
    for (const { stderr } of runs) expect(stderr).not.to.match(/\n\s+at /);
  });
});

describe('lukhas init, asking in a terminal', function () {
  this.timeout(LIMIT_MS);

  it('asks for the page of either version', async () => {
    const [v1, v2] = await Promise.all(
      ['v1', 'v2'].map((version) => PromClientService.start({ version, perSecond: 30, failing: 0 })),
    );
    const where = new Workspace();
    try {
      const command = `"${process.execPath}" "${join(ROOT, 'bin', 'run.js')}" init --measure 0`;
      const terminal = spawn('script', ['-qec', command, '/dev/null'], { cwd: where.dir });
      let shown = '';
      const ended = new Promise<number | null>((resolve) => terminal.once('close', resolve));
      terminal.stdout.on('data', (part: Buffer) => {
        shown += part.toString();
      });
      for (const [question, answer] of [
        ['number [1]: ', '1'],
        ['address: ', v2!.url],
        ['[none]: ', v1!.url],
        ['[Y/n]: ', 'y'],
      ] as const) {
        await until(() => shown.includes(question), 50);
        terminal.stdin.write(`${answer}\n`);
      }
      expect(await ended, shown).to.equal(0);
      const config = readFileSync(join(where.dir, 'lukhas.yaml'), 'utf8');
      expect(config).to.contain(`canaryUrl: ${v2!.url}\n  baselineUrl: ${v1!.url}\n`);
    } finally {
      v1?.stop();
      v2?.stop();
      await where.remove();
    }
  });
});
