import { expect } from 'chai';
import { parseTrustedKeys } from '../../../../src/lib/evidence/keys/trust.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { keyFrom } from '../signers.js';
import { inMemory, type TinyOptions, type TinyPack, tinyLog, tinyPack, WITNESS_VKEY } from './tiny-pack.js';

const LOG = tinyLog();
const SIZE = LOG.lines.length;
const AT = '2026-01-01T00:00:00.000Z';
const WITNESS = parseTrustedKeys(WITNESS_VKEY, 'w.vkey', 0);
const REWRITTEN = LOG.lines.with(1, LOG.lines[1]!.replace('"startedAt":1', '"startedAt":2'));

const check = (pack: TinyPack, { witness = true, since = null as Buffer | null } = {}) => {
  const own = ['keys/log.vkey', 'keys/export.pub'].flatMap((name) => parseTrustedKeys(`${pack.get(name)}`, name, 0));
  return verifyPack(inMemory(pack), { trust: witness ? [...own, ...WITNESS] : own, since });
};
/** The first `entries` of the log, as far as a witness has seen `size`. */
const seen = (size: number, entries = SIZE, more: Partial<TinyOptions> = {}) =>
  tinyPack({ ...LOG, lines: LOG.lines.slice(0, entries), witnessed: { size, lines: LOG.lines }, ...more });

