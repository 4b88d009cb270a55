import { spawnSync } from 'node:child_process';
import { formatProcess, type ProcessIdentity, thisProcess } from '../../../src/lib/process/identity.js';

/** A holder of a process that has run on this machine, beside this one, and has ended. */
export function deadHolder(purpose?: string): string {
  return holderOf({ pid: spawnSync('/bin/true').pid }, purpose);
}

/** A holder of a process of which nobody here can tell whether it lives: in another container, say, with the same host name. */
export function strangeHolder(purpose?: string): string {
  return holderOf({ pid: spawnSync('/bin/true').pid, space: '0123456789abcdef' }, purpose);
}

function holderOf(changes: Partial<ProcessIdentity>, purpose?: string): string {
  const process = formatProcess({ ...thisProcess(), ...changes });
  return [process, '1', ...(purpose === undefined ? [] : [purpose])].join(':');
}
