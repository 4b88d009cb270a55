import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { until } from '../until.js';
import { ROOT, type Running, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';
import { Tmux } from './tmux.js';

const LUKHAS = `"${process.execPath}" "${ROOT}bin/run.js"`;

describe('lukhas watch in a real terminal (tmux), on a log that is written', function () {
  this.timeout(120_000);
  let at: Workspace;
  let terminal: Tmux;
  let page: Page;
  let driven: Running;

  beforeEach(async () => {
    at = new Workspace();
    page = await serve(counting(400, 0));
    at.file('p.yaml', 'windowSeconds: 100\nintervalSeconds: 1\ntargets: { max_error_rate: 0.05 }\n');
    const gates = ['--model', 'fraud-v2', '--from', 'stage', '--to', 'production'];
    driven = at.start(['canary', 'start', ...gates, '--policy', 'p.yaml', '--canary-url', page.url]);
    await driven.says(/^started c-/m);
    const env = { ...at.environment(), LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', PS1: '$ ' };
    terminal = new Tmux({ columns: 120, rows: 40 }, { cwd: at.dir, env });
  });
  afterEach(async function () {
    if (this.currentTest?.isFailed() === true) console.log(terminal.screen());
    terminal.close();
    driven.child.kill('SIGTERM');
    await driven.finished;
    await page.close();
    await at.remove();
  });

  it('follows checks as they are made, exports, aborts with a reason, and shows how it ended', async () => {
    terminal.runs(`${LUKHAS} watch; echo exit $?`);
    await terminal.shows(/^▸ ● RUNNING +fraud-v2 +stage → production .*left/m);
    await terminal.shows(/\S error_rate +[█░│]+ +[▁▂▃▄▅▆▇█]+ 0% \(limit 5%\)/);
    terminal.press('Enter');
    const first = Number(/(\d+) checks so far/.exec(await terminal.shows(/\d+ checks so far/))![1]);
    await until(() => Number(/(\d+) checks so far/.exec(terminal.screen())?.[1] ?? 0) > first, 50);
    terminal.press('e');
    await terminal.shows(/evidence pack: .*\.zip/);
    expect(readdirSync(at.dir).filter((name) => name.endsWith('.zip')).length).to.equal(1);
    terminal.press('a');
    terminal.types('it is late');
    terminal.press('Enter');
    await terminal.shows(/^⊘ ABORTED +fraud-v2/m);
    terminal.press('Escape');
    await terminal.shows(/^▸ ⊘ ABORTED +fraud-v2/m);
    terminal.press('q');
    await terminal.shows(/^exit 0$/m);
    const ledger = await openLedger(at.db);
    try {
      const [aborted] = await ledger.events({ kinds: ['canary.aborted'], limit: 1, newest: true });
      expect(aborted?.data).to.have.property('reason', 'it is late');
    } finally {
      await ledger.close();
    }
  });

  it('says in words what cannot be done, and goes on', async () => {
    terminal.runs(`${LUKHAS} watch; echo exit $?`);
    await terminal.shows(/^▸ ● RUNNING/m);
    terminal.press('p');
    terminal.types('it looks good');
    terminal.press('Enter');
    await terminal.shows(/RUNNING.*BLOCKED|only .*BLOCKED|not BLOCKED/i);
    terminal.press('?');
    await terminal.shows('quit; canaries go on');
    terminal.press('q', 'q');
    await terminal.shows(/^exit 0$/m);
  });

  it('--until-done ends with the canary, and its exit code', async () => {
    const id = (await at.events()).find(({ kind }) => kind === 'canary.requested')!.subject;
    terminal.runs(`${LUKHAS} watch ${id} --until-done; echo exit $?`);
    await terminal.shows('Objectives');
    await at.run(['canary', 'abort', id, '--reason', 'enough']);
    const screen = await terminal.shows(/^exit 10$/m);
    expect(screen).to.match(/^ABORTED {2}fraud-v2/m);
    expect(terminal.state()).to.deep.equal({ alternate: false, cursor: true });
  });

  it('of a daemon says that it is stale while that is away, and is live again with what happened meanwhile', async () => {
    let said = '';
    const serveOn = async (port: string): Promise<Running> => {
      const running = at.start(['serve', '--port', port]);
      running.child.stderr!.on('data', (text: string) => {
        said += text;
      });
      await running.says(/listening on http:\S+/);
      return running;
    };
    const first = await serveOn('0');
    const [, url = '', port = ''] = /listening on (http:\/\/[\d.]+:(\d+))/.exec(said)!;
    terminal.runs(`${LUKHAS} watch --url ${url}; echo exit $?`);
    await terminal.shows(/● live/);
    await terminal.shows(/^▸ ● RUNNING +fraud-v2/m);
    first.child.kill('SIGTERM');
    await first.finished;
    const stale = await terminal.shows(/^ ! STALE/m);
    expect(stale).not.to.contain('live');
    expect(stale).to.contain('fraud-v2');
    const id = (await at.events()).find(({ kind }) => kind === 'canary.requested')!.subject;
    await at.run(['canary', 'abort', id, '--reason', 'while nobody looked']);
    const second = await serveOn(port);
    await terminal.shows(/● live/);
    await terminal.shows(/^▸ ⊘ ABORTED +fraud-v2/m);
    terminal.press('q');
    await terminal.shows(/^exit 0$/m);
    second.child.kill('SIGTERM');
    await second.finished;
  });
});
