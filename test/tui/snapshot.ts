import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Line, lineText } from '../../src/tui/draw/line.js';

const FOLDER = fileURLToPath(new URL('../snapshots/tui', import.meta.url));

/** Text of a screen beside that which is kept; `UPDATE_GOLDEN=1` keeps what is there now. */
export function expectScreen(name: string, lines: readonly Line[]): void {
  const text = `${lines.map((line) => lineText(line).trimEnd()).join('\n')}\n`;
  const path = join(FOLDER, `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(existsSync(path), `${path} is kept (UPDATE_GOLDEN=1 writes it)`).to.equal(true);
  expect(text).to.equal(readFileSync(path, 'utf8'));
}
