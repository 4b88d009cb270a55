import { globSync, writeFileSync } from 'node:fs';

/**
 * The environment of a process whose wall clock is stepped by what stands in `clockFile`; its monotonic clock goes on as it is.
 * @param clockFile made here, with no step
 * @throws Error where libfaketime is not installed: the clock would never be stepped, and every test would pass
 */
export function faketime(clockFile: string): Record<string, string> {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
  if (library === undefined) throw new Error('libfaketime is not installed');
  stepClock(clockFile, '+0');
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

/** @param step seconds that the wall clock differs from that of the machine by, with its sign, e.g. `+600` */
export function stepClock(clockFile: string, step: string): void {
  writeFileSync(clockFile, `${step}\n`);
}
