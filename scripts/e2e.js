// Runs the end-to-end tests in shards, two at a time: those of test/e2e, and every property that tries few cases among
// the unit tests, here with all of them.
//   node scripts/e2e.js                 all shards
//   node scripts/e2e.js --shard 2/4     one of them, as several machines would
//   node scripts/e2e.js FILE...         these files
//   node scripts/e2e.js --record        notes how long each file takes (test/e2e/seconds.json), to balance the shards
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const SHARDS = 4;
const AT_ONCE = 2;
const root = fileURLToPath(new URL('..', import.meta.url));
const durations = join(root, 'test/e2e/seconds.json');
const known = JSON.parse(readFileSync(durations, 'utf8'));

const { values, positionals } = parseArgs({
  options: { shard: { type: 'string' }, record: { type: 'boolean', default: false } },
  allowPositionals: true,
});

/** Paths of all files of tests below a folder, from the root. */
function testsBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testsBelow(path);
    return path.endsWith('.test.ts') ? [path] : [];
  });
}

/** The files of each shard. The longest goes where least is to be done yet. */
function sharded(files, count) {
  const text = (file) => readFileSync(join(root, file), 'utf8');
  // They listen on the port that documents name: one after the other.
  const alone = files.filter((file) => /\bportFree\(/.test(text(file)));
  const units = [...files.filter((file) => !alone.includes(file)).map((file) => [file]), alone];
  const cost = (some) => some.reduce((sum, file) => sum + (known[file] ?? 5), 0);
  const shards = Array.from({ length: count }, () => []);
  for (const unit of units.sort((a, b) => cost(b) - cost(a))) {
    const [least] = shards.toSorted((a, b) => cost(a) - cost(b));
    least.push(...unit);
  }
  return shards;
}

/** Runs one shard. Every line it prints says which it is of. */
async function run(files, name, folder) {
  const results = join(folder, name.replace('/', '-of-'));
  const mocha = [join(root, 'node_modules/mocha/bin/mocha.js'), '--config', 'test/e2e.mocharc.yml'];
  const began = Date.now();
  const child = spawn(process.execPath, [...mocha, '--reporter-option', `results=${results}`, ...files], {
    cwd: root,
    env: { ...process.env, LUKHAS_TEST_CASES: 'all' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => line !== '' && console.log(`[${name}] ${line}`));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const seconds = (Date.now() - began) / 1000;
  try {
    const result = JSON.parse(readFileSync(results, 'utf8'));
    // Neither fewer tests than there are nor a failure that no test tells of passes.
    const failures = result.failures > 0 || code === 0 ? result.failures : 1;
    return { name, ...result, failures, took: seconds };
  } catch {
    return { name, passes: 0, failures: 1, seconds: {}, took: seconds };
  }
}

const properties = ['test/lib', 'test/daemon', 'test/demo', 'test/bench', 'test/cli']
  .flatMap(testsBelow)
  .filter((file) => /\/cases\.js'/.test(readFileSync(join(root, file), 'utf8')));
const files = positionals.length > 0 ? positionals : [...testsBelow('test/e2e'), ...properties];
const [, part, of] = /^(\d+)\/(\d+)$/.exec(values.shard ?? '') ?? [];
if (values.shard !== undefined && !(Number(part) >= 1 && Number(part) <= Number(of))) {
  console.error(`--shard ${values.shard}: must be like 2/4`);
  process.exit(2);
}
const count = of === undefined ? SHARDS : Number(of);
const queue = sharded(files, count)
  .map((some, i) => ({ files: some, name: `${i + 1}/${count}` }))
  .filter(({ files: some, name }) => some.length > 0 && (part === undefined || name === values.shard));

const folder = mkdtempSync(join(tmpdir(), 'lukhas-e2e-run-'));
const began = Date.now();
const shards = [];
const work = async () => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift())
    shards.push(await run(next.files, next.name, folder));
};
await Promise.all(Array.from({ length: AT_ONCE }, work));
rmSync(folder, { recursive: true });

if (values.record) {
  const times = Object.assign({}, known, ...shards.map(({ seconds }) => seconds));
  const kept = Object.entries(times).filter(([file]) => existsSync(join(root, file)));
  const sorted = kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, time]) => [file, Math.ceil(time)]);
  writeFileSync(durations, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}
const total = (key) => shards.reduce((sum, shard) => sum + shard[key], 0);
console.log('');
for (const { name, passes, failures, took } of shards.sort((a, b) => (a.name < b.name ? -1 : 1)))
  console.log(`shard ${name}: ${passes} passing, ${failures} failing (${Math.round(took)} s)`);
console.log(`  ${total('passes')} passing (${Math.round((Date.now() - began) / 1000)}s)`);
if (total('failures') > 0) console.log(`  ${total('failures')} failing`);
process.exitCode = total('failures') > 0 || total('passes') === 0 ? 1 : 0;
