import { expect } from 'chai';
import { presentCanary } from '../../../src/cli/present.js';
import { nextSteps, why } from '../../../src/lib/explain/cause.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import type { EventDraft } from '../../../src/lib/ledger/events.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { applyEvent, type Canary, foldCanary } from '../../../src/lib/readings/canary.js';
import { canaryId, firstLine, type Run, Workspace } from '../lukhas.js';
import { observations } from '../observations.js';

const POLICY = { windowSeconds: 12, intervalSeconds: 1, targets: { max_error_rate: 0.02 } };
const GATES = ['--model', 'fraud-v2', '--from', 'stage', '--to', 'production'];

describe('lukhas canary, asked carelessly', () => {
  let workspace: Workspace;

  beforeEach(() => {
    workspace = new Workspace();
  });

  afterEach(() => workspace.remove());

  function start(input: string, ...more: string[]): Promise<Run> {
    const policy = workspace.file('policy.json', JSON.stringify(POLICY));
    const file = workspace.file('looks.ndjson', input);
    return workspace.run(['canary', 'start', ...GATES, '--policy', policy, '--input', file, ...more]);
  }

  it('takes no short or empty beginning of an id for the only canary there is', async () => {
    const id = canaryId(await start(observations(2)));
    const override = (given: string) => workspace.run(['canary', 'promote', given, '--reason', 'x']);
    for (const given of ['c', id.slice(0, 5)]) {
      const run = await override(given);
      expect(run.code).to.equal(2);
      expect(firstLine(run)).to.contain('is too short for a canary id: give at least 6 characters');
    }
    expect(firstLine(await override(''))).to.equal('lukhas: id: must not be empty');
    expect(await workspace.json(['canary', 'status', id])).to.include({ status: 'BLOCKED', ended: null });
    expect((await override(id.slice(0, 6))).code).to.equal(0);
  });

  it('begins nothing whose webhook could not be signed, unless no hook is to be called', async () => {
    const webhook = { url: 'http://127.0.0.1:9/x', secretEnv: 'HOOK_SECRET' };
    for (const action of ['promote', 'rollback']) {
      workspace.file('lukhas.yaml', JSON.stringify({ hooks: { [action]: [{ name: 'tell', webhook }] } }));
      const run = await start(observations(2));
      expect(run.code).to.equal(2);
      expect(firstLine(run)).to.match(/hook "tell".*HOOK_SECRET/);
    }
    expect((await workspace.json(['canary', 'list']))['canaries']).to.deep.equal([]);
    expect((await start(observations(2), '--dry-run')).code).to.equal(4);
  });

  it('says which target of a policy file a flag overrides', async () => {
    const { stderr } = await start(observations(2), '--max-error-rate', '0.9');
    expect(stderr).to.match(/^policy .*policy\.json: max_error_rate 0\.02 overridden by --max-error-rate 0\.9$/m);
    expect((await start(observations(2), '--max-error-rate', '0.02')).stderr).not.to.contain('overridden');
  });

  it('prints a reason in one harmless line, and keeps it as it was given', async () => {
    const id = canaryId(await start(observations(2)));
    const reason = 'ok\u001b[31m\u202e\nPROMOTED  certified';
    const { stdout } = await workspace.run(['canary', 'promote', id, '--reason', reason]);
    expect(stdout).to.contain(': ok\\u001b[31m\\u202e');
    expect(stdout.replaceAll('\n', '')).not.to.match(/[\p{Cc}\p{Cf}]/u);
    const ledger = await openLedger(workspace.db, { readOnly: true });
    const [event] = await ledger.events({ subject: id, kinds: ['canary.overridden'] });
    await ledger.close();
    expect(event?.data).to.include({ reason });
  });

  it('has demo refuse a fault in a healthy version', async () => {
    const run = await workspace.run(['demo', '--healthy', '--fault', 'crash']);
    expect(run.code).to.equal(2);
    expect(firstLine(run)).to.match(/--fault.*--healthy|--healthy.*--fault/);
  });
});

describe('the words about a canary', () => {
  let canary: Canary;

  /** The verdict of a real judging, on `bad` of 400 failed requests at each look. */
  async function decided(bad: number): Promise<Verdict> {
    const workspace = new Workspace();
    try {
      const policy = workspace.file('policy.json', JSON.stringify(POLICY));
      const input = workspace.file('looks.ndjson', observations(12, { bad }));
      const id = canaryId(await workspace.run(['canary', 'start', ...GATES, '--policy', policy, '--input', input]));
      const ledger = await openLedger(workspace.db, { readOnly: true });
      const events = await ledger.events({ subject: id });
      await ledger.close();
      canary = foldCanary(events)!;
      return canary.verdict!;
    } finally {
      await workspace.remove();
    }
  }

  it('do not lay a missing certificate to evidence where readings decided', async () => {
    const verdict: Verdict = { ...(await decided(0)), reason: 'met_without_certificate', certainty: 'uncertified' };
    const reading = { type: 'reading', name: 'gpu_util', rule: { name: 'gpu_util' } } as Verdict['objectives'][number];
    expect(why({ ...verdict, objectives: [reading] })).to.equal(
      'every target is met by its newest reading; readings cannot be certified',
    );
    expect(why({ ...verdict, objectives: [...verdict.objectives, reading] })).to.contain('gpu_util by its newest');
    expect(nextSteps({ ...verdict, reason: 'no_data' }).join()).to.contain('or the fields of the input');
  });

  it('say why a hook failed, in one line of bounded length', async () => {
    await decided(0);
    const base = { subject: canary.id, ts: canary.updatedAt };
    const detail = `exit code 3: \u001b[31m no such cluster ${'x'.repeat(4000)}`;
    const facts = { action: 'promote', hook: 'deploy', index: 0, attempt: 1 } as const;
    const events: EventDraft[] = [
      { ...base, kind: 'canary.retried', data: { by: { who: 'a', how: 'os-user' }, action: 'promote' } },
      { ...base, kind: 'hook.finished', data: { ...facts, ok: false, detail, durationMs: 1 } },
      { ...base, kind: 'canary.acted', data: { action: 'promote', ok: false, failed: 'deploy', hooks: 1 } },
    ];
    const failed = events.reduce((c, e) => applyEvent(c, { ...e, seq: c.lastSeq + 1, v: 1 }), canary);
    const line = String(presentCanary(failed, true))
      .split('\n')
      .find((text) => text.startsWith('  hook'));
    expect(line).to.match(/^ {2}hook "deploy" FAILED: exit code 3: \\u001b\[31m no such cluster x+…$/);
    expect(line).to.have.length.below(260);
  });
});
