import { Args, Config, Flags } from '@oclif/core';
import { expect } from 'chai';
import { BaseCommand } from '../../../src/cli/base-command.js';
import { paint } from '../../../src/cli/present.js';
import { LukhasError } from '../../../src/lib/errors.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { firstLine, onlyDocument, ROOT, type Run, Workspace } from '../lukhas.js';

/** Does nothing but what it is told to. */
class Fails extends BaseCommand {
  static error: Error;

  async run(): Promise<unknown> {
    await this.parse(Fails);
    this.say('working');
    throw Fails.error;
  }
}

class Works extends BaseCommand {
  static override args = { what: Args.string() };
  static override flags = { url: Flags.string(), label: Flags.string({ multiple: true }) };

  async run(): Promise<unknown> {
    await this.parse(Works);
    this.say('working');
    this.log('the data');
    return { data: 1 };
  }
}

/** Runs the command in this process, its output and exit code kept from it. */
async function inProcess(command: typeof Fails | typeof Works, args: readonly string[]): Promise<Run> {
  const config = await Config.load(ROOT);
  const { stdout, stderr } = process;
  const written = { stdout: '', stderr: '' };
  const originals = { stdout: stdout.write, stderr: stderr.write, exitCode: process.exitCode };
  const capture = (name: 'stdout' | 'stderr') => (text: string | Uint8Array) => {
    written[name] += String(text);
    return true;
  };
  process.exitCode = undefined;
  try {
    stdout.write = capture('stdout') as typeof stdout.write;
    stderr.write = capture('stderr') as typeof stderr.write;
    await command.run([...args], config);
    return { ...written, code: process.exitCode === undefined ? 0 : Number(process.exitCode) };
  } finally {
    stdout.write = originals.stdout;
    stderr.write = originals.stderr;
    process.exitCode = originals.exitCode;
  }
}

describe('every command', () => {
  it('says an error in a line on stderr, what to do below it, and ends with its code', async () => {
    Fails.error = new LukhasError('LEDGER_CORRUPT', 'Entry 7 is not what it was.', { suggestions: ['Restore it.'] });
    const { code, stdout, stderr } = await inProcess(Fails, []);
    expect(code).to.equal(Fails.error instanceof LukhasError && Fails.error.exit);
    expect(stdout).to.equal('');
    expect(stderr).to.equal('working\nlukhas: Entry 7 is not what it was.\n  Restore it.\n');
  });

  it('says the same as one document with --json, and ends with the same code', async () => {
    for (const error of [
      new LukhasError('SOURCE_REFUSED', 'no', { suggestions: ['x'] }),
      new LukhasError('NOT_FOUND', 'none'),
      new TypeError('undefined is not a function'),
    ]) {
      Fails.error = error;
      const plain = await inProcess(Fails, []);
      const json = await inProcess(Fails, ['--json']);
      expect(json.code).to.equal(plain.code);
      expect(json.stderr).to.equal('working\n');
      const document = JSON.parse(json.stdout) as { error: Record<string, unknown> };
      expect(Object.keys(document)).to.deep.equal(['error']);
      expect(document.error).to.have.all.keys('code', 'message', 'suggestions', 'exit');
      expect(document.error['exit']).to.equal(plain.code);
      expect(plain.stderr).to.include(`lukhas: ${String(document.error['message'])}\n`);
    }
  });

  it('shows what others said as text, in lines that do not begin as ours do', async () => {
    const said = 'http://x: \u001b[2J\u202e\nlukhas: promoted\r\n\u009b8m';
    Fails.error = new LukhasError('SOURCE_INVALID', said, { suggestions: ['Ask \u0007them.'] });
    const { stderr } = await inProcess(Fails, []);
    expect(stderr).to.equal(
      String.raw`working
lukhas: http://x: \u001b[2J\u202e
  lukhas: promoted
  \u009b8m
  Ask \u0007them.
`,
    );
    const json = await inProcess(Fails, ['--json']);
    expect(json.stdout.replaceAll('\n', '')).not.to.match(/[\p{Cc}\p{Cf}]/u);
    expect((JSON.parse(json.stdout) as { error: { message: string } }).error.message).to.equal(said);
  });

  it('calls a bug a bug, with its stack, and code 1', async () => {
    Fails.error = new TypeError('undefined is not a function');
    const { code, stdout, stderr } = await inProcess(Fails, []);
    expect(code).to.equal(1);
    expect(stdout).to.equal('');
    expect(stderr).to.match(/^working\nlukhas: internal error: undefined is not a function\n {2}This is a bug/);
    expect(stderr).to.match(/^ {4}at .*commands\.test/m);
  });

  it('has its data alone on stdout', async () => {
    expect(await inProcess(Works, [])).to.deep.equal({ code: 0, stdout: 'the data\n', stderr: 'working\n' });
    const json = await inProcess(Works, ['--json']);
    expect(JSON.parse(json.stdout)).to.deep.equal({ data: 1 });
    expect(json.stderr).to.equal('working\n');
  });

  for (const [args, name] of [
    [['--url', ''], '--url'],
    [['--url='], '--url'],
    [['--label', 'a=b', '--label', ''], '--label'],
    [['--db', ''], '--db'],
    [[''], 'what'],
  ] as const)
    it(`refuses what is given as nothing: ${JSON.stringify(args)}`, async () => {
      const { code, stdout, stderr } = await inProcess(Works, args);
      expect([code, stdout]).to.deep.equal([2, '']);
      expect(stderr.split('\n')[0]).to.equal(`lukhas: ${name}: must not be empty`);
    });

  it('is coloured on a terminal unless asked not to be', () => {
    const [terminal, pipe] = [true, undefined].map((isTTY) => ({ isTTY }) as unknown as NodeJS.WriteStream);
    const red = (stream: NodeJS.WriteStream, noColor?: boolean) => paint(stream, noColor)('x', 'red').sequences;
    const { NO_COLOR } = process.env;
    delete process.env['NO_COLOR'];
    try {
      expect(red(terminal!)).to.equal('\u001b[31mx\u001b[39m');
      expect(red(terminal!, true)).to.equal('x');
      expect(red(pipe!)).to.equal('x');
      process.env['NO_COLOR'] = '1';
      expect(red(terminal!)).to.equal('x');
    } finally {
      if (NO_COLOR === undefined) delete process.env['NO_COLOR'];
      else process.env['NO_COLOR'] = NO_COLOR;
    }
  });
});

