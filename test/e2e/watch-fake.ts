/**
 * The live view on canaries that no log has, for tests in a real terminal: `watch-fake.ts OPTIONS`, JSON. Says `left CODE`
 * when it returned.
 */

import { writeFileSync } from 'node:fs';
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
  /** What goes wrong at SIGUSR2. */
  throws?: 'render' | 'timer' | 'follow';
  model?: string;
  /** File into which it writes the number of its process. */
  pid?: string;
}

const options = JSON.parse(process.argv[2] ?? '{}') as Options;
const at = await place();
const id = await canaryIn(at.ledger, {
  checks: 12,
  script: (n) => found(n % 3, 500, (n % 4) * 3),
});
const watching = new FakeWatching();
await watching.readFrom(at.ledger);
await at.close();
const row = { ...watching.overview.canaries.get(id)!, modelId: options.model ?? 'fraud-v2' };
watching.overview.canaries.set(id, row);
const record = watching.records.get(id)!;
for (let i = 1; i < options.canaries; i++) {
  const other = { ...row, id: `c-${String(i).padStart(4, '0')}`, modelId: `model-${i}`, createdAt: START - i * 60_000 };
  watching.overview.canaries.set(other.id, { ...other, state: i % 2 === 0 ? 'PROMOTED' : 'ROLLED_BACK', endsAt: null });
  watching.records.set(other.id, record);
}
if (options.pid !== undefined) writeFileSync(options.pid, String(process.pid));
// What goes wrong does so when the test says.
process.on('SIGUSR2', () => {
  if (options.throws === 'follow') watching.break(new Error('the log is gone'));
  if (options.throws === 'timer') throw new Error('a bug in a timer');
  if (options.throws !== 'render') return;
  Object.defineProperty(watching, 'overview', {
    get: () => {
      throw new Error('a bug in a view');
    },
  });
  watching.tell();
});

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
