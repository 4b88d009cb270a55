import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import type { Clock } from '../../clock.js';
import type { Config } from '../config.js';
import { checkpointFolder, folderOf } from '../evidence-places.js';
import { type Found, fail, ok, warn } from './check.js';
import { numbers } from './numbers.js';

/** Below this there is soon no space for a commit, bytes. */
const LITTLE_SPACE = 100 * 1024 * 1024;
/** A larger file takes too long to be looked at from end to end. */
const QUICK_BYTES = 1024 * 1024 * 1024;

/** Whether the database can be read and written, is sound and has space, and begins with what was signed of it. */
export async function databaseChecks({ dbPath, ...config }: Config, clock: Clock): Promise<Found[]> {
  const size = await bytesOf(dbPath);
  const folder = folderOf(dbPath);
  if (size === null) return [await notYet(dbPath, folder), ...(await space(folder))];
  const { openLedger } = await import('../../ledger/sqlite/index.js');
  const ledger = await openLedger(dbPath, { readOnly: true });
  try {
    const entries = await ledger.size();
    const [newest] = entries === 0 ? [] : await ledger.events({ from: entries - 1, to: entries });
    const found: Found[] = [ok(`${dbPath}: ${numbers(entries)} log entries, schema as it should be`)];
    if (size <= QUICK_BYTES) found.push(...(await quick(dbPath)));
    else found.push(ok(`${numbers(size)} bytes: not read from end to end; run lukhas verify for that`));
    found.push(...(await permissions(dbPath, folder)), ...(await space(folder)));
    const ahead = newest === undefined ? 0 : Date.parse(newest.ts) - clock.now();
    if (ahead > AHEAD_MS) {
      const seconds = numbers(Math.round(ahead / 1000));
      found.push(
        warn(
          `its newest entry is ${seconds} s ahead of this clock`,
          'Check the clocks of the machines that write to it.',
        ),
      );
    }
    found.push(await checkpoints(ledger, { dbPath, ...config }));
    return found;
  } finally {
    await ledger.close();
  }
}

const AHEAD_MS = 5000;

async function notYet(dbPath: string, folder: string): Promise<Found> {
  const parent = await firstThere(folder);
  if (await may(parent, constants.W_OK)) return ok(`${dbPath}: not there yet; the first canary creates it`);
  return fail(
    'LEDGER_UNAVAILABLE',
    `${dbPath}: not there, and ${parent} may not be written to`,
    'Choose another place with --db.',
  );
}

async function firstThere(folder: string): Promise<string> {
  for (let at = folder; ; at = folderOf(at)) if (at === folderOf(at) || (await bytesOf(at)) !== null) return at;
}

async function quick(dbPath: string): Promise<Found[]> {
  const { quickCheck } = await import('../../ledger/sqlite/quick-check.js');
  const problem = await quickCheck(dbPath);
  if (problem === null) return [ok('quick check of its pages found nothing wrong')];
  return [
    fail('LEDGER_CORRUPT', `${dbPath}: ${problem}`, 'Keep the file as it is, run lukhas verify, and restore a backup.'),
  ];
}

async function permissions(dbPath: string, folder: string): Promise<Found[]> {
  const writable = (await may(dbPath, constants.W_OK)) && (await may(folder, constants.W_OK));
  const { mode } = await stat(dbPath);
  const found: Found[] = writable
    ? [ok('may be written to by this account')]
    : [
        fail(
          'LEDGER_READ_ONLY',
          `${dbPath}: this account may read it only`,
          'Run lukhas as its owner, or choose another with --db.',
        ),
      ];
  if ((mode & 0o022) !== 0) found.push(warn(`${dbPath}: other accounts may write to it`, `chmod 600 ${dbPath}`));
  else if ((mode & 0o044) !== 0) found.push(warn(`${dbPath}: other accounts may read it`, `chmod 600 ${dbPath}`));
  return found;
}

async function space(folder: string): Promise<Found[]> {
  const { bavail, bsize } = await statfs(await firstThere(folder));
  const free = bavail * bsize;
  const words = `${numbers(Math.floor(free / 1024 / 1024))} MiB free on its disk`;
  return [free < LITTLE_SPACE ? warn(words, 'Free space: nothing is recorded on a full disk.') : ok(words)];
}

async function checkpoints(ledger: Parameters<typeof refuse>[0], config: Config): Promise<Found> {
  const folder = checkpointFolder(config);
  if ((await bytesOf(folder)) === null) return ok('no checkpoint was signed yet');
  return refuse(ledger, folder);
}

async function refuse(
  log: { size(): Promise<number>; root(size?: number): Promise<{ size: number; root: Buffer }> },
  folder: string,
): Promise<Found> {
  const [{ refuseOlderLog }, { CheckpointFiles }] = await Promise.all([
    import('../../evidence/checkpoints/kept.js'),
    import('../../evidence/checkpoints/files.js'),
  ]);
  const files = new CheckpointFiles(folder);
  await refuseOlderLog(log, files);
  const [newest, refused] = [(await files.sizes()).at(-1), await files.refusedSizes()];
  if (refused.length > 0)
    return warn(`${folder}: a witness has refused a checkpoint (${refused.at(-1)} entries)`, 'See docs/witness.md.');
  return ok(
    newest === undefined
      ? 'no checkpoint was signed yet'
      : `begins with its newest checkpoint, of ${numbers(newest)} entries`,
  );
}

async function may(path: string, how: number): Promise<boolean> {
  try {
    await access(path, how);
    return true;
  } catch {
    return false;
  }
}

/** Null when there is nothing. */
async function bytesOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
