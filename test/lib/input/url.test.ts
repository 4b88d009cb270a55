import { expect } from 'chai';
import fc from 'fast-check';
import { parseUrl, urlProblem } from '../../../src/lib/input/url.js';

const PAGE = { example: 'http://h/metrics', instead: 'use a header' };
const BASE = { ...PAGE, isBase: true };

describe('an address that a person wrote', () => {
  it('is http or https, with whatever path it has', () => {
    for (const text of ['http://h', 'https://h:1/a/b', 'http://[::1]:9090/', 'HTTP://H/m?format=text#top'])
      expect(urlProblem(text, PAGE), text).to.equal(null);
    expect(parseUrl('http://h:1/a', '--url', 'USAGE', BASE).href).to.equal('http://h:1/a');
  });

  for (const [text, problem] of [
    ['', 'is not a URL; write e.g. http://h/metrics'],
    ['localhost', 'is not a URL; write e.g. http://h/metrics'],
    ['localhost:9090', 'must start with http:// or https://, e.g. http://h/metrics'],
    ['file:///etc/passwd', 'must start with http:// or https://, e.g. http://h/metrics'],
    ['http://me@h', 'contains a user name or password, which would be recorded; use a header'],
    ['https://:secret@h', 'contains a user name or password, which would be recorded; use a header'],
  ] as const)
    it(`is not ${JSON.stringify(text)}`, () => {
      for (const rules of [PAGE, BASE]) expect(urlProblem(text, rules)).to.equal(problem);
      expect(() => parseUrl(text, '--url', 'USAGE', PAGE))
        .to.throw(`--url: ${problem}`)
        .with.property('code', 'USAGE');
    });

  it('has neither query nor fragment where paths are added to it', () => {
    for (const text of ['http://h?x=1', 'http://h/#a', 'http://h/a?b'])
      expect(urlProblem(text, BASE), text).to.match(/^must not have a query or fragment/);
  });

  it('is not repeated in what is said of it: it may hold a secret', () => {
    const secret = 'hunter2';
    const text = fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }).map((url) => `${url}${secret}`),
      fc.constantFrom(
        `http://${secret}@h`,
        `http://a:${secret}@h`,
        `ftp://${secret}`,
        secret,
        `http://h?key=${secret}`,
      ),
    );
    fc.assert(
      fc.property(text, (url) => {
        for (const rules of [PAGE, BASE]) expect(urlProblem(url, rules) ?? '').not.to.include(secret);
      }),
    );
  });
});
