import { expect } from 'chai';
import { Workspace } from '../lukhas.js';
import { counting, type Page, serve } from '../metrics-page.js';

describe('lukhas doctor', () => {
  let place: Workspace;
  let page: Page;
  beforeEach(async () => {
    place = new Workspace();
    page = await serve(counting(200));
  });
  afterEach(async () => {
    await page.close();
    await place.remove();
  });

  interface Check {
    name: string;
    state: string;
    detail: string;
  }
  const checks = async (
    args: readonly string[] = [],
  ): Promise<{ code: number | null; exit: number; checks: Check[] }> => {
    const run = await place.run(['doctor', ...args, '--json'], { env: { PORT: '1' } });
    return { code: run.code, ...(JSON.parse(run.stdout) as { exit: number; checks: Check[] }) };
  };

  it('finds nothing wrong with a set-up that works, and writes nothing', async () => {
    place.file('policy.yaml', 'windowSeconds: 60\ntargets: { max_error_rate: 0.02, latency_p95_ms: 250 }\n');
    place.file('lukhas.yaml', `policy: policy.yaml\nsource: { kind: scrape, canaryUrl: "${page.url}" }\n`);
    const found = await checks(['--model', 'm', '--from', 'stage', '--to', 'production']);
    expect(found.checks.filter(({ state }) => state === 'fail')).to.deep.equal([]);
    expect(found).to.include({ code: 0, exit: 0 });
    expect(
      found.checks.find(({ name, detail }) => name === 'source' && detail.startsWith('canary latency'))?.detail,
    ).to.match(/^canary latency: model_latency: 1 series, bounds 50, 250, 1000 ms$/);
    expect(found.checks.find(({ name }) => name === 'database')?.detail).to.match(/not there yet/);
    expect(await place.run(['doctor'], { env: { PORT: '1' } })).to.include({ code: 0 });
  });

  it('ends with the exit code of what failed first: configuration, series, source', async () => {
    place.file('lukhas.yaml', 'sauce: {}\n');
    expect(await checks()).to.include({ code: 2 });
    place.file(
      'lukhas.yaml',
      `source: { kind: scrape, canaryUrl: "${page.url}" }\nsignals: { latency: model_latenci }\n`,
    );
    const found = await checks();
    expect(found).to.include({ code: 2 });
    expect(found.checks.find(({ state }) => state === 'fail')?.detail).to.match(
      /no series model_latenci_bucket; did you mean model_latency\?$/,
    );
    place.file('lukhas.yaml', 'source: { kind: scrape, canaryUrl: "http://127.0.0.1:1/metrics" }\n');
    expect(await checks()).to.include({ code: 6 });
  });
});
