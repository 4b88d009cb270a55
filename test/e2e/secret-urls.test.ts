import { expect } from 'chai';
import { Canaries } from '../../src/lib/canary/canaries.js';
import { systemClock } from '../../src/lib/clock.js';
import { parsePolicy } from '../../src/lib/judge/policy-schema.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { firstLine, Workspace } from './lukhas.js';

const SECRET = 'hunter2hunter2';
const START = ['canary', 'start', '--model', 'm', '--from', 'a', '--to', 'b', '--max-error-rate', '0.02'];

describe('an address with a credential in it', () => {
  let w: Workspace;
  beforeEach(() => {
    w = new Workspace();
  });
  afterEach(() => w.remove());

  it('is refused from every flag, variable and key, in one line that does not repeat it', async () => {
    const url = `http://127.0.0.1:9/m?token=${SECRET}`;
    const slack = `https://hooks.slack.com/services/T0/B0/${SECRET}`;
    const flags: [string, string[], Record<string, string>?][] = [
      ['--canary-url', [...START, '--window', '60s', '--canary-url', url]],
      ['--baseline-url', [...START, '--window', '60s', '--canary-url', 'http://127.0.0.1:9/m', '--baseline-url', url]],
      ['--prom-url', [...START, '--window', '60s', '--prom-url', `http://ana:${SECRET}@127.0.0.1:9`]],
      ['PROM_URL', [...START, '--window', '60s'], { PROM_URL: `http://127.0.0.1:9/token/${SECRET}01` }],
      ['--witness', ['checkpoint', '--witness', `https://127.0.0.1/?key=${SECRET}`]],
      ['--anchor webhook', ['checkpoint', '--anchor', `webhook:${slack}`]],
      ['--anchor git', ['checkpoint', '--anchor', `git:https://ana:${SECRET}@127.0.0.1/r.git`]],
      ['URL', ['smoke', `http://127.0.0.1:9/?api_key=${SECRET}`]],
    ];
    await w.run([...START, '--window', '60s', '--source', 'none', '--detach']);
    for (const [what, args, env] of flags) {
      const run = await w.run(args, env === undefined ? {} : { env });
      expect(run.code, `${what}: ${run.stderr}`).to.equal(2);
      expect(firstLine(run)).to.include(what);
      expect(run.stdout + run.stderr).not.to.include(SECRET);
    }
    const keys: [string, string][] = [
      ['source.url', `source: { kind: prometheus, url: "http://127.0.0.1:9/?token=${SECRET}" }`],
      ['source.canaryUrl', `source: { kind: scrape, canaryUrl: "${url}" }`],
      ['hooks.promote[0].webhook.url', `hooks: { promote: [ { webhook: { url: "${slack}" } } ] }`],
      ['evidence.anchors[0].url', `evidence: { anchors: [ { kind: webhook, url: "${slack}" } ] }`],
      ['evidence.anchors[0].url', `evidence: { anchors: [ { kind: tsa, url: "${url}", caFile: ca.pem } ] }`],
      [
        'evidence.anchors[0].repository',
        `evidence: { anchors: [ { kind: git, repository: "https://${SECRET}@h/r" } ] }`,
      ],
    ];
    for (const [key, text] of keys) {
      w.file('lukhas.yaml', text);
      const run = await w.run(['canary', 'list']);
      expect(run.code, `${key}: ${run.stderr}`).to.equal(2);
      expect(firstLine(run)).to.include(key);
      expect(run.stdout + run.stderr).not.to.include(SECRET);
    }
  });

  it('is masked wherever an old log shows it, and the log still verifies', async () => {
    const ledger = await openLedger(w.db);
    const policy = parsePolicy({ version: 1, windowSeconds: 60, targets: { max_error_rate: 0.02 } });
    const { id } = await new Canaries(ledger, systemClock()).start({
      modelId: 'fraud-v2',
      fromGate: 'stage',
      toGate: 'production',
      policy,
      source: {
        kind: 'scrape',
        canaryUrl: `http://127.0.0.1:9/metrics?token=${SECRET}`,
        baselineUrl: `http://ana:${SECRET}@127.0.0.1:9/metrics`,
        canaryLabels: {},
        baselineLabels: {},
      } as never,
      dryRun: true,
      by: { who: 'ana', how: 'os-user' },
    });
    await ledger.close();
    await w.run(['canary', 'abort', id, '--reason', `see https://h/?password=${SECRET}`]);
    for (const args of [
      ['why', id],
      ['why', id, '--json'],
      ['why-math', id],
      ['why-math', id, '--json'],
      ['canary', 'status', id],
      ['canary', 'status', id, '--json'],
      ['canary', 'list', '--json'],
      ['search', 'fraud-v2', '--json'],
      ['verify', '--json'],
    ]) {
      const run = await w.run(args);
      expect(run.code, run.stderr).to.be.oneOf([0, 10]);
      expect(run.stdout + run.stderr, args.join(' ')).not.to.include(SECRET);
    }
    expect((await w.run(['why', id])).stdout).to.include('http://127.0.0.1:9/metrics?token=***');
    const daemon = w.start(['serve', '--port', '0']);
    let said = '';
    daemon.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await daemon.says(/listening on http:\S+/);
    const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
    const ask = async (method: string, params: object): Promise<string> => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
      return (await fetch(`${url}/mcp`, { method: 'POST', headers, body })).text();
    };
    const call = (name: string, args: object) => ask('tools/call', { name, arguments: args });
    for (const answer of [
      await call('canary_status', { canaryId: id }),
      await call('canary_status', { id }),
      await call('why', { id }),
      await call('why_math', { id }),
      await call('search', { query: 'fraud-v2' }),
      await call('fetch', { id: `canary:${id}` }),
      await call('fetch', { id: 'event:0' }),
      await ask('resources/read', { uri: `lukhas://canary/${id}` }),
      await ask('prompts/get', { name: 'review_canary', arguments: { id } }),
    ])
      expect(answer).not.to.include(SECRET);
    expect(await call('why', { id })).to.include('token=***');
    const stream = await fetch(`${url}/sse`, { headers: { 'last-event-id': '0' }, signal: AbortSignal.timeout(2000) });
    let streamed = '';
    try {
      for await (const chunk of stream.body!) {
        streamed += Buffer.from(chunk).toString();
        if (streamed.includes('aborted')) break;
      }
    } catch {
      // Ends when the time is up: what came until then is what counts.
    }
    expect(streamed).not.to.include(SECRET);
  });
});
