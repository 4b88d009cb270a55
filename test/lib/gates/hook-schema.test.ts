import { expect } from 'chai';
import { hooksSchema } from '../../../src/lib/gates/hook-schema.js';
import { parseInput } from '../../../src/lib/input/problems.js';

const parse = (input: unknown) => parseInput(hooksSchema, input, 'hooks', 'CONFIG');
const url = 'https://registry.example/hook';

describe('hooks configuration', () => {
  it('is two empty lists by default', () => {
    expect(parse({})).to.deep.equal({ promote: [], rollback: [] });
  });

  it('fills in defaults and derives names', () => {
    const parsed = parse({
      promote: [{ exec: { command: ['/opt/bin/deploy it', 'a b'] } }, { webhook: { url } }, { webhook: { url } }],
      rollback: [{ name: 'page', webhook: { url, secretEnv: 'S', timeoutSeconds: 1, retries: 0 } }],
    });
    expect(parsed).to.deep.equal({
      promote: [
        { name: 'deploy-it', exec: { command: ['/opt/bin/deploy it', 'a b'], timeoutSeconds: 60, env: {} } },
        { name: 'registry.example', webhook: { url, secretEnv: null, timeoutSeconds: 10, retries: 3 } },
        { name: 'registry.example-2', webhook: { url, secretEnv: null, timeoutSeconds: 10, retries: 3 } },
      ],
      rollback: [{ name: 'page', webhook: { url, secretEnv: 'S', timeoutSeconds: 1, retries: 0 } }],
    });
  });

  it('keeps environment and directory of a program', () => {
    const exec = { command: ['x'], env: { A: '$B; c' }, cwd: '/srv', timeoutSeconds: 5 };
    expect(parse({ promote: [{ exec }] }).promote).to.deep.equal([{ name: 'x', exec }]);
  });

  const refused: [string, unknown, RegExp][] = [
    [
      'an unknown key',
      { promote: [{ exec: { command: ['x'], shell: true } }] },
      /promote\[0\]\.exec\.shell: unknown key/,
    ],
    ['an unknown action', { demote: [] }, /demote: unknown key/],
    ['both kinds at once', { promote: [{ exec: { command: ['x'] }, webhook: { url } }] }, /either exec or webhook/],
    ['neither kind', { rollback: [{ name: 'x' }] }, /rollback\[0\]: must have either exec or webhook/],
    ['a command line in one string', { promote: [{ exec: { command: 'deploy --now' } }] }, /command: .*list/],
    ['an empty command', { promote: [{ exec: { command: [] } }] }, /must not be empty: the program is missing/],
    ['a NUL character', { promote: [{ exec: { command: ['x', 'a\0b'] } }] }, /NUL/],
    ['a key file', { promote: [{ exec: { command: ['x'], passEnv: ['LUKHAS_LOG_KEY_FILE'] } }] }, /passEnv/],
    ['a bad variable name', { promote: [{ exec: { command: ['x'], env: { 'A=B': '1' } } }] }, /env/],
    ['no time', { promote: [{ exec: { command: ['x'], timeoutSeconds: 0 } }] }, /timeoutSeconds/],
    ['endless retries', { promote: [{ webhook: { url, retries: 1e9 } }] }, /retries/],
    ['no address at all', { promote: [{ webhook: {} }] }, /must have either url or urlEnv/],
    ['two addresses', { promote: [{ webhook: { url, urlEnv: 'U' } }] }, /must have either url or urlEnv/],
    ['an address in place of its name', { promote: [{ webhook: { urlEnv: url } }] }, /urlEnv: .*not the URL itself/],
    ['a URL that is a secret', { promote: [{ webhook: { url: 'https://hooks.slack.com/services/T/B/x' } }] }, /urlEnv/],
    ['a URL with credentials', { promote: [{ webhook: { url: 'https://me:pw@host/' } }] }, /user name or password/],
    [
      'another protocol',
      { promote: [{ webhook: { url: 'file:///etc/passwd' } }] },
      /must start with http:\/\/ or https:\/\//,
    ],
    ['a secret instead of its name', { promote: [{ webhook: { url, secretEnv: 'whsec_a+b/c=' } }] }, /not the secret/],
    ['a name with a line break', { promote: [{ name: 'a\nb', exec: { command: ['x'] } }] }, /name/],
    [
      'two hooks of one name',
      { promote: [1, 2].map(() => ({ name: 'same', exec: { command: ['x'] } })) },
      /two hooks have the name same/,
    ],
  ];
  for (const [what, input, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => parse(input))
        .to.throw(message)
        .with.property('code', 'CONFIG');
    });
  }
});
