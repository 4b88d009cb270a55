/**
 * The live view on canaries that no log has, for tests in a real terminal: `watch-fake.ts OPTIONS`, JSON. Says `left CODE`
 * when it returned.
 */

import { systemClock } from '../../src/lib/clock.js';
import { showWatch } from '../../src/tui/index.js';
import { place, START } from '../lib/canary/harness.js';
import { canaryIn, FakeWatching, found } from '../tui/fake-watching.js';

interface Options {
  /** Rows of the list. */
  canaries: number;
  id?: 'running';
  color?: boolean;
  unicode?: boolean;
  /** What goes wrong once something is shown. */
  throws?: 'render' | 'timer' | 'follow';
  /** Bytes that are a name. */
  model?: string;
}

const options = JSON.parse(process.argv[2] ?? '{}') as Options;
const at = await place();
const id = await canaryIn(at.ledger, {
  modelId: options.model ?? 'fraud-v2',
  checks: 12,
  script: (n) => found(n % 3, 500, (n % 4) * 3),
});
const watching = new FakeWatching();
await watching.readFrom(at.ledger);
await at.close();
const row = watching.overview.canaries.get(id)!;
const record = watching.records.get(id)!;
for (let i = 1; i < options.canaries; i++) {
  const other = { ...row, id: `c-${String(i).padStart(4, '0')}`, modelId: `model-${i}`, createdAt: START - i * 60_000 };
  watching.overview.canaries.set(other.id, { ...other, state: i % 2 === 0 ? 'PROMOTED' : 'ROLLED_BACK', endsAt: null });
  watching.records.set(other.id, record);
}
if (options.throws === 'timer')
  setTimeout(() => {
    throw new Error('a bug in a timer');
  }, 1500);
if (options.throws === 'follow') setTimeout(() => watching.break(new Error('the log is gone')), 1500);
if (options.throws === 'render')
  setTimeout(() => {
    Object.defineProperty(watching, 'overview', {
      get: () => {
        throw new Error('a bug in a view');
      },
    });
    watching.tell();
  }, 1500);

const code = await showWatch({
  watching,
  clock: systemClock(),
  id: options.id === 'running' ? id : null,
  exportTo: '/tmp',
  stdin: process.stdin,
  stdout: process.stdout,
  color: options.color ?? true,
  unicode: options.unicode ?? true,
});
console.log(`left ${code}`);
console.log(`done ${JSON.stringify(watching.done)}`);
process.exitCode = code;
