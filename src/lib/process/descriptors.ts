import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

/** Open files and connections that this process may still have: how many, and a few that are kept for hard times. */

const POLL_MS = 100;

/** Open on nothing, to be closed when something needs their numbers. */
const spare: number[] = [];
let wanted = 0;

/** How many files this process may have open (`ulimit -n`); null where the system does not say. */
export function descriptorLimit(): number | null {
  const limits = withSpare(() => readFileSync('/proc/self/limits', 'utf8'));
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits ?? '') ?? [];
  return soft === undefined ? null : Number(soft);
}

/** How many it has open, the spare ones left out; null where the system does not say. */
export function openDescriptors(): number | null {
  const names = withSpare(() => readdirSync('/proc/self/fd'));
  // One of them was that of the listing itself.
  return names === null ? null : names.length - 1 - spare.length;
}

/**
 * Keeps so many, or as many as there are. Called again, it replaces those that were given away.
 * @returns whether they are all there
 */
export function keepSpareDescriptors(count = wanted): boolean {
  wanted = count;
  spare.push(...take(wanted - spare.length));
  return spare.length >= wanted;
}

/** Keeps none from now on. */
export function releaseSpareDescriptors(): void {
  wanted = 0;
  release();
}

function release(): void {
  for (const descriptor of spare.splice(0)) closeSync(descriptor);
}

/**
 * Whether `count` files can be opened right now. Where they cannot, the spare ones are given away for it.
 */
export function hasDescriptors(count: number): boolean {
  if (canTake(count)) return true;
  release();
  return canTake(count);
}

/**
 * Waits until `count` files can be opened.
 * @param withinMs how long
 * @param signal ends the waiting
 * @returns whether they can
 */
export async function waitForDescriptors(count: number, withinMs: number, signal?: AbortSignal): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (!hasDescriptors(count)) {
    if (performance.now() >= until || signal?.aborted) return false;
    await wait(POLL_MS);
  }
  return true;
}

/** Reads, where need be with the spare descriptors. @returns null when it cannot be read */
function withSpare<T>(read: () => T): T | null {
  try {
    return hasDescriptors(1) ? read() : null;
  } catch {
    return null;
  } finally {
    keepSpareDescriptors();
  }
}

function canTake(count: number): boolean {
  const taken = take(count);
  for (const descriptor of taken) closeSync(descriptor);
  return taken.length >= count;
}

/** Opens so many, or as many as there are. */
function take(count: number): number[] {
  const taken: number[] = [];
  try {
    while (taken.length < count) taken.push(openSync(devNull, 'r'));
  } catch {
    // The limit, of the process or of the system.
  }
  return taken;
}
