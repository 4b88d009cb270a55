import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { toSpkiPem } from '../../../src/lib/evidence/formats/public-key.js';
import { VERIFY_TEXT } from '../../../src/lib/evidence/pack/verify-text.js';
import { type TinyPack, tinyLog, tinyPack, WITNESS } from '../../lib/evidence/verify/tiny-pack.js';

const LOG = tinyLog();
const SIZE = LOG.lines.length;
const REWRITTEN = LOG.lines.with(1, LOG.lines[1]!.replace('"startedAt":1', '"startedAt":2'));
/** What is checked before these would find any change first. */
const BLOCKS = [...VERIFY_TEXT.matchAll(/^```sh\n(.*?)^```$/gms)]
  .map(([, block]) => block!)
  .filter((block) => /^stack=\(\)|> \.\.\/witness\.note/m.test(block));

describe('the commands of VERIFY.md for cosignatures', () => {
  let dir: string;
  before(() => {
    expect(BLOCKS).to.have.length(2);
    dir = mkdtempSync(join(tmpdir(), 'lukhas-verify-text-'));
    writeFileSync(join(dir, 'w.pem'), toSpkiPem(WITNESS.publicKey));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const run = (pack: TinyPack, witness = join(dir, 'w.pem')) => {
    const cwd = mkdtempSync(join(dir, 'pack-'));
    for (const name of ['audits.ndjson', 'completeness.json', 'checkpoint', 'witness.json'])
      if (pack.has(name)) writeFileSync(join(cwd, name), pack.get(name)!);
    const env = { PATH: '/usr/bin:/bin', WITNESS_PEM: witness };
    const { status, stdout, stderr } = spawnSync('/bin/bash', ['-s'], {
      cwd,
      env,
      input: ['set -eu -o pipefail', ...BLOCKS].join('\n'),
      encoding: 'utf8',
    });
    return { code: status, stdout, stderr };
  };

  it('join what the witness has seen to the pack, of any two sizes', () => {
    for (let size = 1; size <= SIZE; size++) {
      for (const entries of [3, 8, 11, SIZE]) {
        const lines = LOG.lines.slice(0, entries);
        const { code, stdout, stderr } = run(tinyPack({ ...LOG, lines, witnessed: { size, lines: LOG.lines } }));
        expect(code, `${size} of ${entries}: ${stderr}`).to.equal(0);
        expect(stdout).to.include(
          `witnessed: the first ${size} entries of the log, by w.example.com at 2026-01-01T00:00:00Z`,
        );
        expect(stdout.includes(`not witnessed: entries ${size} to ${entries - 1}`)).to.equal(size < entries);
      }
    }
  });

  it('refuse a cosignature that is of another history, or joined by another proof', () => {
    for (let size = 2; size <= SIZE; size += 3) {
      for (const entries of [5, 8, SIZE]) {
        const lines = REWRITTEN.slice(0, entries);
        const forged = tinyPack({ ...LOG, lines, witnessed: { size, lines: LOG.lines } });
        expect(run(forged).code, `${size} of ${entries}`).to.not.equal(0);
      }
    }
    for (const [size, entries] of [
      [11, SIZE],
      [SIZE, 5],
      [4, 8],
    ] as const) {
      const pack = tinyPack({ ...LOG, lines: LOG.lines.slice(0, entries), witnessed: { size, lines: LOG.lines } });
      const whole = pack.get('witness.json')!.toString();
      const { proof } = JSON.parse(whole) as { proof: string[] };
      expect(proof).to.not.deep.equal([]);
      for (const hash of proof) {
        const other = `${hash.startsWith('A') ? 'B' : 'A'}${hash.slice(1)}`;
        for (const changed of [other, '', `${hash}","${hash}`]) {
          const { code } = run(new Map(pack).set('witness.json', Buffer.from(whole.replace(hash, changed))));
          expect(code, `${size} of ${entries}`).to.not.equal(0);
        }
      }
    }
  });

  it('say why a cosignature that covers nothing of the pack is refused', () => {
    for (const [size, from] of [
      [0, 0],
      [2, 3],
      [3, 3],
    ] as const) {
      const { code, stderr } = run(tinyPack({ ...LOG, from, witnessed: { size } }));
      expect(code).to.equal(1);
      expect(stderr).to.include(`the witness cosigned only ${size} entries of the log, none of which is in this pack`);
    }
    expect(run(tinyPack({ ...LOG, from: 3, witnessed: { size: 4 } })).code).to.equal(0);
  });

  it('read names that JSON writes with escapes, and no key but the one given', () => {
    const origin = 'a"b\\c\\n/é';
    const pack = tinyPack({ ...LOG, origin, witnessed: { size: 9 } });
    const { code, stderr } = run(pack);
    expect(code, stderr).to.equal(0);
    const other = join(dir, 'other.pem');
    writeFileSync(other, pack.get('keys/log.pem')!);
    expect(run(pack, other).stderr).to.include('no cosignature by the key in WITNESS_PEM');
    expect(run(tinyPack(LOG)).stderr).to.include('this pack has no witness cosignature');
    const unasked = run(pack, '');
    expect(unasked.code).to.equal(0);
    expect(unasked.stdout).to.include('cosignatures not checked');
  });
});
