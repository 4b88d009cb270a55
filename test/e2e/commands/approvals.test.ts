import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { canaryId, firstLine, type Run, Workspace } from '../lukhas.js';
import { observations } from '../observations.js';

const POLICY = { windowSeconds: 12, intervalSeconds: 1, targets: { max_error_rate: 0.02 } };
const GATES = ['--model', 'fraud-v2', '--from', 'stage', '--to', 'production'];
/** Approvals by the one account that runs the tests; root may say whom sudo ran it for. */
const ALONE = { required: 1, not: 'nobody' };
const IS_ROOT = process.getuid?.() === 0;

describe('lukhas canary, where people have to approve', () => {
  let workspace: Workspace;
  beforeEach(() => {
    workspace = new Workspace();
    const note = `require('fs').appendFileSync('calls', process.env.LUKHAS_REASON + '\\n')`;
    const hook = { name: 'note', exec: { command: [process.execPath, '-e', note] } };
    workspace.file('lukhas.yaml', JSON.stringify({ hooks: { promote: [hook] } }));
  });
  afterEach(() => workspace.remove());

  const calls = () => readFile(join(workspace.dir, 'calls'), 'utf8').catch(() => '');
  const as = (who: string | null, ...args: string[]): Promise<Run> =>
    workspace.run(['canary', ...args], who === null ? {} : { env: { SUDO_USER: who } });

  async function decided(approvals: object, who: string | null = null): Promise<Run> {
    const policy = workspace.file('policy.json', JSON.stringify({ ...POLICY, approvals }));
    const input = workspace.file('looks.ndjson', observations(12));
    return as(who, 'start', ...GATES, '--policy', policy, '--input', input);
  }

  it('ends with 4 while it waits, then carries it out with the last approval', async () => {
    const run = await decided(ALONE);
    expect(run.code).to.equal(4);
    expect(run.stdout).to.match(/^BLOCKED {2}fraud-v2 {2}stage → production/);
    expect(run.stdout).to.contain('waiting for approval: 1 approval required by');
    const id = canaryId(run);
    expect(await calls()).to.equal('');
    const status = await workspace.json(['canary', 'status', id]);
    expect(status).to.include({ status: 'BLOCKED', exit: 4 });
    const { digest } = status['awaiting'] as { digest: string };
    const wrong = await as(null, 'approve', id, '--reason', 'ok', '--digest', 'abcdef12');
    expect([wrong.code, firstLine(wrong)]).to.satisfy(
      ([code, line]: [number, string]) => code === 2 && line.includes('has changed: its digest is'),
    );
    const approved = await as(null, 'approve', id, '--reason', 'looked at it', '--digest', digest.slice(0, 16));
    expect(approved.code).to.equal(0);
    expect(approved.stdout)
      .to.match(/^PROMOTED /)
      .and.contain('production now holds fraud-v2');
    expect(await calls()).to.equal('certified_at_end\n');
    expect((await workspace.run(['why', id])).stdout).to.contain('approved it (1 of 1): "looked at it"');
  });

  it('leaves the hooks to others with --detach', async () => {
    const id = canaryId(await decided(ALONE));
    expect((await as(null, 'approve', id, '--reason', 'ok', '--detach')).stdout).to.equal(`approved ${id}\n`);
    expect(await calls()).to.equal('');
    expect((await as(null, 'resume', id)).code).to.equal(0);
    expect(await calls()).to.equal('certified_at_end\n');
  });

  it('is over after a rejection', async () => {
    const id = canaryId(await decided(ALONE));
    expect((await as(null, 'reject', id, '--reason', 'not now')).stdout).to.equal(`rejected ${id}\n`);
    const late = await as(null, 'approve', id, '--reason', 'ok');
    expect([late.code, firstLine(late)]).to.deep.equal([
      2,
      `lukhas: Canary ${id} is BLOCKED (rejected): it cannot be approved.`,
    ]);
    expect((await as(null, 'resume', id)).code).to.equal(4);
    expect(await calls()).to.equal('');
  });

  it('breaks the glass with a long reason, and lists that first until it is reviewed', async () => {
    const id = canaryId(await decided({ required: 3 }));
    await decided(ALONE);
    const glass = (reason: string) => as(null, 'promote', id, '--break-glass', '--reason', reason);
    for (const reason of ['quick', 'a'.repeat(30)])
      expect(firstLine(await glass(reason))).to.contain('too short: at least 20 characters, 8 of them different');
    const run = await glass('v1 refuses every payment, v2 mends it');
    expect(run.code).to.equal(0);
    expect(run.stdout).to.contain('BREAK-GLASS by');
    expect(await calls()).to.equal('break_glass\n');
    const list = (await as(null, 'list')).stdout.split('\n');
    expect(list[1]).to.match(new RegExp(`^${id} .*break-glass, not reviewed`));
    const own = await as(null, 'review', id, '--reason', 'fine');
    expect([own.code, firstLine(own)]).to.satisfy(
      ([code, line]: [number, string]) => code === 2 && line.includes(`promoted canary ${id} by break-glass`),
    );
    const late = await as(null, 'approve', id, '--reason', 'me too');
    expect(late.stderr).to.contain(`needs a review: lukhas canary review ${id} --reason`);
    if (!IS_ROOT) return;
    expect((await as('olu', 'review', id, '--reason', 'it was needed')).stdout).to.equal(`reviewed ${id}\n`);
    expect((await as(null, 'list')).stdout).not.to.contain('not reviewed');
  });

  it('tells people apart by their account', async function () {
    if (!IS_ROOT) this.skip();
    const id = canaryId(await decided({ required: 2 }, 'ana'));
    expect(firstLine(await as('ana', 'approve', id, '--reason', 'mine'))).to.contain('requested the promotion');
    expect((await as('bo', 'approve', id, '--reason', 'ok')).stdout).to.contain('1 of 2 approvals given');
    expect(firstLine(await as('bo', 'approve', id, '--reason', 'ok'))).to.contain('has already approved');
    expect((await as('cy', 'approve', id, '--reason', 'ok')).code).to.equal(0);
    expect(await calls()).to.equal('certified_at_end\n');
  });
});
