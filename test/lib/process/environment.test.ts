import { expect } from 'chai';
import fc from 'fast-check';
import { programEnvironment } from '../../../src/lib/process/index.js';
import { cases } from '../../cases.js';

describe('the environment of a program', () => {
  it('is a short list: places, language, certificates, and no credentials', () => {
    const kept = {
      PATH: '/bin',
      HOME: '/home/ana',
      LANG: 'C.UTF-8',
      LC_TIME: 'de_DE',
      TZ: 'UTC',
      TMPDIR: '/var/tmp',
      SSL_CERT_FILE: '/etc/ca.pem',
      https_proxy: 'http://proxy:3128',
      NO_PROXY: 'localhost,.svc',
      LUKHAS_MCP_DB: '/var/lib/lukhas/l.db',
    };
    const withheld = {
      LUKHAS_MCP_API_KEYS: 'k',
      LUKHAS_LOG_KEY_FILE: '/run/secrets/log.pem',
      PROM_BEARER: 'b',
      METRICS_TOKEN: 't',
      AWS_SECRET_ACCESS_KEY: 's',
      DATABASE_URL: 'postgres://u:p@db/x',
      HTTPS_PROXY: 'http://ana:secret@proxy:3128',
      NODE_OPTIONS: '--require x',
      LD_PRELOAD: 'x.so',
      SYSTEMROOT: 'C:\\Windows',
    };
    expect(programEnvironment({ ...kept, ...withheld }, [], 'linux')).to.deep.equal(kept);
  });

  it('has the variables that the entry names, but never those that make a program lukhas itself', () => {
    const env = {
      KUBECONFIG: 'k',
      PROM_BEARER: 'b',
      LUKHAS_MCP_API_KEYS: 'a',
      LUKHAS_EXPORT_KEY_FILE: 'f',
      OTHER: 'o',
    };
    const named = ['KUBECONFIG', 'PROM_BEARER', 'LUKHAS_MCP_API_KEYS', 'LUKHAS_EXPORT_KEY_FILE', 'NOT_SET'];
    expect(programEnvironment(env, named, 'linux')).to.deep.equal({ KUBECONFIG: 'k', PROM_BEARER: 'b' });
  });

  it('knows what a program needs on Windows, in whichever case it is written', () => {
    const env = { Path: 'C:\\bin', SystemRoot: 'C:\\Windows', GITHUB_TOKEN: 't' };
    expect(programEnvironment(env, [], 'win32')).to.deep.equal({ Path: 'C:\\bin', SystemRoot: 'C:\\Windows' });
  });

  it('holds no variable that speaks of a credential, whatever it is called', () => {
    const name = fc
      .tuple(fc.stringMatching(/^[A-Z]{1,8}$/), fc.constantFrom('TOKEN', 'KEY', 'SECRET', 'PASSWORD', 'KEY_FILE'))
      .map((parts) => parts.join('_'));
    fc.assert(
      fc.property(name, (each) => {
        expect(programEnvironment({ [each]: 'x' })).to.deep.equal({});
      }),
      { numRuns: cases(50) },
    );
  });
});
