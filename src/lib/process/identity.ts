import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { bootId, pidNamespace, startTicks, timeNamespace } from './proc.js';

/** A process as others come to know it, also those of other machines and containers: in leases, in names of files. */
export interface ProcessIdentity {
  /** For people, percent-encoded and cut: two machines, or two containers, may have the same name. */
  host: string;
  pid: number;
  /** In clock ticks since the boot: another process that got the pid later has another one. Null when unknown. */
  startTicks: string | null;
  /** Where pid and start mean the same: the boot, the pid namespace and the time namespace, hashed. Null when unknown. */
  space: string | null;
  /** Tells apart what has everything else in common. */
  nonce: string;
}

/** Whether a process exists; unknown where its pid means nothing to this process, and where too little is known of it. */
type Life = 'alive' | 'dead' | 'unknown';

const UNKNOWN = 'unknown';
/** The whole is part of names of files: these may have 255 bytes, and 143 where names are encrypted. */
const HOST_CHARACTERS = 64;
const FORM =
  /^(?<host>[^+:/\s]*)\+(?<pid>[1-9]\d{0,9})\+(?<startTicks>\d+|unknown)\+(?<space>[0-9a-f]{16}|unknown)\+(?<nonce>[0-9a-f]{8})$/;

let own: ProcessIdentity | null = null;

/** This process. Nothing of it changes while it lives, and it is read once. */
export function thisProcess(): ProcessIdentity {
  own ??= {
    host: encodeURIComponent(hostname()).slice(0, HOST_CHARACTERS),
    pid: process.pid,
    startTicks: startTicks(process.pid),
    space: ownSpace(),
    nonce: randomBytes(4).toString('hex'),
  };
  return own;
}

/** In letters, digits and signs that file names may have, without `:`. */
export function formatProcess({ host, pid, startTicks, space, nonce }: ProcessIdentity): string {
  return [host, pid, startTicks ?? UNKNOWN, space ?? UNKNOWN, nonce].join('+');
}

/** @returns null for whatever `formatProcess` did not write */
export function parseProcess(text: string): ProcessIdentity | null {
  const { host, pid, startTicks, space, nonce } = FORM.exec(text)?.groups ?? {};
  if (host === undefined || !pid || !startTicks || !space || !nonce) return null;
  return {
    host,
    pid: Number(pid),
    startTicks: startTicks === UNKNOWN ? null : startTicks,
    space: space === UNKNOWN ? null : space,
    nonce,
  };
}

/**
 * Dead is said only of a process that certainly does not exist any more: in the same boot and the same pid namespace there
 * is none with its pid, or one that started at another time. Null: one of which nothing is known.
 */
export function lifeOf(other: ProcessIdentity | null): Life {
  if (other === null || other.space === null || other.space !== thisProcess().space) return 'unknown';
  if (!exists(other.pid)) return 'dead';
  const start = startTicks(other.pid);
  if (start === null || other.startTicks === null) return 'unknown';
  return start === other.startTicks ? 'alive' : 'dead';
}

/**
 * What tells a process from a later one with the same pid: the boot it was started in, and when. Null where there is no
 * such process, or no /proc that knows it by this pid.
 */
export function processMark(pid: number): string | null {
  const boot = bootId();
  const start = startTicks(pid);
  return boot === null || start === null ? null : `${boot}/${start}`;
}

let ownClock: string | null | undefined;

/**
 * Names the clock that this process reads as CLOCK_MONOTONIC: readings of processes that give the same name can be compared,
 * whatever pid namespace they are in. Null where the system does not say (no /proc).
 */
export function monotonicClock(): string | null {
  if (ownClock === undefined) {
    const boot = bootId();
    ownClock = boot === null ? null : shortHash(boot, timeNamespace() ?? '');
  }
  return ownClock;
}

/**
 * Null where the system does not say (no /proc): a host name would not do instead. Namespaces have numbers of one kernel,
 * which are used again once nothing is left in them; a boot has an id that none has had before.
 */
function ownSpace(): string | null {
  const boot = bootId();
  const pids = pidNamespace();
  if (boot === null || pids === null) return null;
  return shortHash(boot, pids, timeNamespace() ?? '');
}

function shortHash(...parts: string[]): string {
  return createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 16);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