describe('cosignatures in a pack', () => {
  it('hold by the key of the witness, whatever size it has seen, and say what that covers', async () => {
    for (let size = 1; size <= SIZE; size++) {
      for (const entries of [SIZE, 8, 5]) {
        const report = await check(seen(size, entries));
        expect(report.problems, `${size} of ${entries}`).to.deep.equal([]);
        expect(report).to.include({ ok: true });
        expect(report.witnesses).to.deep.equal([{ name: 'w.example.com', size, at: AT }]);
        const [said = ''] = report.holds.filter((text) => text.startsWith('witness '));
        const covers = size < entries ? `only the entries before ${size}` : 'the whole pack';
        expect(said).to.equal(`witness w.example.com cosigned the log at ${size} entries (${AT}): covers ${covers}`);
        const rest = `entries ${size} to ${entries - 1}: not covered by a trusted witness`;
        expect(report.notChecked.includes(rest), `${size} of ${entries}`).to.equal(size < entries);
      }
    }
  });

  it('are not shown when a trusted witness has made none: that is no success', async () => {
    for (const pack of [
      tinyPack(LOG),
      seen(SIZE, SIZE, { witnessed: { size: SIZE, witness: keyFrom('04'.repeat(32)) } }),
    ]) {
      const report = await check(pack);
      expect(report).to.include({ ok: false, problemCount: 0 });
      expect(report.notShown.join()).to.match(/^cosignature of witness w\.example\.com: /);
      expect(report.witnesses).to.deep.equal([]);
    }
  });

  it('of witnesses that nobody trusts are told as not checked, and so is it that there are none', async () => {
    const unknown = await check(seen(SIZE), { witness: false });
    expect(unknown).to.include({ ok: true });
    expect(unknown.witnesses).to.deep.equal([]);
    expect(unknown.notChecked.join('\n')).to.match(
      /^cosignatures by w\.example\.com: keys not trusted\. .*--trust FILE$/m,
    );
    const none = await check(tinyPack(LOG), { witness: false });
    expect(none).to.include({ ok: true });
    expect(none.notChecked.join('\n')).to.match(/^whether anyone but the operator has seen this log/m);
  });

  it('catch an operator who holds all keys and has written the log anew, for all that was seen', async () => {
    // The cosignature is genuine, and so is every signature of the forged pack.
    for (let size = 2; size <= SIZE + 2; size++) {
      const lines = [...LOG.lines, ...LOG.lines.slice(0, 2)];
      const forged = tinyPack({ ...LOG, lines: REWRITTEN, witnessed: { size, lines } });
      for (const witness of [true, false]) {
        const report = await check(forged, { witness });
        expect(report.problems, `${size}`).to.have.length(1);
        expect(report.problems[0]).to.match(/^witness\.json: does not prove .* one history: the log was rewritten/);
        expect(report.witnesses).to.deep.equal([]);
      }
    }
    // Before the entry that was changed, nothing is amiss; that the rest was not seen is said.
    const before = await check(tinyPack({ ...LOG, lines: REWRITTEN, witnessed: { size: 1, lines: LOG.lines } }));
    expect(before).to.include({ ok: true });
    expect(before.notChecked).to.include(`entries 1 to ${SIZE - 1}: not covered by a trusted witness`);
  });

  it('that cover nothing of the pack show nothing, whoever made them', async () => {
    const checked = async (size: number, from: number, lines = LOG.lines) => {
      const report = await check(tinyPack({ ...LOG, lines, from, witnessed: { size, lines: LOG.lines } }));
      const hint = report.notChecked.some((text) =>
        text.startsWith('whether the log was rewritten before this export'),
      );
      return { ...report, hint };
    };
    for (const [size, from] of [
      [0, 0],
      [0, 3],
      [2, 3],
      [3, 3],
    ] as const) {
      // The lines after 3 are others than the witness's: nobody could tell.
      const lines = LOG.lines.with(5, LOG.lines[5]!.replace('"startedAt":1', '"startedAt":2'));
      for (const each of [LOG.lines, lines]) {
        const report = await checked(size, from, each);
        expect(report).to.include({ ok: false, problemCount: 0, hint: true });
        expect(report.notShown.join()).to.match(/^cosignature of witness w\.example\.com: it cosigned /);
        expect(report.witnesses).to.deep.equal([]);
      }
    }
    expect(await checked(4, 3)).to.include({ ok: true, hint: true });
    expect(await checked(SIZE, 3)).to.include({ ok: true, hint: false });
  });

  it('of another log are refused, and so is a file that is not as it is written', async () => {
    const pack = seen(9);
    const other = tinyPack({ ...LOG, origin: 'lukhas-log/other', witnessed: { size: 9 } }).get('witness.json')!;
    const { checkpoint, proof } = JSON.parse(`${pack.get('witness.json')}`) as { checkpoint: string; proof: string[] };
    const file = (value: unknown) => Buffer.from(`${JSON.stringify(value)}\n`);
    for (const [bytes, says] of [
      [other, /for log "lukhas-log\/other"/],
      [file({ checkpoint, proof: proof.slice(1) }), /does not prove/],
      [file({ checkpoint, proof: [...proof, proof[0]] }), /does not prove/],
      [file({ checkpoint, proof: ['AAAA'] }), /is not a SHA-256 hash in base64/],
      [file({ proof, checkpoint }), /is not canonical JSON/],
      [file({ checkpoint, more: 1, proof }), /witness\.json: .*more/],
      [Buffer.from(JSON.stringify({ checkpoint, proof })), /is not canonical JSON/],
      [file({ checkpoint: checkpoint.split('\n').slice(0, -2).join('\n'), proof }), /witness\.json: note: /],
    ] as const) {
      const report = await check(new Map(pack).set('witness.json', bytes));
      expect(report.problems.join('\n')).to.match(says);
      expect(report.witnesses).to.deep.equal([]);
    }
  });

  it('on a checkpoint that somebody has kept are verified and told, too', async () => {
    const { checkpoint } = JSON.parse(`${seen(9).get('witness.json')}`) as { checkpoint: string };
    const report = await check(seen(SIZE), { since: Buffer.from(checkpoint) });
    expect(report.holds).to.include(
      `--since checkpoint: cosigned by trusted witness w.example.com (9 entries, at ${AT})`,
    );
    const bad = Buffer.from(checkpoint.replace(/(w\.example\.com .{30})./, (_, head: string) => `${head}A`));
    expect(bad.toString()).to.not.equal(checkpoint);
    expect((await check(seen(SIZE), { since: bad })).problems.join()).to.match(
      /--since: note: the signature by w\.example\.com does not verify/,
    );
  });
});
