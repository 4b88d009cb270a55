import { formatProcess, lifeOf, parseProcess, thisProcess } from '../process/index.js';

/**
 * Who holds a lease, as the database has it: `PROCESS:NUMBER`, or `PROCESS:NUMBER:PURPOSE`. A process may have several
 * holders, which keep each other out, and each of them may hold leases for several purposes.
 */
const SEPARATOR = ':';

let made = 0;

/** A holder of this process that no other one is equal to. */
export function newHolder(): string {
  made += 1;
  return [formatProcess(thisProcess()), made].join(SEPARATOR);
}

/** The holder while it acts for one thing, e.g. the id of a canary: those that act for different things keep each other out. */
export function actingFor(holder: string, purpose: string): string {
  return [holder, purpose].join(SEPARATOR);
}

/** What it was acting for when it took the lease; null when that was nothing in particular. */
export function purposeOf(holder: string): string | null {
  return holder.split(SEPARATOR)[2] ?? null;
}

/**
 * True only when its process certainly does not exist any more. Of one in another container or on another machine, after a
 * restart of the machine, and of holders that older versions wrote, nobody here can say so: their leases lapse.
 */
export function isDead(holder: string): boolean {
  return lifeOfHolder(holder) === 'dead';
}

/** True only when its process certainly exists: it may be stopped, or hang. */
export function isAlive(holder: string): boolean {
  return lifeOfHolder(holder) === 'alive';
}

/** Its pid, where that is the pid of a process that certainly exists. */
export function livingPid(holder: string): number | null {
  return isAlive(holder) ? (processOf(holder)?.pid ?? null) : null;
}

function lifeOfHolder(holder: string) {
  return lifeOf(processOf(holder));
}

function processOf(holder: string) {
  const [who = ''] = holder.split(SEPARATOR);
  return parseProcess(who);
}
