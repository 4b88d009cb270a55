/** Where a key leads from a place in a list or a text; null: it is not a key that moves. */
export function moved(key: string, at: number, { last, page }: { last: number; page: number }): number | null {
  const to = (place: number) => Math.max(0, Math.min(last, place));
  switch (key) {
    case 'j':
    case 'down':
      return to(at + 1);
    case 'k':
    case 'up':
      return to(at - 1);
    case 'pageDown':
    case ' ':
      return to(at + page);
    case 'pageUp':
      return to(at - page);
    case 'g':
    case 'home':
      return 0;
    case 'G':
    case 'end':
      return to(last);
    default:
      return null;
  }
}
