import { type Cosigned, WitnessStore } from '../../../src/lib/evidence/witness/store.js';
import { Witness } from '../../../src/lib/evidence/witness/witness.js';
import { ALICE, BOB } from '../../lib/evidence/signers.js';
import { GrownLog } from '../../lib/evidence/tree/grown-log.js';

/** A witness that is asked once, with the body in base64, and killed at the given moment, or answers on standard output. */
const [folder = '', origin = '', body = '', moment = ''] = process.argv.slice(2);

const kill = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

class Killed extends WitnessStore {
  override async append(of: string, head: Cosigned): Promise<boolean> {
    if (moment === 'before') kill();
    const kept = await super.append(of, head);
    if (moment === 'after') kill();
    return kept;
  }
}

const witness = new Witness({
  name: 'w',
  key: BOB,
  logs: [new GrownLog(origin, ALICE).vkey],
  store: new Killed(folder),
  now: Date.now,
});
process.stdout.write(JSON.stringify(await witness.add(Buffer.from(body, 'base64'))));
