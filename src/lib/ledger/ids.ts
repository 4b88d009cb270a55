import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** A subject's id: sorts by time of creation, short enough to say aloud by its first characters. */
export function newId(letter: string, now: number): string {
  return `${letter}-${now.toString(36)}${randomBytes(4).toString('hex')}`;
}

/** Who holds a lease: host and process, so that another process on the host can see whether it still lives. */
export function newHolder(): string {
  return `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
}
