import { expect } from 'chai';
import fc from 'fast-check';
import { annotatedYaml, parseText } from '../../../src/lib/input/index.js';

describe('annotatedYaml', () => {
  const written = (value: Record<string, unknown>, lines: string[] = []) =>
    annotatedYaml({ head: ['A file.'], value, notes: [{ at: ['a', 'b'], lines }] });

  it('puts comments above the keys that they are about', async () => {
    const text = await written({ a: { b: 'x{y="z"}', c: null }, d: 3 }, ['seen: 1, 2', 'check this']);
    expect(text).to.equal('# A file.\n\na:\n  # seen: 1, 2\n  # check this\n  b: x{y="z"}\n  c: null\nd: 3\n');
  });

  it('is read again as it was, and holds nothing that cannot be seen, whatever it says', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'a\nb: 1',
        '# no',
        '\u001b[31mred',
        '\u202eback',
        '"',
        "'",
        '- x',
        'no',
        '1',
        '',
        ' a ',
        '\u0085',
        '\ufeff',
        '%',
      ),
    );
    await fc.assert(
      fc.asyncProperty(text, text, text, async (key, value, comment) => {
        fc.pre(key !== '__proto__' && !/\p{Cs}/u.test(key + value));
        const yaml = await written({ a: { b: value, [`k${key}`]: { c: { [`l${key}`]: value } } } }, [comment]);
        expect(await parseText(yaml, 'x', 'CONFIG')).to.deep.equal({
          a: { b: value, [`k${key}`]: { c: { [`l${key}`]: value } } },
        });
        expect(yaml).not.to.match(/[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
      { numRuns: 300 },
    );
  });
});
