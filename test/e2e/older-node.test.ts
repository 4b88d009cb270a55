import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { onlyDocument, ROOT, type Run, type Running, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';
import { nodeOf } from './nodes.js';

const POLICY = `
windowSeconds: 60
intervalSeconds: 1
targets: { latency_p95_ms: 250, max_error_rate: 0.02 }
`;
const START = ['--model', 'm2', '--from', 'stage', '--to', 'production', '--policy', 'policy.yaml', '--json'];

/** Runs a program in a terminal, types Ctrl-C once it has said argv[1], and ends as it did. */
const TERMINAL = `
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
said, typed = b'', False
while True:
    try:
        some = os.read(terminal, 4096)
    except OSError:
        break
    if not some:
        break
    said += some
    if not typed and sys.argv[1].encode() in said:
        typed = True
        os.write(terminal, b'\\x03')
os.write(2, said.replace(b'\\r', b''))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

describe('started by hand with an older Node.js', () => {
  let w: Workspace;
  let page: Page;
  before(async () => {
    page = await serve(counting(5000, 0.0005));
  });
  after(() => page.close());
  beforeEach(() => {
    w = new Workspace();
    w.file('policy.yaml', POLICY);
  });
  afterEach(() => w.remove());

  const starting = () => [join(ROOT, 'bin/run.js'), 'canary', 'start', ...START, '--canary-url', page.url];
  const looked = (running: Running) => running.says(/ of 60 s: /);

  function run(program: string, args: readonly string[], input = ''): Promise<Pick<Run, 'code' | 'stdout' | 'stderr'>> {
    return new Promise((resolve) => {
      const child = execFile(program, args, { cwd: w.dir, env: w.environment() }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
      child.stdin?.end(input);
    });
  }

  it('accepts exactly what package.json asks for', async () => {
    const { SUPPORTED, isSupported } = (await import(pathToFileURL(join(ROOT, 'bin/supported-node.js')).href)) as {
      SUPPORTED: string;
      isSupported(version: string): boolean;
    };
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
    expect(engines.node).to.equal(SUPPORTED).and.to.equal('^22.14 || >=24');
    const versions = [
      '12.22.12',
      '20.20.2',
      '22.13.1',
      '22.14.0',
      '22.23.5',
      '23.11.1',
      '24.0.0',
      '26.12.1',
      '100.0.0',
    ];
    const accepted = versions.filter(isSupported);
    expect(accepted).to.deep.equal(['22.14.0', '22.23.5', '24.0.0', '26.12.1', '100.0.0']);
  });

  for (const version of ['12', '20'] as const)
    describe(`Node.js ${version}, in a checkout that has its own`, () => {
      const old = nodeOf(version);

      it('runs on that one, whichever file was started', async () => {
        const ran = await run(old, [join(ROOT, 'bin/run.js'), '--version']);
        expect(ran.stdout, ran.stderr).to.contain('node-v24.');
        for (const [script, command] of [
          ['scripts/export_narratives.js', 'export'],
          ['tools/replay_window.js', 'replay'],
        ] as const) {
          const there = await run(old, [join(ROOT, script), '--help']);
          const here = await w.run([command, '--help']);
          expect(there).to.deep.equal({ code: 0, stdout: here.stdout, stderr: '' });
        }
      });

      it('passes on input, output and the exit code', async () => {
        const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
        const served = await run(old, [join(ROOT, 'bin/run.js'), 'serve', '--stdio'], `${JSON.stringify(ping)}\n`);
        expect(served.code, served.stderr).to.equal(0);
        expect(JSON.parse(served.stdout)).to.include({ jsonrpc: '2.0', id: 1 });
        const refused = await run(old, [join(ROOT, 'bin/run.js'), 'export', '--nonsense']);
        expect(refused).to.include({ code: 2, stdout: '' });
        expect(refused.stderr).to.contain('--nonsense');
      });

      it('says what is needed where there is none, on one line, and exits with 2', async () => {
        for (const folder of ['bin', 'scripts', 'tools'])
          cpSync(join(ROOT, folder), join(w.dir, folder), { recursive: true });
        writeFileSync(join(w.dir, 'package.json'), '{"type": "module"}');
        for (const script of ['bin/run.js', 'scripts/export_narratives.js', 'tools/replay_window.js']) {
          const refused = await run(old, [join(w.dir, script), '--version']);
          expect(refused).to.include({ code: 2, stdout: '' });
          expect(refused.stderr).to.match(new RegExp(`^lukhas: Node\\.js ${version}\\.\\S+ .*22\\.14.*\\n$`));
          expect(refused.stderr).not.to.contain('npm ci');
        }
        writeFileSync(join(w.dir, 'package-lock.json'), '{}');
        const checkout = await run(old, [join(w.dir, 'bin/run.js')]);
        expect(checkout.stderr).to.match(/^lukhas: .*22\.14.*npm ci.*\n$/);
      });
    });

  it('a program that uses the library is refused before anything native is loaded', async () => {
    const index = pathToFileURL(join(ROOT, 'dist/index.js')).href;
    const code = `import(${JSON.stringify(index)}).then(({ openApp }) => openApp()).catch((e) => console.log(e.code, e.message))`;
    const refused = await run(nodeOf('20'), ['-e', code]);
    expect(refused.stdout, refused.stderr).to.match(/^LEDGER_UNAVAILABLE Node\.js 20\..* 22\.14/);
  });

  describe('signals', () => {
    const old = nodeOf('20');

    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)
      it(`${signal} to the process that was started ends the command in order: ${code}`, async () => {
        const running = w.start(starting().slice(1), { node: old });
        await looked(running);
        const [kid] = children(running.child.pid!);
        running.child.kill(signal);
        const ended = await running.finished;
        expect(ended.code, ended.stderr).to.equal(code);
        expect(onlyDocument(ended)).to.include({ status: 'RUNNING', exit: code });
        expect(isRunning(kid!)).to.equal(false);
      });

    // A second signal would end it at once: without its last words.
    const SERVE = ['serve', '--port', '0'];
    const lastWords = (stderr: string) => stderr.split(/listening on .*\n/)[1]!.match(/^.*lukhas: .+/gm);

    it('a signal to the whole group reaches the command once', async () => {
      const running = w.start(SERVE, { node: old, detached: true });
      await running.says(/listening on .*\n/);
      process.kill(-running.child.pid!, 'SIGINT');
      const ended = await running.finished;
      expect(ended.code, ended.stderr).to.equal(130);
      expect(lastWords(ended.stderr)).to.have.length(2);
    });

    it('Ctrl-C in a terminal reaches the command once', async () => {
      const ended = await run('python3', ['-c', TERMINAL, 'listening on ', old, join(ROOT, 'bin/run.js'), ...SERVE]);
      expect(ended.code, ended.stderr).to.equal(130);
      expect(lastWords(ended.stderr)).to.have.length(2);
    });

    it('SIGKILL, which no process can pass on, ends the command too', async () => {
      const running = w.start(starting().slice(1), { node: old });
      await looked(running);
      const [kid] = children(running.child.pid!);
      running.child.kill('SIGKILL');
      await running.finished;
      while (isRunning(kid!)) await wait(50);
    });

    it('the end of the command by a signal is the end of the process that was started', async () => {
      const running = w.start(starting().slice(1), { node: old });
      await looked(running);
      const ended = once(running.child, 'exit');
      process.kill(children(running.child.pid!)[0]!, 'SIGKILL');
      expect(await ended).to.deep.equal([null, 'SIGKILL']);
    });
  });
});

function children(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

/** One that has ended and that nobody has waited for is still in the table of processes. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
