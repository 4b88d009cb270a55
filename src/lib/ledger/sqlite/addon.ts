import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { LukhasError } from '../../errors.js';

/** What the system says of a binary, and what that means. The first that fits. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/GLIBC(XX)?_[\d.]+' not found/, 'the C library of this system is too old for it (glibc 2.34 or newer is needed)'],
  [/ld-musl|libc\.musl|ld-linux/, 'it was made for another C library'],
  [/file too short|invalid ELF header|not a mach-o|slice is not valid|not a valid Win32/i, 'it is damaged'],
  [/wrong ELF class|incompatible architecture|Exec format/i, 'it was made for another processor'],
  [/failed to map segment/, 'its folder is mounted noexec'],
  [/NODE_MODULE_VERSION|Module did not self-register|undefined symbol/, 'it was compiled for another Node.js'],
  [/EACCES|Permission denied/i, 'this user may not read it'],
];

/**
 * What is wrong with the binary of better-sqlite3, and how to get one that fits. The package brings binaries for Linux (glibc and
 * musl), macOS and Windows on x64 and arm64, loads one that was compiled on the spot before those, and has no install script.
 * @returns null for any other error
 */
export function addonError(error: unknown): LukhasError | null {
  if (!(error instanceof Error) || !/better_sqlite3\.node|better-sqlite3[\\/]prebuilds[\\/]/.test(error.message))
    return null;
  const [said = ''] = error.message.split('\n');
  const folder = packageFolder(said);
  const known = isProvided();
  return new LukhasError(
    'LEDGER_UNAVAILABLE',
    `The binary of better-sqlite3 for ${process.platform} on ${process.arch} cannot be loaded (${whyNot(error, said, folder, known)})`,
    { suggestions: [...(known ? [reinstall(folder)] : []), compile(folder)], cause: error },
  );
}

function whyNot(error: NodeJS.ErrnoException, said: string, folder: string, known: boolean): string {
  if (error.code === 'MODULE_NOT_FOUND')
    return known ? `it is missing from ${folder}` : `none is provided for this system, and ${folder} has no other`;
  const why = CAUSES.find(([pattern]) => pattern.test(said))?.[1];
  return why === undefined ? said : `${why}: ${said}`;
}

function isProvided(): boolean {
  return ['linux', 'darwin', 'win32'].includes(process.platform) && ['x64', 'arm64'].includes(process.arch);
}

/** Of the package whose binary the message names; else of the one that would be loaded. */
function packageFolder(said: string): string {
  const [, named] = /((?:[A-Za-z]:)?[\\/][^'"]*[\\/]better-sqlite3)[\\/](?:build|prebuilds)[\\/]/.exec(said) ?? [];
  if (named !== undefined) return named;
  return dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'));
}

/** As lukhas was installed: in a checkout or project, for all users, or in another way. */
function reinstall(folder: string): string {
  const owner = dirname(dirname(folder));
  if (existsSync(join(owner, 'package-lock.json'))) return `Install lukhas again: npm ci --prefix ${quoted(owner)}`;
  const isGlobal = basename(owner) === 'lukhas' && basename(dirname(owner)) === 'node_modules';
  return `Install lukhas again${isGlobal ? ': npm uninstall -g lukhas && npm install -g lukhas' : ''}`;
}

/** The script is the package's own; npm brings node-gyp for it. */
function compile(folder: string): string {
  return `Or, with Python and a C++ compiler, compile it: npm run build-release --prefix ${quoted(folder)}`;
}

function quoted(path: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(path) ? path : `"${path}"`;
}
