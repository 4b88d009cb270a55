import { expect } from 'chai';
import fc from 'fast-check';
import { clip, oneLine, visible, visibleJson, visibleLines } from '../../../src/lib/input/visible.js';

const NAMED = [
  ['an escape sequence', '\u001b[2J', String.raw`\u001b[2J`],
  ['an escape sequence of one control character', '\u009b31m', String.raw`\u009b31m`],
  ['a bell, a null, a delete', '\u0007\u0000\u007f', String.raw`\u0007\u0000\u007f`],
  ['marks of direction', '\u202a\u202b\u202c\u202d\u202e', String.raw`\u202a\u202b\u202c\u202d\u202e`],
  ['isolates', '\u2066\u2067\u2068\u2069', String.raw`\u2066\u2067\u2068\u2069`],
  ['single marks of direction', '\u200e\u200f\u061c', String.raw`\u200e\u200f\u061c`],
  ['spaces without width', 'a\u200bb\ufeffc\u2060', String.raw`a\u200bb\ufeffc\u2060`],
  ['joiners where nothing is joined', 'pro\u200dduc\u200ction', String.raw`pro\u200dduc\u200ction`],
  ['letters that are shown as nothing', 'a\u3164\u115f\u034fb', String.raw`a\u3164\u115f\u034fb`],
  ['text hidden in tags', 'ok\u{e0069}\u{e006e}', String.raw`ok\u{e0069}\u{e006e}`],
  ['variants of what is no emoji', 'a\ufe0fb\u{e0100}', String.raw`a\ufe0fb\u{e0100}`],
  ['half a surrogate pair', 'a\ud800', String.raw`a\ud800`],
] as const;

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Joiners and variation selectors, whose company the examples are about. */
const WITHIN_WORDS = /\u200c|\u200d|\ufe0e|\ufe0f/g;

const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.string({ maxLength: 5 }),
      fc.constantFrom(...NAMED.map(([, raw]) => raw)),
      fc.constantFrom('\n', '\r\n', '\t', '\u0085', '\u2028', '👩', '\u200d', '\ufe0f', 'م', '\u200c', '\\u202e'),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('text from outside', () => {
  for (const [what, raw, shown] of NAMED)
    it(`shows ${what} as an escape`, () => {
      expect(visible(raw)).to.equal(shown);
    });

  it('is left as it is where all of it can be seen', () => {
    for (const plain of ['', 'fraud-v2', 'naïve  Größe → 3 µs', 'עברית', '日本語', 'क्षण'])
      expect(visible(plain)).to.equal(plain);
  });

  it('keeps what emoji and words are written with', () => {
    for (const written of ['👩‍👩‍👧', '❤️ 👍🏽', '1️⃣', '🏳️‍🌈', 'می‌خواهم', 'क्‍ष', 'ශ්‍රී'])
      expect(visible(written), written).to.equal(written);
  });

  it('is one line, whatever ends lines in it', () => {
    expect(visible('a\nb\r\nc\td\u0085e\u2028f\u2029\u000bg')).to.equal('a b c d e f g');
    expect(visible('a    b')).to.equal('a    b');
    expect(oneLine('  a \n\n  b\u00a0 ')).to.equal('a b');
  });

  it('is several lines where those are meant, and no other', () => {
    expect(visibleLines('a\r\nb\n\u001b[Hc\rd\u2028e')).to.equal('a\nb\n\\u001b[Hc d e');
  });

  it('is cut between characters', () => {
    expect(clip('🙂'.repeat(300), 10)).to.equal(`${'🙂'.repeat(9)}…`);
    expect(clip('short\u0007')).to.equal('short\\u0007');
  });

  it('never holds what cannot be seen, and passes a second time unchanged', () => {
    fc.assert(
      fc.property(text, (raw) => {
        for (const show of [visible, visibleLines, oneLine]) {
          const shown = show(raw);
          expect(shown.replaceAll('\n', '').replace(WITHIN_WORDS, '')).not.to.match(HIDDEN);
          expect(show(shown)).to.equal(shown);
        }
        expect(visible(raw) + oneLine(raw)).not.to.include('\n');
      }),
      { numRuns: 500 },
    );
  });

  it('is the same value in JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), text, (value, raw) => {
        const document = { value, [raw]: [raw] };
        const json = visibleJson(JSON.stringify(document, null, 2));
        expect(JSON.parse(json)).to.deep.equal(JSON.parse(JSON.stringify(document)));
        expect(json.replaceAll('\n', '')).not.to.match(HIDDEN);
      }),
    );
  });
});
