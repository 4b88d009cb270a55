/** What the demo's tests read of a metrics page with a plain regular expression, on purpose not the product's parser. */
interface Histogram {
  bounds: number[];
  /** Not cumulative; the last one is above the last finite bound. */
  counts: number[];
  total: number;
}

export async function scrape(url: string): Promise<string> {
  const response = await fetch(url);
  return response.text();
}

export function sample(page: string, name: string): number {
  const found = new RegExp(`^${name}\\{gate="[^"]+",model="[^"]+"\\} (\\S+)$`, 'm').exec(page);
  if (found === null) throw new Error(`no sample of ${name} in:\n${page}`);
  return Number(found[1]);
}

export function histogram(page: string, name: string): Histogram {
  const lines = [...page.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)",[^}]*\\} (\\S+)$`, 'gm'))];
  const cumulative = lines.map((line) => Number(line[2]));
  return {
    bounds: lines.slice(0, -1).map((line) => Number(line[1])),
    counts: cumulative.map((count, i) => count - (cumulative[i - 1] ?? 0)),
    total: cumulative.at(-1) ?? 0,
  };
}

export function shareAbove(reading: Histogram, bound: number): number {
  const position = reading.bounds.indexOf(bound);
  if (position === -1) throw new Error(`${bound} is not a bucket bound of ${reading.bounds}`);
  return reading.counts.slice(position + 1).reduce((sum, count) => sum + count, 0) / reading.total;
}

/** Population stability index with half-count smoothing. */
export function psi(actual: readonly number[], expected: readonly number[]): number {
  const share = (counts: readonly number[], i: number): number => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return ((counts[i] ?? 0) + 0.5) / (total + counts.length / 2);
  };
  return actual.reduce((sum, _, i) => {
    const p = share(actual, i);
    const q = share(expected, i);
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}
