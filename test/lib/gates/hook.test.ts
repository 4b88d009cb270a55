import { resolve } from 'node:path';
import { expect } from 'chai';
import { requireHookPrograms } from '../../../src/lib/app/hook-programs.js';
import { requireHookSecrets } from '../../../src/lib/app/hook-secrets.js';
import { byKind, type HookConfig, placedHooks } from '../../../src/lib/gates/hook.js';
import { longestMs } from '../../../src/lib/gates/hooks.js';

const exec = { command: ['./deploy.sh'], timeoutSeconds: 20, env: {} };
const deploy: HookConfig = { name: 'deploy', exec };
const page: HookConfig = {
  name: 'page',
  webhook: { url: 'https://pager.example/hook', secretEnv: 'PAGER', timeoutSeconds: 5, retries: 2 },
};

describe('a list of hooks of any kind', () => {
  it('may take as long as its programs may run, and its requests with all tries and the waits between them', () => {
    expect(longestMs([])).to.equal(60_000);
    expect(longestMs([deploy])).to.equal(80_000);
    expect(longestMs([deploy, page])).to.equal((60 + 20 + 3 * (5 + 30)) * 1000);
  });

  it('is refused for the first secret that is not set, by the names of hook and variable', () => {
    const hooks = { promote: [deploy, page], rollback: [page] };
    expect(() => requireHookSecrets(hooks, { PAGER: 's' })).not.to.throw();
    expect(() => requireHookSecrets(hooks, {})).to.throw(/hook "page" \(promote\): .*PAGER/);
    expect(() => requireHookSecrets({ ...hooks, promote: [] }, { PAGER: '' })).to.throw(/hook "page" \(rollback\)/);
  });

  it('is refused for a variable with a value that is of no use, which is not repeated', () => {
    const settings = { secretEnv: null, timeoutSeconds: 5, retries: 2 };
    const channel: HookConfig = { name: 'tell', webhook: { ...settings, urlEnv: 'CHANNEL' } };
    const hooks = { promote: [deploy, channel], rollback: [] };
    expect(() => requireHookSecrets(hooks, { CHANNEL: 'https://chat.example/T/secret' })).not.to.throw();
    for (const value of ['x', 'ftp://secret.example/', 'file:///secret', '//secret', 'https://me:secret@chat.example/'])
      expect(() => requireHookSecrets(hooks, { CHANNEL: value }))
        .to.throw(/^hook "tell" \(promote\): webhook url: .*CHANNEL/)
        .and.satisfies((error: Error) => value === 'x' || !error.message.includes('secret'));
    const signed = { promote: [], rollback: [page] };
    expect(() => requireHookSecrets(signed, { PAGER: 'whsec_?' })).to.throw(/hook "page" \(rollback\): .*PAGER/);
  });

  it('is refused for the first program that could not be started, by the names of file, hook and program', async () => {
    const gone: HookConfig = { name: 'deploy', exec: { ...exec, cwd: '/nonexistent' } };
    const shell: HookConfig = { name: 'shell', exec: { ...exec, command: ['sh', '-c', 'true'], cwd: '/' } };
    const refusal = async (rollback: HookConfig[], env = { PATH: '/bin' }): Promise<string | null> =>
      requireHookPrograms({ promote: [shell, page], rollback }, env, '/etc/lukhas.yaml').then(
        () => null,
        (error: Error) => error.message,
      );
    expect(await refusal([])).to.equal(null);
    expect(await refusal([gone])).to.equal(
      '/etc/lukhas.yaml: hook "deploy" (rollback): no such directory: "/nonexistent"',
    );
    expect(await refusal([], { PATH: '/nonexistent' })).to.equal(
      '/etc/lukhas.yaml: hook "shell" (promote): command not found: "sh"',
    );
    const ownPath: HookConfig = { name: 'own', exec: { ...shell.exec, env: { PATH: '/nonexistent' } } };
    expect(await refusal([ownPath])).to.match(/hook "own" \(rollback\): command not found: "sh"$/);
  });

  it('runs its programs in the folder of the file that names them, unless it says where', () => {
    const at = (path: string) => resolve('/etc/lukhas', path);
    const { promote, rollback } = placedHooks({ promote: [deploy, page], rollback: [elsewhere('bin')] }, at);
    expect(promote).to.deep.equal([{ name: 'deploy', exec: { ...exec, cwd: '/etc/lukhas' } }, page]);
    expect(rollback).to.deep.equal([elsewhere('/etc/lukhas/bin')]);
  });

  it('holds none that no kind knows', () => {
    const hook = { name: 'x', fax: {} } as unknown as HookConfig;
    expect(() => byKind(hook, () => null)).to.throw(TypeError, /no known kind.*fax/);
  });
});

function elsewhere(cwd: string): HookConfig {
  return { name: 'elsewhere', exec: { command: ['./x'], timeoutSeconds: 1, env: {}, cwd } };
}
