import { maskUrls } from './secret-url.js';

/**
 * Text that came from outside (names, reasons, file names, what programs and servers answered), fit to be shown: nothing
 * in it moves the cursor, colours, hides, or changes the direction of what stands beside it, and no address in it tells a
 * credential. What cannot be seen is shown
 * as an escape, `\u202e`, rather than dropped, so that a reader notices it. (A text that itself spells out `\u202e` looks
 * the same; the log and `--json` tell the two apart.) Pure; what has passed once passes unchanged.
 *
 * Kept although invisible, because words are wrong without them and nothing else is affected: joiners and variation
 * selectors within an emoji, and joiners between two letters of scripts that write with them.
 */

/** Controls, format characters (also the directional ones), half surrogates, and what Unicode says to show as nothing. */
const HIDDEN = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]';
const EMOJI = '\\p{Extended_Pictographic}(?:[\\ufe0e\\ufe0f]|\\p{Emoji_Modifier})?';
const JOINING = [
  'Arabic',
  'Syriac',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Oriya',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
]
  .map((script) => `\\p{Script=${script}}`)
  .join('');
const LETTER = '[\\p{L}\\p{M}]';
const KEPT = [
  `${EMOJI}(?:\\u200d${EMOJI})*`,
  '[0-9#*]\\ufe0f\\u20e3',
  `(?<=${LETTER})(?<=[${JOINING}])[\\u200c\\u200d](?=${LETTER})(?=[${JOINING}])`,
];
const KEPT_OR_HIDDEN = new RegExp(`${KEPT.join('|')}|(${HIDDEN})`, 'gu');
const ANY_HIDDEN = new RegExp(HIDDEN, 'u');
const ALL_HIDDEN = new RegExp(HIDDEN, 'gu');

/** What ends a line or moves to a column; more than one together. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;

/** Text as a part of one line: what would end the line becomes a space. Runs of spaces stay, being layout. */
export function visible(text: string): string {
  if (!ANY_HIDDEN.test(text)) return maskUrls(text);
  const line = text.replace(BREAKS, ' ');
  return maskUrls(line).replace(KEPT_OR_HIDDEN, (found, hidden) => (hidden ? escaped(found) : found));
}

/** As `visible`, where several lines are meant: `\n` alone ends a line. */
export function visibleLines(text: string): string {
  return ANY_HIDDEN.test(text) ? text.split(/\r?\n/).map(visible).join('\n') : maskUrls(text);
}

/** As `visible`, with runs of white space as one space: a sentence within another. */
export function oneLine(text: string): string {
  return visible(text).replace(/\s+/gu, ' ').trim();
}

/** As `oneLine`, cut where it gets long: the log keeps the rest. */
export function clip(text: string, most = 240): string {
  const line = oneLine(text);
  return line.length <= most ? line : `${[...line].slice(0, most - 1).join('')}…`;
}

/** JSON with every hidden character within its strings as an escape: the same value, harmless on a terminal. */
export function visibleJson(json: string): string {
  return json.replace(ALL_HIDDEN, (found) => (found === '\n' ? found : [...halves(found)].map(unit).join('')));
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : unit(code);
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** JSON writes what lies beyond 16 bits as two. */
function* halves(character: string): Generator<number> {
  for (let i = 0; i < character.length; i++) yield character.charCodeAt(i);
}
