import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LukhasError } from '../errors.js';

/** An account and a group. */
export interface Owner {
  uid: number;
  gid: number;
}

const ROOT = 0;
const OTHERS_WRITE = 0o022;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Whom new files belong to, as SQLite decides it for those beside a database: when root writes, to whoever owns what is there, so
 * that a command under sudo locks no service out; anybody else keeps what they write.
 * @param uid the effective user; undefined where files have no such owners
 * @param there the owner of the database, or of the folder that it is to be in
 * @returns null: whoever writes
 */
export function heirOf(uid: number | undefined, there: Owner): Owner | null {
  if (uid !== ROOT || (there.uid === ROOT && there.gid === ROOT)) return null;
  return { uid: there.uid, gid: there.gid };
}

/** `heirOf` for the process as it runs, and a path: of the nearest folder above it when nothing is there. */
export function ownerFor(path: string): Owner | null {
  // Before any look at the disk: for everybody but root there is nothing to find out.
  if (process.geteuid?.() !== ROOT) return null;
  for (let at = path; ; at = dirname(at)) {
    const found = statSync(at, { throwIfNoEntry: false });
    if (found !== undefined) return heirOf(ROOT, found);
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
 * Opens a folder that may belong to somebody whom root must not trust: its owner could put a link in its place, and have root write
 * wherever they like. Links are followed only where root put them.
 * @param owner null: root writes for nobody else, and the path is taken as it is
 * @throws LukhasError CONFIG when it is a link in somebody else's folder; what the file system fails with
 */
export function openFolder(path: string, owner: Owner | null): OpenFolder {
  if (owner === null) return { path, close: () => undefined };
  const above = realpathSync(dirname(path));
  const fd = isRootsAlone(statSync(above)) ? openSync(path, FOLDER) : openNoLink(join(above, basename(path)));
  return { path: nameOf(fd, path), close: () => closeSync(fd) };
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

function openNoLink(path: string): number {
  try {
    return openSync(path, FOLDER | constants.O_NOFOLLOW);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ELOOP' && code !== 'ENOTDIR') throw cause;
    throw new LukhasError(
      'CONFIG',
      `${path}: is a link or a file, not a folder; root follows no links of other users`,
      {
        cause,
        suggestions: ['Put a folder there, or run the command as the user that the database belongs to.'],
      },
    );
  }
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
