import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../../../src/lib/app/index.js';
import {
  existingFiles,
  type Init,
  initFrom,
  type Origin,
  refuseExisting,
  writeAll,
} from '../../../../src/lib/app/init/index.js';
import { parseText } from '../../../../src/lib/input/index.js';
import type { Policy } from '../../../../src/lib/judge/index.js';
import { parsePolicy } from '../../../../src/lib/judge/policy-schema.js';
import type { Facts } from '../../../../src/lib/metrics/discover/index.js';
import { fitAll } from '../../../../src/lib/metrics/promql/index.js';
import { fillMatchers, parseArms } from '../../../../src/lib/metrics/signals/index.js';
import { facts, halved, histogram } from '../../metrics/discover/pages.js';

const PAGE: Origin = { kind: 'scrape', canaryUrl: 'http://127.0.0.1:8080/metrics', baselineUrl: null };
const PROMETHEUS: Origin = { kind: 'prometheus', url: 'http://127.0.0.1:9090', selector: '{job="fraud"}' };

/** A service whose versions served `requests` each, half of them while it was measured. */
function service(requests = 40_000, version = (name: string) => `version="${name}",`): string {
  const of = (name: string, code: string, all: number) =>
    histogram(
      'api_seconds_duration_seconds',
      `${version(name)}code="${code}"`,
      ['0.1', '0.25', '1'],
      [all * 0.7, all * 0.99, all, all],
    );
  return [of('v1', '200', requests), of('v1', '500', requests / 100), of('v2', '200', requests)].join('\n');
}

