import stringWidth from 'string-width';
import { visible } from '../../lib/input/index.js';
import type { Tone } from '../../lib/view/index.js';

/** A piece of a line in one look. Made by `span` alone, so that its text is harmless and of the width that it seems to have. */
export interface Span {
  readonly text: string;
  readonly tone?: Tone | 'quiet';
  readonly bold?: boolean;
  readonly inverse?: boolean;
}

export type Look = Omit<Span, 'text'>;

/** One row of the terminal. */
export type Line = readonly Span[];

const PLAIN = /^[\x20-\x7e]*$/;
/** Our own characters too: each takes one column, and to measure them takes longer than to draw them. */
const NARROW = /^[\x20-\x7e\u2500-\u259f\u2800-\u28ff●○◐✓✗■⊘→…·▸▲]*$/;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Text from anywhere, as one part of a line. */
export function span(text: string, look: Look = {}): Span {
  return { text: shown(text), ...look };
}

/** A line of one look. */
export function line(text: string, look: Look = {}): Line {
  return [span(text, look)];
}

/**
 * What terminals disagree about is left out, or columns would not stand below one another: of an emoji made of several
 * (family, flag, skin colour) the first is shown.
 */
function shown(text: string): string {
  if (PLAIN.test(text)) return text;
  let out = '';
  for (const { segment } of graphemes.segment(visible(text))) out += isJoined(segment) ? simple(segment) : segment;
  return out;
}

const JOINED = /[\u200d\ufe0f\u20e3]|\p{Emoji_Modifier}|\p{Regional_Indicator}/u;
/** Marks above or below one letter that a terminal surely puts into its cell. */
const MOST_MARKS = 4;

function isJoined(segment: string): boolean {
  return segment.length > 1 && (JOINED.test(segment) || segment.length > MOST_MARKS);
}

function simple(segment: string): string {
  const first = String.fromCodePoint(segment.codePointAt(0)!);
  if (/\p{Regional_Indicator}/u.test(first)) return '□';
  return stringWidth(first) === 0 ? '' : first;
}

/** Columns that a text takes. */
export function widthOf(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth(text);
}

export function lineWidth(parts: Line): number {
  return parts.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** The beginning of a text that is `width` wide at most, with … where something is missing. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return '';
  let out = '';
  let taken = 0;
  for (const { segment } of graphemes.segment(text)) {
    const wide = widthOf(segment);
    if (taken + wide > width - 1) break;
    out += segment;
    taken += wide;
  }
  return `${out}…`;
}

/** Exactly `width` wide. */
export function column(text: string, width: number, look: Look = {}): Span {
  const safe = cut(shown(text), width);
  return { text: safe + ' '.repeat(Math.max(0, width - widthOf(safe))), ...look };
}

/** No wider than `width`. */
export function clipped(parts: Line, width: number): Line {
  if (lineWidth(parts) <= width) return parts;
  const out: Span[] = [];
  let left = width;
  for (const part of parts) {
    const wide = widthOf(part.text);
    if (wide < left) {
      out.push(part);
      left -= wide;
      continue;
    }
    out.push({ ...part, text: cut(wide > left || part !== parts.at(-1) ? `${part.text} ` : part.text, left) });
    break;
  }
  return out;
}

/** `left` and `right` at the two ends of a row; where they do not both fit, the left one is cut. */
export function ends(left: Line, right: Line, width: number): Line {
  const rightWidth = lineWidth(right);
  if (rightWidth + 2 > width) return clipped(right, width);
  const start = clipped(left, width - rightWidth - 1);
  return [...start, { text: ' '.repeat(width - rightWidth - lineWidth(start)) }, ...right];
}

/** Words in lines of at most `width`; a word that is longer is broken. */
export function wrapped(text: string, width: number, look: Look = {}, first = '', rest = first): Line[] {
  const lines: string[] = [];
  let current = first;
  let empty = true;
  const next = () => {
    lines.push(current);
    current = rest;
    empty = true;
  };
  for (let word of shown(text).split(' ')) {
    if (!empty && widthOf(current) + 1 + widthOf(word) > width) next();
    if (!empty) current += ' ';
    while (widthOf(current) + widthOf(word) > width) {
      const room = Math.max(2, width - widthOf(current));
      const head = cut(word, room + 1).slice(0, -1);
      if (head === '' || head.length >= word.length) break;
      current += head;
      word = word.slice(head.length);
      next();
    }
    current += word;
    empty = false;
  }
  lines.push(current);
  return lines.map((one) => [{ text: one, ...look }]);
}

/** Parts beside each other on as few lines as they need. */
export function flowed(parts: readonly Line[], gap: number, width: number, indent = 0): Line[] {
  const lines: Span[][] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && lineWidth(last) + gap + lineWidth(part) <= width)
      last.push({ text: ' '.repeat(gap) }, ...part);
    else lines.push([{ text: ' '.repeat(indent) }, ...part]);
  }
  return lines.map((one) => clipped(one, width));
}

export function lineText(parts: Line): string {
  return parts.map(({ text }) => text).join('');
}

export const BLANK: Line = [];
