import { expect } from 'chai';
import type { TrustedKey } from '../../../../src/lib/evidence/keys/authority.js';
import { parseTrustedKeys } from '../../../../src/lib/evidence/keys/trust.js';
import { type PackTrust, verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { keyFrom } from '../signers.js';
import { approvalLog, canon, inMemory, KEYS, seal, type TinyPack, tinyLog, tinyPack } from './tiny-pack.js';

const LOG = tinyLog();
const check = (pack: TinyPack, more: Partial<PackTrust> = {}, step = 8192) =>
  verifyPack(inMemory(pack, undefined, step), { trust: null, ...more });
const trusted = (pack: TinyPack, ...names: string[]): TrustedKey[] =>
  names.flatMap((name) => parseTrustedKeys(pack.get(name)!.toString(), name, 0));
const MALLORY = { log: keyFrom('01'.repeat(32)), export: keyFrom('02'.repeat(32)) };

describe('verifying an evidence pack', () => {
  it('says what holds, and that a key inside the pack is no reason to trust', async () => {
    const report = await check(tinyPack(LOG));
    expect(report.problems).to.deep.equal([]);
    expect(report).to.include({ ok: true, problemCount: 0 });
    expect(report.counts).to.deep.equal({ events: LOG.lines.length, omitted: 0, observations: 9 });
    expect(report.window).to.deep.equal({ from: 0, to: LOG.lines.length });
    expect(report.keys).to.include({ trusted: false });
    expect(report.holds.join('\n'))
      .to.match(/signatures match the key inside the pack/)
      .and.match(/entries 0 to 13: complete, in order, unchanged/)
      .and.not.match(/trusted key/);
    expect(report.notChecked.join('\n')).to.match(/^signer: a key inside the pack proves nothing/m);
  });

  it('holds for any window, with entries left out, whatever pieces it is read in', async () => {
    const size = LOG.lines.length;
    for (let from = 0; from < size; from++) {
      const omit = Array.from({ length: size - from }, (_, i) => from + i).filter((seq) => (seq * 7) % 3 === from % 3);
      for (const options of [{ from }, { from, omit }]) {
        const report = await check(tinyPack({ ...LOG, ...options }), {}, from === 3 ? 1 : 7 + from);
        // A request that is left out leaves policies that nothing refers to: not in these packs.
        expect(report.problems, JSON.stringify(options)).to.deep.equal([]);
      }
    }
  });

  it('counts keys that were chosen to be trusted, in every form, and no others', async () => {
    const pack = tinyPack(LOG);
    for (const names of [
      ['keys/log.vkey', 'keys/export.pub'],
      ['keys/log.vkey', 'keys/export.pem'],
      ['keys/log.vkey', 'keys/allowed_signers'],
    ]) {
      const report = await check(pack, { trust: trusted(pack, ...names) });
      expect(report.problems, names.join()).to.deep.equal([]);
      expect(report.holds.join('\n'))
        .to.match(/signed by trusted key SHA256:/)
        .and.not.match(/inside the pack/);
      expect(report.notChecked.join('\n')).to.not.match(/^signer: /m);
    }
    const other = tinyPack({ ...LOG, keys: MALLORY });
    expect((await check(other)).ok).to.equal(true);
    const report = await check(other, { trust: trusted(pack, 'keys/log.vkey', 'keys/export.pem') });
    expect(report.problems.join('\n'))
      .to.match(/which is not trusted/)
      .and.match(/no signature by a trusted key/);
  });

  it('wants both keys, each for its own work', async () => {
    const pack = tinyPack(LOG);
    expect((await check(pack, { trust: trusted(pack, 'keys/export.pub') })).ok).to.equal(false);
    expect((await check(pack, { trust: trusted(pack, 'keys/log.vkey') })).ok).to.equal(false);
    // One who holds a trusted export key cannot make checkpoints with it.
    const both = trusted(pack, 'keys/log.vkey', 'keys/export.pem');
    const alone = tinyPack({ ...LOG, keys: { log: KEYS.export, export: KEYS.export } });
    expect((await check(alone, { trust: both })).problems.join()).to.match(/must be different/);
  });

  it('says which observations are gone, when the pack says so', async () => {
    const report = await check(tinyPack({ ...LOG, pruned: ['c-1'] }));
    expect(report.problems).to.deep.equal([]);
    expect(report.notChecked.join('\n')).to.match(
      /entry 7: verdict on c-1: its 3 observations are not in the pack, which says they were pruned/,
    );
  });

  it('still names what it did not check when the observations of many verdicts are gone', async () => {
    const many = tinyLog(150);
    const pruned = Array.from({ length: 150 }, (_, n) => `c-${n}`);
    const { problems, notChecked } = await check(tinyPack({ ...many, pruned }));
    expect(problems).to.deep.equal([]);
    expect(notChecked.filter((line) => / its \d+ observations are not in the pack/.test(line))).to.have.length(20);
    expect(notChecked).to.include('observations of 130 more verdicts: not in the pack, which says they were pruned');
    const all = notChecked.join('\n');
    for (const line of ['signer: ', 'narrative.txt', 'in meta.json', 'in statement.dsse.json'])
      expect(all).to.include(line);
  });

  it('names what whoever holds the export key can say as they like, and finds what they cannot', async () => {
    const pack = tinyPack(LOG);
    const { payload } = JSON.parse(pack.get('statement.dsse.json')!.toString());
    const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString());
    const meta = JSON.parse(pack.get('meta.json')!.toString());
    const resealed = (name: string, text: string) =>
      check(seal(new Map(pack).set(name, Buffer.from(text)), KEYS.export, predicate), { trust });
    const trust = trusted(pack, 'keys/log.vkey', 'keys/export.pub');
    const free = { product: { name: 'lukhas', version: 'x' }, sources: {}, frameworks: ['all'], nonCanonical: [] };
    for (const [member, value] of Object.entries(free)) {
      const report = await resealed('meta.json', `${canon({ ...meta, [member]: value })}\n`);
      expect(report.ok, member).to.equal(true);
      const [line = ''] = report.notChecked.filter((text) => text.includes('in meta.json'));
      expect(line, member).to.include(member);
    }
    expect((await resealed('narrative.txt', 'All was well.')).notChecked.join('\n')).to.match(
      /^what narrative.txt and/m,
    );
    for (const [member, value] of Object.entries({ judges: [99], unreviewed: [{ seq: 1, canaryId: 'x' }] })) {
      const report = await resealed('meta.json', `${canon({ ...meta, [member]: value })}\n`);
      expect(report.problems).to.deep.equal([`meta.json: ${member} does not match the pack`]);
    }
  });

  it('knows what people make of verdicts: approvals, refusals, break-glass and its review', async () => {
    const log = approvalLog();
    for (let from = 0; from < log.lines.length; from++)
      expect((await check(tinyPack({ ...log, from }))).problems, `${from}`).to.deep.equal([]);
    const pack = tinyPack(log);
    const { payload } = JSON.parse(pack.get('statement.dsse.json')!.toString());
    const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString());
    expect(predicate.counts).to.include({
      promoted: 4,
      blocked: 7,
      rejected: 1,
      breakGlass: 2,
      breakGlassUnreviewed: 1,
    });
    for (const [i, decision] of predicate.decisions.entries()) {
      const outcome = decision.outcome === 'BLOCKED' ? 'PROMOTED' : 'BLOCKED';
      const forged = { ...predicate, decisions: predicate.decisions.with(i, { ...decision, outcome }) };
      const report = await check(seal(new Map(pack), KEYS.export, forged));
      expect(report.problems.join(), `${i}`).to.include(`does not match entry ${decision.seq}, which ended`);
    }
    const hidden = { ...predicate, counts: { ...predicate.counts, breakGlassUnreviewed: 0 } };
    const report = await check(seal(new Map(pack), KEYS.export, hidden));
    expect(report.problems).to.deep.equal(['statement.dsse.json: counts.breakGlassUnreviewed does not match the pack']);
  });

  describe('--since', () => {
    const size = LOG.lines.length;
    const at = (entries: number, log = LOG, keys = KEYS) =>
      tinyPack({ ...log, lines: log.lines.slice(0, entries), keys }).get('checkpoint')!;

    it('is proved by the pack from the beginning of its window on', async () => {
      for (let earlier = 1; earlier <= size; earlier++) {
        const report = await check(tinyPack({ ...LOG, from: 6 }), { since: at(earlier) });
        expect(report.problems, `${earlier}`).to.deep.equal([]);
        const proved = report.holds.some((text) =>
          text.startsWith(`the log extends the --since checkpoint (${earlier} `),
        );
        // 4 is a subtree of the 6 entries before the window.
        expect(proved, `${earlier}`).to.equal(earlier >= 6 || earlier === 4);
        expect(report.ok, `${earlier}`).to.equal(proved);
        if (!proved)
          expect(report.notShown.join('\n')).to.match(/^--since: .* cannot prove that far back: .*--db PATH$/);
      }
    });

    it('finds a log that was rewritten, by one who holds all keys', async () => {
      const lines = LOG.lines.with(2, LOG.lines[2]!.replace('"block"', '"rollb"'));
      expect(lines[2]).to.not.equal(LOG.lines[2]);
      const forged = { ...LOG, lines };
      const report = await check(tinyPack({ ...LOG, from: 6 }), { since: at(8, forged) });
      expect(report.problems.join()).to.match(/the log was rewritten/);
    });

    it('says when it cannot tell, and refuses what is no checkpoint of this log', async () => {
      const pack = tinyPack({ ...LOG, lines: LOG.lines.slice(0, 9) });
      const late = await check(pack, { since: at(12) });
      expect(late).to.include({ ok: false, problemCount: 0 });
      expect(late.notShown.join('\n')).to.match(/^--since: .* 12 entries, the pack ends at 9: .*--db PATH$/);
      expect((await check(pack, { since: at(5, LOG, MALLORY) })).problems.join()).to.match(
        /--since: note: no signature by/,
      );
      expect((await check(pack, { since: Buffer.from('nothing') })).problems.join()).to.match(/no empty line/);
      const elsewhere = tinyPack({ ...LOG, origin: 'other' }).get('checkpoint')!;
      expect((await check(pack, { since: elsewhere })).problems.join()).to.match(/checkpoint of log "other"/);
    });
  });
});
