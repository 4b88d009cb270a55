import { chmodSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { until } from '../until.js';
import { canaryId, expectNoInsides, type Running, type RunOptions, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';

const KEY = 'a-key-of-some-length';
/** Terminals obey none of it, whatever a reason holds. */
const HOSTILE = 'gone \u001b[31mred\u001b[0m\nC-m8k2x0  PROMOTED \u202e<script>alert(1)</script> 🙂';

interface Event {
  event: string;
  id: string;
  ts: string;
  canaryId?: string;
}

describe('lukhas watch', () => {
  let w: Workspace;
  let good: Page;
  let bad: Page;
  before(async () => {
    good = await serve(counting(5000, 0.0005));
    bad = await serve(counting(5000, 0.2));
  });
  after(async () => {
    await good.close();
    await bad.close();
  });
  beforeEach(() => {
    w = new Workspace();
    for (const [name, seconds] of [
      ['short', 4],
      ['long', 600],
    ] as const)
      w.file(`${name}.yaml`, `windowSeconds: ${seconds}\nintervalSeconds: 1\ntargets: { max_error_rate: 0.02 }\n`);
  });
  afterEach(() => w.remove());

  async function daemon(args: readonly string[] = [], options: RunOptions = {}) {
    const running = w.start(['serve', '--port', '0', ...args], options);
    let said = '';
    running.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await running.says(/listening on http:\S+/);
    const [, url = ''] = /listening on (http:\/\/[\d.]+:\d+)/.exec(said) ?? [];
    return { running, url };
  }

  async function begin(page: Page, policy: 'short' | 'long', model = 'fraud-v2'): Promise<string> {
    const names = ['--model', model, '--from', 'stage', '--to', 'production', '--policy', `${policy}.yaml`];
    const run = await w.run([
      'canary',
      'start',
      ...names,
      '--canary-url',
      page.url,
      '--detach',
      '--allow-shared-series',
    ]);
    expect(run.code, run.stderr).to.equal(0);
    return canaryId(run);
  }

  /** A command that prints as things happen. */
  function following(args: readonly string[], options: RunOptions = {}) {
    const running = w.start(['watch', ...args], options);
    let text = '';
    let said = '';
    running.child.stdout?.on('data', (piece: string) => {
      text += piece;
    });
    running.child.stderr?.on('data', (piece: string) => {
      said += piece;
    });
    const prints = (pattern: RegExp) => until(() => pattern.test(text) || running.child.exitCode !== null, 50);
    const says = (pattern: RegExp) => until(() => pattern.test(said) || running.child.exitCode !== null, 50);
    const lines = () => text.split('\n').filter((line) => line !== '');
    return { running, prints, says, lines, said: () => said };
  }

  const stop = async ({ child, finished }: Running, signal: NodeJS.Signals = 'SIGINT') => {
    child.kill(signal);
    return finished;
  };

  it('prints a line for each change, and ends as a signal says', async () => {
    await daemon();
    const watch = following([]);
    // Of the second it has seen everything, once it has shown the first.
    await begin(good, 'long', 'fraud-v0');
    await watch.prints(/fraud-v0/);
    const id = await begin(good, 'short');
    await watch.prints(/promote carried out/);
    const run = await stop(watch.running);
    expect(run.code, run.stderr).to.equal(130);
    expect(run.stderr).to.equal('');
    const own = watch.lines().filter((line) => line.includes(id));
    for (const line of watch.lines()) expect(line).to.match(/^\d{2}:\d{2}:\d{2}Z {2}(c-|gate )/);
    const order = [/PENDING {2}requested by/, /RUNNING {2}the window begins/, /PROMOTED {2}decided after/, /now holds/];
    const places = order.map((pattern) => own.findIndex((line) => pattern.test(line)));
    expect(places)
      .to.deep.equal([...places].sort((a, b) => a - b))
      .and.not.include(-1);
    expect(own.filter((line) => line.includes('check '))).to.deep.equal([]);
    expect(own[places[0]!]).to.include(`${id}  fraud-v2  stage → production`);
    expect((await stop(following([]).running, 'SIGTERM')).code).to.be.oneOf([143, null]);
  });

  it('ends with how the canary ended', async () => {
    await daemon();
    const promoted = await begin(good, 'short');
    const rolledBack = await begin(bad, 'long', 'fraud-v3');
    const aborted = await begin(good, 'long', 'fraud-v4');
    const runs = [promoted, rolledBack, aborted].map((id) => following([id, '--until-done']));
    // Also one that has ended by the time that somebody looks, and one whose output nobody reads.
    await runs[2]!.prints(/check .*limit/);
    await w.run(['canary', 'abort', aborted, '--reason', HOSTILE]);
    const ended = await Promise.all(runs.map(({ running }) => running.finished));
    expect(ended.map(({ code }) => code)).to.deep.equal([0, 3, 10]);
    for (const run of ended) {
      expectNoInsides(run);
      expect(run.stdout).to.match(/error_rate .*\(limit 2%\).*evidence against it/);
      // No escape sequence, no bidirectional mark, no line that somebody else wrote.
      expect(run.stdout)
        .to.not.include('\u001b')
        .and.not.include('\u202e')
        .and.not.match(/^C-m8k2x0/m);
    }
    expect(ended[2]!.stdout)
      .to.match(/check \d+ /)
      .and.include('<script>alert(1)</script>');
    const again = await w.run(['watch', rolledBack, '--until-done']);
    expect([again.code, again.stdout.trim().split('\n').length]).to.deep.equal([3, 1]);
    const status = await w.json(['canary', 'status', rolledBack]);
    expect(status['exit']).to.equal(3);
    const piped = await w.shell(`lukhas watch ${rolledBack} --until-done >/dev/full; echo "code $?"`);
    expect(piped.stdout).to.equal('code 3\n');
  });

  it('prints each event of the stream as a document of its own', async () => {
    const { url } = await daemon();
    const local = following(['--json']);
    const remote = following(['--json', '--url', url]);
    const id = await begin(good, 'short');
    const done = /"event":"acted"/;
    await Promise.all([local.prints(done), remote.prints(done)]);
    await Promise.all([stop(local.running), stop(remote.running)]);
    const response = await fetch(`${url}/sse?topic=canary/${id}`);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('event: acted')) text += (await reader.read()).value ?? '';
    await reader.cancel();
    const sent = new Map<string, object>();
    for (const [, position = '', event, data = ''] of text.matchAll(/^id: (\S+)\nevent: (\S+)\ndata: (.*)$/gm))
      sent.set(position, { event, id: position, ...(JSON.parse(data) as object) });
    for (const watch of [local, remote]) {
      const events = watch.lines().map((line) => JSON.parse(line) as Event & { judged?: unknown });
      const own = events.filter(({ canaryId: about, event }) => about === id && event !== 'gate_changed');
      expect(own.map(({ event }) => event)).to.include.members(['requested', 'started', 'metric', 'promoted', 'acted']);
      // How it stands is told of checks that somebody followed, not of those that are read later.
      for (const event of own)
        if (event.event !== 'metric') expect(event).to.deep.equal(sent.get(event.id));
        else expect({ ...event, judged: null }).to.deep.equal({ ...sent.get(event.id), judged: null });
      expect(own.map(({ id: position }) => position)).to.deep.equal(
        [...sent.keys()].filter((key) => key !== [...sent.keys()][0]),
      );
    }
  });

  it('shows once how things stand: all, or one as a tree', async () => {
    await daemon();
    const id = await begin(bad, 'long');
    expect((await w.run(['watch', id, '--until-done'])).code).to.equal(3);
    const list = await w.run(['watch', '--once']);
    expect(list.stdout).to.match(new RegExp(`^CANARY .*\\n${id} +✗ ROLLED BACK +fraud-v2 +stage → production +after `));
    const tree = await w.run(['canary', 'watch', id.slice(0, 8), '--once']);
    expect(tree.stdout)
      .to.match(/^Canary: +c-/)
      .and.match(/├── ✗ objective\/error_rate +\d+.*limit 2%/);
    expect(tree.stdout).to.match(/^└── · gate\/production +no holder$/m);
    expect(`${list.stdout}${tree.stdout}`).to.not.include('\u001b');
    const { canaries } = (await w.json(['watch', '--once'])) as { canaries: { id: string; state: string }[] };
    expect(canaries.map((row) => [row.id, row.state])).to.deep.equal([[id, 'ROLLED_BACK']]);
    expect(await w.json(['watch', id, '--once'])).to.have.property('numbers');
  });

  it('refuses what it cannot watch, in one line', async () => {
    await daemon();
    for (const [args, code, words] of [
      [['c-unknown'], 2, /No canary "c-unknown"/],
      [['c-unknown', '--once'], 2, /No canary "c-unknown"/],
      [['one', 'two'], 2, /Unexpected argument/],
      [['--until-done'], 2, /needs the id/],
      [['c-unknown', '--until-done', '--once'], 2, /--once|until-done/],
      [['--url', 'no-address'], 2, /--url: is not a URL/],
      [['--url', 'http://127.0.0.1:8766', '--db', 'x.db'], 2, /--url|--db/],
      [['--db', 'missing.db'], 2, /no ledger found/],
    ] as const) {
      const run = await w.run(['watch', ...args]);
      expect([run.code, run.stdout], run.stderr).to.deep.equal([code, '']);
      expect(run.stderr.split('\n')[0]).to.match(words);
      expectNoInsides(run);
    }
  });

  it('sees what others write where it may read alone', async () => {
    const id = await begin(good, 'long');
    // The last writer has gone: SQLite reads a copy of the file, as it stands.
    chmodSync(w.dir, 0o755);
    chmodSync(w.db, 0o644);
    const nobody = 65_534;
    const watch = w.runAs(nobody, ['watch', id, '--until-done']);
    // Enough for it to have begun; where it was not, it finds the canary aborted.
    await wait(3000);
    await w.run(['canary', 'abort', id, '--reason', 'enough']);
    const run = await watch;
    expect(run.code, run.stderr).to.equal(10);
  });

  it('ends quietly when nobody reads any more', async () => {
    await daemon();
    const id = await begin(good, 'long');
    const run = await w.shell(`{ lukhas watch ${id}; echo "code $?" >&2; } | head -2`);
    expect(run.stdout.trim().split('\n')).to.have.length(2);
    expect(run.stderr).to.equal('code 141\n');
  });

  it('asks a daemon with the key of the environment, says when it is refused, and goes on after a restart', async () => {
    const env = { LUKHAS_MCP_API_KEYS: KEY };
    const { running, url } = await daemon([], { env });
    const none = await w.run(['watch', '--url', url]);
    expect([none.code, none.stdout]).to.deep.equal([2, '']);
    expect(none.stderr)
      .to.match(/API key required/)
      .and.match(/Set LUKHAS_API_KEY/);
    const wrong = await w.run(['watch', '--url', url], { env: { LUKHAS_API_KEY: 'another-key-of-some-length' } });
    expect([wrong.code, wrong.stdout]).to.deep.equal([2, '']);
    expect(wrong.stderr).to.include('LUKHAS_API_KEY').and.not.include('another-key');
    const unknown = await w.run(['watch', 'c-unknown', '--url', url], { env: { LUKHAS_API_KEY: KEY } });
    expect(unknown.code, unknown.stderr).to.equal(2);

    const id = await begin(good, 'long');
    const watch = following([id, '--url', url, '--until-done'], { env: { LUKHAS_API_KEY: KEY } });
    await watch.prints(/check 2 /);
    await stop(running, 'SIGTERM');
    await watch.says(/not live: /);
    const port = new URL(url).port;
    const second = w.start(['serve', '--port', port], { env });
    await second.says(/listening on/);
    await watch.says(/live again: /);
    const newest = () => Math.max(...watch.lines().map((line) => Number(/ check (\d+)/.exec(line)?.[1] ?? 0)));
    const before = newest();
    await until(() => newest() > before, 50);
    await w.run(['canary', 'abort', id, '--reason', 'enough']);
    const run = await watch.running.finished;
    expect(run.code, run.stderr).to.equal(10);
    const checks = [...run.stdout.matchAll(/ check (\d+)/g)].map(([, tick]) => Number(tick));
    const first = checks[0]!;
    expect(checks).to.deep.equal(checks.map((_, i) => first + i));
    expect(run.stdout + run.stderr).to.not.include(KEY);
    expectNoInsides(run);
  });

  it('says that what it shows may be out of date when the daemon stands still, and misses nothing of it', async () => {
    const { running, url } = await daemon();
    const id = await begin(good, 'long');
    const watch = following([id, '--url', url]);
    await watch.prints(/check 1 /);
    running.child.kill('SIGSTOP');
    const stoppedAt = performance.now();
    await watch.says(/not live: /);
    const stale = performance.now() - stoppedAt;
    // What is said at once would be said of any pause, what is said after a minute is a lie until then.
    expect(stale).to.be.within(30_000, 60_000);
    await wait(Math.max(0, 45_000 - stale));
    running.child.kill('SIGCONT');
    await watch.says(/live again: /);
    const newest = () => Math.max(...watch.lines().map((line) => Number(/ check (\d+)/.exec(line)?.[1] ?? 0)));
    const before = newest();
    await until(() => newest() > before + 1, 50);
    await stop(watch.running);
    const ticks = await w.read(async (ledger) => (await ledger.observations(id)).map(({ tick }) => tick));
    const printed = watch
      .lines()
      .flatMap((line) => / check (\d+)/.exec(line)?.[1] ?? [])
      .map(Number);
    expect(printed).to.deep.equal(ticks.filter((tick) => tick >= printed[0]! && tick <= printed.at(-1)!));
  });
});
