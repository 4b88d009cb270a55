import { randomBytes } from 'node:crypto';

/** A subject's id: sorts by time of creation, short enough to say aloud by its first characters. */
export function newId(letter: string, now: number): string {
  return `${letter}-${now.toString(36)}${randomBytes(4).toString('hex')}`;
}
