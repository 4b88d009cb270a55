import { visible } from '../lib/input/index.js';

/** One line at the bottom of a terminal that is overwritten in place; null where there is no terminal. */
export function statusLine(stream: NodeJS.WriteStream): { update(line: string): void; clear(): void } | null {
  if (!stream.isTTY) return null;
  return {
    update(line) {
      const width = Math.max(20, (stream.columns || 80) - 1);
      stream.write(`\r\u001b[K${[...visible(line)].slice(0, width).join('')}`);
    },
    clear() {
      stream.write('\r\u001b[K');
    },
  };
}
