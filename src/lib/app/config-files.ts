import { access, constants, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { LukhasError, systemError } from '../errors.js';
import type { FileConfig } from './config-schema.js';
import type { FoundFile } from './config-trust.js';

export type Env = Readonly<Record<string, string | undefined>>;

const PROJECT_FILES: readonly string[] = ['lukhas.yaml', 'lukhas.yml', 'lukhas.json'];

/** A variable's value; one set to nothing counts as not set, as shells and service files leave them so. */
export function text(env: Env, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
}

/** @throws LukhasError CONFIG when the path that is resolved is relative and there is no working directory */
export function fromWorkingDirectory<T>(resolving: () => T): T {
  try {
    return resolving();
  } catch (error) {
    throw systemError(error);
  }
}

/** The files that configure a command, and where the user's is or would be. */
export interface ConfigFiles {
  /** `named`: by --config, which is to trust it. */
  project: (FoundFile & { named: boolean }) | null;
  user: string | null;
  userPlace: string;
}

export async function configFiles(flag: string | undefined, cwd: string, home: string, env: Env): Promise<ConfigFiles> {
  const named = (path: string) => ({
    path: fromWorkingDirectory(() => resolve(cwd, path)),
    repository: null,
    named: true,
  });
  const project = flag === undefined ? await projectFile(cwd, home) : named(flag);
  const xdg = text(env, 'XDG_CONFIG_HOME');
  // The XDG specification has relative values ignored.
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.config');
  const userPlace = join(base, 'lukhas', 'config.yaml');
  const user = userPlace !== project?.path && (await isOfUser(userPlace)) ? userPlace : null;
  return { project, user, userPlace };
}

/** A file in a home that this user may not enter, as in a container with another user id, is not the user's configuration. */
async function isOfUser(path: string): Promise<boolean> {
  try {
    const { uid } = await stat(path);
    // One's own that cannot be read is a mistake to be told of.
    if (uid !== process.getuid?.()) await access(path, constants.R_OK);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG'].includes(code)) return false;
    throw new LukhasError('CONFIG', `${path}: cannot be read (${code})`, { cause: error });
  }
}

/** What the files say together, and which of them says what. */
export interface ReadFiles {
  config: FileConfig;
  /** Path of the file that each section is from. */
  sections: Readonly<Record<string, string>>;
}

/** The user's file first: it says whom else to trust. */
export async function readFiles(
  { project, user, userPlace }: ConfigFiles,
  home: string,
  env: Env,
  configFlag?: string,
): Promise<ReadFiles> {
  if (project === null && user === null) return { config: {}, sections: {} };
  // Loaded only now: parsing YAML costs more time than most commands take.
  const [{ readConfigFile }, { ownAccounts, requireOwn, requireTrusted }] = await Promise.all([
    import('./config-schema.js'),
    import('./config-trust.js'),
  ]);
  const own = ownAccounts(process.geteuid?.(), text(env, 'SUDO_UID'));
  // What was looked at is what is read: a file may be replaced meanwhile.
  const users = user !== null && own !== null ? await requireOwn(user, own) : null;
  const { trustedFolders = [], ...weaker } = user === null ? {} : await readConfigFile(user, home, true, users);
  const ofUser = from(weaker, user);
  if (project === null) return { config: weaker, sections: ofUser };
  const { path, named } = project;
  const isFound = !named && own !== null;
  const projects = isFound ? await requireTrusted(project, own, trustedFolders, userPlace, configFlag) : null;
  const { trustedFolders: _own, ...strongest } = await readConfigFile(path, home, path === userPlace, projects);
  const merged = { ...weaker, ...strongest };
  const sections = { ...ofUser, ...from(strongest, path) };
  // Credentials belong to the source beside which they stand.
  if (strongest.source === undefined) return { config: merged, sections };
  const { credentials: _, ...rest } = merged;
  const { credentials } = strongest;
  return { config: credentials === undefined ? rest : { ...rest, credentials }, sections };
}

function from(config: FileConfig, path: string | null): Record<string, string> {
  if (path === null) return {};
  // Credentials are written in the section of the source.
  const { credentials: _, ...written } = config;
  return Object.fromEntries(Object.keys(written).map((section) => [section, path]));
}

async function projectFile(cwd: string, home: string): Promise<ConfigFiles['project']> {
  if (cwd === '') return null;
  const directories = await searched(cwd, home);
  for (const directory of directories) {
    const candidates = PROJECT_FILES.map((name) => join(directory, name));
    const present = await Promise.all(candidates.map(exists));
    const [found, second] = candidates.filter((_, index) => present[index]);
    if (second !== undefined) throw new LukhasError('CONFIG', `${found} and ${second} both exist; remove one`);
    // The last of them ended the search, or the working directory is the only one.
    const repository = directory === cwd ? null : (directories.at(-1) ?? null);
    if (found !== undefined) return { path: found, repository, named: false };
  }
  return null;
}

/**
 * The working directory and those above it up to the repository's top or the home directory. Outside of both only
 * the working directory counts: a file names programs to run, and anyone may put one in /tmp.
 */
async function searched(cwd: string, home: string): Promise<string[]> {
  const directories = [cwd];
  for (let directory = cwd; ; directory = dirname(directory)) {
    if (directory !== cwd) directories.push(directory);
    if (directory === home || (await exists(join(directory, '.git')))) return directories;
    if (directory === dirname(directory)) return [cwd];
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new LukhasError('CONFIG', `${path}: cannot be read (${code})`, { cause: error });
  }
}
