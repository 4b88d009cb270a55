export type Labels = Record<string, string>;

/**
 * Labels in one spelling, sorted: `{code="500",pod="a"}`. Names the series in messages and is its key in a cursor.
 * `without` leaves one label out (`le`: the buckets of one histogram share a key).
 */
export function showLabels(labels: Labels, without?: string): string {
  const names: string[] = [];
  let isSorted = true;
  for (const name in labels) {
    if (name === without) continue;
    isSorted &&= names.length === 0 || names[names.length - 1]! < name;
    names.push(name);
  }
  if (!isSorted) names.sort();
  let shown = '{';
  for (const name of names) shown += `${shown === '{' ? '' : ','}${name}=${JSON.stringify(labels[name])}`;
  return `${shown}}`;
}
