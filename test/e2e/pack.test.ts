import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ROOT } from './lukhas.js';
import { nodeOf } from './nodes.js';
import { startRegistry } from './registry.js';

const run = promisify(execFile);

/** What a program of somebody else's does with the library; judged by hand here so that the answer is known. */
const CONSUMER = `
import { LukhasError, type Observation, type Policy, judge, openApp, parsePolicy, type Verdict } from 'lukhas';

const policy: Policy = parsePolicy({ windowSeconds: 4, intervalSeconds: 1, targets: { max_error_rate: 0.05 } }, 'mine');
const observations: Observation[] = [1, 2, 3, 4].map((tick) => ({
  v: 1,
  tick,
  t: tick * 1000,
  from: (tick - 1) * 1000,
  canary: { errors: { state: 'ok', bad: 0, total: 500 } },
}));
const verdict: Verdict = judge(policy, 0, observations);
const app = await openApp();
const size: number = await app.ledger.size();
await app.close();
let refused = '';
try {
  parsePolicy({ windowSecond: 4 }, 'mine');
} catch (error) {
  if (error instanceof LukhasError) refused = error.code;
}
console.log(JSON.stringify({ decision: verdict.decision, certainty: verdict.certainty, size, refused }));
`;

type Packages = Record<string, { version: string; dev?: boolean; hasInstallScript?: boolean }>;

const NPM_10 = join(ROOT, 'test/e2e/nodes/node_modules/npm-10/bin/npm-cli.js');

