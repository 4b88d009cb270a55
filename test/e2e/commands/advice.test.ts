import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { canaryId, type Run, Workspace } from '../lukhas.js';

const START = ['canary', 'start', '--model', 'm', '--from', 'a', '--to', 'b', '--max-error-rate', '0.02'];
const DETACHED = [...START, '--window', '60s', '--source', 'none', '--detach'];

describe('advice of a command that was given --db', () => {
  let at: Workspace;
  beforeEach(() => {
    at = new Workspace();
    mkdirSync(join(at.dir, 'else where'));
  });
  afterEach(() => at.remove());

  const DB = ['--db', 'else where/x.db'];
  /** Nothing but the flag says which database it is. */
  const run = (...args: string[]): Promise<Run> => at.run(args, { env: { LUKHAS_MCP_DB: '' } });

  it('is about that database when it is pasted into a shell', async () => {
    const started = await run(...DETACHED, ...DB);
    expect(started.code, started.stderr).to.equal(0);
    const id = canaryId(started);
    const refused = await run('checkpoint', ...DB);
    const [, command = ''] = /Create the keys: (lukhas .*)/.exec(refused.stderr) ?? [];
    expect(command).to.equal("lukhas keys init --db 'else where/x.db'");
    expect((await at.shell(command)).code).to.equal(0);
    expect((await run('checkpoint', ...DB)).code).to.equal(0);
    expect(readdirSync(join(at.dir, 'else where'))).to.include.members(['keys', 'checkpoints']);
    expect((await run('canary', 'status', id, ...DB)).stdout).to.include(
      `  next: lukhas why ${id} --db 'else where/x.db'\n`,
    );
    const told = (await run('why', id, ...DB)).stdout;
    expect(told).to.include(`For the numbers: lukhas why-math ${id} --db 'else where/x.db'\n`);
  });

  it('names the configuration that was given, too, and in JSON', async () => {
    at.file('other.yaml', 'db: y.db\n');
    await run(...DETACHED, '--config', 'other.yaml');
    const { error } = await at.json(['checkpoint', '--config', 'other.yaml'], { env: { LUKHAS_MCP_DB: '' } });
    expect((error as { suggestions: string[] }).suggestions).to.deep.equal([
      'Create the keys: lukhas keys init --config other.yaml',
    ]);
  });

  it('is as short as ever without the flag', async () => {
    await at.run(DETACHED);
    expect((await at.run(['checkpoint'])).stderr).to.match(/ {2}Create the keys: lukhas keys init\n$/);
  });

  it('db rebuild creates no database', async () => {
    for (const [file, what] of [
      ['none/x.db', 'no ledger found'],
      ['empty.db', 'contains no ledger'],
    ] as const) {
      at.file('empty.db', '');
      const rebuilt = await run('db', 'rebuild', '--db', file);
      expect(rebuilt.code).to.equal(2);
      expect(rebuilt.stderr).to.include(`${join(at.dir, file)}: ${what}\n`);
    }
    expect(existsSync(join(at.dir, 'none'))).to.equal(false);
    expect(existsSync(join(at.dir, 'empty.db-wal'))).to.equal(false);
  });
});
