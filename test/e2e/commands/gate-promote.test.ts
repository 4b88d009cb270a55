import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { until } from '../../until.js';
import { canaryId, firstLine, Workspace } from '../lukhas.js';
import { observations } from '../observations.js';

const POLICY = { windowSeconds: 12, intervalSeconds: 1, targets: { max_error_rate: 0.02 } };
const ASKED = ['gate', 'promote', 'fraud-v2', 'production'];

describe('lukhas gate promote', () => {
  let workspace: Workspace;
  beforeEach(() => {
    workspace = new Workspace();
  });
  afterEach(() => workspace.remove());

  /** A dry run proves it, and leaves the gate as it is. */
  async function proved(): Promise<string> {
    return judged(0, 0);
  }

  async function judged(bad: number, code: number): Promise<string> {
    const policy = workspace.file('policy.json', JSON.stringify(POLICY));
    const input = workspace.file('looks.ndjson', observations(13, { bad, total: 500 }));
    const gates = ['--model', 'fraud-v2', '--from', 'stage', '--to', 'production'];
    const run = await workspace.run(['canary', 'start', ...gates, '--policy', policy, '--input', input, '--dry-run']);
    expect(run.code, run.stderr).to.equal(code);
    return canaryId(run);
  }

  function hook(code: string): void {
    const exec = { command: [process.execPath, '-e', code] };
    workspace.file('lukhas.yaml', JSON.stringify({ hooks: { promote: [{ name: 'deploy', exec }] } }));
  }

  it('refuses with code 2 what nothing has proved, and says what to do', async () => {
    const run = await workspace.run(ASKED);
    expect(run.code).to.equal(2);
    expect(firstLine(run)).to.equal('lukhas: fraud-v2 cannot be promoted to production: no canary has proved it');
    expect(run.stderr).to.contain('lukhas canary start --model fraud-v2').and.contain('requireCanary: false');
    expect((await workspace.run([...ASKED, '--dry-run'])).code).to.equal(2);
    workspace.file('lukhas.yaml', 'promotion: {requireCanary: false}');
    expect((await workspace.run(ASKED)).stdout).to.equal(
      'fraud-v2 to production: promoted without evidence, as the configuration allows\n',
    );
  });

  it('promotes once, and says beforehand that it would', async () => {
    const id = await proved();
    const dry = await workspace.run([...ASKED, '--dry-run']);
    expect(dry.code).to.equal(0);
    expect(dry.stdout).to.equal(`dry run: fraud-v2 to production: would be promoted on the evidence of canary ${id}\n`);
    expect((await workspace.json(['gate', 'list']))['gates']).to.deep.equal([]);
    const first = await workspace.json(ASKED);
    expect(first).to.include({ changed: true, promoted: true, canaryId: id, exit: 0 });
    expect(await workspace.json(ASKED)).to.include({ changed: false, promoted: true, exit: 0 });
    const { promotionId } = first;
    for (const command of [
      ['gate', 'list'],
      ['gate', 'history', 'production'],
    ]) {
      const { gates, history } = await workspace.json(command);
      expect([gates ?? history].flat()[0], command.join(' ')).to.include({ canaryId: id, promotionId });
      expect((await workspace.run(command)).stdout).to.contain(` ${id}  ${promotionId as string}`);
    }
    expect((await workspace.run(['verify'])).code).to.equal(0);
  });

  it('refuses what a newer canary has disproved, also when its row is missing in the listing', async () => {
    await proved();
    const newer = await judged(100, 3);
    const db = new Database(workspace.db);
    expect(db.prepare('DELETE FROM heads WHERE subject = ?').run(newer).changes).to.equal(1);
    db.close();
    hook(`require('fs').writeFileSync(${JSON.stringify(join(workspace.dir, 'called'))}, '')`);
    for (const more of [[], ['--dry-run']]) {
      const run = await workspace.run([...ASKED, ...more]);
      expect(run.code).to.equal(2);
      expect(run.stdout + run.stderr).to.contain(newer);
    }
    expect(existsSync(join(workspace.dir, 'called'))).to.equal(false);
    // Where the refusal sends its reader, the canary is found all the same.
    expect(await workspace.json(['canary', 'status', newer])).to.include({ canaryId: newer });
    expect((await workspace.run(['verify'])).stdout)
      .to.contain(newer)
      .and.contain('lukhas db rebuild');
  });

  it('ends with code 5 when a hook fails', async () => {
    await proved();
    hook("console.error('no such cluster'); process.exit(3)");
    const run = await workspace.run(ASKED);
    expect(run.code).to.equal(5);
    expect(run.stdout).to.equal(
      'NOT promoted: fraud-v2 to production: hook "deploy" failed: exit code 3: no such cluster\n',
    );
  });

  it('is interrupted by a signal, and goes on when asked again', async () => {
    await proved();
    const begun = join(workspace.dir, 'begun');
    hook(`require('fs').writeFileSync(${JSON.stringify(begun)}, ''); setInterval(() => {}, 1000)`);
    const running = workspace.start([...ASKED, '--json']);
    await until(() => existsSync(begun));
    running.child.kill('SIGTERM');
    const stopped = await running.finished;
    expect(stopped.code).to.equal(143);
    const { promotionId } = JSON.parse(stopped.stdout) as { promotionId: string };
    hook('');
    expect(await workspace.json(ASKED)).to.include({ promoted: true, promotionId });
  });
});
