// A process that runs the jobs of a log until it is stopped: node --import tsx runner-process.ts DB TASKS
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { runnerOf } from '../../lib/jobs/harness.js';

const [path = '', tasks = '{}'] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const ledger = await openLedger(path);
await runnerOf(ledger, JSON.parse(tasks)).driveAll(stop.signal);
await ledger.close();
