/**
 * Appends an entry each millisecond until it is told to stop (SIGTERM), and says on stdout which seqs were acknowledged and,
 * at its end, as JSON: how many, and the gaps between acknowledgements, ms. Started by backup.test.ts as a process of its own.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { noted } from './noted.js';

const [, , path = ''] = process.argv;
const ledger = await openLedger(path);
let stopped = false;
process.once('SIGTERM', () => {
  stopped = true;
});
const gaps: number[] = [];
let last = performance.now();
for (let i = 0; !stopped; i++) {
  const [event] = await ledger.commit({ events: [noted(`s${i}`)] });
  const now = performance.now();
  gaps.push(now - last);
  last = now;
  process.stdout.write(`${event?.seq}\n`);
  await wait(1);
}
await ledger.close();
process.stdout.write(`${JSON.stringify(gaps)}\n`);
