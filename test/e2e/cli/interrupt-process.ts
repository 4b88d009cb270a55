// A command that ends in order when it is told to, and takes until its input ends for that.
import { once } from 'node:events';
import { interruptible } from '../../../src/cli/interrupt.js';

process.exitCode = await interruptible(
  async (interrupt) => {
    const input = once(process.stdin.resume(), 'end');
    console.log('up');
    const exit = await interrupt.asked();
    console.log('stopping');
    await input;
    return exit;
  },
  { secondExits: process.argv[2] === 'exits' },
);
