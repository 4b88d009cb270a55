import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { systemClock } from '../../../src/lib/clock.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { start } from '../../lib/canary/harness.js';
import { policy } from '../../lib/judge/looks.js';
import { ROOT, Workspace } from '../lukhas.js';

/** Notes every module that the process loads in the file that LOADED names. */
const HOOK = `import { appendFileSync } from 'node:fs';
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED, url + '\\n');
  return next(url, context);
}`;
const dataUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
const REGISTER = dataUrl(`import { register } from 'node:module'; register(${JSON.stringify(dataUrl(HOOK))});`);

interface Loaded {
  packages: Set<string>;
  sources: Set<string>;
  modules: number;
}

/** What a command of the built program loads; a bundle tells in comments which files it was made of. */
async function loadedBy(
  workspace: Workspace,
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<Loaded> {
  const list = workspace.file('loaded.txt', '');
  const env = { ...more, LOADED: list, NODE_OPTIONS: `--import "${REGISTER}"` };
  const run = await workspace.run(args, { env });
  expect(run.code, run.stderr).to.equal(0);
  const urls = readFileSync(list, 'utf8')
    .split('\n')
    .filter((url) => url.startsWith('file:'));
  const loaded: Loaded = { packages: new Set(), sources: new Set(), modules: urls.length };
  for (const path of urls.map((url) => fileURLToPath(url))) {
    note(path, loaded);
    if (path.startsWith(join(ROOT, 'dist')))
      for (const [, file = ''] of readFileSync(path, 'utf8').matchAll(/^\/\/ (\S+\.\w+)$/gm)) note(file, loaded);
  }
  return loaded;
}

function note(file: string, { packages, sources }: Loaded): void {
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  if (name !== undefined) packages.add(name);
  if (file.startsWith('src/')) sources.add(file);
}

const HEAVY = /^(zod|yaml|execa|listr2|chalk|prom-client|@lezer\/.*|@prometheus-io\/.*|ink|react)$/;
const UNCALLED =
  /^src\/(demo\/|lib\/(judge|metrics|explain|replay)\/(?!source|verdict|open|quantile-name|signals\/(defaults|signals)\.)|lib\/canary\/(advance|act|session))/;

const MEASURES = /^src\/(demo\/|lib\/(metrics|replay)\/(?!source|open|signals\/(defaults|signals)\.))/;

describe('what a command loads', () => {
  let workspace: Workspace;

  before(async () => {
    workspace = new Workspace();
    await (await openLedger(workspace.db)).close();
  });

  after(() => workspace.remove());

  it('for a listing is the log, and nothing that judges, measures, acts or draws', async () => {
    const { packages, sources, modules } = await loadedBy(workspace, ['canary', 'list', '--json']);
    // It does see what is loaded.
    expect([...packages]).to.include.members(['@oclif/core', 'better-sqlite3']);
    expect([...sources]).to.include.members(['src/commands/canary/list.ts', 'src/lib/ledger/sqlite/ledger.ts']);
    expect([...packages].filter((name) => HEAVY.test(name))).to.deep.equal([]);
    expect([...sources].filter((file) => UNCALLED.test(file))).to.deep.equal([]);
    // Chunks of the bundle among them; each is one file to open.
    expect(modules).to.be.below(80);
  });

  it('to say why is the log, the words and the judge, and nothing that checks, measures or acts', async () => {
    const ledger = await openLedger(workspace.db);
    const { id } = await start(ledger, systemClock(), { policy: policy({ targets: { max_error_rate: 0.02 } }) });
    await ledger.close();
    for (const command of ['why', 'why-math']) {
      const { packages, sources } = await loadedBy(workspace, [command, id, '--json']);
      expect([...sources]).to.include.members(['src/lib/readings/facts.ts', 'src/lib/judge/judge.ts']);
      expect([...packages].filter((name) => HEAVY.test(name))).to.deep.equal([]);
      expect([...sources].filter((file) => MEASURES.test(file))).to.deep.equal([]);
    }
  });

  it('to begin a canary is nothing of what signs, unless something was signed', async () => {
    const gates = ['--model', 'm', '--from', 'stage', '--to', 'production'];
    const source = ['--canary-url', 'http://127.0.0.1:9/metrics', '--baseline-url', 'http://127.0.0.1:9/old'];
    const args = [
      'canary',
      'start',
      ...gates,
      ...source,
      '--max-error-rate',
      '0.02',
      '--detach',
      '--json',
      '--allow-shared-series',
      // Nothing answers there.
      '--allow-missing',
    ];
    const signing = async () =>
      [...(await loadedBy(workspace, args)).sources].filter((file) => file.startsWith('src/lib/evidence/'));
    expect(await signing()).to.deep.equal([]);
    mkdirSync(join(workspace.dir, 'checkpoints'));
    expect(await signing()).to.include('src/lib/evidence/checkpoints/kept.ts');
  });

  it('for a configuration is zod and yaml, when there is a file', async () => {
    const list = async (env: Record<string, string>) =>
      (await loadedBy(workspace, ['canary', 'list', '--json'], env)).packages;
    expect([...(await list({ PROM_URL: 'http://127.0.0.1:9' }))]).to.not.include.members(['zod', 'yaml']);
    workspace.file('lukhas.yaml', 'db: lukhas.db');
    expect([...(await list({}))]).to.include.members(['zod', 'yaml']);
  });

  it('to print its version is not even the log', async () => {
    const { packages, sources } = await loadedBy(workspace, ['--version']);
    expect([...packages])
      .to.include('@oclif/core')
      .and.not.include('better-sqlite3');
    // What keeps every command's last words: errors, closed output, programs that it started.
    const always = /^src\/(main\.ts|cli\/|lib\/(errors\.ts|input\/|process\/(group|running)\.ts))/;
    expect([...sources].filter((file) => !always.test(file))).to.deep.equal([]);
    expect([...packages].filter((name) => HEAVY.test(name))).to.deep.equal([]);
  });
});
