import { overwrite } from './screen.js';

/** One line at the bottom of a terminal that is overwritten in place; null where there is no terminal. */
export function statusLine(stream: NodeJS.WriteStream): { update(line: string): void; clear(): void } | null {
  if (!stream.isTTY) return null;
  return {
    update: (line) => overwrite(stream, line),
    clear: () => overwrite(stream, null),
  };
}