describe('lukhas init', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-init-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const made = (found: Facts, origin: Origin = PAGE, perSecond: number | null = null) =>
    initFrom({ origin, facts: found, wishes: {}, perSecond });

  /** What the files say, read as every command reads them. */
  async function read(init: Init) {
    await writeAll(dir, init.files, true);
    const config = await loadConfig({ cwd: dir, env: { HOME: dir } });
    const policy: Policy = parsePolicy(
      await parseText(await readFile(config.policyPath!, 'utf8'), 'slo.yaml', 'POLICY'),
    );
    return { config, policy };
  }

  it('writes what its own commands read: the source, the arms and what is counted', async () => {
    const { config } = await read(await made(facts(service(), 10, halved)));
    expect(config.source).to.deep.include({
      kind: 'scrape',
      canaryUrls: ['http://127.0.0.1:8080/metrics'],
      baselineUrls: ['http://127.0.0.1:8080/metrics'],
      arms: { canary: '{version="v2"}', baseline: '{version="v1"}' },
    });
    expect(config.source).to.have.nested.property(
      'signals.errors.count',
      'api_seconds_duration_seconds_count{code=~"5.."}',
    );
    expect(config.source).to.have.nested.property('signals.histograms.latency.unit', 's');
  });

  it('selects the series of a service in Prometheus for both versions', async () => {
    const { config } = await read(await made(facts(service(), 10, halved), PROMETHEUS));
    expect(config.source).to.have.property('kind', 'prometheus');
    expect(config.source).to.have.deep.property('arms', {
      canary: '{job="fraud",version="v2"}',
      baseline: '{job="fraud",version="v1"}',
    });
  });

  it('judges one version alone where nothing tells two apart', async () => {
    const alone = facts(
      service(40_000, () => ''),
      10,
      halved,
    );
    const { config, policy } = await read(await made(alone));
    expect(config.source).to.have.property('baselineUrls', null);
    expect(policy.baseline).to.equal('none');
  });

  it('proposes targets that the serving version meets, and the shortest window that decides them', async () => {
    const init = await made(facts(service(), 10, halved));
    const { policy } = await read(init);
    expect(policy.targets).to.include({ latency_p95_ms: 250, max_error_rate: 0.05 });
    expect(policy.windowSeconds).to.equal(120);
    expect(init.plan).to.include({ decidable: true, requestsPerSecond: 2000 });
    const slow = await made(facts(service(400), 10, halved), PAGE, 0.5);
    expect(slow.plan).to.include({ decidable: true, requestsPerSecond: 0.5 });
    expect((await read(slow)).policy.windowSeconds).to.be.above(300);
  });

  it('checks no more often than Prometheus reads the service', async () => {
    const found = { ...facts(service(), 10, halved), scrapeSeconds: 60 };
    const { policy } = await read(await made(found, PROMETHEUS));
    expect(policy.intervalSeconds).to.equal(60);
    expect(policy.windowSeconds).to.be.at.least(8 * 60);
    expect(policy.noDataSeconds).to.be.above(2 * 60);
  });

  it('expects a tenth of the traffic for a canary that does not serve yet', async () => {
    const page = service()
      .split('\n')
      .filter((line) => !line.includes('v2'))
      .join('\n');
    const init = await made(facts(page, 10, halved));
    expect(init.plan?.requestsPerSecond).to.equal(200);
    expect(init.files[0]!.text).to.match(/a tenth of the 2000\/s of v1/);
    expect(init.files[1]!.text).to.match(/canary: \{ version: v2 \}/);
  });

  it('prints the command that starts the first canary, with nothing in it for a shell to read', async () => {
    const next = async (version: (name: string) => string) =>
      (await made(facts(service(40_000, version), 10, halved))).next;
    const command = (model: string, gates = '--from stage --to production') =>
      `lukhas canary start --model ${model} ${gates} --policy slo.yaml`;
    expect(await next((name) => `version="${name}",app="fraud",`)).to.equal(command('fraud-v2'));
    expect(await next((name) => `version="${name}",app="acme/fraud",`)).to.equal(command('fraud-v2'));
    expect(await next((name) => `version="${name};rm -rf",app="$(id)",`)).to.equal(command('my-model-v2'));
    const gate = (name: string) => `gate="${name === 'v1' ? 'live' : 'stage'}",app="fraud",`;
    expect(await next(gate)).to.equal(command('fraud-v2', '--from stage --to live'));
  });

  it('has no next command where nothing can be judged', async () => {
    const init = await made(facts('# TYPE jobs gauge\njobs 3'));
    expect([init.next, init.plan]).to.deep.equal([null, null]);
  });

  it('holds whatever names a page has', async () => {
    const evil = 'x"\\n# no\\n\u001b[31m\u202e: {y}';
    const page = service(
      40_000,
      (name) => `version="${name}",app="${evil.replaceAll('"', '\\"')}",path="${evil.replaceAll('"', '\\"')}",`,
    );
    const health = page.replaceAll('path="', 'path="/healthz",was="');
    const init = await made(facts(`${page}\n${health}`, 10, halved));
    const { config } = await read(init);
    expect(config.source)
      .to.have.nested.property('signals.errors.count')
      .that.matches(/^api_seconds_duration_seconds_count\{path="x/);
    for (const { text } of init.files) expect(text).not.to.match(/[^\n\P{Cc}]|\p{Cf}/u);
  });

  it('takes values that look like placeholders as they are', async () => {
    const page = service().replaceAll('version="v2"', 'version="$__gate"').replaceAll('le="', 'path="$__x",le="');
    const { config } = await read(await made(facts(page, 10, halved)));
    if (config.source.kind !== 'scrape') throw new Error('another source');
    const values = { gate: 'stage', model: 'm', window: 60 };
    const { canary, baseline } = parseArms(config.source.arms);
    const arms = [canary, baseline].map((matchers) => fillMatchers(matchers, values));
    const isRead = (version: string) => arms.some((matchers) => fitAll(matchers, { version }));
    expect(['$__gate', 'v1', 'stage'].map(isRead)).to.deep.equal([true, true, false]);
  });

  describe('its files', () => {
    const FILES = [
      { name: 'slo.yaml', text: 'a: 1\n' },
      { name: 'lukhas.yaml', text: 'b: 2\n' },
    ];

    it('replace nothing unless it is wished', async () => {
      await writeFile(join(dir, 'lukhas.yaml'), 'mine');
      for (const refusal of [refuseExisting(dir, ['lukhas.yaml']), writeAll(dir, FILES, false)])
        expect(
          await refusal.then(
            () => 'written',
            (error: Error) => error.message,
          ),
        ).to.match(/lukhas\.yaml: already exists/);
      expect(await existingFiles(dir, ['slo.yaml', 'lukhas.yaml'])).to.deep.equal(['lukhas.yaml']);
      await writeAll(dir, FILES, true);
      expect(await readFile(join(dir, 'lukhas.yaml'), 'utf8')).to.equal('b: 2\n');
    });

    it('are written all or none', async () => {
      await writeFile(join(dir, 'slo.yaml'), 'before');
      await writeAll(dir, [FILES[0]!, { name: 'missing/../no/lukhas.yaml\0', text: '' }], true).catch(() => undefined);
      expect(await readFile(join(dir, 'slo.yaml'), 'utf8')).to.equal('before');
    });

    it('are refused beside another configuration of the same folder', async () => {
      await writeFile(join(dir, 'lukhas.json'), '{}');
      const refused = await existingFiles(dir, ['lukhas.yaml']).catch((error: Error) => error.message);
      expect(refused).to.match(/lukhas\.json: already exists/);
    });
  });
});
