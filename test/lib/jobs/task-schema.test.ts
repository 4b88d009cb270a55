import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../../src/lib/app/config.js';

describe('tasks in the configuration', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-tasks-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const load = async (content: object) => {
    const config = join(dir, 'lukhas.yaml');
    await writeFile(config, JSON.stringify(content));
    return loadConfig({ flags: { config }, env: { HOME: dir }, cwd: tmpdir() });
  };
  const refused = (content: object) =>
    load(content).then(
      () => 'accepted',
      (error: Error) => error.message,
    );

  it('are none by default, two at a time', async () => {
    const { tasks, jobs } = await load({});
    expect({ tasks, jobs }).to.deep.equal({ tasks: {}, jobs: { concurrency: 2 } });
  });

  it('have defaults, and run where their file is', async () => {
    const { tasks, jobs } = await load({
      tasks: {
        smoke: {
          command: ['./smoke.sh', '{configId}'],
          timeout: '1m30s',
          metrics: 'json-last-line',
          env: { A: '1' },
          cwd: 'evals',
          description: 'quick',
        },
        plain: { command: ['true'], timeout: 5 },
        least: { command: ['true'] },
      },
      jobs: { concurrency: 8 },
    });
    expect(jobs).to.deep.equal({ concurrency: 8 });
    expect(tasks).to.deep.equal({
      smoke: {
        command: ['./smoke.sh', '{configId}'],
        timeoutSeconds: 90,
        metrics: 'json-last-line',
        env: { A: '1' },
        cwd: join(dir, 'evals'),
        description: 'quick',
      },
      plain: { command: ['true'], timeoutSeconds: 5, metrics: 'none', env: {}, cwd: dir },
      least: { command: ['true'], timeoutSeconds: 600, metrics: 'none', env: {}, cwd: dir },
    });
  });

  const task = (changes: object) => ({ tasks: { t: { command: ['true'], ...changes } } });
  const wrong: [string, object, RegExp][] = [
    ['an unknown key', task({ shell: true }), /tasks\.t\.shell: unknown key/],
    ['a command in one text', task({ command: 'rm -rf /' }), /tasks\.t\.command: /],
    ['no program', task({ command: [''] }), /must not be empty: the program is missing/],
    ['a NUL', task({ command: ['a', 'b\0'] }), /NUL/],
    ['a time that is none', task({ timeout: 'soon' }), /tasks\.t\.timeout: .*not a duration/],
    ['a negative time', task({ timeout: -1 }), /tasks\.t\.timeout: -1 is not a duration/],
    ['more than a day', task({ timeout: '25h' }), /tasks\.t\.timeout: "25h" is too long; the longest is 1d$/],
    ['an unknown kind of metrics', task({ metrics: 'xml' }), /json-last-line, none/],
    ['a bad variable', task({ env: { 'A B': '1' } }), /must be the name of an environment variable/],
    ['a credential in an address', task({ command: ['curl', 'https://h/?token=s'] }), /command\[1\]: .*passEnv/],
    ['a key of the daemon', task({ passEnv: ['LUKHAS_MCP_API_KEYS'] }), /passEnv\[0\]: .*passed to no program/],
    ['a value in place of a name', task({ passEnv: ['A=b'] }), /passEnv\[0\]: .*not its value/],
    ['a bad name', { tasks: { 'a b': { command: ['true'] } } }, /a task name must be/],
    ['the name of a built-in task', { tasks: { probe: { command: ['true'] } } }, /probe.*built in/],
    ['no place at all', { jobs: { concurrency: 0 } }, /jobs\.concurrency: must be at least 1/],
  ];
  for (const [what, content, message] of wrong)
    it(`refuses ${what}`, async () => expect(await refused(content)).to.match(message));
});
