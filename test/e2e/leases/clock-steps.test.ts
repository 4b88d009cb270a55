import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { until } from '../../until.js';
import { faketime, stepClock } from '../faketime.js';
import { LeasePlace } from './place.js';

/** Several times as long as a process with a stepped clock needed to take a lease for lapsed. */
const SOON_MS = 3000;

for (const step of ['+600', '-600'])
  describe(`a wall clock that is set by ${step} s`, () => {
    let w: LeasePlace;
    let env: Record<string, string>;
    beforeEach(() => {
      w = new LeasePlace();
      env = faketime(join(w.dir, 'clock'));
    });
    afterEach(() => w.remove());

    const set = (offset: string) => stepClock(join(w.dir, 'clock'), offset);
    /** A process that began after the step has written something: nothing else here fails where no clock is stepped. */
    const expectStepped = async () => {
      const minutes = (await w.events()).map(({ ts }) => Math.round((Date.parse(ts) - Date.now()) / 60_000));
      expect(minutes).to.include(Number(step) / 60);
    };
    const daemon = async () => {
      const running = w.start(['serve', '--port', '0'], { env });
      await running.says(/listening/);
      return running;
    };

    it('leaves a job to the process that runs it', async () => {
      await daemon();
      const id = await w.longJob();
      set(step);
      const second = await daemon();
      await w.marker();
      expect(await w.kinds(id)).to.deep.equal(['job.queued', 'job.running']);
      w.go();
      await until(async () => (await w.kinds(id)).length > 2, 50);
      expect(await w.kinds(id)).to.deep.equal(['job.queued', 'job.running', 'job.completed']);
      await expectStepped();
      second.child.kill('SIGTERM');
      await second.finished;
      expect((await w.run(['verify'])).code).to.equal(0);
    });

    it('leaves a promote hook to the process that calls it', async () => {
      const { driver, id } = await w.promoting(env);
      set(step);
      const resumed = w.start(['canary', 'resume', id], { env });
      await wait(SOON_MS);
      expect(w.calls()).to.deep.equal(['begin 1']);
      w.go(1);
      expect((await driver.finished).code).to.equal(0);
      expect((await resumed.finished).code).to.equal(0);
      expect(w.calls()).to.deep.equal(['begin 1', 'end 1']);
      expect((await w.run(['verify'])).code).to.equal(0);
    });

    it('leaves a requested promotion to the process that carries it out', async () => {
      const promote = ['gate', 'promote', 'm', 'production'];
      const first = w.start(promote, { env });
      await until(() => w.calls().length > 0, 50);
      set(step);
      const second = w.start(promote, { env });
      const third = w.start(['gate', 'promote', 'other', 'production'], { env });
      await wait(SOON_MS);
      expect(w.calls()).to.deep.equal(['begin 1']);
      third.child.kill('SIGKILL');
      await third.finished;
      w.go(1);
      expect((await first.finished).code).to.equal(0);
      expect((await second.finished).code).to.equal(0);
      expect(w.calls()).to.deep.equal(['begin 1', 'end 1']);
      await expectStepped();
    });
  });
