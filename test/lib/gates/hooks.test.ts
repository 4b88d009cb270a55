import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Clock } from '../../../src/lib/clock.js';
import type { HookConfig } from '../../../src/lib/gates/hook.js';
import { hookState, longestMs, runHooks } from '../../../src/lib/gates/hooks.js';
import type { StoredEvent } from '../../../src/lib/ledger/events.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { until } from '../../until.js';
import { TwoClocks } from '../ledger/two-clocks.js';
import { aCall } from './call.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const clock: Clock = { now: () => NOW, monotonic: () => 0, sleep: async () => undefined };
const canaryId = 'can_01';

describe('hooks of a canary', () => {
  let dir: string;
  let ledger: Ledger;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-hooks-'));
    ledger = await openLedger(join(dir, 'log.db'));
  });
  afterEach(async () => {
    await ledger.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** Writes a line for each call to `calls`, then does `code`. */
  const noting = (name: string, code = ''): HookConfig => {
    const note = `const call = JSON.parse(require('fs').readFileSync(0, 'utf8'));
      require('fs').appendFileSync(process.argv[1], [process.argv[2], call.key, call.attempt].join(' ') + '\\n');`;
    const command: [string, ...string[]] = [process.execPath, '-e', note + code, join(dir, 'calls'), name];
    return { name, exec: { command, timeoutSeconds: 10, env: {} } };
  };
  const calls = async () => (await readFile(join(dir, 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const called = () => until(async () => (await calls()).length > 0);
  const run = (hooks: HookConfig[], more: Partial<Parameters<typeof runHooks>[0]> = {}) => {
    const env = { PATH: process.env['PATH'] };
    return runHooks({ ledger, hooks, action: 'promote', call: aCall(), canaryId, clock, env, ...more });
  };
  const log = async () => (await ledger.events({ subject: canaryId })).map(short);

  it('calls each in order and records every call before and after', async () => {
    expect(await run([noting('first'), noting('second')])).to.deep.equal({ ok: true, failed: null });
    expect(await calls()).to.deep.equal(['first can_01 1', 'second can_01 1']);
    expect(await log()).to.deep.equal([
      'intended first 0 1 can_01',
      'finished first 0 1 ok',
      'intended second 1 1 can_01',
      'finished second 1 1 ok',
    ]);
    const [event] = await ledger.events({ subject: canaryId });
    expect(event?.ts).to.equal('2026-03-01T12:00:00.000Z');
  });

  it('has the intent on disk before the call is made', async () => {
    const stop = new AbortController();
    const running = run([noting('slow', 'setInterval(() => {}, 1000)')], { signal: stop.signal }).catch(
      (error: unknown) => error,
    );
    await called();
    const other = await openLedger(join(dir, 'log.db'));
    const seen = (await other.events({ subject: canaryId })).map(short);
    await other.close();
    stop.abort(new Error('stopped'));
    await running;
    expect(seen).to.deep.equal(['intended slow 0 1 can_01']);
  });

  it('stops at the first failure; the next run skips what succeeded and tries again', async () => {
    const failing = noting('second', `if (call.attempt === 1) { console.error('not yet'); process.exitCode = 7; }`);
    const hooks = [noting('first'), failing, noting('third')];
    expect(await run(hooks)).to.deep.equal({ ok: false, failed: 'second' });
    const events = await ledger.events({ subject: canaryId });
    expect(hookState(events, 'promote', hooks)).to.deep.equal({
      state: 'failed',
      hooks: [
        { name: 'first', state: 'done', attempts: 1, detail: 'exit code 0' },
        { name: 'second', state: 'failed', attempts: 1, detail: 'exit code 7: not yet' },
        { name: 'third', state: 'none', attempts: 0, detail: null },
      ],
    });
    expect(await run(hooks)).to.deep.equal({ ok: true, failed: null });
    expect(await calls()).to.deep.equal(['first can_01 1', 'second can_01 1', 'second can_01 2', 'third can_01 1']);
    expect(hookState(await ledger.events(), 'promote', hooks).state).to.equal('done');
  });

  it('calls nothing again once all have succeeded', async () => {
    await run([noting('only')]);
    const size = await ledger.size();
    expect(await run([noting('only')])).to.deep.equal({ ok: true, failed: null });
    expect(await calls()).to.have.length(1);
    expect(await ledger.size()).to.equal(size);
  });

  it('repeats a call whose result was lost in a crash, with the same key', async () => {
    const lost = { action: 'promote', hook: 'deploy', index: 0, attempt: 1, key: canaryId } as const;
    await ledger.commit({
      events: [{ kind: 'hook.intended', subject: canaryId, ts: '2026-03-01T11:59:00.000Z', data: lost }],
    });
    expect(hookState(await ledger.events(), 'promote', [{ name: 'deploy' }]).state).to.equal('pending');
    expect(await run([noting('deploy')])).to.deep.equal({ ok: true, failed: null });
    expect(await calls()).to.deep.equal(['deploy can_01 2']);
    expect(await log()).to.deep.equal([
      'intended deploy 0 1 can_01',
      'intended deploy 0 2 can_01',
      'finished deploy 0 2 ok',
    ]);
  });

  it('leaves the intent open when it is stopped in the middle, and repeats it later', async () => {
    const slow = noting('slow', `if (call.attempt === 1) setInterval(() => {}, 1000)`);
    const stop = new AbortController();
    const reason = new Error('stopped');
    const running = run([slow], { signal: stop.signal }).catch((error: unknown) => error);
    await called();
    stop.abort(reason);
    expect(await running).to.equal(reason);
    expect(await log()).to.deep.equal(['intended slow 0 1 can_01']);
    expect((await run([slow])).ok).to.equal(true);
    expect(await calls()).to.deep.equal(['slow can_01 1', 'slow can_01 2']);
  });

  it('calls nothing, and records nothing, when it is stopped before it begins', async () => {
    const outcome = run([noting('first')], { signal: AbortSignal.abort(new Error('stopped')) });
    expect(await outcome.catch((error: Error) => error.message)).to.equal('stopped');
    expect(await ledger.size()).to.equal(0);
  });

  it('knows a hook by its name when the list was mended after a failure', async () => {
    const broken = noting('second', 'process.exitCode = 1');
    await run([noting('first'), broken]);
    expect(await run([noting('second')])).to.deep.equal({ ok: true, failed: null });
    expect(await calls()).to.deep.equal(['first can_01 1', 'second can_01 1', 'second can_01 2']);
  });

  it('keeps promotion and rollback, and canaries, apart', async () => {
    await run([noting('deploy')]);
    await run([noting('deploy')], { action: 'rollback' });
    await run([noting('deploy')], { canaryId: 'can_010' });
    expect(await calls()).to.deep.equal(['deploy can_01 1', 'deploy can_01 1', 'deploy can_010 1']);
  });

  it('calls nothing without the lease', async () => {
    await ledger.acquireLease(canaryId, 'another', Date.now(), 60_000);
    const outcome = await run([noting('deploy')], { holder: 'me' }).catch((error: unknown) => error);
    expect(outcome).to.have.property('code', 'LEDGER_CONFLICT');
    expect(await calls()).to.deep.equal([]);
    await ledger.releaseLease(canaryId, 'another');
    await ledger.acquireLease(canaryId, 'me', Date.now(), 60_000);
    expect((await run([noting('deploy')], { holder: 'me' })).ok).to.equal(true);
  });

  describe('under a lease', () => {
    const lost = (outcome: unknown) => expect(outcome).to.have.property('code', 'LEDGER_CONFLICT');
    const taken = (from: string) => ledger.acquireLease(canaryId, 'another', clocks, 60_000, from);
    let clocks: TwoClocks;
    beforeEach(async () => {
      clocks = new TwoClocks('boot');
      await ledger.acquireLease(canaryId, 'me', clocks, 60_000);
    });

    it('lasts as long as all calls may take, whatever the wall clock says', async () => {
      clocks.wall += 600_000;
      await run([noting('first'), noting('second')], { holder: 'me', clock: clocks });
      const { leftMs } = (await ledger.leaseAt(canaryId, clocks))!;
      expect(leftMs).to.equal(longestMs([noting('first'), noting('second')]));
    });

    it('calls nothing when the process was stopped between the record of the call and the call', async () => {
      const stop = ledger.onCommit(() => clocks.pass(60_001));
      lost(await run([noting('deploy')], { holder: 'me', clock: clocks }).catch((error: unknown) => error));
      stop();
      expect(await calls()).to.deep.equal([]);
      expect(await log()).to.deep.equal(['intended deploy 0 1 can_01']);
    });

    it('stops the call when the lease is lost meanwhile, and records nothing of it', async () => {
      const running = run([noting('deploy', 'setTimeout(() => {}, 60_000)')], { holder: 'me', clock: clocks });
      const ended = running.catch((error: unknown) => error);
      await called();
      await taken('me');
      lost(await ended);
      expect(await log()).to.deep.equal(['intended deploy 0 1 can_01']);
      expect(await ledger.lease(canaryId)).to.have.property('holder', 'another');
    });
  });

  it('has nothing to do without hooks', async () => {
    expect(await run([])).to.deep.equal({ ok: true, failed: null });
    expect(hookState([], 'promote', []).state).to.equal('done');
    expect(hookState([], 'promote', [{ name: 'x' }]).state).to.equal('none');
    expect(await ledger.size()).to.equal(0);
  });

  describe('that are webhooks', () => {
    let server: Server;
    let url: string;
    let ids: unknown[];
    let signed: boolean[];
    beforeEach(async () => {
      [ids, signed] = [[], []];
      server = createServer((request, response) => {
        ids.push(request.headers['webhook-id']);
        signed.push('webhook-signature' in request.headers);
        response.writeHead(ids.length === 1 ? 503 : 200).end();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    });
    const hook = (secretEnv: string | null, retries = 1): HookConfig => ({
      name: 'registry',
      webhook: { url, secretEnv, timeoutSeconds: 5, retries },
    });

    it('are signed with the secret from the environment, and keep their id over tries and runs', async () => {
      const env = { REGISTRY_SECRET: 'shh' };
      expect((await run([hook('REGISTRY_SECRET', 0)], { env })).failed).to.equal('registry');
      expect((await run([hook('REGISTRY_SECRET', 0)], { env })).ok).to.equal(true);
      expect(ids).to.deep.equal(['can_01', 'can_01']);
      expect(signed).to.deep.equal([true, true]);
      expect((await log()).at(-1)).to.equal('finished registry 0 2 ok');
    });

    it('are not tried again when the process was stopped for too long while it waited for that', async () => {
      const clocks = new TwoClocks('boot');
      clocks.sleep = async () => clocks.pass(3_600_000);
      await ledger.acquireLease(canaryId, 'me', clocks, 60_000);
      const error = await run([hook(null)], { holder: 'me', clock: clocks }).catch((thrown: unknown) => thrown);
      expect(error).to.have.property('code', 'LEDGER_CONFLICT');
      expect(ids).to.deep.equal(['can_01']);
    });

    it('fail, with the reason in the log, when the secret is not set; nothing is sent unsigned', async () => {
      expect(await run([hook('REGISTRY_SECRET')])).to.deep.equal({ ok: false, failed: 'registry' });
      expect(ids).to.deep.equal([]);
      const state = hookState(await ledger.events(), 'promote', [hook(null)]);
      expect(state.hooks[0]?.detail).to.include('REGISTRY_SECRET is not set');
    });

    it('do not share their secret with programs beside them', async () => {
      const env = { PATH: process.env['PATH'], REGISTRY_SECRET: 'shh' };
      await run([hook('REGISTRY_SECRET'), noting('deploy', 'console.log(Object.keys(process.env).join())')], { env });
      const state = hookState(await ledger.events(), 'promote', [{ name: 'deploy' }]);
      expect(state.hooks[0]?.detail).to.include('LUKHAS_CANARY_ID').and.not.include('REGISTRY_SECRET');
    });
  });
});

function short(event: StoredEvent): string {
  if (event.kind === 'hook.intended') {
    const { hook, index, attempt, key } = event.data;
    return `intended ${hook} ${index} ${attempt} ${key}`;
  }
  if (event.kind !== 'hook.finished') return event.kind;
  const { hook, index, attempt, ok, detail } = event.data;
  return `finished ${hook} ${index} ${attempt} ${ok ? 'ok' : detail}`;
}
