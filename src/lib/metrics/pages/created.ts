import { type Labels, showLabels } from '../labels.js';
import type { Sample } from '../signals/index.js';

const CREATED = '_created';
const SUFFIXES = ['', '_total', '_bucket', '_count', '_sum'];
const SUFFIX = /_(?:total|bucket|count|sum)$/;
/** Of the year 2000, seconds since the epoch: below it a number is a count of things created, and no time. */
const EARLIEST = 946_684_800;
const LATEST = 8.64e12;

/**
 * When series were created, as `NAME_created` says for each set of labels of the family NAME: in OpenMetrics 1.0 (section
 * "Counter"), and as gauges of their own in the text format of several clients. Values are seconds since the epoch.
 */
export class CreatedTimes {
  private readonly isWanted = new Map<string, boolean>();
  /** By base name, then by labels; milliseconds since the epoch. */
  private readonly times = new Map<string, Map<string, number>>();

  constructor(private readonly wanted: (name: string) => boolean) {}

  /** Whether the name is that of times of creation of what is wanted. */
  wants(name: string): boolean {
    if (!name.endsWith(CREATED)) return false;
    let wants = this.isWanted.get(name);
    if (wants === undefined) {
      const base = name.slice(0, -CREATED.length);
      wants = base !== '' && SUFFIXES.some((suffix) => this.wanted(base + suffix));
      this.isWanted.set(name, wants);
    }
    return wants;
  }

  note({ name, labels, value }: Sample): void {
    if (!this.wants(name) || !(value >= EARLIEST && value <= LATEST)) return;
    this.set(name.slice(0, -CREATED.length), labels, Math.round(value * 1000));
  }

  /** @param t milliseconds since the epoch */
  set(base: string, labels: Labels, t: number): void {
    const times = this.times.get(base) ?? new Map<string, number>();
    this.times.set(base, times.set(showLabels(labels), t));
  }

  /** Sets `created` of the samples whose time is known. @returns the same samples */
  given(samples: Sample[]): Sample[] {
    if (this.times.size === 0) return samples;
    for (const sample of samples) {
      const { name, labels } = sample;
      const times = this.times.get(name) ?? this.times.get(name.replace(SUFFIX, ''));
      const created = times?.get(showLabels(labels, name.endsWith('_bucket') ? 'le' : undefined));
      if (created !== undefined) sample.created = created;
    }
    return samples;
  }
}
