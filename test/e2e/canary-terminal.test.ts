import { expect } from 'chai';
import { ROOT, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';
import { Tmux } from './tmux.js';

const LUKHAS = `"${process.execPath}" "${ROOT}bin/run.js"`;

describe('a canary drawn while a command drives it (tmux)', function () {
  this.timeout(120_000);
  let at: Workspace;
  let terminal: Tmux;
  let page: Page;

  beforeEach(async () => {
    at = new Workspace();
    page = await serve(counting(400, 0));
  });
  afterEach(async function () {
    if (this.currentTest?.isFailed() === true) console.log(terminal.screen());
    terminal.close();
    await page.close();
    await at.remove();
  });

  function open(size = { columns: 100, rows: 50 }, more: Record<string, string> = {}): void {
    const env = { ...at.environment(), LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', PS1: '$ ', ...more };
    terminal = new Tmux(size, { cwd: at.dir, env });
    terminal.runs('stty -a > before; echo was here');
  }

  const startLine = (seconds: number) => {
    at.file('p.yaml', `windowSeconds: ${seconds}\nintervalSeconds: 1\ntargets: { max_error_rate: 0.05 }\n`);
    return `${LUKHAS} canary start --model fraud-v2 --from stage --to production --policy p.yaml --canary-url ${page.url}; echo exit $?; stty -a > after; cmp before after && echo over`;
  };

  async function expectGone(): Promise<string> {
    const screen = await terminal.shows(/^over$/m);
    expect(terminal.state()).to.deep.equal({ alternate: false, cursor: true });
    expect(screen).to.match(/^was here$/m);
    expect(screen).not.to.match(/RUNNING|└0 s|rolls back at 100:1\)\s+source/);
    return screen;
  }

  it('canary start: its objectives and charts, then the summary alone', async () => {
    open();
    terminal.runs(startLine(6));
    await terminal.shows(/^● RUNNING {2}fraud-v2 {2}stage → production .* left$/m);
    await terminal.shows(/^ {2}\S error_rate {2}0% \(limit 5%\)/m);
    await terminal.shows(/└0 s/);
    const screen = await expectGone();
    expect(screen).to.match(/^exit \d$/m);
    expect(screen).to.match(/^started c-\w+: fraud-v2 from stage to production$/m);
    expect(screen).to.match(/^(PROMOTED|BLOCKED) {2}fraud-v2 {2}stage → production/m);
  });

  it('Ctrl-C stops watching, and nothing of the drawing is left', async () => {
    open();
    terminal.runs(startLine(60));
    await terminal.shows(/└0 s/);
    terminal.press('C-c');
    const screen = await terminal.shows(/^exit 130$/m);
    expect(screen).to.contain('lukhas: stopped watching c-');
    await terminal.shows('$ ');
    expect(terminal.state().cursor).to.equal(true);
    expect(screen).not.to.contain('└0 s');
  });

  it('Ctrl-Z gives the terminal to the shell, with its cursor, and fg draws again', async () => {
    open();
    terminal.runs(startLine(60));
    await terminal.shows(/└0 s/);
    terminal.press('C-z');
    await terminal.shows('Stopped');
    expect(terminal.state().cursor).to.equal(true);
    terminal.runs('clear; fg');
    await terminal.shows(/└0 s/);
    terminal.press('C-c');
    await terminal.shows(/stopped watching c-/);
  });

  it('on 40 columns and 12 rows it is as low as that, and resizes', async () => {
    open({ columns: 40, rows: 12 });
    terminal.runs(startLine(60));
    await terminal.shows(/● RUNNING {2}fraud-v2/);
    terminal.resize(120, 40);
    await terminal.shows(/^● RUNNING {2}fraud-v2 {2}stage → production .* left$/m);
    await terminal.shows(/└0 s/);
    terminal.press('C-c');
    await terminal.shows(/stopped watching c-/);
    expect(terminal.screen()).not.to.contain('└0 s');
  });

  it('TERM=dumb: lines', async () => {
    open({ columns: 100, rows: 50 }, { TERM: 'dumb' });
    terminal.runs(startLine(3));
    const screen = await terminal.shows(/^exit \d$/m);
    expect(screen).not.to.contain('└0 s');
  });

  it('demo: the canary below its steps, then what it printed before', async () => {
    open();
    terminal.runs(`${LUKHAS} demo; echo exit $?; stty -a > after; cmp before after && echo over`);
    await terminal.shows(/^● RUNNING {2}fraud-v2/m);
    await terminal.shows(/└0 s/);
    const screen = await expectGone();
    expect(screen).to.match(/^ROLLED BACK {2}fraud-v2/m);
    expect(screen).to.match(/npx lukhas serve --demo +the cockpit: http:\/\/127.0.0.1:8766\/cockpit.html\n+exit 0/);
  });
});
