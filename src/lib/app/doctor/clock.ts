import type { Clock } from '../../clock.js';
import { pageUrl, type SourceDescriptor } from '../../metrics/index.js';
import { type Found, ok, skip, warn } from './check.js';

/** Beyond this, times of a source and of the log cannot be compared, ms. A Date header has whole seconds. */
const OFF_MS = 5000;
/** Wall clock and monotonic clock differ by more only where one was stepped, ms. */
const STEP_MS = 100;

/**
 * Notes both clocks. `clock.now()` goes by the monotonic one, so the wall clock is asked itself.
 * @param wall milliseconds since the epoch
 * @returns what has become of their difference since
 */
export function watchClock({ monotonic }: Pick<Clock, 'monotonic'>, wall: () => number = Date.now): () => Found {
  const [wallThen, monotonicThen] = [wall(), monotonic()];
  return () => {
    const step = Math.round(wall() - wallThen - (monotonic() - monotonicThen));
    if (Math.abs(step) <= STEP_MS) return ok('runs as evenly as the monotonic clock');
    return warn(`was stepped by ${step} ms while this ran`, 'Check the time service (chronyc tracking, timedatectl).');
  };
}

/** Addresses of a source that say what time it is there. */
export function addressesOf(source: SourceDescriptor): string[] {
  if (source.kind === 'prometheus') return [source.url];
  if (source.kind !== 'scrape') return [];
  return [...new Set([...source.canaryUrls, ...(source.baselineUrls ?? [])].map(pageUrl))];
}

/** Compares with the Date header of an answer, whatever else the answer is. */
export async function offsetFrom(address: string, clock: Clock, timeoutMs: number): Promise<Found> {
  const { host } = new URL(address);
  const { open } = await import('../../smoke/client.js');
  const { pathname, search, origin } = new URL(address);
  const sent = clock.now();
  try {
    const response = await open({ base: new URL(origin), key: null, timeoutMs }, `${pathname}${search}`, {
      method: 'HEAD',
    });
    const received = clock.now();
    response.destroy();
    const theirs = Date.parse(response.headers.date ?? '');
    if (Number.isNaN(theirs)) return skip(`${host} does not say what time it has`);
    // Whole seconds, cut off: the time lies in [theirs, theirs + 1 s), at a moment between sending and receiving.
    const off = theirs + 999 < sent ? theirs + 999 - sent : theirs > received ? theirs - received : 0;
    if (Math.abs(off) <= OFF_MS) return ok(`agrees with ${host}`);
    const seconds = Math.round(Math.abs(off) / 1000);
    return warn(
      `is ${seconds} s ${off > 0 ? 'behind' : 'ahead of'} that of ${host}`,
      'Set both by a time service: samples look stale, and times in the log are wrong.',
    );
  } catch {
    // Whether it answers is the source's check.
    return skip(`${host} does not answer, so its time is not known`);
  }
}
