import { constants } from 'node:fs';
import { access, lstat, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { LukhasError } from '../errors.js';

/**
 * A configuration file names programs, so whoever can write one that we find runs programs as us. The rule is git's
 * (safe.directory, CVE-2022-24765): what led to the file belongs to us or to root. Other than git we look at modes too, as
 * OpenSSH does.
 */

/** Something on the way to a configuration file, as far as it matters who can change it. */
export interface Place {
  path: string;
  kind: 'file' | 'folder' | 'link' | 'repository';
  uid: number;
  gid: number;
  /** Permissions with the sticky bit, as in stat(2). */
  mode: number;
}

/** A configuration file that was looked for, and found. */
export interface FoundFile {
  path: string;
  /** The git repository in which the search came to its folder; null: it is in the working directory. */
  repository: string | null;
}

const GROUP_WRITES = 0o020;
const ANYBODY_WRITES = 0o002;
const STICKY = 0o1000;
const ROOT = 0;
/** More than Linux follows. */
const MOST_LINKS = 40;

/**
 * The accounts whose files count as our own: root, who can do anything anyway, and under sudo those of the person, who could
 * have run the programs as root as well.
 * @param uid the effective user; undefined where files have no such owners
 */
export function ownAccounts(uid: number | undefined, sudoUid: string | undefined): ReadonlySet<number> | null {
  if (uid === undefined) return null;
  const person = uid === ROOT && /^\d{1,10}$/.test(sudoUid ?? '') ? [Number(sudoUid)] : [];
  return new Set([uid, ROOT, ...person]);
}

/**
 * Who else can decide what is at a place, in words; null: nobody. Of a repository only the owner counts. A group that has the
 * number of its owner is the owner's private one, as useradd makes it.
 */
export function whoElse({ kind, uid, gid, mode }: Place, own: ReadonlySet<number>): { uid: number } | string | null {
  if (!own.has(uid)) return { uid };
  if (kind === 'link' || kind === 'repository') return null;
  // In a sticky folder such as /tmp nobody can replace the files of others.
  if (kind === 'folder' && (mode & STICKY) !== 0) return null;
  if ((mode & ANYBODY_WRITES) !== 0) return 'every user can write to it';
  if ((mode & GROUP_WRITES) !== 0 && gid !== ROOT && gid !== uid) return `members of group ${gid} can write to it`;
  return null;
}

/**
 * Refuses a file that was found, unless it is trusted: nobody has named it.
 * @param trusted folders of the user's own configuration, absolute; `*`: all
 * @param userFile where those are written
 * @param configFlag the flag of this command that names a configuration file
 * @throws LukhasError CONFIG: file, who else can change it, what to do
 */
export async function requireTrusted(
  found: FoundFile,
  own: ReadonlySet<number>,
  trusted: readonly string[],
  userFile: string,
  configFlag = '--config',
): Promise<void> {
  const problem = await problemOf(found, own);
  if (problem === null || (await isTrusted(dirname(found.path), trusted))) return;
  const folder = JSON.stringify(dirname(found.path));
  throw new LukhasError('CONFIG', `${found.path}: not used, because it names programs to run and ${problem}`, {
    suggestions: [
      `If you trust it, name it: ${configFlag} ${found.path}`,
      `Or trust its folder: write trustedFolders: [${folder}] into ${userFile}`,
    ],
  });
}

/** The user's own file, which nothing else can vouch for. @throws LukhasError CONFIG */
export async function requireOwn(path: string, own: ReadonlySet<number>): Promise<void> {
  const problem = await problemOf({ path, repository: null }, own);
  if (problem === null) return;
  throw new LukhasError('CONFIG', `${path}: not used, because it names programs to run and ${problem}`, {
    suggestions: ['Correct its owner and mode, or set XDG_CONFIG_HOME to a folder of your own.'],
  });
}

async function problemOf({ path, repository }: FoundFile, own: ReadonlySet<number>): Promise<string | null> {
  const places = await placesOf(path);
  for (const folder of new Set([dirname(path), ...(repository === null ? [] : [repository])])) {
    const git = await placeOf(join(folder, '.git'), 'repository');
    if (git !== null) places.push(git);
  }
  for (const place of places) {
    const who = whoElse(place, own);
    if (who === null || (typeof who === 'string' && (await isReadOnly(place.path)))) continue;
    const what = place.path === path && place.kind !== 'link' ? 'it' : `the ${place.kind} ${place.path}`;
    if (typeof who !== 'string') return `${what} belongs to ${await accountName(who.uid)}`;
    return what === 'it' ? who : `${who.replace(/it$/, `the ${place.kind} ${place.path}`)}`;
  }
  return null;
}

/** The file, the links that lead to it, and the folders that these are in: whoever owns one of those can replace it. */
async function placesOf(path: string): Promise<Place[]> {
  const places: Place[] = [];
  let at = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const folder = await placeOf(dirname(at), 'folder');
    const here = await placeOf(at, 'file');
    if (here !== null) places.push(here);
    if (folder !== null) places.push(folder);
    if (here?.kind !== 'link') return places;
    at = resolve(dirname(at), await readlink(at));
  }
  return places;
}

/** Null when it is gone: reading the file will say so. A link to a folder stands for that folder, as paths go through it. */
async function placeOf(path: string, kind: Place['kind']): Promise<Place | null> {
  try {
    const found = kind === 'folder' ? await stat(path) : await lstat(path);
    const { uid, gid, mode } = found;
    return { path, kind: kind === 'file' && found.isSymbolicLink() ? 'link' : kind, uid, gid, mode };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new LukhasError('CONFIG', `${path}: cannot be read (${code})`, { cause: error });
  }
}

/** Modes say nothing where nobody can write: Kubernetes mounts a ConfigMap as a folder that all may write to, and read-only. */
async function isReadOnly(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

async function isTrusted(folder: string, trusted: readonly string[]): Promise<boolean> {
  if (trusted.includes('*')) return true;
  const names = [folder, await realpath(folder).catch(() => folder)];
  for (const each of trusted) {
    const real = await realpath(each).catch(() => each);
    if (names.some((name) => [each, real].some((root) => `${name}${sep}`.startsWith(root === sep ? sep : root + sep))))
      return true;
  }
  return false;
}

/** As /etc/passwd has it: Node.js knows only the name of the account that it runs as. */
async function accountName(uid: number): Promise<string> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const name = accounts
    .split('\n')
    .find((line) => line.split(':')[2] === String(uid))
    ?.split(':')[0];
  return name === undefined || name === '' ? `uid ${uid}` : `user ${name} (uid ${uid})`;
}
