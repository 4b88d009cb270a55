/** Time as a parameter: everything that waits or stamps takes one of these. */
export interface Clock {
  /** Milliseconds since the epoch; never runs backwards within a process. */
  now(): number;
  /**
   * Milliseconds of CLOCK_MONOTONIC (clock_gettime(2)): on Linux one clock for all processes of a boot and time namespace.
   * No step of the wall clock changes it, and it stands still while the machine is suspended, as its processes do.
   */
  monotonic(): number;
  /** Names the clock that `monotonic` reads, where it is not this machine's; readings of one name can be compared. */
  readonly clockId?: string | null;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. Leaves no timer behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The wall clock at start, advanced by the monotonic one: a step of the wall clock neither skips nor repeats a tick. */
export function systemClock(): Clock {
  const anchor = Date.now() - performance.now();
  return {
    now: () => Math.round(anchor + performance.now()),
    // Not performance.now(), which counts from the start of each process.
    monotonic: () => Number(process.hrtime.bigint()) / 1e6,
    async sleep(ms, signal) {
      const { setTimeout: wait } = await import('node:timers/promises');
      await wait(Math.max(0, ms), undefined, signal ? { signal } : {});
    },
  };
}

/** RFC 3339 in UTC with milliseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
