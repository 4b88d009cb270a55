import { readFileSync, readlinkSync } from 'node:fs';
import { hasDescriptors } from './descriptors.js';

/** Why something cannot be read from /proc: no such process, no /proc, none of our business, or no descriptor left. */
const UNREADABLE: readonly string[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR', 'EINVAL', 'EMFILE', 'ENFILE'];

/**
 * When a process started, in clock ticks since the boot (proc(5): field 22 of stat). Null where there is no such process,
 * no /proc, or a /proc of another pid namespace.
 */
export function startTicks(pid: number): string | null {
  return statField(pid, 22);
}

/** The process that has to wait for it (proc(5): field 4 of stat). Null as above. */
export function parentOf(pid: number): number | null {
  const parent = statField(pid, 4);
  return parent === null ? null : Number(parent);
}

function statField(pid: number, field: number): string | null {
  if (!speaksOfOurPids()) return null;
  const stat = orNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The name, in parentheses, may hold anything: what follows it begins with field 3.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[field - 3] ?? null;
}

/** The boot of the kernel that runs this process: another one after each start of the machine. */
export function bootId(): string | null {
  return orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
}

/** In which a pid of this process means something, e.g. `pid:[4026531836]`. No two that exist at a time have the same name. */
export function pidNamespace(): string | null {
  return orNull(() => readlinkSync('/proc/self/ns/pid'));
}

/** What this process takes for the time since the boot (time_namespaces(7)); null for kernels that have one for all. */
export function timeNamespace(): string | null {
  return orNull(() => readlinkSync('/proc/self/ns/time'));
}

/**
 * Whether the numbers in /proc are those by which this process knows others. Not in a pid namespace that was made without
 * mounting a /proc of its own (`unshare --pid --fork`): there the same number is another process.
 */
export function speaksOfOurPids(): boolean {
  if (orNull(() => readlinkSync('/proc/self')) !== String(process.pid)) return false;
  // Our pid in each namespace, from that of /proc down to ours; kernels before 4.1 do not say.
  const inEach = /^NSpid:\s*(.*)$/m.exec(orNull(() => readFileSync('/proc/self/status', 'utf8')) ?? '')?.[1];
  return inEach === undefined || /^\d+$/.test(inEach.trim());
}

/** @throws whatever is no reason to expect that there is nothing */
export function orNull<T>(read: () => T): T | null {
  try {
    hasDescriptors(1);
    return read();
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

export function isUnreadable(error: unknown): boolean {
  return UNREADABLE.includes((error as NodeJS.ErrnoException).code ?? '');
}
