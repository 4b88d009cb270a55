import type { Line } from './line.js';
import { widthOf } from './line.js';

/** What stands in for our own characters where the locale has no Unicode; each as wide as what it replaces. */
const INSTEAD: Readonly<Record<string, string>> = {
  '●': '*',
  '○': 'o',
  '◐': '*',
  '✓': '+',
  '✗': 'x',
  '■': '#',
  '⊘': '/',
  '→': '>',
  '…': '~',
  '·': '-',
  '─': '-',
  '━': '=',
  '│': '|',
  '└': '+',
  '┤': '|',
  '▸': '>',
  '▲': '^',
  '█': '#',
  '▓': '#',
  '▒': '=',
  '░': '.',
  '▁': '_',
  '▂': '_',
  '▃': '.',
  '▄': '-',
  '▅': '-',
  '▆': '=',
  '▇': '=',
  '’': "'",
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: what is not ASCII
const OTHER = /[^\x00-\x7f]/gu;

export function inAscii(parts: Line): Line {
  return parts.map((part) => ({ ...part, text: part.text.replace(OTHER, instead) }));
}

function instead(character: string): string {
  const code = character.codePointAt(0)!;
  // Braille: dots of a chart, those below look lower.
  if (code >= 0x2800 && code <= 0x28ff) return code === 0x2800 ? ' ' : (code & 0b00011011) !== 0 ? "'" : '.';
  return INSTEAD[character] ?? '?'.repeat(widthOf(character));
}

/** Whether the locale says that the terminal shows Unicode, as other programs read it. */
export function hasUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale) || (process.platform !== 'linux' && locale === '');
}
