import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { monotonicClock, thisProcess } from '../../../src/lib/process/identity.js';
import { ROOT } from '../lukhas.js';

const CODE = `
  import { systemClock } from './src/lib/clock.js';
  import { monotonicClock, thisProcess } from './src/lib/process/index.js';
  console.log(JSON.stringify({ clock: monotonicClock(), space: thisProcess().space, now: systemClock().monotonic() }));`;

function apart(...namespace: string[]): { clock: string; space: string; now: number } {
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', CODE];
  const { stdout, stderr } = spawnSync('unshare', [...namespace, ...node], { cwd: ROOT, encoding: 'utf8' });
  expect(stderr).to.equal('');
  return JSON.parse(stdout) as ReturnType<typeof apart>;
}
const now = () => Number(process.hrtime.bigint()) / 1e6;

describe('the monotonic clock of another process', () => {
  it('has the same name in another pid namespace, and the same time', () => {
    const before = now();
    const other = apart('--pid', '--fork', '--mount-proc');
    expect(other.clock).to.equal(monotonicClock());
    expect(other.space).to.not.equal(thisProcess().space);
    expect(other.now).to.be.within(before, now());
  });

  it('has another name in another time namespace, and another time', () => {
    const other = apart('--time', '--monotonic', '86400', '--fork');
    expect(other.clock).to.not.equal(monotonicClock());
    expect(other.now).to.be.above(now() + 80_000_000);
  });
});
