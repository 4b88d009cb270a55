import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type App, openApp } from '../../../src/lib/app/app.js';
import { loadConfig } from '../../../src/lib/app/config.js';
import { type StartOptions, startCanary } from '../../../src/lib/app/start-canary.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';
import { DEFAULT_SIGNALS, type SourceDescriptor } from '../../../src/lib/metrics/index.js';
import { refusal } from '../refusal.js';

const PAGE =
  'model_requests_total{version="v1"} 1000\nmodel_requests_total{version="v2"} 900\n' +
  'model_errors_total{version="v1"} 0\nmodel_errors_total{version="v2"} 3\n';

describe('starting a canary', () => {
  let folder: string;
  let server: Server;
  let url: string;
  let page: string;
  let asked: number;
  const apps: App[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lukhas-start-'));
    page = PAGE;
    asked = 0;
    server = createServer((_, response) => {
      asked += 1;
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(page);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const opened = async (yaml = '{}'): Promise<App> => {
    writeFileSync(join(folder, 'lukhas.yaml'), yaml);
    const app = await openApp({ config: await loadConfig({ cwd: folder, env: { HOME: folder } }) });
    apps.push(app);
    return app;
  };
  const source = (arms: { canary?: string; baseline?: string } = {}, more = {}): SourceDescriptor => ({
    kind: 'scrape',
    canaryUrls: [url],
    baselineUrls: arms.baseline === undefined ? null : [url],
    arms: { canary: arms.canary ?? '{version="v2"}', baseline: arms.baseline ?? '{}' },
    signals: { ...DEFAULT_SIGNALS, drift: null, inflight: null, ...more },
    timeoutMs: 4000,
  });
  const wanted = (more: Partial<StartOptions> = {}): StartOptions => ({
    modelId: 'fraud-v2',
    fromGate: 'stage',
    toGate: 'production',
    policy: parsePolicy({ windowSeconds: 60, targets: { max_error_rate: 0.02 } }),
    source: source(),
    dryRun: false,
    by: { who: 'ana', how: 'os-user' },
    ...more,
  });
  const size = async (app: App): Promise<number> => app.ledger.size();

  it('looks once at the page, and records what was found', async () => {
    const app = await opened();
    const { canary, firstLook, warnings } = await startCanary(app, wanted());
    expect(asked).to.equal(1);
    expect(warnings).to.deep.equal([]);
    expect(firstLook.map(({ level }) => level)).to.deep.equal(['info', 'info']);
    const [requested] = await app.ledger.events({ subject: canary.id });
    expect(requested?.data).to.deep.include({
      notes: [
        'canary requests: model_requests_total: 1 series, 900 so far',
        'canary errors: model_errors_total: 1 series, 3 so far',
      ],
    });
  });

  it('records nothing of one that can never work, and says what is nearest', async () => {
    const app = await opened();
    const error = await refusal(startCanary(app, wanted({ source: source({ canary: '{version="V2"}' }) })));
    expect(error.code).to.equal('FIRST_LOOK');
    expect(error.exit).to.equal(2);
    expect(error.message).to.match(
      /^canary requests: no series model_requests_total\{version="V2"\} \(version seen: v1, v2\); canary errors: no series/,
    );
    expect(error.suggestions).to.include('Did you mean version="v2"?');
    expect(await size(app)).to.equal(0);
  });

  it('starts one whose series come later, with a warning that is recorded, and without one when it is told to', async () => {
    const app = await opened();
    page = 'model_requests_total{version="v1"} 1000\n';
    const early = wanted({ source: source({ baseline: '{version="v1"}' }) });
    const { canary, warnings } = await startCanary(app, early);
    expect(warnings[0]).to.match(
      /^canary requests: no series model_requests_total\{version="v2"\} \(version seen: v1\)/,
    );
    const [requested] = await app.ledger.events({ subject: canary.id });
    expect(JSON.stringify(requested?.data)).to.contain('warning: canary requests: no series');
    const unknown = wanted({ modelId: 'fraud-v3', source: source({ canary: '{version="v3"}' }) });
    expect((await refusal(startCanary(app, unknown))).suggestions.join(' ')).to.contain('--allow-missing');
    const allowed = await startCanary(app, { ...unknown, allowMissing: true });
    expect(allowed.warnings[0]).to.match(/no series model_requests_total\{version="v3"\}/);
  });

  describe('that does not answer', () => {
    const REFUSING = 'http://127.0.0.1:1/metrics';
    const twoPages = (canary: string, baseline: string | null): SourceDescriptor => ({
      ...(source({ canary: '{}' }) as Extract<SourceDescriptor, { kind: 'scrape' }>),
      canaryUrls: [canary],
      baselineUrls: baseline === null ? null : [baseline],
    });
    beforeEach(() => {
      page = 'model_requests_total 1000\nmodel_errors_total 0\n';
    });

    it('is started where its baseline answers, with a warning that names both readings', async () => {
      const app = await opened('hooks: { rollback: [{ exec: { command: [/bin/true] } }] }\n');
      const { canary, warnings } = await startCanary(app, wanted({ source: twoPages(REFUSING, url) }));
      expect(warnings[0]).to.equal(
        'the canary does not answer, and its baseline does. If it is down and stays so, it is rolled back after 60 s and the ' +
          `rollback hooks are called. If its address or labels are wrong, end it now: lukhas canary abort ${canary.id} --reason "wrong address"`,
      );
      expect(warnings[1]).to.match(/^canary: http:\/\/127\.0\.0\.1:1\/metrics: connection refused .* \(unreachable\);/);
      const [requested] = await app.ledger.events({ subject: canary.id });
      expect(JSON.stringify(requested?.data)).to.contain('warning: the canary does not answer, and its baseline does');
    });

    it('is not said to be rolled back where its policy does not', async () => {
      const app = await opened();
      const policy = parsePolicy({
        windowSeconds: 60,
        targets: { max_error_rate: 0.02 },
        onNeverAnswered: 'block',
      });
      const { warnings } = await startCanary(app, wanted({ policy, source: twoPages(REFUSING, url) }));
      expect(warnings[0]).to.contain('stays so, it is not promoted');
    });

    it('is refused with exit 6 and not recorded where nothing answers, unless it is told to wait', async () => {
      const app = await opened();
      for (const baseline of [null, 'http://127.0.0.1:2/metrics']) {
        const error = await refusal(startCanary(app, wanted({ source: twoPages(REFUSING, baseline) })));
        expect(error).to.include({ code: 'SOURCE_UNREACHABLE', exit: 6 });
        expect(error.message).to.match(/^nothing answers: http:\/\/127\.0\.0\.1:1\/metrics: connection refused/);
        expect(error.suggestions.join(' ')).to.contain('--allow-missing');
      }
      expect(await size(app)).to.equal(0);
      const allowed = await startCanary(app, wanted({ source: twoPages(REFUSING, null), allowMissing: true }));
      expect(allowed.warnings).to.have.length(1);
      expect(allowed.warnings[0]).to.match(/^canary: .*connection refused/);
    });

    it('is started where its policy gives it time to, but not without a baseline that should be there', async () => {
      const app = await opened();
      const policy = parsePolicy({ windowSeconds: 60, warmupSeconds: 30, targets: { max_error_rate: 0.02 } });
      const both = wanted({ policy, source: twoPages(REFUSING, 'http://127.0.0.1:2/metrics') });
      expect((await refusal(startCanary(app, both))).code).to.equal('SOURCE_UNREACHABLE');
      const { warnings } = await startCanary(app, wanted({ policy, source: twoPages(REFUSING, null) }));
      expect(warnings[0]).to.match(/it is asked again at every check$/);
    });

    it('is started as ever where only the baseline does not answer', async () => {
      const app = await opened();
      const { warnings } = await startCanary(app, wanted({ source: twoPages(url, REFUSING) }));
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/^baseline: .*connection refused/);
    });

    it('is refused for what can never work rather than for its silence', async () => {
      const app = await opened();
      const policy = parsePolicy({ windowSeconds: 60, targets: { max_drift: 0.1 } });
      const error = await refusal(startCanary(app, wanted({ policy, source: twoPages(REFUSING, null) })));
      expect(error).to.include({ code: 'FIRST_LOOK', exit: 2 });
    });
  });

  it('refuses hooks whose programs are not there, unless none would be called', async () => {
    const app = await opened('hooks: { promote: [{ exec: { command: [./shift.sh] } }] }\n');
    const error = await refusal(startCanary(app, wanted()));
    expect(error).to.include({ code: 'CONFIG', exit: 2 });
    expect(error.message).to.equal(
      `${folder}/lukhas.yaml: hook "shift.sh" (promote): command not found: "./shift.sh" (${folder}/shift.sh)`,
    );
    expect(await size(app)).to.equal(0);
    await startCanary(app, wanted({ dryRun: true }));
    writeFileSync(join(folder, 'shift.sh'), '#!/bin/sh\n');
    chmodSync(join(folder, 'shift.sh'), 0o755);
    await startCanary(app, wanted({ allowSharedSeries: true }));
  });

  describe('on series that an open canary reads', () => {
    it('is refused by its name, unless that is accepted and recorded', async () => {
      const app = await opened();
      const first = await startCanary(app, wanted());
      const error = await refusal(startCanary(app, wanted({ modelId: 'fraud-v3' })));
      expect(error).to.include({ code: 'SHARED_SERIES', exit: 2 });
      expect(error.message).to.contain(
        `canary ${first.canary.id} (fraud-v2, stage → production) reads the same series`,
      );
      expect(await size(app)).to.equal(1);
      const second = await startCanary(app, wanted({ modelId: 'fraud-v3', allowSharedSeries: true }));
      const [requested] = await app.ledger.events({ subject: second.canary.id });
      expect(JSON.stringify(requested?.data)).to.contain(`accepted: canary ${first.canary.id}`);
      expect(second.warnings.join('\n')).to.contain(first.canary.id);
    });

    it('is possible where labels differ, or the other one has ended', async () => {
      const app = await opened();
      const first = await startCanary(app, wanted());
      await startCanary(app, wanted({ source: source({ canary: '{version="v1"}' }) }));
      await app.canaries.abort(first.canary.id, { who: 'ana', how: 'os-user' }, 'done');
      await startCanary(app, wanted());
    });

    it('is possible for one of several that start at once, through whichever process', async () => {
      const all = [await opened(), await opened(), await opened()];
      const starts = all.flatMap((app) => [
        startCanary(app, wanted()),
        startCanary(app, wanted({ modelId: 'fraud-v3' })),
      ]);
      const outcomes = await Promise.allSettled(starts);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect((outcome.reason as { code: string }).code).to.equal('SHARED_SERIES');
      expect(await size(all[0]!)).to.equal(1);
    });
  });
});
