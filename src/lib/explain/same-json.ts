/**
 * Whether two values have the same canonical JSON (RFC 8785): numbers and texts are equal, members are the same in any order,
 * and one that is undefined is not there.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [a, b].map((value) => Object.entries(value).filter(([, member]) => member !== undefined));
  const members = new Map(other);
  return (
    one!.length === members.size &&
    one!.every(([name, member]) => members.has(name) && sameJson(member, members.get(name)))
  );
}
