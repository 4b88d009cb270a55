import { constants } from 'node:fs';
import { access, lstat, open, readFile, readlink, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';
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
 * @returns what the file says, read from the file that was looked at
 * @throws LukhasError CONFIG: file, who else can change it, what to do; that it cannot be read
 */
export async function requireTrusted(
  found: FoundFile,
  own: ReadonlySet<number>,
  trusted: readonly string[],
  userFile: string,
  configFlag = '--config',
): Promise<string> {
  const { text, problem } = await lookedAt(found, own);
  if (problem === null || (await isTrusted(dirname(found.path), trusted))) return text;
  const folder = JSON.stringify(dirname(found.path));
  throw new LukhasError('CONFIG', `${found.path}: not used, because it names programs to run and ${problem}`, {
    suggestions: [
      `If you trust it, name it: ${configFlag} ${found.path}`,
      `Or trust its folder: write trustedFolders: [${folder}] into ${userFile}`,
    ],
  });
}

/** The user's own file, which nothing else can vouch for. @returns what it says. @throws LukhasError CONFIG */
export async function requireOwn(path: string, own: ReadonlySet<number>): Promise<string> {
  const { text, problem } = await lookedAt({ path, repository: null }, own);
  if (problem === null) return text;
  throw new LukhasError('CONFIG', `${path}: not used, because it names programs to run and ${problem}`, {
    suggestions: ['Correct its owner and mode, or set XDG_CONFIG_HOME to a folder of your own.'],
  });
}

/** What a file says, and who else could have decided that, in words; null: nobody. */
async function lookedAt(
  { path, repository }: FoundFile,
  own: ReadonlySet<number>,
): Promise<{ text: string; problem: string | null }> {
  try {
    const way = await wayTo(path);
    const { text, place } = await readEnd(way.end);
    const places = [...way.places, place, await placeOf(dirname(way.end), 'folder')];
    for (const folder of new Set([dirname(path), ...(repository === null ? [] : [repository])]))
      places.push(...(await repositoryIn(folder)));
    return { text, problem: await problemOf(path, places, own) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof LukhasError || code === undefined) throw error;
    throw cannotBeRead(path, code, error);
  }
}

async function problemOf(path: string, places: readonly Place[], own: ReadonlySet<number>): Promise<string | null> {
  for (const place of places) {
    const who = whoElse(place, own);
    if (who === null || (typeof who === 'string' && (await isReadOnly(place.path)))) continue;
    const what = place.path === path && place.kind !== 'link' ? 'it' : `the ${place.kind} ${place.path}`;
    if (typeof who !== 'string') return `${what} belongs to ${await accountName(who.uid)}`;
    return what === 'it' ? who : `${who.replace(/it$/, `the ${place.kind} ${place.path}`)}`;
  }
  return null;
}

/** How the system gets to a file: over which links, and the folders that these are in, as whoever owns one can replace the link. */
interface Way {
  places: Place[];
  /** Without any link. */
  end: string;
}

/** Name by name, as the system goes: after a link to a folder, `..` is the folder above the one that it leads to. */
async function wayTo(path: string): Promise<Way> {
  const full = resolve(path);
  const { root } = parse(full);
  const places: Place[] = [];
  let [at, rest] = [root, namesOf(full.slice(root.length))];
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...after] = rest;
    const here = join(at, name);
    const place = await placeOf(here, 'file');
    if (place.kind !== 'link') {
      [at, rest] = [here, after];
      continue;
    }
    if (++links > MOST_LINKS) throw cannotBeRead(path, 'ELOOP');
    places.push(place, await placeOf(at, 'folder'));
    const target = await readlink(here);
    rest = [...namesOf(target), ...after];
    if (isAbsolute(target)) at = root;
  }
  return { places, end: at };
}

function namesOf(path: string): string[] {
  return path.split(sep).filter((name) => name !== '' && name !== '.');
}

/**
 * What is read is what was looked at, whatever is put in its place meanwhile.
 * @param end where no link is
 */
async function readEnd(end: string): Promise<{ text: string; place: Place }> {
  // Neither a link that was put there just now is followed, nor a pipe's other end waited for.
  const file = await open(end, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const opened = await file.stat();
    const { uid, gid, mode, dev, ino } = opened;
    // Of a folder reading says so.
    if (!opened.isFile() && !opened.isDirectory()) throw new LukhasError('CONFIG', `${end}: is not a regular file`);
    const seen = await lstat(end);
    if (seen.dev !== dev || seen.ino !== ino || (await wayTo(end)).places.length > 0)
      throw new LukhasError('CONFIG', `${end}: was replaced while it was read`, { suggestions: ['Try again.'] });
    return { text: await file.readFile('utf8'), place: { path: end, kind: 'file', uid, gid, mode } };
  } finally {
    await file.close();
  }
}

/** The `.git` of a folder, if it has one, and the links that lead to it. */
async function repositoryIn(folder: string): Promise<Place[]> {
  const git = join(folder, '.git');
  try {
    const { places, end } = await wayTo(git);
    return [...places, await placeOf(end, 'repository')];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    // A link to nothing is its owner's, too.
    return await placeOf(git, 'file').then(
      (link) => [link],
      () => [],
    );
  }
}

/** @throws what the file system fails with */
async function placeOf(path: string, kind: Place['kind']): Promise<Place> {
  const found = await lstat(path);
  const { uid, gid, mode } = found;
  return { path, kind: kind === 'file' && found.isSymbolicLink() ? 'link' : kind, uid, gid, mode };
}

function cannotBeRead(path: string, code: string, cause?: unknown): LukhasError {
  const why = code === 'ENOENT' ? 'file not found' : `cannot be read (${code})`;
  return new LukhasError('CONFIG', `${path}: ${why}`, { cause });
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
