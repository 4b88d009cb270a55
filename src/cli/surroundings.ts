import { homedir, userInfo } from 'node:os';

/** Variables that stand in for what the system does not know of this user. */
const standIns: string[] = [];

/**
 * oclif asks for the home folder and the shell of the user, and fails where the account has a number but no entry
 * (a container with `--user`). Nothing of lukhas needs either.
 */
export function standInForAccount(): void {
  const { env } = process;
  if (!env['HOME'] && !isKnown(homedir)) standIn('HOME', '/');
  if (env['SHELL'] === undefined && !isKnown(userInfo)) standIn('SHELL', '');
}

/** A umask that takes the owner's own rights (0777) would leave a database behind that nobody can open again. */
export function keepOwnRights(): void {
  const OWNER = 0o700;
  const mask = process.umask();
  if ((mask & OWNER) !== 0) process.umask(mask & ~OWNER);
}

/** Programs that are started see the environment as it was. */
export function withdrawStandIns(): void {
  for (const name of standIns.splice(0)) delete process.env[name];
}

function standIn(name: string, value: string): void {
  process.env[name] = value;
  standIns.push(name);
}

function isKnown(ask: () => unknown): boolean {
  try {
    ask();
    return true;
  } catch {
    return false;
  }
}

/** Loads packages that ask for the working directory, and would say by themselves that it is gone. */
export async function withoutWorkingDirectory<T>(load: () => Promise<T>): Promise<T> {
  const { cwd } = process;
  if (isKnown(cwd)) return load();
  process.cwd = () => '/';
  try {
    return await load();
  } finally {
    process.cwd = cwd;
  }
}
