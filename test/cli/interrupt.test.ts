import { expect } from 'chai';
import { type Interrupt, interruptible } from '../../src/cli/interrupt.js';
import { LukhasError } from '../../src/lib/errors.js';

describe('a command that is interrupted', () => {
  const listeners = () => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');

  it('is told once, and which signal it was', async () => {
    const told = await interruptible(async (interrupt) => {
      expect([interrupt.exit, interrupt.by, interrupt.signal.aborted]).to.deep.equal([null, null, false]);
      setImmediate(() => process.emit('SIGTERM'));
      const exit = await interrupt.asked();
      interrupt.stop(8, 'the time is over');
      return [exit, await interrupt.asked(), interrupt.exit, interrupt.by, interrupt.signal.reason.message];
    });
    expect(told).to.deep.equal([143, 143, 143, 'SIGTERM', 'interrupted by SIGTERM']);
  });

  it('keeps to a limit of its own that came before the signal', async () => {
    const told = await interruptible(async (interrupt) => {
      interrupt.stop(8, 'the time is over');
      process.emit('SIGTERM');
      return [interrupt.exit, interrupt.by, interrupt.signal.reason.message];
    });
    expect(told).to.deep.equal([8, null, 'the time is over']);
  });

  it('leaves no handler behind, however it ends', async () => {
    const before = listeners();
    const ends: ((interrupt: Interrupt) => Promise<void>)[] = [
      async () => void expect(listeners()).to.equal(before + 2),
      async () => Promise.reject(new Error('failed')),
      async () => void process.emit('SIGTERM'),
    ];
    for (const work of ends)
      for (const secondExits of [false, true]) {
        await interruptible(work, { secondExits }).catch((error: Error) => expect(error.message).to.equal('failed'));
        expect(listeners()).to.equal(before);
      }
  });

  it('ends with the exit code of the signal, whatever fails then', async () => {
    const failing = async (error: Error) =>
      interruptible(async () => {
        process.emit('SIGINT');
        throw error;
      }).then(
        () => expect.fail('it did not fail'),
        (thrown: Error) => thrown,
      );
    const full = await failing(new LukhasError('LEDGER_FULL', 'the disk is full', { suggestions: ['Free space.'] }));
    expect(full).to.include({ code: 'LEDGER_FULL', message: 'the disk is full', exit: 130 });
    const none = await failing(Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }));
    expect(none).to.include({ code: 'SYSTEM', exit: 130 });
    const bug = new TypeError('a bug');
    expect(await failing(bug)).to.equal(bug);
  });

  it('keeps the exit code of an error that no signal came before', async () => {
    const error = new LukhasError('LEDGER_FULL', 'the disk is full');
    const thrown = await interruptible(async () => Promise.reject(error)).catch((caught: unknown) => caught);
    expect(thrown).to.equal(error);
  });
});
