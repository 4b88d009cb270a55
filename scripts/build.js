// Bundles the commands and the library into dist/: a shell script that calls lukhas often must not pay for loading
// hundreds of small modules. Heavy packages stay in chunks of their own, loaded when a command uses them.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { cockpitPage } from './cockpit.js';
import { directImports } from './direct-imports.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
// Ink and React are bundled into a chunk of their own: as they are published they are hundreds of files, and React is the
// slow one for developers unless the environment says otherwise.
const bundled = ['@oclif/core', 'canonicalize', 'chalk', 'fastest-levenshtein', 'ink', 'react', 'string-width'];
const commands = readdirSync(join(root, 'src/commands'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `commands/${file.slice(0, -3)}`);

// Packages written for CommonJS ask for these; an ES module has none of its own.
const banner = `import{createRequire as __lkRequire}from'node:module';import{fileURLToPath as __lkPath}from'node:url';import{dirname as __lkDir}from'node:path';const require=__lkRequire(import.meta.url);const __filename=__lkPath(import.meta.url);const __dirname=__lkDir(__filename);`;

// Beside the old one, which stays whole when the build fails.
const fresh = join(root, `dist.${process.pid}.tmp`);
await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'src/main.ts',
    index: 'src/index.ts',
    'hooks/command-not-found': 'src/hooks/command-not-found.ts',
    // Started as a process of its own, found beside the chunk that starts it.
    service: 'src/demo/service.ts',
    // Started as threads, likewise.
    'sweep-worker': 'src/lib/replay/sweep-worker.ts',
    'verify-worker': 'src/lib/app/verify-worker.ts',
    'backup-worker': 'src/lib/app/database/backup-worker.ts',
    'maintain-worker': 'src/lib/app/database/maintain-worker.ts',
    'index-worker': 'src/lib/search/index-worker.ts',
    'what-if-worker': 'src/lib/app/what-if-worker.ts',
    ...Object.fromEntries(commands.map((name) => [name, `src/${name}.ts`])),
  },
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.14',
  // Bundled are only the packages that every start needs. The others are loaded when used, as they were published
  // (a package in CommonJS that is imported dynamically would lose its named exports in a bundle).
  external: [...Object.keys(dependencies).filter((name) => !bundled.includes(name)), 'typescript', 'ts-node', 'tsx'],
  banner: { js: banner },
  plugins: [directImports],
  define: { 'process.env.NODE_ENV': '"production"' },
  // For developers of Ink, who load it where a variable says so; nobody else has it.
  alias: { 'react-devtools-core': './scripts/no-devtools.js' },
  legalComments: 'linked',
  logLevel: 'warning',
});
rmSync(join(root, 'dist'), { recursive: true, force: true });
renameSync(fresh, join(root, 'dist'));

mkdirSync(join(root, 'assets'), { recursive: true });
const page = join(root, 'assets', `cockpit.${process.pid}.tmp`);
writeFileSync(page, await cockpitPage(root));
renameSync(page, join(root, 'assets/cockpit.html'));
