import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Config, loadConfig } from '../../../src/lib/app/config.js';
import { initKeys, logOrigin, showKeys } from '../../../src/lib/app/signing-keys.js';
import type { LukhasError } from '../../../src/lib/errors.js';
import { Checkpoints } from '../../../src/lib/evidence/checkpoints/checkpoints.js';
import { CheckpointFiles } from '../../../src/lib/evidence/checkpoints/files.js';
import { parseVkey } from '../../../src/lib/evidence/formats/vkey.js';
import { readSigningKey } from '../../../src/lib/evidence/keys/keys.js';
import { GrownLog } from '../evidence/tree/grown-log.js';

const refusal = (promise: Promise<unknown>): Promise<LukhasError> =>
  promise.then(
    () => {
      throw new Error('was accepted');
    },
    (error: LukhasError) => error,
  );

describe('the keys of the configuration', () => {
  let folder: string;
  let config: Config;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lukhas-signing-'));
    config = await loadConfig({ cwd: folder, env: { HOME: folder } });
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are made once, and kept from then on', async () => {
    const made = await initKeys(config);
    expect(made.map(({ role, created, path }) => [role, created, path])).to.deep.equal([
      ['log', true, join(folder, '.lukhas', 'keys', 'log.pem')],
      ['export', true, join(folder, '.lukhas', 'keys', 'export.pem')],
    ]);
    const again = await initKeys(config);
    expect(again.map(({ created }) => created)).to.deep.equal([false, false]);
    expect(again.map(({ fingerprint }) => fingerprint)).to.deep.equal(made.map(({ fingerprint }) => fingerprint));
    expect(await showKeys(config)).to.deep.equal(again);
  });

  it('only the missing one is made', async () => {
    const [log] = await initKeys(config);
    await rm(config.keys.export);
    const [kept, made] = await initKeys(config);
    expect(kept).to.deep.equal({ ...log, created: false });
    expect(made?.created).to.equal(true);
  });

  it('give the log its name, unless it has one', async () => {
    const [log] = await initKeys(config);
    const key = await readSigningKey(config.keys.log);
    expect(parseVkey(log!.vkey!)).to.deep.include({ name: logOrigin(config, key), publicKey: key.publicKey });
    expect(logOrigin(config, key)).to.match(/^lukhas-log\/[0-9a-f]{16}$/);
    const named = { ...config, keys: { ...config.keys, origin: 'example.com/canaries' } };
    expect(parseVkey((await showKeys(named, ['log']))[0]!.vkey!).name).to.equal('example.com/canaries');
  });

  it('are shown with the name that the log has on its newest checkpoint, unless it is configured', async () => {
    await initKeys(config);
    const key = await readSigningKey(config.keys.log);
    const name = async (of: Config) => parseVkey((await showKeys(of, ['log']))[0]!.vkey!).name;
    expect(await name(config)).to.equal(logOrigin(config, key));
    const origin = 'example.com/canaries';
    const log = new GrownLog(origin, key).grow(2);
    const files = new CheckpointFiles(join(folder, '.lukhas', 'checkpoints'));
    await new Checkpoints({ log, files, origin, key }).make();
    expect(await name(config)).to.equal(origin);
    const named = { ...config, keys: { ...config.keys, origin: 'example.com/configured' } };
    expect(await name(named)).to.equal('example.com/configured');
  });

  it('must be two', async () => {
    const one = { ...config, keys: { ...config.keys, export: config.keys.log } };
    expect((await refusal(initKeys(one))).message).to.include('must not share one key');
    await initKeys(config);
    await copyFile(config.keys.log, config.keys.export);
    for (const run of [initKeys, showKeys]) expect((await refusal(run(config))).code).to.equal('CONFIG');
  });

  it('are shown one alone when the other is elsewhere, and nothing private with them', async () => {
    await initKeys(config);
    await rm(config.keys.log);
    const shown = await showKeys(config, ['export']);
    expect(shown.map(({ role }) => role)).to.deep.equal(['export']);
    const secret = (await readFile(config.keys.export, 'utf8')).split('\n')[1]!;
    expect(JSON.stringify(shown)).to.not.include(secret.slice(-30));
    expect((await refusal(showKeys(config))).suggestions.join()).to.include('lukhas keys init');
  });
});
