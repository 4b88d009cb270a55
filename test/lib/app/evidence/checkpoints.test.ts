import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { HttpServer } from '../../../../src/daemon/http/server.js';
import { startWitness } from '../../../../src/daemon/witness.js';
import { type Config, loadConfig } from '../../../../src/lib/app/config.js';
import { makeCosigned, openCheckpoints, publishCheckpoint } from '../../../../src/lib/app/evidence/checkpoints.js';
import { initKeys } from '../../../../src/lib/app/signing-keys.js';
import { systemClock } from '../../../../src/lib/clock.js';
import { LukhasError } from '../../../../src/lib/errors.js';
import type { Checkpoints } from '../../../../src/lib/evidence/checkpoints/checkpoints.js';
import { parseNote } from '../../../../src/lib/evidence/formats/note.js';
import { SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import { readSigningKey } from '../../../../src/lib/evidence/keys/keys.js';
import { WitnessStore } from '../../../../src/lib/evidence/witness/store.js';
import { Witness, type WitnessAnswer } from '../../../../src/lib/evidence/witness/witness.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { keyFrom } from '../../evidence/signers.js';
import { finished } from '../../ledger/examples.js';

const KEY = keyFrom('03'.repeat(32));
const CLOCK = systemClock();
/** What happens before the witness sees the next request. */
let meanwhile: (() => Promise<void>) | null = null;

class Interrupted extends Witness {
  override async add(body: Uint8Array): Promise<WitnessAnswer> {
    const before = meanwhile;
    meanwhile = null;
    await before?.();
    return super.add(body);
  }
}

describe('a checkpoint that is cosigned before an export', () => {
  let dir: string;
  let ledger: Ledger;
  let config: Config;
  let checkpoints: Checkpoints;
  let server: HttpServer;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-cosigned-'));
    ledger = await openLedger(join(dir, 'lukhas.db'));
    const plain = await loadConfig({ env: { HOME: dir, LUKHAS_MCP_DB: join(dir, 'lukhas.db') }, cwd: dir });
    await initKeys(plain);
    const { origin } = await openCheckpoints({ ledger, config: plain });
    const { publicKey } = await readSigningKey(plain.keys.log);
    const witness = new Interrupted({
      name: 'w.example.com',
      key: KEY,
      logs: [{ name: origin, type: SIGNATURE_TYPE.note, publicKey }],
      store: new WitnessStore(join(dir, 'w')),
      now: CLOCK.now,
    });
    const onError = (error: unknown) => expect.fail(String(error));
    server = await startWitness({ witness, name: 'w', host: '127.0.0.1', port: 0, allowedHosts: [], onError });
    const { url } = server;
    const key = { name: 'w.example.com', type: SIGNATURE_TYPE.cosignature, publicKey: KEY.publicKey };
    config = { ...plain, evidence: { ...plain.evidence, witnesses: [{ url, key }] } };
    checkpoints = await openCheckpoints({ ledger, config });
  });
  afterEach(async () => {
    meanwhile = null;
    await server.close(0);
    await ledger.close();
    await rm(dir, { recursive: true, force: true });
  });

  const append = (what: string) => ledger.commit({ events: [finished(what, 0)] });
  const place = () => ({ ledger, config, clock: CLOCK });
  /** As another process, which the log and the folder are shared with. */
  const other = async () => {
    await append('b');
    const theirs = await openCheckpoints({ ledger, config });
    await publishCheckpoint(place(), theirs, await theirs.make());
  };

  it('is made once more when another process has told the witness of a newer log', async () => {
    await append('a');
    meanwhile = other;
    const told = await makeCosigned(place(), checkpoints);
    expect(told.map(({ error }) => error)).to.deep.equal([null]);
    expect(await checkpoints.cosigned(1)).to.include({ size: 2 });
  });

  it('is not asked for while the log has no entries, as that would show nothing', async () => {
    const [told] = await makeCosigned(place(), checkpoints);
    expect(told).to.include({ done: 'not asked: the log has no entries yet', error: null });
    expect(parseNote((await checkpoints.latest())!.note).signatures).to.have.length(1);
    await append('a');
    await makeCosigned(place(), checkpoints);
    expect(await checkpoints.cosigned(1)).to.include({ size: 1 });
  });

  it('is refused when the witness has seen more than there is, and nobody here has made that', async () => {
    await append('a');
    await makeCosigned(place(), checkpoints);
    await append('b');
    await makeCosigned(place(), checkpoints);
    // An older copy, without what was kept of the newer log.
    await rm(join(dir, 'checkpoints'), { recursive: true });
    await ledger.close();
    await rm(join(dir, 'lukhas.db'));
    ledger = await openLedger(join(dir, 'lukhas.db'));
    await append('a');
    const error = await openCheckpoints({ ledger, config })
      .then((older) => makeCosigned(place(), older))
      .catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(LukhasError);
    expect((error as LukhasError).exit).to.equal(7);
    expect((error as LukhasError).message).to.include('has already cosigned 2 entries of this log, which now has 1');
  });
});
