import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { Canaries } from '../../src/lib/canary/canaries.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { drive, driver, FakeClock, SILENT, scripted, start } from '../lib/canary/harness.js';
import { readAll } from '../lib/evidence/verify/read-all.js';
import { tinyZip } from '../lib/evidence/verify/tiny-zip.js';
import { policy } from '../lib/judge/looks.js';
import { ROOT, type Run, Workspace } from './lukhas.js';

const EVIL = '\u001b[2J\u001b[H\u001b[32mPROMOTED  fraud-v2\u001b[8m\u009b8m\u202e';
/** Everything that a terminal may obey or hide; no NUL, which no command line can hold. */
const WORST = `x${EVIL}\u0007\r\u2028\u2029\u0085\u001b]8;;http://evil.example\u001b\\\\link\u001b]8;;\u0007\u{e0041}\u2066\u200b\b\u001b[1A`;

interface Manifest {
  commands: Record<
    string,
    { args?: object; flags: Record<string, { name: string; type: string; options?: string[] }> }
  >;
}
const GATES = ['--model', 'm', '--from', 'a', '--to', 'b'];

/** What others wrote reaches stdout and stderr in lines of ours, as text. */
function expectHarmless(run: Run): void {
  expectVisible(run);
  for (const written of [run.stdout, run.stderr]) {
    expect(written).not.to.match(/^(PROMOTED|holds)/m);
  }
}

function expectVisible({ stdout, stderr }: Run): void {
  for (const written of [stdout, stderr])
    expect(written.replaceAll('\n', '')).not.to.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
}

describe('text from outside, on the terminal', function () {
  this.timeout(180_000);
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
    const signals = '{ requests: http_requests_total, errors: \'http_requests_total{status="5xx"}\' }';
    const arms = '{ canary: { status: "200" } }';
    at.file('lukhas.yaml', `source:\n  kind: scrape\n  canaryUrl: ${url}/m\narms: ${arms}\nsignals: ${signals}\n`);
    const run = await at.run(['canary', 'start', ...GATES, '--max-error-rate', '0.1', '--window', '2s']);
    expect(run.code).to.equal(2);
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

  it('of the command line, by whichever command, also within the help', async () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8')) as Manifest;
    const lines = Object.entries(manifest.commands).flatMap(([id, { args, flags }]) => {
      const command = id.split(':');
      const given = Object.keys(args ?? {}).map(() => WORST);
      const texts = Object.values(flags).filter(({ type, options }) => type === 'option' && options === undefined);
      const all = texts.flatMap(({ name }) => [`--${name}`, WORST]);
      return [
        [...command, ...given, `--${WORST}`],
        [...command, ...given, ...all],
      ];
    });
    lines.push(['help', WORST], ['--help', WORST], ['help', 'canary', WORST], [WORST, '--help'], [WORST, '--json']);
    // Few at a time: each is a process.
    for (let i = 0; i < lines.length; i += 4) {
      const some = lines.slice(i, i + 4);
      for (const [k, run] of (await Promise.all(some.map((args) => at.run(args)))).entries()) {
        expect(run.stdout + run.stderr, some[k]!.join(' ')).to.not.equal('');
        expectHarmless(run);
      }
    }
  });

  describe('of the log', () => {
    let id: string;

    beforeEach(async () => {
      const ledger = await openLedger(at.db);
      const clock = new FakeClock(Date.now() - 600_000);
      const P = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 30, noDataSeconds: 15 });
      ({ id } = await start(ledger, clock, { policy: P }));
      await drive({ ...driver({ ledger, clock, source: scripted(clock, () => SILENT) }), clock }, id);
      await new Canaries(ledger, clock).override(id, { how: 'os-user', who: WORST }, WORST);
      await ledger.close();
    });

    const LINES = (): string[][] => [
      ['canary', 'list'],
      ['canary', 'status', id],
      ['watch', '--once'],
      ['watch', id, '--once'],
      ['why', id],
      ['why', WORST],
      ['why-math', id],
      ['gate', 'list'],
      ['gate', 'history', WORST],
      ['search', WORST],
      ['search', 'PROMOTED'],
      ['replay', '--from', '1d'],
      ['prove', id],
      ['verify'],
    ];

    it('in text and in JSON', async () => {
      for (const args of LINES()) {
        expectVisible(await at.run([...args, '--json']));
        // What is proven is data: unchanged where a program reads it.
        if (args[0] !== 'prove') expectVisible(await at.run(args));
      }
    });

    it('on a terminal', async () => {
      for (const args of [...LINES(), ['help', WORST], ['canary', 'start', '--model', WORST]]) {
        const quoted = [process.execPath, join(ROOT, 'bin/run.js'), ...args].map(
          (arg) => `'${arg.replaceAll("'", "'\\''")}'`,
        );
        const env = { ...at.environment(), TERM: 'xterm-256color', FORCE_COLOR: '1', NO_COLOR: '' };
        const { stdout } = spawnSync('script', ['-qec', quoted.join(' '), '/dev/null'], {
          encoding: 'utf8',
          env,
          cwd: at.dir,
        });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are our own
        const shown = stdout.replace(/\u001b\[[\d;]*m|\u001b\[K|\r?\n|\r/g, '');
        expect(shown, args.join(' '))
          .to.not.equal('')
          .and.not.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }
    });

    it('in the files that people open: of a pack, and the report of a replay', async () => {
      const pack = join(at.dir, 'pack.zip');
      expect((await at.run(['export', '--from', '1d', '--out', pack])).code).to.equal(0);
      const files = await readAll(pack);
      for (const name of ['narrative.txt', 'VERIFY.md', 'meta.json']) {
        const text = files!.get(name)!.toString().replaceAll('\n', '');
        if (name !== 'meta.json') expect(text, name).to.not.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        else expect(text, name).to.not.match(/\p{Cc}/u);
      }
      const report = join(at.dir, 'report.html');
      await at.run(['replay', '--from', '1d', '--report', report]);
      if (existsSync(report)) {
        const html = readFileSync(report, 'utf8').replaceAll('\n', '');
        expect(html).to.not.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }
    });
  });
});
