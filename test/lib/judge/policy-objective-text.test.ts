import { expect } from 'chai';
import fc from 'fast-check';
import { parseObjectiveText } from '../../../src/lib/judge/objective-text.js';

describe('objectives as text', () => {
  it('reads back what it is shown, whatever the spaces', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.]{0,20}$/);
    const space = fc.constantFrom('', ' ', '   ', '\t');
    const op = fc.constantFrom('<', '<=', '>', '>=');
    const value = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0);
    fc.assert(
      fc.property(name, op, value, space, space, (name, op, value, before, after) => {
        const read = parseObjectiveText(`${before}${name}${after}${op}${before}${value}${after}`);
        expect(read).to.deep.equal({ ok: true, objective: { name, op, value } });
      }),
    );
  });

  const wrong: [string, number][] = [
    ['', 1],
    ['95th < 3', 1],
    ['a =< 3', 3],
    ['a <> 3', 3],
    ['a < three', 5],
    ['a < 3 && b < 2', 7],
    ['a < 3 < 4', 7],
    ['p(95) < 3', 2],
    ['a < 0x10', 6],
  ];
  for (const [text, column] of wrong) {
    it(`points at column ${column} of ${JSON.stringify(text)}`, () => {
      const read = parseObjectiveText(text);
      expect(read.ok).to.equal(false);
      expect(read.ok ? '' : read.message).to.contain(` at column ${column}, found `);
    });
  }

  it('refuses a number that has no value', () => {
    const read = parseObjectiveText('a < 1e999');
    expect(read.ok ? '' : read.message).to.contain('the number 1e999 is too large');
  });
});
