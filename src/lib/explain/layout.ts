/** Columns of a terminal; null for a pipe or a file, where lines are not broken. Everything here is pure. */
export type Width = number | null;

/** Column at which a headline ends, on a terminal that is wide enough and where there is none. */
const HEADLINE = 84;

/** Lines of at most `width` characters, broken between words; a longer word stands alone. */
export function wrap(text: string, width: Width, first: string, rest = first): string[] {
  if (width === null) return [first + text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const indent = lines.length === 0 ? first : rest;
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, (lines.length === 0 ? first : rest) + line];
}

/** `left` and `right` at the two ends of a line, or one below the other where they do not fit. */
export function spread(left: string, right: string, width: Width): string[] {
  if (right === '') return wrap(left, width, '');
  const gap = Math.min(width ?? HEADLINE, HEADLINE) - left.length - right.length;
  if (gap >= 2 || width === null) return [`${left}${' '.repeat(Math.max(2, gap))}${right}`];
  return [...wrap(left, width, ''), ...wrap(right, width, '  ')];
}

/** Parts beside each other, `gap` spaces apart, on as few lines as they need; a part is not broken where it fits a line. */
export function flow(parts: readonly string[], gap: number, width: Width, indent: string): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joined = last === undefined ? null : `${last}${' '.repeat(gap)}${part}`;
    if (joined !== null && (width === null || joined.length <= width)) lines[lines.length - 1] = joined;
    else lines.push(indent + part);
  }
  return lines.flatMap((line) => wrap(line.slice(indent.length), width, indent, `${indent}  `));
}