describe('lukhas, as a process', () => {
  let workspace: Workspace;

  beforeEach(() => {
    workspace = new Workspace();
  });

  afterEach(() => workspace.remove());

  /** Both ways of asking, side by side. */
  async function both(args: readonly string[]): Promise<{ plain: Run; json: Run; error: Record<string, unknown> }> {
    const [plain, json] = await Promise.all([workspace.run(args), workspace.run([...args, '--json'])]);
    return { plain, json, error: onlyDocument(json)['error'] as Record<string, unknown> };
  }

  it('says that there is no database, which, and what to do', async () => {
    const { plain, json, error } = await both(['canary', 'list']);
    expect(plain.code).to.equal(2);
    expect(json.code).to.equal(2);
    expect(plain.stdout).to.equal('');
    expect(json.stderr).to.equal('');
    expect(firstLine(plain))
      .to.include(workspace.db)
      .and.match(/^lukhas: .*: no ledger found$/);
    expect(plain.stderr).to.include('--db');
    expect(error).to.include({ code: 'LEDGER_UNAVAILABLE', exit: 2 });
    expect(`lukhas: ${String(error['message'])}`).to.equal(firstLine(plain));
  });

  it('refuses numbers and times beyond all measure, as usage', async () => {
    const policy = workspace.file('p.yaml', 'windowSeconds: 60\ntargets: {max_error_rate: 0.02}\n');
    const huge = [
      ['why', 'm', '--at', '99999999999d'],
      ['replay', '--from', '99999999999d'],
      ['replay', '--to', '2026-02-31T00:00:00Z'],
      ['canary', 'list', '--limit', '99999999999999999999'],
      ['job', 'list', '--limit', '99999999999999999999'],
      ['plan', '--policy', policy, '--rps', '1e308'],
      ['export', '--from', '999999999d', '--out', 'x.zip'],
    ];
    const start = ['canary', 'start', '--model', 'm', '--from', 'a', '--to', 'b', '--policy', policy, '--detach'];
    const started = await workspace.json(start);
    expect([started['status'], started['exit']]).to.deep.equal(['PENDING', 0]);
    for (const args of huge) {
      const run = await workspace.run(args);
      expect([run.code, args.join(' '), run.stderr.includes('internal error')]).to.deep.equal([
        2,
        args.join(' '),
        false,
      ]);
    }
  });

  it('refuses a flag that it does not know, in one line with a hint', async () => {
    const { plain, json, error } = await both(['canary', 'list', '--modle', 'm']);
    expect(plain.code).to.equal(2);
    expect(json.code).to.equal(2);
    expect(firstLine(plain)).to.include('--modle');
    expect(plain.stderr).to.include('Did you mean --model?');
    expect(error).to.include({ code: 'USAGE', exit: 2 });
  });

  it('refuses a command that it does not know, and asks nothing', async () => {
    const { plain, json, error } = await both(['canray', 'list']);
    expect([plain.code, json.code]).to.deep.equal([2, 2]);
    expect(plain.stdout).to.equal('');
    expect(firstLine(plain)).to.equal('lukhas: no command "canray list"');
    expect(plain.stderr).to.include('lukhas canary list');
    expect(error).to.include({ code: 'USAGE', exit: 2 });
  });

  it('helps with --help and with help', async () => {
    const [flag, command] = await Promise.all([workspace.run(['canary', '--help']), workspace.run(['help', 'canary'])]);
    expect([flag.code, command.code]).to.deep.equal([0, 0]);
    expect(flag.stdout).to.include('canary list');
    expect(command.stdout).to.equal(flag.stdout);
  });

  it('takes --no-color and NO_COLOR, and prints the same without a terminal', async () => {
    await (await openLedger(workspace.db)).close();
    const runs = await Promise.all([
      workspace.run(['canary', 'list']),
      workspace.run(['canary', 'list', '--no-color']),
      workspace.run(['canary', 'list'], { env: { NO_COLOR: '1' } }),
    ]);
    for (const run of runs) expect(run).to.include({ code: 0, stdout: 'no canaries\n', stderr: '' });
  });
});
