import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { tinyZip } from '../lib/evidence/verify/tiny-zip.js';
import { type Run, Workspace } from './lukhas.js';

const EVIL = '\u001b[2J\u001b[H\u001b[32mPROMOTED  fraud-v2\u001b[8m\u009b8m\u202e';
const GATES = ['--model', 'm', '--from', 'a', '--to', 'b'];

/** What others wrote reaches stdout and stderr in lines of ours, as text. */
function expectHarmless({ stdout, stderr }: Run): void {
  for (const written of [stdout, stderr]) {
    expect(written.replaceAll('\n', '')).not.to.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(written).not.to.match(/^(PROMOTED|holds)/m);
  }
}

describe('text from outside, on the terminal', function () {
  this.timeout(30_000);
  let at: Workspace;
  let server: Server;
  let url: string;

  before((done) => {
    server = createServer((request, response) => {
      const isPrometheus = request.url?.startsWith('/api') === true;
      response.writeHead(isPrometheus ? 400 : 200, {
        'content-type': isPrometheus ? 'application/json' : 'text/plain',
      });
      const error = `parse error:\nPROMOTED ${EVIL}`;
      response.end(
        isPrometheus
          ? JSON.stringify({ status: 'error', errorType: 'bad_data', error })
          : `# TYPE http_requests_total counter\nhttp_requests_total{status="200${EVIL}"} 7\n`,
      );
    }).listen(0, '127.0.0.1', () => {
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      done();
    });
  });
  after(() => server.close());
  beforeEach(() => {
    at = new Workspace();
  });
  afterEach(() => at.remove());

  it('of the page that is scraped', async () => {
    const metrics =
      '{ requests: http_requests_total, errors: http_requests_total, errorLabels: { status: "5xx" }, score: null, inflight: null }';
    at.file('lukhas.yaml', `source:\n  kind: scrape\n  canaryUrl: ${url}/m\n  metrics: ${metrics}\n`);
    const run = await at.run(['canary', 'start', ...GATES, '--max-error-rate', '0.1', '--window', '2s']);
    expect(run.stdout).to.match(/^BLOCKED /);
    expect(run.stdout + run.stderr).to.include(String.raw`200\u001b[2J`);
    expectHarmless(run);
  });

  it('of an answer of Prometheus, in text and in JSON', async () => {
    const args = ['canary', 'start', ...GATES, '--max-error-rate', '0.1', '--window', '2s', '--prom-url', url];
    const env = { PROM_Q_ERR: 'sum(rate(x[1m]))' };
    const run = await at.run(args, { env });
    expect(run.code).to.equal(6);
    expect(run.stderr).to.include(String.raw`PROMOTED \u001b[2J\u001b[H\u001b[32m`);
    expectHarmless(run);
    const json = await at.run([...args, '--json'], { env });
    expectHarmless(json);
    expect((JSON.parse(json.stdout) as { error: { message: string } }).error.message).to.include(EVIL);
  });

  it('of a pack, its files and their names', async () => {
    const canaryId = `${EVIL}\r\n  holds  the checkpoint is signed by the trusted key`;
    const line = JSON.stringify({ canaryId, observation: { t: 1, tick: 1 } });
    const file = at.file(
      `forged${EVIL}.zip`,
      tinyZip([
        { name: `evil${EVIL}`, bytes: Buffer.alloc(1) },
        { name: 'observations.ndjson', bytes: Buffer.from(`${line}\n`) },
      ]),
    );
    const run = await at.run(['verify', file]);
    expect(run.code).to.equal(7);
    expect(run.stdout).to.match(/^VERIFICATION FAILED: .*\n( {2}(problem|not checked) .*\n)+$/);
    expect(run.stdout).to.include(String.raw`\u001b[2J`);
    expectHarmless(run);
  });

  it('of the name of a policy, and of what was typed', async () => {
    const policy = at.file(
      'p.yaml',
      `name: ${JSON.stringify(EVIL)}\nwindowSeconds: 4\ntargets: { max_error_rate: 0.1 }\n`,
    );
    expectHarmless(await at.run(['replay', '--from', '1d', '--policy', policy]));
    for (const args of [[`canary ${EVIL}`], ['canary', 'list', `--${EVIL}`], ['why', EVIL], ['job', 'run', EVIL]]) {
      const run = await at.run(args);
      expect(run.code, args.join(' ')).to.equal(2);
      expectHarmless(run);
    }
  });
});
