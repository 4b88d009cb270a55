import type { Clock } from '../../../src/lib/clock.js';

/** A wall clock and a monotonic one, which are set and move apart from each other. */
export class TwoClocks implements Clock {
  constructor(
    public clockId: string | null,
    public wall = Date.parse('2026-03-01T12:00:00Z'),
    public mono = 1000,
  ) {}

  now(): number {
    return Math.round(this.wall);
  }

  monotonic(): number {
    return this.mono;
  }

  /** Time passes, for both. */
  pass(ms: number): void {
    this.wall += ms;
    this.mono += ms;
  }

  /** Whoever waits here does not move the clocks: the test does. */
  async sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
  }
}
