import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { announcedId } from '../e2e/lukhas.js';
import { type Ended, TICKS, World } from './world.js';

/** A command whose every call is made to fail once. */
export interface Command {
  name: string;
  args: readonly string[];
  /** Exit code where nothing fails. */
  code: number;
  /** It appends to the log, drives hooks or programs, or writes files. */
  changes: boolean;
  /** Why what it said it did is not there, or null. Called when it ended with `code`. */
  missing?: (world: World, ended: Ended) => Promise<string | null>;
  /** What is run once nothing fails any more, and the code that it has to end with; the command itself when null. */
  goOn?: (ended: Ended) => { args: readonly string[]; code: number } | null;
}

const START = ['--max-error-rate', '0.02', '--window', `${TICKS}s`, '--source', 'ndjson', '--input'];

function start(model: string, file: string, code: number, state: string): Command {
  return {
    name: `canary start (${state})`,
    args: ['canary', 'start', '--model', model, '--from', 'stage', '--to', `gate-${model}`, ...START, `${file}.ndjson`],
    code,
    changes: true,
    missing: async (world, ended) => {
      const status = await world.run(['canary', 'status', announcedId(ended.stderr) ?? 'c-none', '--json']);
      const { status: is, action } = JSON.parse(status.stdout) as { status: string; action?: { state?: string } };
      return is === state && action?.state !== 'pending' ? null : `is ${is}, ${JSON.stringify(action)}`;
    },
    goOn: (ended) => {
      const id = announcedId(ended.stderr);
      return id === null ? null : { args: ['canary', 'resume', id], code };
    },
  };
}

/** Put in when the world is made. */
const RECIPIENT = 'RECIPIENT';
const COPY = 'copy.db.age';

/** Everything that people and scripts run, as far as it reads or writes a database. */
const COMMANDS: readonly Command[] = [
  start('new-good', 'good', 0, 'PROMOTED'),
  start('new-bad', 'bad', 3, 'ROLLED_BACK'),
  {
    name: 'job run',
    args: ['job', 'run', 'short', '--json'],
    code: 0,
    changes: true,
    missing: async (world, { stdout }) => {
      const { jobId } = JSON.parse(stdout) as { jobId: string };
      const { stdout: status } = await world.run(['job', 'status', jobId, '--json']);
      return /"status": "completed"/.test(status) ? null : status;
    },
  },
  {
    name: 'gate promote',
    args: ['gate', 'promote', 'old-good', 'production'],
    code: 0,
    changes: true,
    missing: async (world) => {
      const { stdout } = await world.run(['gate', 'list', '--json']);
      return stdout.includes('"old-good"') ? null : stdout;
    },
  },
  {
    name: 'checkpoint',
    args: ['checkpoint'],
    code: 0,
    changes: true,
    missing: async (world) => {
      const { code, stdout } = await world.run(['verify', '--trust', 'log.vkey']);
      return code === 0 ? null : stdout;
    },
  },
  {
    name: 'export',
    args: ['export', '--from', '1d', '--out', 'pack.zip', '--force'],
    code: 0,
    changes: true,
    missing: async (world) => {
      const { code, stdout } = await world.run(['verify', 'pack.zip', '--trust', 'log.vkey', '--trust', 'export.pub']);
      return code === 0 ? null : stdout;
    },
  },
  {
    name: 'prove',
    args: ['prove', '0', '--out', 'entry.tlog-proof'],
    code: 0,
    changes: true,
    missing: async (world) => (existsSync(join(world.dir, 'entry.tlog-proof')) ? null : 'no file'),
  },
  {
    name: 'db backup',
    args: ['db', 'backup', '--to', 'backups', '--recipient', RECIPIENT, '--json'],
    code: 0,
    changes: true,
    missing: async (world, { stdout }) => {
      const { file } = JSON.parse(stdout) as { file: string };
      const restored = join(world.dir, 'restored.db');
      const { code, stderr } = await world.run(['db', 'restore', file, '--identity', 'backup.key', '--db', restored]);
      for (const ending of ['', '-wal', '-shm']) rmSync(`${restored}${ending}`, { force: true });
      return code === 0 ? null : stderr;
    },
  },
  { name: 'db maintain', args: ['db', 'maintain'], code: 0, changes: true },
  {
    name: 'db restore',
    args: ['db', 'restore', COPY, '--identity', 'backup.key', '--older'],
    code: 0,
    changes: true,
    missing: async (world) => {
      const { code, stdout } = await world.run(['verify', '--trust', 'log.vkey', '--since', 'checkpoint']);
      return code === 0 ? null : stdout;
    },
  },
  { name: 'db status', args: ['db', 'status'], code: 0, changes: false },
  { name: 'db rebuild', args: ['db', 'rebuild'], code: 0, changes: true },
  {
    name: 'canary abort',
    args: ['canary', 'abort', '', '--reason', 'chaos'],
    code: 0,
    changes: true,
    missing: async (world) => {
      const { stdout } = await world.run(['canary', 'list', '--json']);
      return stdout.includes('"ABORTED"') ? null : stdout;
    },
  },
  { name: 'why', args: ['why', 'old-bad'], code: 0, changes: false },
  { name: 'canary list', args: ['canary', 'list', '--json'], code: 0, changes: false },
  { name: 'verify', args: ['verify'], code: 0, changes: false },
  { name: 'replay', args: ['replay', '--from', '1d', '--report', 'report.html'], code: 0, changes: true },
  { name: 'search', args: ['search', 'good'], code: 0, changes: true },
];

/** A world in which every command above ends with its code; the id that `canary abort` takes is filled in. */
export async function template(): Promise<{ world: World; commands: readonly Command[] }> {
  const world = World.make();
  const must = async (args: readonly string[], code: number) => {
    const ended = await world.run(args);
    if (ended.code !== code) throw new Error(`lukhas ${args.join(' ')}: exit code ${ended.code}: ${ended.stderr}`);
    return ended;
  };
  const from = ['--from', 'stage', '--to', 'production'];
  await must(['canary', 'start', '--model', 'old-good', ...from, ...START, 'good.ndjson'], 0);
  await must(['canary', 'start', '--model', 'newer', ...from, ...START, 'good.ndjson'], 0);
  await must(['canary', 'start', '--model', 'old-bad', ...from, ...START, 'bad.ndjson'], 3);
  const open = [
    'canary',
    'start',
    '--model',
    'open',
    ...from,
    '--source',
    'none',
    '--window',
    '1h',
    '--detach',
    '--json',
  ];
  const { canaryId } = JSON.parse((await must([...open, '--max-error-rate', '0.02'], 0)).stdout) as {
    canaryId: string;
  };
  await must(['keys', 'init'], 0);
  await must(['checkpoint'], 0);
  for (const [role, form, file] of [
    ['log', 'vkey', 'log.vkey'],
    ['export', 'ssh', 'export.pub'],
  ] as const)
    writeFileSync(join(world.dir, file), (await must(['keys', 'show', '--role', role, '--form', form], 0)).stdout);
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  writeFileSync(join(world.dir, 'backup.key'), identity);
  await must(['checkpoint', '--out', 'checkpoint'], 0);
  mkdirSync(join(world.dir, 'backups'));
  const { stdout } = await must(['db', 'backup', '--to', 'backups', '--recipient', recipient, '--json'], 0);
  copyFileSync((JSON.parse(stdout) as { file: string }).file, join(world.dir, COPY));
  const commands = COMMANDS.map((command) => ({
    ...command,
    args: command.args.map((arg) => (arg === '' ? canaryId : arg === RECIPIENT ? recipient : arg)),
  }));
  return { world, commands };
}
