import { visible } from '../lib/input/index.js';
import { block, type Styled } from './screen.js';

/** Columns as wide as their widest cell; what a cell holds cannot break the layout. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): Styled {
  const clean = [head, ...rows].map((row) => row.map(visible));
  const widths = head.map((_, i) => Math.max(...clean.map((row) => row[i]?.length ?? 0)));
  return block(
    clean.map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
  );
}
