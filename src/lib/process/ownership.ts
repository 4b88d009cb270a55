import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';
import { LukhasError } from '../errors.js';

/** An account and a group. */
export interface Owner {
  uid: number;
  gid: number;
}

const ROOT = 0;
const OTHERS_WRITE = 0o022;
/** More than Linux follows. */
const MOST_LINKS = 40;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Whom new files belong to, as SQLite decides it for those beside a database: when root writes, to whoever owns what is there, so
 * that a command under sudo locks no service out; anybody else keeps what they write. A file of root's in somebody else's folder is
 * the folder owner's: they can put another in its place.
 * @param uid the effective user; undefined where files have no such owners
 * @param there the owner of the database, or of the folder that it is to be in
 * @param folder that the database is in
 * @returns null: whoever writes, and nobody else could have put there what is there
 */
export function heirOf(
  uid: number | undefined,
  there: Owner,
  folder: Owner & { mode: number } = { ...there, mode: 0 },
): Owner | null {
  if (uid !== ROOT) return null;
  const { uid: heir, gid } = there.uid === ROOT && folder.uid !== ROOT ? folder : there;
  return heir === ROOT && gid === ROOT && isRootsAlone(folder) ? null : { uid: heir, gid };
}

/** `heirOf` for the process as it runs, and a path: of the nearest folder above it when nothing is there. */
export function ownerFor(path: string): Owner | null {
  // Before any look at the disk: for everybody but root there is nothing to find out.
  if (process.geteuid?.() !== ROOT) return null;
  for (let at = path; ; at = dirname(at)) {
    const found = statSync(at, { throwIfNoEntry: false });
    if (found?.isDirectory()) return heirOf(ROOT, found);
    if (found !== undefined) return heirOf(ROOT, found, statSync(dirname(realpathSync(at))));
    if (at === dirname(at)) return null;
  }
}

/** A folder in which root writes for somebody else. */
export interface OpenFolder {
  /** Leads to this very folder, whatever its owner does to its name. */
  path: string;
  close(): void;
}

/**
 * Opens a folder that may belong to somebody whom root must not trust: its owner could put a link in its place, or in that of one
 * above it, and have root write wherever they like. Root follows links only in folders where nobody else can put any, and goes
 * from folder to folder by what it has opened, so that none can be exchanged meanwhile.
 * @param owner null, and not root: the path is taken as it is
 * @throws LukhasError CONFIG when there is a link in somebody else's folder; what the file system fails with
 */
export function openFolder(path: string, owner: Owner | null): OpenFolder {
  if (owner === null && process.geteuid?.() !== ROOT) return { path, close: () => undefined };
  const full = resolve(path);
  const { root } = parse(full);
  let [fd, at] = [openSync(root, FOLDER), root];
  let rest = namesOf(full.slice(root.length));
  try {
    for (let links = 0; rest.length > 0; ) {
      const [name = '', ...after] = rest;
      // Not joined: that would take `..` for a step back in the name.
      const next = `${nameOf(fd, at)}${sep}${name}`;
      if (!lstatSync(next).isSymbolicLink()) {
        const opened = openNoLink(next, join(at, name));
        closeSync(fd);
        [fd, at, rest] = [opened, join(at, name), after];
        continue;
      }
      if (!isRootsAlone(fstatSync(fd))) throw linkOfOthers(join(at, name));
      if (++links > MOST_LINKS) throw linkOfOthers(full);
      const target = readlinkSync(next);
      rest = [...namesOf(target), ...after];
      if (!isAbsolute(target)) continue;
      const top = openSync(root, FOLDER);
      closeSync(fd);
      [fd, at] = [top, root];
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { path: nameOf(fd, full), close: () => closeSync(fd) };
}

/** Of a path, without the empty ones; `..` is the folder above the one that was reached. */
function namesOf(path: string): string[] {
  return path.split(sep).filter((name) => name !== '' && name !== '.');
}

/** A name for what is open, on Linux; other systems have none, and there the check that was made has to do. */
function nameOf(fd: number, path: string): string {
  const named = `/proc/self/fd/${fd}`;
  return existsSync(named) ? named : path;
}

/** Whether nobody but root can put anything into a folder. */
export function isRootsAlone({ uid, mode }: { uid: number; mode: number }): boolean {
  return uid === ROOT && (mode & OTHERS_WRITE) === 0;
}

/** @param called how an error calls it */
function openNoLink(path: string, called: string): number {
  try {
    return openSync(path, FOLDER | constants.O_NOFOLLOW);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Somebody has just put a link there.
    const isLink = code === 'ELOOP' || lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
    throw isLink ? linkOfOthers(called, cause) : cause;
  }
}

function linkOfOthers(path: string, cause?: unknown): LukhasError {
  return new LukhasError('CONFIG', `${path}: is a link or a file, not a folder; root follows no links of other users`, {
    cause,
    suggestions: ['Put a folder there, or run the command as the user that the database belongs to.'],
  });
}

/**
 * Makes a folder and those above it that are missing; each belongs to `owner`. One that is there stays as it is.
 * @param mode what the umask leaves of it
 */
export function makeFolder(path: string, mode: number, owner: Owner | null): void {
  // Node's own recursive one never ends where a folder that is there refuses another one with ENOENT, as those of /proc do.
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above, mode, owner);
  const parent = openFolder(above, owner);
  try {
    const made = join(parent.path, basename(path));
    mkdirSync(made, { mode });
    if (owner !== null) giveFolder(made, path, owner);
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    parent.close();
  }
}

/** Only what root has just made: in its place the parent's owner could have moved another folder of root's. */
function giveFolder(made: string, path: string, owner: Owner): void {
  const fd = openSync(made, FOLDER | constants.O_NOFOLLOW);
  try {
    const isNew = fstatSync(fd).uid === ROOT && readdirSync(nameOf(fd, made)).length === 0;
    if (isNew) giveTo(fd, owner, path);
  } finally {
    closeSync(fd);
  }
}

/** @param fd of a file or folder. @param path how an error calls it. @throws LukhasError CONFIG when it cannot be given away */
export function giveTo(fd: number, owner: Owner | null, path: string): void {
  if (owner === null) return;
  try {
    fchownSync(fd, owner.uid, owner.gid);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const whom = `uid ${owner.uid}, gid ${owner.gid}`;
    throw new LukhasError('CONFIG', `${path}: cannot be given to the owner of the database (${whom}; ${code})`, {
      cause,
      suggestions: ['Run the command as that user, e.g. with sudo -u.'],
    });
  }
}
