import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** A canary's id: sorts by time of creation, short enough to say aloud by its first characters. */
export function newCanaryId(now: number): string {
  return `c-${now.toString(36)}${randomBytes(5).toString('hex').slice(0, 6)}`;
}

/** Who holds a lease: host and process, so that another process on the host can see whether it still lives. */
export function newHolder(): string {
  return `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
}
