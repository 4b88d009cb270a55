import { expect } from 'chai';
import { ErrorThrottle } from '../../src/daemon/error-throttle.js';
import { Loops } from '../../src/daemon/loops.js';
import { FakeClock } from '../lib/canary/harness.js';

const untilStopped = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('the loops of the daemon', () => {
  it('are alive until one dies, and then say which and why', async () => {
    const loops = new Loops();
    let kill: (error: Error) => void = () => undefined;
    loops.run('canaries', untilStopped);
    loops.run('jobs', () => new Promise((_, reject) => (kill = reject)));
    expect(loops.dead()).to.deep.equal([]);
    kill(new Error('disk gone'));
    expect((await loops.failed).message).to.equal('disk gone');
    expect(loops.dead()).to.deep.equal(['jobs: disk gone']);
    await loops.stop();
  });

  it('have died too when one ends that nobody has stopped', async () => {
    const loops = new Loops();
    loops.run('search', async () => undefined);
    expect((await loops.failed).message).to.contain('search');
  });

  it('are waited for when they are stopped, which is no failure', async () => {
    const loops = new Loops();
    let finished = false;
    loops.run('canaries', async (signal) => {
      await untilStopped(signal);
      await new Promise((resolve) => setTimeout(resolve, 30));
      finished = true;
      throw new Error('interrupted');
    });
    await loops.stop();
    expect(finished).to.equal(true);
    expect(loops.dead()).to.deep.equal([]);
  });
});

describe('trouble', () => {
  it('is told once a minute, however often it is met', () => {
    const clock = new FakeClock();
    const said: string[] = [];
    const complaints = new ErrorThrottle(clock, (line) => said.push(line));
    for (let n = 0; n < 100; n++) complaints.report(new Error('the disk is full'), 'c-1');
    complaints.report(new Error('the source is down'));
    expect(said).to.deep.equal(['lukhas: c-1: the disk is full', 'lukhas: the source is down']);
    clock.time += 60_000;
    complaints.report(new Error('the disk is full'), 'c-2');
    expect(said).to.have.length(3);
  });
});
