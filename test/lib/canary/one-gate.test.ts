import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { advance } from '../../../src/lib/canary/advance.js';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { Runner } from '../../../src/lib/canary/runner.js';
import { systemClock } from '../../../src/lib/clock.js';
import type { HookConfig, HooksConfig } from '../../../src/lib/gates/hook.js';
import { Promotions } from '../../../src/lib/gates/promotions.js';
import { holderOf, setGate } from '../../../src/lib/gates/registry.js';
import { LogFollower } from '../../../src/lib/ledger/follower.js';
import { newHolder } from '../../../src/lib/ledger/holder.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { until } from '../../until.js';
import { policy } from '../judge/looks.js';
import { deadHolder, strangeHolder } from '../ledger/holders.js';
import { ACTOR, BAD, driver, FakeClock, HEALTHY, type Place, place, scripted, start } from './harness.js';

const P = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 30, noDataSeconds: 15 });
const GATE = 'production';
const LEASE = `gate:${GATE}`;

describe('one gate', () => {
  let here: Place;
  let ends: (() => Promise<void>)[];
  beforeEach(async () => {
    here = await place();
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends) await end();
    await here.close();
  });

  const file = (name: string) => join(dirname(here.path), name);
  const read = async (name: string) => (await readFile(file(name), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  /** Points the alias of the gate at the model, goes on for a while, and notes when it begins and ends. */
  const aliasing = (code = '', name = 'alias'): HookConfig => {
    const body = `const fs = require('fs'), e = process.env, [calls, alias] = process.argv.slice(1);
      const note = (what) => fs.appendFileSync(calls, what + ' ' + e.LUKHAS_MODEL_ID + '\\n');
      note('begin');
      fs.appendFileSync(alias + e.LUKHAS_TO_GATE, [e.LUKHAS_MODEL_ID, e.LUKHAS_IDEMPOTENCY_KEY, e.LUKHAS_ATTEMPT].join(' ') + '\\n');
      ${code};
      setTimeout(() => note('end'), e.LUKHAS_MODEL_ID.startsWith('slow') ? 600 : 100);`;
    const command: [string, ...string[]] = [process.execPath, '-e', body, file('calls'), file('alias-')];
    return { name, exec: { command, timeoutSeconds: 10, env: {} } };
  };
  const hooksOf = (...list: HookConfig[]): HooksConfig => ({ promote: list, rollback: list });
  const alias = async (gate = GATE) => (await read(`alias-${gate}`)).map((line) => line.split(' ')[0]);
  /** A canary whose decision nobody has carried out yet. */
  const decided = async (modelId: string, { toGate = GATE, look = HEALTHY } = {}): Promise<string> => {
    const clock = new FakeClock();
    const { id } = await start(here.ledger, clock, { policy: P, modelId, toGate });
    const context = driver({ ledger: here.ledger, clock, source: scripted(clock, () => look) });
    const canaries = new Canaries(here.ledger, clock);
    for (;;) {
      clock.time = Math.max(clock.time, (await advance(context, id)) ?? 0);
      const { state } = await canaries.get(id);
      if (state !== 'RUNNING') break;
    }
    await here.ledger.releaseLease(id, context.holder);
    return id;
  };
  const runner = (ledger: Ledger, hooks: HooksConfig): Runner => {
    const env = { PATH: process.env['PATH'] };
    const clock = systemClock();
    const made = new Runner({
      ledger,
      follower: new LogFollower(ledger, clock),
      clock,
      hooks,
      env,
      openSource: () => expect.fail('nothing to read'),
    });
    ends.push(() => made.close());
    return made;
  };
  const promotions = (ledger: Ledger, hooks: HooksConfig): Promotions => {
    const env = { PATH: process.env['PATH'] };
    const made = new Promotions({
      ledger,
      clock: systemClock(),
      hooks,
      env,
      requireCanary: false,
      holder: newHolder(),
    });
    ends.push(() => made.close());
    return made;
  };
  const IN_TURN = ['begin slow', 'end slow', 'begin fast', 'end fast'];

  describe('that two canaries are promoted into', () => {
    it('is acted on by one after the other, whoever is quicker, in the order they were decided', async () => {
      const slow = await decided('slow');
      const fast = await decided('fast');
      await runner(here.ledger, hooksOf(aliasing())).drive([fast, slow]);
      expect(await read('calls')).to.deep.equal(IN_TURN);
      expect(await alias()).to.deep.equal(['slow', 'fast']);
      expect(await holderOf(here.ledger, GATE)).to.equal('fast');
      expect(await here.ledger.lease(LEASE)).to.equal(null);
    });

    for (const [what, sql] of Object.entries({
      'are gone': 'DELETE FROM heads',
      'tell another order': 'UPDATE heads SET first_seq = 1000 - first_seq, last_seq = 1000 - last_seq',
      'tell that nothing is to be done': "UPDATE heads SET open = 0, state = 'BLOCKED'",
      'are broken': "UPDATE heads SET data = 'no JSON'",
    }))
      it(`is acted on in the order they were decided where the rows of listings ${what}`, async () => {
        const slow = await decided('slow');
        const fast = await decided('fast');
        const db = new Database(here.path);
        db.exec(sql);
        db.close();
        await runner(here.ledger, hooksOf(aliasing())).drive([fast, slow]);
        expect(await read('calls')).to.deep.equal(IN_TURN);
        expect(await holderOf(here.ledger, GATE)).to.equal('fast');
      });

    it('by two processes is acted on by one at a time, and is held by whom the hooks set last', async () => {
      const [slow, fast] = [await decided('slow'), await decided('fast')];
      const first = runner(here.ledger, hooksOf(aliasing())).drive([slow]);
      await until(async () => (await read('calls')).length > 0);
      await Promise.all([first, runner(await here.another(), hooksOf(aliasing())).drive([fast])]);
      expect(await read('calls')).to.deep.equal(IN_TURN);
      expect(await holderOf(here.ledger, GATE)).to.equal((await alias()).at(-1));
    });

    it('is waited for by a rollback as well', async () => {
      const slow = await decided('slow');
      const bad = await decided('fast', { look: BAD });
      await runner(here.ledger, hooksOf(aliasing())).drive([bad, slow]);
      expect(await read('calls')).to.deep.equal(IN_TURN);
    });

    it('is none of the business of those that go into another', async () => {
      const ids = [await decided('slow-1'), await decided('slow-2', { toGate: 'shadow' })];
      // Neither ends before the other has begun.
      const sleep = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)';
      const meeting = aliasing(`while (fs.readFileSync(calls, 'utf8').split('begin').length < 3) ${sleep}`);
      await runner(here.ledger, hooksOf(meeting)).drive(ids);
      expect((await read('calls')).map((line) => line.split(' ')[0])).to.deep.equal(['begin', 'begin', 'end', 'end']);
    });

    it('is given back when a hook fails, and the next one goes on', async () => {
      const slow = await decided('slow');
      const fast = await decided('fast');
      const failing = aliasing(`if (e.LUKHAS_MODEL_ID === 'slow') process.exit(1)`);
      await runner(here.ledger, hooksOf(failing)).drive([slow, fast]);
      expect(await holderOf(here.ledger, GATE)).to.equal('fast');
      expect(await here.ledger.lease(LEASE)).to.equal(null);
    });
  });

  describe('that a canary and a request go into', () => {
    it('is acted on by the canary; the request waits, and is given up since the gate has changed', async () => {
      const slow = await decided('slow');
      const driving = runner(here.ledger, hooksOf(aliasing())).drive([slow]);
      await until(async () => (await read('calls')).length > 0);
      const asking = promotions(await here.another(), hooksOf(aliasing()));
      const asked = { modelId: 'fast', gate: GATE, dryRun: false, by: ACTOR };
      const early = await asking.promote({ ...asked, waitMs: 50 });
      expect(early).to.include({ promoted: false, reason: 'still running' });
      const late = await asking.promote(asked);
      expect(late.promotionId).to.equal(early.promotionId);
      expect(late.reason).to.match(/^cancelled: the gate,.* changed/);
      await driving;
      expect(await alias()).to.deep.equal(['slow']);
      expect(await holderOf(here.ledger, GATE)).to.equal('slow');
      expect(await asking.promote(asked)).to.include({ promoted: true, changed: true });
      expect(await alias()).to.deep.equal(['slow', 'fast']);
    });

    it('says, of the model that holds it, that another is on its way', async () => {
      await setGate(here.ledger, {
        gate: GATE,
        modelId: 'fast',
        canaryId: null,
        by: ACTOR,
        ts: '2026-03-01T11:00:00Z',
      });
      const slow = await decided('slow');
      const driving = runner(here.ledger, hooksOf(aliasing())).drive([slow]);
      await until(async () => (await read('calls')).length > 0);
      const asked = { modelId: 'fast', gate: GATE, dryRun: false, by: ACTOR };
      const { reason } = await promotions(await here.another(), hooksOf()).promote(asked);
      expect(reason).to.match(
        new RegExp(`^fast already holds production, .*; slow is being promoted to it \\(${slow}\\)$`),
      );
      await driving;
    });

    it('is held by the one whose hooks were called, when two models are asked for at once', async () => {
      const both = [
        promotions(here.ledger, hooksOf(aliasing())),
        promotions(await here.another(), hooksOf(aliasing())),
      ];
      const ask = (i: number, modelId: string) => both[i]!.promote({ modelId, gate: GATE, dryRun: false, by: ACTOR });
      const results = await Promise.all([ask(0, 'slow'), ask(1, 'fast')]);
      expect(results.map(({ promoted }) => promoted)).to.have.members([true, false]);
      expect(await alias()).to.deep.equal([await holderOf(here.ledger, GATE)]);
    });
  });

  describe('whose driver was killed', () => {
    const killed = async (id: string, holder = deadHolder, ms = 3_600_000) =>
      here.ledger.acquireLease(LEASE, holder(id), Date.now(), ms);

    it('is taken over at once', async () => {
      const fast = await decided('fast');
      await killed('c-dead');
      await runner(here.ledger, hooksOf(aliasing())).drive([fast]);
      expect(await holderOf(here.ledger, GATE)).to.equal('fast');
    });

    it('in another container or on another machine is taken over when its lease has lapsed', async () => {
      const fast = await decided('fast');
      const began = Date.now();
      await killed('c-dead', strangeHolder, 700);
      await runner(here.ledger, hooksOf(aliasing())).drive([fast]);
      expect(Date.now() - began).to.be.at.least(700);
      expect(await holderOf(here.ledger, GATE)).to.equal('fast');
    });

    for (const [id, name] of [
      ['c-dead', 'LUKHAS_CANARY_ID'],
      ['p-dead', 'LUKHAS_PROMOTION_ID'],
    ] as const)
      it(`is left alone while a program of its hooks still runs (${name})`, async function () {
        if (process.platform !== 'linux') this.skip();
        const fast = await decided('fast');
        const left = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { env: { [name]: id } });
        ends.push(async () => void left.kill('SIGKILL'));
        await once(left, 'spawn');
        await killed(id);
        const driving = runner(here.ledger, hooksOf(aliasing())).drive([fast]);
        await new Promise((resolve) => setTimeout(resolve, 500));
        expect(await read('calls')).to.deep.equal([]);
        left.kill('SIGKILL');
        await driving;
        expect(await holderOf(here.ledger, GATE)).to.equal('fast');
      });

    it('is not waited for on behalf of a decision that nobody drives', async () => {
      const slow = await decided('slow');
      const fast = await decided('fast');
      await runner(here.ledger, hooksOf(aliasing())).drive([fast]);
      expect(await holderOf(here.ledger, GATE)).to.equal('fast');
      await runner(here.ledger, hooksOf(aliasing())).drive([slow]);
      expect(await holderOf(here.ledger, GATE))
        .to.equal((await alias()).at(-1))
        .and.to.equal('slow');
    });
  });

  it('that another has entered between a failure and its retry is set anew, by all hooks, under another key', async () => {
    const canaries = new Canaries(here.ledger, systemClock());
    const second: HookConfig = aliasing(
      `if (e.LUKHAS_MODEL_ID === 'slow' && e.LUKHAS_ATTEMPT === '1') process.exit(1)`,
      'second',
    );
    const hooks = hooksOf(aliasing(), second);
    const slow = await decided('slow');
    await runner(here.ledger, hooks).drive([slow]);
    const fast = await decided('fast');
    await runner(here.ledger, hooks).drive([fast]);
    await canaries.retry(slow, ACTOR);
    await runner(here.ledger, hooks).drive([slow]);
    expect(await read(`alias-${GATE}`)).to.deep.equal([
      `slow ${slow} 1`,
      `slow ${slow} 1`,
      `fast ${fast} 1`,
      `fast ${fast} 1`,
      `slow ${slow}/2 2`,
      `slow ${slow}/2 2`,
    ]);
    expect(await holderOf(here.ledger, GATE)).to.equal('slow');
  });

  it('that nobody else has entered is not set again by what has succeeded', async () => {
    const canaries = new Canaries(here.ledger, systemClock());
    const second = aliasing(`if (e.LUKHAS_ATTEMPT === '1') process.exit(1)`, 'second');
    const hooks = hooksOf(aliasing(), second);
    const fast = await decided('fast');
    await runner(here.ledger, hooks).drive([fast]);
    await canaries.retry(fast, ACTOR);
    await runner(here.ledger, hooks).drive([fast]);
    expect(await read(`alias-${GATE}`)).to.deep.equal([`fast ${fast} 1`, `fast ${fast} 1`, `fast ${fast} 2`]);
  });
});
