import { expect } from 'chai';
import type { LukhasError } from '../../../src/lib/errors.js';
import { parseText } from '../../../src/lib/input/text.js';

describe('a text in YAML or JSON', () => {
  it('has no key __proto__, which an object would swallow', async () => {
    for (const text of [
      'tasks:\n  __proto__: {command: [ls]}\n',
      'tasks:\n  "__proto__": 1\n',
      'a: [{b: {__proto__: 1}}]',
    ]) {
      const error = await parseText(text, 'lukhas.yaml', 'CONFIG').then(
        () => expect.fail('it was accepted'),
        (reason: LukhasError) => reason,
      );
      expect(error.code).to.equal('CONFIG');
      expect(error.message).to.match(/^lukhas\.yaml:[12]:\d+: __proto__ cannot be a key; choose another name$/);
    }
    expect(await parseText('a: __proto__\nconstructor: 1\n', 'x', 'CONFIG')).to.deep.equal({
      a: '__proto__',
      constructor: 1,
    });
  });

  it('is told to have selectors with braces in quotes, where YAML would read the braces', async () => {
    const error = await parseText('signals: { requests: all_total{code="200"} }\n', 'lukhas.yaml', 'CONFIG').then(
      () => expect.fail('it was accepted'),
      (reason: LukhasError) => reason,
    );
    expect(error.message).to.match(/^lukhas\.yaml:1:31: .*: put a text with braces or brackets in quotes, as in '/);
    expect(await parseText('signals: { requests: \'all_total{code="200"}\' }', 'x', 'CONFIG')).to.deep.equal({
      signals: { requests: 'all_total{code="200"}' },
    });
  });
});