describe('the package, as a stranger installs it', function () {
  this.timeout(360_000);
  let dir: string;
  let consumer: string;
  let archive: string;
  let packed: string[];

  before(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'lukhas-pack-')));
    // Without the script that builds dist/ again: other tests are using it.
    await run('npm', ['run', '--silent', 'prepack'], { cwd: ROOT });
    const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir];
    const { stdout } = await run('npm', pack, { cwd: ROOT });
    archive = join(dir, stdout.trim().split('\n').at(-1)!);
    await run('npm', ['run', '--silent', 'postpack'], { cwd: ROOT });
    packed = (await run('tar', ['-tzf', archive])).stdout.trim().split('\n').sort();
    consumer = await installed('consumer', process.env);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** @returns an otherwise empty folder with the package installed */
  async function installed(name: string, env: NodeJS.ProcessEnv): Promise<string> {
    const folder = join(dir, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
    await run('npm', ['install', '--no-audit', '--no-fund', archive], { cwd: folder, env });
    return folder;
  }

  it('holds what runs and what describes it, and nothing else', () => {
    const files = packed.map((file) => file.replace(/^package\//, ''));
    const known =
      /^(package\.json|oclif\.manifest\.json|npm-shrinkwrap\.json|README\.md|LICENSE|CHANGELOG\.md|assets\/cockpit\.html|assets\/alerts\/lukhas\.rules\.yml|assets\/grafana\/lukhas\.json|assets\/deploy\/(?:nginx\.conf|Caddyfile|Dockerfile(?:\.dockerignore)?|(?:compose|kubernetes)\.yaml|systemd\/lukhas(?:-verify)?\.(?:service|timer))|bin\/(?:run|supported-node)\.js|dist\/.+\.js|types\/.+\.d\.ts|dist\/.+\.LEGAL\.txt|docs\/.+\.md|docs\/schemas\/.+\.json)$/;
    expect(files.filter((file) => !known.test(file))).to.deep.equal([]);
    expect(files).to.include.members(['README.md', 'LICENSE', 'oclif.manifest.json', 'bin/run.js', 'dist/main.js']);
    expect(files).to.include.members(['dist/index.js', 'types/index.d.ts', 'dist/service.js', 'assets/cockpit.html']);
    expect(files).to.include.members([
      'assets/alerts/lukhas.rules.yml',
      'assets/deploy/nginx.conf',
      'docs/runbooks/down.md',
    ]);
    expect(files.filter((file) => /test|\.map$|(?<!\.d)\.ts$/.test(file))).to.deep.equal([]);
  });

  it('knows every command that it was built with', async () => {
    const manifest = JSON.parse(readFileSync(join(consumer, 'node_modules/lukhas/oclif.manifest.json'), 'utf8')) as {
      commands: Record<string, unknown>;
    };
    const built = packed
      .flatMap((file) => /^package\/dist\/commands\/(.+)\.js$/.exec(file)?.[1] ?? [])
      .map((name) => name.replaceAll('/', ':'));
    expect(Object.keys(manifest.commands).sort()).to.deep.equal(built.sort());
  });

  // What `engines` promises: the oldest, and the newest of each line that is supported.
  for (const version of ['22.14', '22', '24', '26'] as const)
    it(`runs the demo to its verdict, installed and started with Node.js ${version}`, async () => {
      const env = { ...process.env, PATH: [dirname(nodeOf(version)), process.env['PATH']].join(delimiter) };
      const folder = await installed(`node-${version}`, env);
      const printed = await run('npx', ['lukhas', '--version'], { cwd: folder, env });
      expect(printed.stdout).to.contain(` node-v${version}.`);
      const { stdout } = await run('npx', ['lukhas', 'demo'], { cwd: folder, env });
      expect(stdout).to.match(/^ROLLED BACK {2}fraud-v2 {2}stage → production /m);
      expect(stdout).to.match(/ certified: at most 1 in 100 /);
    });

  // npm 10 comes with Node.js 22, and would run a compiler where the shrinkwrap did not say that there is nothing to build.
  for (const [npm, node] of [
    ['the npm at hand', '24'],
    ['npm 10', '22'],
  ] as const)
    it(`brings the packages that it was tested with, and runs no install script (${npm})`, async () => {
      const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
        name: string;
        version: string;
      };
      const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Packages };
      const upstream = (await run('npm', ['config', 'get', 'registry'])).stdout.trim();
      const registry = await startRegistry(manifest, archive, upstream);
      const folder = join(dir, `registry-${node}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
      const env = { ...process.env, PATH: [dirname(nodeOf(node)), process.env['PATH']].join(delimiter) };
      const [program, ...first] = npm === 'npm 10' ? [nodeOf(node), NPM_10] : ['npm'];
      const args = ['install', '--no-audit', '--no-fund', `--registry=${registry.url}`, manifest.name];
      try {
        await run(program!, [...first, ...args], { cwd: folder, env });
      } finally {
        registry.close();
      }
      const installed = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as { packages: Packages };
      const own = 'node_modules/lukhas/';
      const brought = Object.entries(installed.packages).flatMap(([name, { version, hasInstallScript = false }]) =>
        name.startsWith(own) ? [[name.slice(own.length), { version, hasInstallScript }] as const] : [],
      );
      const tested = Object.entries(lock.packages).flatMap(([name, { version, dev }]) =>
        name !== '' && dev !== true ? [[name, { version, hasInstallScript: false }] as const] : [],
      );
      expect(Object.fromEntries(brought)).to.deep.equal(Object.fromEntries(tested));
      expect(existsSync(join(folder, own, 'node_modules/better-sqlite3/build'))).to.equal(false);
      expect((await run('npx', ['lukhas', '--version'], { cwd: folder, env })).stdout).to.contain(`-v${node}.`);
    });

  it('is a library whose types resolve and whose functions work', async () => {
    writeFileSync(join(consumer, 'consumer.ts'), CONSUMER);
    const compilerOptions = {
      target: 'ES2022',
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
    };
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    const compiled = await run(process.execPath, [join(ROOT, 'node_modules/typescript-7/bin/tsc')], {
      cwd: consumer,
    }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }));
    expect(compiled.stdout).to.equal('');
    const { stdout } = await run(process.execPath, ['consumer.js'], {
      cwd: consumer,
      env: { ...process.env, LUKHAS_MCP_DB: join(dir, 'library.db') },
    });
    expect(JSON.parse(stdout)).to.deep.equal({
      decision: 'promote',
      certainty: 'certified',
      size: 0,
      refused: 'POLICY',
    });
  });

  it('says what to do where the binary for this machine is missing, or no binary at all', async () => {
    const binary = join(consumer, `node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`);
    const kept = join(dir, 'binary');
    renameSync(binary, kept);
    try {
      for (const content of [undefined, 'not a binary']) {
        if (content !== undefined) writeFileSync(binary, content);
        const failed = await run('npx', ['lukhas', 'demo'], { cwd: consumer }).catch((error: unknown) => error);
        expect(failed).to.include({ code: 2 });
        const lines = (failed as { stderr: string }).stderr.split('\n').filter((line) => !line.startsWith('npm warn'));
        expect(lines[0]).to.match(/^lukhas: The binary of better-sqlite3 for linux on \w+ cannot be loaded \(.+\)$/);
        expect(lines[1]).to.contain('Install lukhas again');
      }
    } finally {
      renameSync(kept, binary);
    }
  });
});
