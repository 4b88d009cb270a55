import { expect } from 'chai';
import fc from 'fast-check';
import { maskedJson, maskUrls, secretPart } from '../../../src/lib/input/secret-url.js';
import { urlProblem } from '../../../src/lib/input/url.js';
import { visible, visibleLines } from '../../../src/lib/input/visible.js';
import { cases } from '../../cases.js';

const USER = 'a user name or password';
const PATH = 'a token or key in its path';
const QUERY = 'a token or key in its query or fragment';
const UUID = '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d';

describe('credentials in an address', () => {
  const secret: [string, string][] = [
    ['https://me@h/', USER],
    ['https://me:pw@h/', USER],
    ['https://:pw@h/', USER],
    ['postgres://me:pw@db/x', USER],
    ['ssh://git:pw@h/r', USER],
    ['https://h/m?token=s', QUERY],
    ['https://h/m?a=1&access_token=s', QUERY],
    ['https://h/m?a=1;apiKey=s', QUERY],
    ['https://h/m?%74oken=s', QUERY],
    ['https://h/m?X-Amz-Signature=s', QUERY],
    ['https://h/m?AWSAccessKeyId=s', QUERY],
    ['https://h/m?sv=1&sig=s', QUERY],
    ['https://h/m?clientsecret=s', QUERY],
    ['https://h/m?code=0123456789abcdefghij==', QUERY],
    ['https://h/m?x=ghp_0123456789abcdefghij', QUERY],
    ['https://h/m?ghp_0123456789abcdefghij', QUERY],
    ['https://h/m?h=Bearer%20abcdefgh', QUERY],
    ['https://h/#access_token=s', QUERY],
    ['https://h/#/callback?password=s', QUERY],
    ['https://hooks.slack.com/services/T0/B0/s', PATH],
    ['https://HOOKS.slack.com:443/workflows/s', PATH],
    ['https://discord.com/api/webhooks/1/s', PATH],
    ['https://acme.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d', PATH],
    ['https://api.telegram.org/bot123:s/sendMessage', PATH],
    ['https://chat.example.com/hooks/abcdefghijklmnopqrstuvwxyz', PATH],
    ['https://hooks.zapier.com/hooks/catch/1/s', PATH],
    [`https://n8n.example.com/webhook/${UUID}`, PATH],
    ['https://h/api/token/0123456789abcdef/send', PATH],
    ['https://h/m;token=s/x', PATH],
    ['https://h/eyJhbGciOi.eyJzdWIi.c2ln/x', PATH],
    ['https://h/backup-ghp_0123456789abcdefghij', PATH],
    ['https://h/v1/tokens/0123456789abcdef0123', PATH],
    ['https://h/fetch/https://me:pw@other/x', PATH],
    ['https://ghp_0123456789abcdefghij.example.com/m', USER],
    ['https://h/m?passcode=s', QUERY],
    ['https://h/m?authtok=s', QUERY],
    ['https://h/m?userpass=s', QUERY],
    ['https://h/m?cred=s', QUERY],
    ['https://h/m?url=https://me:pw@other/', QUERY],
    ['https://h/m?url=https%3A%2F%2Fme%3Apw%40other%2F', QUERY],
    ['https://h/m?url=https%253A%252F%252Fme%253Apw%2540other%252F', QUERY],
    ['https://h/m?url=https%3A%2F%2Fother%2F%3Ftoken%3Ds', QUERY],
    ['https://h/m?a=b%26token=s', QUERY],
    [`docker://me:pw@ghcr.io/acme/fraud:v2@sha256:${'0123456789abcdef'.repeat(4)}`, USER],
    [`docker://me:pw@fraud@sha256:${'0123456789abcdef'.repeat(4)}`, USER],
  ];
  for (const [url, part] of secret)
    it(`are found in ${url}`, () => {
      expect(secretPart(url)).to.equal(part);
      const shown = maskUrls(`at ${url}, they say`);
      expect(shown).to.match(/^at [a-z]+:\/\/.*\*\*\*.*, they say$/);
      expect(secretPart(maskUrls(url))).to.be.oneOf([null, USER]);
      expect(maskUrls(shown)).to.equal(shown);
    });

  for (const url of [
    'http://127.0.0.1:9090/prom',
    'https://h/metrics?format=text&name[]=model_latency#top',
    'https://h/m?author=ana&monkey=1&max_tokens=5&keyword=x&country_code=de',
    'https://h/m?token=',
    'https://ops.example.com/hooks/lukhas-production',
    'https://h/services/fraud-v2/metrics',
    'https://h/webhook/lukhas-production-gate-1',
    'https://h/sk-learn-model-v2-production/metrics',
    'https://h/api/keys/abc',
    'ssh://git@example.com/repository.git',
    'https://slack.com/help',
    'https://hooks.slack.com',
    'https://h/m?url=https%3A%2F%2Fother%2F%3Fpage%3D2',
    'https://h/risk-scores-of-the-quarter-2026/metrics',
    'https://h/m?time=12:30&at=a@b',
    'https://h/m?match[]=model_latency%7Bgate%3D%22a%3Bb%22%7D',
    'https://asiapacificmonitoring.example.com/metrics',
    'https://h/eyjafjallajokull.volcano.is/x',
    `oci://ghcr.io/acme/fraud:v2@sha256:${'0123456789abcdef'.repeat(4)}`,
    `docker://fraud:v2@sha256:${'0123456789abcdef'.repeat(4)}`,
    `https://h/m?image=acme%2Ffraud%3Av2%40sha256%3A${'0123456789abcdef'.repeat(4)}`,
    `https://h/m?image=fraud%3Av2%40sha256%3A${'0123456789abcdef'.repeat(4)}`,
    'https://h/m?url=https%253A%252F%252Fother%252F%253Fpage%253D2',
  ])
    it(`are not seen where there are none: ${url}`, () => {
      expect(secretPart(url)).to.equal(null);
      expect(maskUrls(`(${url}).`)).to.equal(`(${url}).`);
    });

  it('are found behind a character that no scheme begins with', () => {
    expect(maskUrls('_https://me:pw@h/x 1https://me:pw@h/x')).to.equal('_https://***@h/x 1https://***@h/x');
  });

  /** An address in the query of another, and so on. */
  function nested(count: number, inner: string): string {
    let url = inner;
    for (let k = 0; k < count; k++) url = `http://h?a=${encodeURIComponent(url)}`;
    return url;
  }

  it('are found in an address within an address; what is in too many counts as one', () => {
    for (const count of [1, 2]) {
      expect(secretPart(nested(count, 'http://h/?page=2'))).to.equal(null);
      expect(secretPart(nested(count, 'http://h/?token=s'))).to.equal(QUERY);
    }
    for (const count of [5, 12]) expect(secretPart(nested(count, 'http://h/'))).to.equal(QUERY);
  });

  it('are looked for in a time that grows with the text, whatever is in it', () => {
    const long = 100_000;
    const texts = [
      nested(40, 'http://h/'),
      `http://h/${'%25'.repeat(20)}41`,
      `http://h?a=${'%252526'.repeat(long / 10)}`,
      `http://h/${'http://h?a=b&'.repeat(long / 20)}`,
      `http://h?a=b&${'a;b='.repeat(long / 10)}`,
      `${'a.'.repeat(long)} x://`,
      `http://h/${'.)'.repeat(long)}x`,
      `http://h/${'-eyJabcde'.repeat(long / 10)}`,
      `http://h/eyJabcde.${'-eyJabcde'.repeat(long / 10)}`,
      `http://h/${'sk-ant-'.repeat(long / 10)}`,
      `http://h/${'/hooks/T0/B0'.repeat(long / 20)}`,
    ];
    for (const text of texts) {
      const shown = maskUrls(text);
      expect(maskUrls(shown), text.slice(0, 60)).to.equal(shown);
    }
    expect(maskUrls(nested(40, 'http://h/'))).to.equal('http://h?a=***');
  });

  it('are masked once, however addresses are nested', () => {
    const url = fc.letrec<{ url: string }>((tie) => ({
      url: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(
          'http://h/',
          'http://h/?page=2',
          'x://me:pw@h',
          'http://h?token=s',
          'a;b=c',
          '%2540',
          'b@c:d@e',
        ),
        fc
          .tuple(
            tie('url'),
            fc.nat(2),
            fc.constantFrom('http://h?a=', 'http://h/', 'http://h/p/', 'h#', 'x://', 'a&b='),
          )
          .map(([inner, times, before]) => {
            let text = inner;
            for (let k = 0; k < times; k++) text = encodeURIComponent(text);
            return before + text;
          }),
      ),
    })).url;
    fc.assert(
      fc.property(url, (text) => {
        const shown = maskUrls(text);
        expect(maskUrls(shown)).to.equal(shown);
      }),
      { numRuns: cases(500) },
    );
  });

  const token = fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/).map((text) => `s3cr3t${text}`);
  const holding = fc.tuple(
    token,
    fc.constantFrom(
      (s: string) => `https://${s}@host/x`,
      (s: string) => `https://ana:${s}@host/x?y=1`,
      (s: string) => `https://host/x?token=${s}`,
      (s: string) => `https://host/x?a=1&api_key=${s}&b=2`,
      (s: string) => `https://host/x?sig=${s}#top`,
      (s: string) => `https://host/x#id_token=${s}`,
      (s: string) => `https://hooks.slack.com/services/T1/B2/${s}`,
      (s: string) => `https://discord.com/api/webhooks/12/${s}`,
      (s: string) => `https://api.telegram.org/bot12:${s}/sendMessage`,
    ),
  );

  it('are refused, and in no message', () => {
    fc.assert(
      fc.property(holding, fc.boolean(), ([secretText, make], isBase) => {
        const problem = urlProblem(make(secretText), { example: 'http://h', isBase, instead: 'use a header' });
        expect(problem).to.match(/^contains a .*, which would be recorded; use a header$/);
        expect(problem).not.to.include(secretText);
      }),
      { numRuns: cases(200) },
    );
  });

  it('are shown nowhere: not in a line, a text of several, nor a document, wherever the address stands', () => {
    const around = fc.constantFrom<[string, string]>(
      ['', ''],
      ['see ', ', and then'],
      ['{"url":"', '"}'],
      ['(', ').'],
      ['line\n', '\nline'],
      ['<a href="', '">'],
      ['`', '`'],
    );
    fc.assert(
      fc.property(holding, around, ([secretText, make], [before, after]) => {
        const text = before + make(secretText) + after;
        const shown = [visible(text), visibleLines(text), maskedJson({ a: [text] })];
        for (const each of shown) expect(each).not.to.include(secretText);
        expect(maskUrls(maskUrls(text))).to.equal(maskUrls(text));
      }),
      { numRuns: cases(200) },
    );
  });

  it('are all that is changed: any other text stays as it is', () => {
    const plain = fc.string({ unit: 'grapheme' }).filter((text) => !/[@=]|:[\\/]/.test(text));
    fc.assert(
      fc.property(plain, (text) => {
        expect(maskUrls(text)).to.equal(text);
        expect(maskUrls(`https://example.com/ ${text}`)).to.equal(`https://example.com/ ${text}`);
      }),
      { numRuns: cases(200) },
    );
  });
});
