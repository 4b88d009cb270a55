import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { finished } from '../../lib/ledger/examples.js';

/** Appends one event after another and prints each once it is acknowledged: `SEQ INDEX`. */
const [path = '', subject = '', count = '0'] = process.argv.slice(2);
const ledger = await openLedger(path);
for (let index = 0; index < Number(count); index++) {
  const [event] = await ledger.commit({ events: [finished(subject, index)] });
  process.stdout.write(`${event?.seq} ${index}\n`);
}
await ledger.close();
