import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import stringWidth from 'string-width';
import { until } from '../until.js';
import { ROOT } from './lukhas.js';
import { Tmux } from './tmux.js';

const LARGE = { columns: 200, rows: 60 };

describe('the live view in a real terminal (tmux)', function () {
  this.timeout(120_000);
  let dir: string;
  let terminal: Tmux;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lukhas-tmux-'));
  });
  afterEach(function () {
    if (this.currentTest?.isFailed() === true) console.log(terminal.screen());
    terminal.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Shows made-up canaries, in a shell that notes before and after how the terminal is set. */
  async function show(options: Record<string, unknown>, size = LARGE): Promise<void> {
    const pid = join(dir, 'pid');
    terminal = new Tmux(size, {
      cwd: ROOT,
      env: { LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', PS1: '$ ', NODE_ENV: 'production' },
    });
    const json = JSON.stringify({ canaries: 20, ...options, pid });
    terminal.runs(`stty -a > ${dir}/before; echo was here`);
    await terminal.shows(/^was here$/m);
    terminal.runs(
      `"${process.execPath}" --import tsx test/e2e/watch-fake.ts '${json}'; echo exit $?; stty -a > ${dir}/after; echo over`,
    );
    await terminal.shows(/^lukhas watch .*● live/m);
    expect(terminal.state()).to.deep.equal({ alternate: true, cursor: false });
  }

  const pid = () => Number(readFileSync(join(dir, 'pid'), 'utf8'));

  /** @returns what stands on the screen then */
  async function expectAsItWas(): Promise<string> {
    const screen = await terminal.shows(/^over$/m);
    expect(terminal.state()).to.deep.equal({ alternate: false, cursor: true });
    expect(readFileSync(join(dir, 'after'), 'utf8')).to.equal(readFileSync(join(dir, 'before'), 'utf8'));
    expect(screen).to.match(/^was here$/m);
    expect(screen).not.to.contain('q quit');
    return screen;
  }

  it('obeys every key', async () => {
    await show({});
    const marked = (model: string) => terminal.shows(new RegExp(`^▸ .* ${model} `, 'm'));
    await marked('fraud-v2');
    terminal.press('j');
    await marked('model-1');
    terminal.press('Down');
    await marked('model-2');
    terminal.press('k');
    await marked('model-1');
    terminal.press('Up');
    await marked('fraud-v2');
    terminal.press('G');
    await marked('model-19');
    terminal.press('g');
    await marked('fraud-v2');
    terminal.press('End');
    await marked('model-19');
    terminal.press('Home');
    await marked('fraud-v2');
    terminal.press('PageDown');
    await terminal.shows(/^▸ .* model-19/m);
    terminal.press('PageUp');
    await marked('fraud-v2');
    terminal.press('?');
    await terminal.shows('quit; canaries go on');
    terminal.press('Escape');
    await marked('fraud-v2');
    terminal.press('/');
    terminal.types('model-7');
    await terminal.shows('1 shown');
    terminal.press('Enter');
    await marked('model-7');
    terminal.press('Escape');
    await terminal.shows('model-6');
    terminal.press('g', 'Enter');
    await terminal.shows('Objectives');
    terminal.press('w');
    await terminal.shows('Timeline');
    terminal.press('m');
    await terminal.shows('Questions of the judge');
    terminal.press('Escape');
    await terminal.shows('Over time');
    terminal.press('Escape');
    await marked('fraud-v2');
    for (const [key, verb] of [
      ['a', 'abort'],
      ['p', 'promote'],
      ['y', 'approve'],
      ['n', 'reject'],
    ] as const) {
      terminal.press(key);
      await terminal.shows('Reason:');
      terminal.press('Enter');
      await terminal.shows('A reason is needed');
      terminal.types(`${verb} it, quickly`);
      terminal.press('Enter');
      await terminal.shows(`${verb} recorded`);
    }
    terminal.press('e');
    await terminal.shows('evidence pack: /tmp/c-');
    terminal.press('q');
    const screen = await expectAsItWas();
    expect(screen).to.contain('exit 0');
    for (const verb of ['abort', 'promote', 'approve', 'reject'])
      expect(screen.replaceAll('\n', '')).to.match(new RegExp(`"${verb} c-\\w+: ${verb} it, quickly"`));
  });

  it('fits the terminal, from 200x60 to 40x12 and back, and says so where there is no room', async () => {
    await show({});
    const before = await terminal.shows(/model-19/);
    for (let round = 0; round < 3; round++) {
      terminal.resize(40, 12);
      const small = await terminal.shows(/^j\/k move {2}Enter open {2}\? help {2}q quit$/m);
      const lines = small.trimEnd().split('\n');
      expect(lines.length).to.equal(11);
      expect(lines[0]).to.match(/^lukhas watch .*● live$/);
      for (const line of lines) expect(stringWidth(line), line).to.be.at.most(40);
      terminal.resize(LARGE.columns, LARGE.rows);
      expect(await terminal.shows(/model-19/)).to.equal(before);
    }
    terminal.resize(30, 8);
    await terminal.shows('needs 40 columns');
    terminal.resize(LARGE.columns, LARGE.rows);
    expect(await terminal.shows(/model-19/)).to.equal(before);
    terminal.press('q');
    await expectAsItWas();
  });

  it('scrolls 500 canaries, one by one and by pages, and draws a window of them', async () => {
    await show({ canaries: 500 }, { columns: 80, rows: 24 });
    await terminal.shows('500 canaries');
    for (let i = 0; i < 30; i++) terminal.press('j');
    await terminal.shows(/^▸ .* model-30 /m);
    terminal.press('PageDown');
    await terminal.shows(/^▸ .* model-(3[1-9]|4\d) /m);
    terminal.press('G');
    const end = await terminal.shows(/^▸ .* model-499 /m);
    expect(end).to.match(/ to 500 of 500/);
    expect(end.trimEnd().split('\n').length).to.equal(23);
    terminal.press('g');
    await terminal.shows(/^▸ .* fraud-v2 /m);
    terminal.press('q');
    await expectAsItWas();
  });

  for (const [how, end, exit] of [
    ['Ctrl-C', () => terminal.press('C-c'), 130],
    ['SIGINT', () => process.kill(pid(), 'SIGINT'), 130],
    ['SIGTERM', () => process.kill(pid(), 'SIGTERM'), 143],
    ['SIGHUP', () => process.kill(pid(), 'SIGHUP'), 129],
  ] as const)
    it(`leaves the terminal as it was after ${how}`, async () => {
      await show({ id: 'running' });
      await terminal.shows('Objectives');
      end();
      expect(await expectAsItWas()).to.match(new RegExp(`^exit ${exit}$`, 'm'));
    });

  for (const [throws, says] of [
    ['timer', 'a bug in a timer'],
    ['render', 'a bug in a view'],
    ['follow', 'the log is gone'],
  ] as const)
    it(`leaves the terminal as it was after an error that is thrown (${throws}), and the error is seen`, async () => {
      await show({ throws });
      process.kill(pid(), 'SIGUSR2');
      const screen = await expectAsItWas();
      expect(screen).to.contain(says);
      expect(screen).to.match(/^exit [1-9]/m);
    });

  it('stops at Ctrl-Z, gives the terminal to the shell, and comes back', async () => {
    await show({});
    terminal.press('C-z');
    await terminal.shows('Stopped');
    expect(terminal.state()).to.deep.equal({ alternate: false, cursor: true });
    terminal.runs('stty -a | grep -o -- ".icanon" | cat -A');
    await terminal.shows(/^ icanon\$$/m);
    terminal.runs('fg');
    await terminal.shows(/^lukhas watch .*● live/m);
    terminal.press('j');
    await terminal.shows(/^▸ .* model-1 /m);
    terminal.press('q');
    await terminal.shows(/left 0/);
    expect(terminal.state()).to.deep.equal({ alternate: false, cursor: true });
  });

  for (const signal of ['SIGSTOP', 'SIGTSTP'] as const)
    it(`comes back whole after ${signal} from outside and fg`, async () => {
      await show({});
      const before = await terminal.shows('model-19');
      process.kill(pid(), signal);
      await terminal.shows('Stopped');
      terminal.runs('fg');
      await until(() => terminal.screen() === before && terminal.state().alternate, 50);
      terminal.press('q');
      await terminal.shows(/left 0/);
    });

  it('shows names from outside as text, and each line stays in place', async () => {
    await show({ model: '漢字👩‍👩‍👧‍👦<script>\u001b[2J\u202e🇫🇷e\u0301'.padEnd(100, 'm') });
    const screen = await terminal.shows('model-19');
    expect(screen).to.contain('漢字👩<script>\\u001b[2J\\u202e');
    const at = (line: string) => stringWidth(line.slice(0, line.indexOf(' → ')));
    const rows = screen.split('\n').filter((line) => line.includes(' → '));
    expect(rows.length).to.equal(20);
    expect(new Set(rows.map(at)).size).to.equal(1);
    terminal.press('q');
    await expectAsItWas();
  });
});
