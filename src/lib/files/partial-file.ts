import { randomBytes } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isDead } from '../ledger/index.js';

/** Whoever writes does so all the time. Processes of two containers may have a host's name and a number in common. */
const SILENT_MS = 60_000;
/** Nobody here can tell whether a process of another host lives. */
const SILENT_ELSEWHERE_MS = 86_400_000;

const NAME = /^\.lukhas-(?<host>.+)-(?<pid>\d+)-[0-9a-f]{8}\.tmp$/;

/** Where a file of `folder` is written until it is whole: a name that says by which process of which host. */
export function partialFile(folder: string): string {
  return join(folder, `.lukhas-${thisHost()}-${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
}

/**
 * Removes the partial files of processes that were killed: of this host when they do not live any more, of another one when
 * nothing was written for a day.
 * @param now ms since the epoch
 * @throws what the file system fails with, unless somebody else has to remove the file
 */
export async function removeAbandoned(folder: string, now: number): Promise<void> {
  const names = await readdir(folder).catch(unlessOthers);
  for (const name of names ?? []) {
    const { host, pid } = NAME.exec(name)?.groups ?? {};
    if (host === undefined || pid === undefined) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(unlessOthers);
    if (!found?.isFile()) continue;
    const silentMs = now - found.mtimeMs;
    const dead =
      host === thisHost() ? silentMs > SILENT_MS && isDead(`${hostname()}:${pid}`) : silentMs > SILENT_ELSEWHERE_MS;
    if (dead) await rm(path).catch(unlessOthers);
  }
}

function thisHost(): string {
  return encodeURIComponent(hostname());
}

/** There is none any more, or it is another user's: that is no reason not to write a file. */
function unlessOthers(error: NodeJS.ErrnoException): null {
  if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(error.code ?? '')) return null;
  throw error;
}
