export type Labels = Record<string, string>;

/**
 * Labels in one spelling, sorted: `{code="500",pod="a"}`. Names the series in messages and is its key in a cursor.
 * `without` leaves one label out (`le`: the buckets of one histogram share a key).
 */
export function showLabels(labels: Labels, without?: string): string {
  const names = Object.keys(labels).filter((name) => name !== without);
  names.sort();
  return `{${names.map((name) => `${name}=${JSON.stringify(labels[name])}`).join(',')}}`;
}
