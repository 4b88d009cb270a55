// Regenerates oclif.manifest.json and the help texts and compares them with what is committed; --write replaces them.
// A stale manifest hides commands, and a changed help text is a change that users see.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const write = process.argv.includes('--write');
const manifestPath = join(root, 'oclif.manifest.json');
const helpFolder = join(root, 'test/snapshots/help');

const run = (args) =>
  execFileSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '100' },
  });

const committed = existsSync(manifestPath) ? readFileSync(manifestPath, 'utf8') : '';
run([join(root, 'node_modules/oclif/bin/run.js'), 'manifest']);
// In whatever order the folders were read.
const { commands, ...rest } = JSON.parse(readFileSync(manifestPath, 'utf8'));
const ordered = Object.fromEntries(Object.entries(commands).sort(([a], [b]) => (a < b ? -1 : 1)));
const manifest = `${JSON.stringify({ commands: ordered, ...rest }, null, 2)}\n`;
writeFileSync(manifestPath, write ? manifest : committed);

const names = Object.keys(JSON.parse(manifest).commands)
  .map((id) => id.replaceAll(':', ' '))
  .sort();
// The overview names the machine and the Node.js that it was printed with.
const overview = run(['bin/run.js', '--help']).replace(/(lukhas\/\S+) \S+ node-v\S+/, '$1 PLATFORM node-vVERSION');
const wanted = new Map([['lukhas.txt', overview]]);
for (const name of names)
  wanted.set(`${name.replaceAll(' ', '-')}.txt`, run(['bin/run.js', ...name.split(' '), '--help']));

const stale = [];
if (manifest !== committed) stale.push('oclif.manifest.json');
if (write) {
  rmSync(helpFolder, { recursive: true, force: true });
  mkdirSync(helpFolder, { recursive: true });
  for (const [file, text] of wanted) writeFileSync(join(helpFolder, file), text);
} else {
  const present = existsSync(helpFolder) ? readdirSync(helpFolder) : [];
  for (const file of present) if (!wanted.has(file)) stale.push(`test/snapshots/help/${file} (no such command)`);
  for (const [file, text] of wanted) {
    const path = join(helpFolder, file);
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) stale.push(`test/snapshots/help/${file}`);
  }
}
if (!write && stale.length > 0) {
  console.error(
    `out of date:\n${stale.map((file) => `  ${file}`).join('\n')}\nrun: npm run snapshots -- --write, and look at the difference`,
  );
  process.exit(1);
}
console.log(`${names.length} commands: manifest and help texts ${write ? 'written' : 'up to date'}`);
