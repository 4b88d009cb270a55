import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Verdict } from '../../src/lib/judge/verdict.js';
import { until } from '../until.js';
import { onlyDocument, Workspace } from './lukhas.js';
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

describe('lukhas init, where one Prometheus holds several services', function () {
  this.timeout(LIMIT_MS);
  let prometheus: Prometheus;
  let proxy: Server;
  let behind: string;
  const services: PromClientService[] = [];
  const workspaces: Workspace[] = [];

  before(async () => {
    const urls: string[] = [];
    for (const version of ['v1', 'v2', 'v1', 'v2', 'v1', 'v1']) {
      const service = await PromClientService.start({ version, perSecond: 30, failing: 0, app: null });
      services.push(service);
      urls.push(service.url);
    }
    const [orders1, orders2, cart, cartCanary, ranker, scorer] = urls as [string, ...string[]];
    const pod = (app: string) => ({ namespace: 'ml', pod: `${app}-6c7d8f9b5-x2k4z`, app_kubernetes_io_name: app });
    prometheus = await Prometheus.start(
      'prometheus',
      [],
      [
        { name: 'orders', everySeconds: 3, urls: [orders1, orders2!] },
        { name: 'cart', everySeconds: 1, urls: [cart!] },
        { name: 'cart-canary', everySeconds: 5, urls: [cartCanary!] },
        { name: 'kubernetes-pods', everySeconds: 1, urls: [ranker!], labels: pod('ranker') },
        { name: 'kubernetes-pods-2', everySeconds: 1, urls: [scorer!], labels: pod('scorer') },
      ],
    );
    proxy = createServer((request, response) => {
      const { url = '/', headers } = request;
      if (headers.authorization !== 'Bearer sesame') response.writeHead(401).end();
      else if (!url.startsWith('/monitoring/')) response.writeHead(404).end();
      else
        fetch(`${prometheus.url}${url.slice('/monitoring'.length)}`).then(
          async (answer) => response.writeHead(answer.status).end(await answer.text()),
          () => response.writeHead(502).end(),
        );
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    behind = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/monitoring`;
    await until(async () => (await samples(prometheus.url)) >= 4, 500);
  });
  after(async () => {
    await Promise.all(workspaces.map((one) => one.remove()));
    for (const service of services) service.stop();
    proxy?.close();
    await prometheus?.stop();
  });

  const workspace = (): Workspace => {
    const made = new Workspace();
    workspaces.push(made);
    return made;
  };
  const written = async (args: readonly string[]) => {
    const where = workspace();
    const run = await where.run(['init', '--prom-url', prometheus.url, '--yes', ...args]);
    expect(run.code, run.stderr).to.equal(0);
    const text = (name: string) => readFileSync(join(where.dir, name), 'utf8');
    return { config: text('lukhas.yaml'), policy: text('slo.yaml') };
  };

  it('takes none of them by itself, and names them', async () => {
    const run = await workspace().run(['init', '--prom-url', prometheus.url, '--yes']);
    expect(run.code).to.equal(2);
    expect(run.stderr).to.contain('Pass --service with one of: cart, orders, ranker, scorer.');
    const wrong = await workspace().run(['init', '--prom-url', prometheus.url, '--yes', '--service', 'oders']);
    expect(wrong.stderr).to.contain('Did you mean orders?');
  });

  it('judges the chosen one alone, as often as its own job is scraped', async () => {
    const { config, policy } = await written(['--service', 'orders']);
    expect(config).to.contain('canary: { job: orders, version: v2 }\n  baseline: { job: orders, version: v1 }\n');
    expect(policy).to.match(/Prometheus reads the service every 3 s\nintervalSeconds: 5\n/);
  });

  it('takes two jobs that are versions of one service for it, and the slower interval of the two', async () => {
    const { config, policy } = await written(['--service', 'cart', '--by', 'job']);
    expect(config).to.contain('canary: { job: cart-canary }\n  baseline: { job: cart }\n');
    expect(policy).to.contain('Prometheus reads the service every 5 s\n');
  });

  it('tells the services of Kubernetes apart by their labels', async () => {
    const { config } = await written(['--selector', '{namespace="ml"}', '--service', 'scorer']);
    expect(config).to.contain('{namespace="ml", job="kubernetes-pods-2", version="v2"}');
  });

  it('leads to a canary that starts, behind a path and with a token', async () => {
    const where = workspace();
    const env = { TOKEN: 'sesame' };
    const args = ['init', '--prom-url', behind, '--service', 'orders', '--yes'];
    expect((await where.run(args)).code).to.equal(6);
    const made = await where.run([...args, '--bearer-env', 'TOKEN'], { env });
    expect(made.code, made.stderr).to.equal(0);
    expect(readFileSync(join(where.dir, 'lukhas.yaml'), 'utf8')).to.contain('bearerEnv: TOKEN');
    const next = /^next: lukhas (.*)$/m.exec(made.stdout)![1]!;
    const started = await where.run([...next.split(' '), '--timeout', '1s'], { env });
    expect(started.stderr)
      .to.contain('preflight check')
      .and.to.match(/^started c-/m);
    expect(started.code).to.equal(8);
  });

  it('keeps the names of credentials that another configuration has, and leads to its own', async () => {
    const where = workspace();
    const env = { TOKEN: 'sesame' };
    where.file('mine.yaml', `source: { kind: prometheus, url: '${behind}', bearerEnv: TOKEN }\n`);
    const made = await where.run(['init', '--config', 'mine.yaml', '--service', 'orders', '--yes'], { env });
    expect(made.code, made.stderr).to.equal(0);
    expect(readFileSync(join(where.dir, 'lukhas.yaml'), 'utf8')).to.contain('bearerEnv: TOKEN');
    expect(made.stdout).to.match(/^next: lukhas canary start .* --config lukhas\.yaml$/m);
  });
});
