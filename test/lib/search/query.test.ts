import Database from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import { expressionsOf, termsOf } from '../../../src/lib/search/query.js';

describe('a query', () => {
  it('is never taken for syntax, whatever is in it', () => {
    const db = new Database(':memory:');
    db.exec("CREATE VIRTUAL TABLE t USING fts5 (title, body, tokenize = 'porter unicode61 remove_diacritics 2')");
    db.exec("INSERT INTO t VALUES ('fraud-v2', 'rolled back')");
    const match = db.prepare('SELECT rowid FROM t WHERE t MATCH ?');
    const syntax = fc.constantFrom(
      '"',
      "'",
      '*',
      '^',
      '(',
      ')',
      ' AND ',
      ' OR ',
      ' NOT ',
      'NEAR(',
      '{title}:',
      '-',
      '+',
      '\0',
      ',',
      ':',
      'a',
    );
    const any = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.array(syntax, { maxLength: 40 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 5 }).map((text) => text.repeat(2000)),
    );
    fc.assert(
      fc.property(any, (text) => {
        const expressions = expressionsOf(text);
        if (expressions === null) return;
        match.all(expressions.all);
        match.all(expressions.any);
      }),
      { numRuns: 2000 },
    );
    db.close();
  });

  it('keeps names whole and lets the last word be a beginning', () => {
    expect(expressionsOf('rolled fraud-v2.')).to.deep.equal({
      all: '"rolled" AND "fraud-v2"*',
      any: '"rolled" OR "fraud-v2"*',
    });
    expect(termsOf('why c-m8k2x0, "stage" -> model@2:a/b?')).to.deep.equal(['why', 'c-m8k2x0', 'stage', 'model@2:a/b']);
  });

  it('without a word has nothing to look for', () => {
    for (const empty of ['', '  ', '*', '"', '-> "" ()', '\0']) expect(expressionsOf(empty)).to.equal(null);
  });
});
