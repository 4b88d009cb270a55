import { expect } from 'chai';
import { addonError } from '../../../../src/lib/ledger/sqlite/addon.js';

const FOLDER = '/opt/node/lib/node_modules/lukhas/node_modules/better-sqlite3';
const BINARY = `${FOLDER}/prebuilds/linux-x64.node`;

function failing(message: string, code = 'ERR_DLOPEN_FAILED') {
  const known = addonError(Object.assign(new Error(message), { code }));
  if (known === null) throw new Error(`not taken for the addon's: ${message}`);
  return known;
}

describe('a binary of SQLite that cannot be loaded', () => {
  const causes: [message: string, why: RegExp][] = [
    [
      `/lib64/libc.so.6: version \`GLIBC_2.34' not found (required by ${BINARY})`,
      /C library of this system is too old/,
    ],
    [`Error loading shared library ld-linux-x86-64.so.2: No such file (needed by ${BINARY})`, /another C library/],
    [`${BINARY}: file too short`, /it is damaged/],
    [`${BINARY}: invalid ELF header`, /it is damaged/],
    [`${BINARY}: wrong ELF class: ELFCLASS32`, /another processor/],
    [`${BINARY}: failed to map segment from shared object`, /noexec/],
    [`${BINARY}: something new`, /something new/],
  ];
  for (const [message, why] of causes)
    it(`says why: ${message.replace(BINARY, 'FILE')}`, () => {
      const { code, message: says } = failing(message);
      expect(code).to.equal('LEDGER_UNAVAILABLE');
      expect(says).to.match(why).and.to.contain(message);
    });

  it('says that it is missing, and from which folder', () => {
    const missing = `Cannot find module '${FOLDER}/build/Release/better_sqlite3.node'\nRequire stack:\n- /x.js`;
    expect(failing(missing, 'MODULE_NOT_FOUND').message).to.contain(FOLDER).and.not.to.contain('Require stack');
  });

  it('gives commands for an installation with -g, with the folder in them', () => {
    const { suggestions } = failing(`${BINARY}: file too short`);
    expect(suggestions.join('\n')).to.contain('npm install -g lukhas');
    expect(suggestions.at(-1))
      .to.match(/compile it: npm run build-release --prefix \S+$/)
      .and.to.contain(FOLDER);
  });

  it('leaves other errors alone', () => {
    expect(addonError(new Error('disk I/O error'))).to.equal(null);
    expect(addonError('text')).to.equal(null);
  });
});
