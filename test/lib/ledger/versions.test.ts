import { expect } from 'chai';
import { LukhasError } from '../../../src/lib/errors.js';
import type { StoredEvent } from '../../../src/lib/ledger/events.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { verifyDatabase } from '../../../src/lib/ledger/verify/database.js';
import { asStored, UPGRADES, type Upgrades, upgraded } from '../../../src/lib/ledger/versions.js';
import { foldCanary } from '../../../src/lib/readings/canary.js';
import { refusal } from '../refusal.js';
import { EXAMPLES, withFolder } from './examples.js';
import { Unguarded } from './sqlite/unguarded.js';

/** As if `canary.aborted` had got a second version, in which the reason says who it is by. */
const V2: Upgrades = {
  ...UPGRADES,
  'canary.aborted': [
    (data) => {
      const { by, reason } = data as { by: { who: string }; reason: string };
      return { by, reason: `${by.who}: ${reason}` };
    },
  ],
};

function example(kind: StoredEvent['kind'], seq: number): StoredEvent {
  const draft = EXAMPLES.find((e) => e.kind === kind);
  if (draft === undefined) throw new Error(`no example of ${kind}`);
  return { ...asStored(draft, seq), subject: 'c1' };
}

function refusalOf(entry: unknown, upgrades?: Upgrades): LukhasError {
  try {
    upgraded(entry as StoredEvent, upgrades);
  } catch (error) {
    if (error instanceof LukhasError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('versions of entries', () => {
  const requested = example('canary.requested', 0);
  const aborted = { ...example('canary.aborted', 1), data: { by: { who: 'ana', how: 'os-user' }, reason: 'enough' } };

  it('reach every reader in the newest shape, whichever was recorded', () => {
    const old = [requested, aborted].map((e) => upgraded(e as StoredEvent, V2));
    const later = { ...aborted, v: 2, data: { ...aborted.data, reason: 'ana: enough' } };
    const fresh = [requested, later].map((e) => upgraded(e as StoredEvent, V2));
    expect(old).to.deep.equal(fresh);
    expect(foldCanary(old)?.ended?.reason).to.equal('ana: enough');
  });

  it('that are current pass as they are', () => {
    for (const draft of EXAMPLES) expect(upgraded(asStored(draft, 7))).to.deep.equal({ ...draft, seq: 7, v: 1 });
  });

  it('that a newer lukhas wrote are refused by number, kind and version', () => {
    const { code, message, exit } = refusalOf({ ...aborted, v: 2 });
    expect(message).to.match(
      /^Log entry 1 was written by a newer lukhas: canary\.aborted version 2, .*knows version 1$/,
    );
    expect({ code, exit }).to.deep.equal({ code: 'LEDGER_TOO_NEW', exit: 2 });
    expect(refusalOf({ ...aborted, v: 3 }, V2).message).to.include('knows version 2');
    expect(refusalOf({ ...aborted, kind: 'canary.paused' }).message).to.include('canary.paused');
    // A name that every object has is no kind.
    expect(refusalOf({ ...aborted, kind: 'constructor' }).code).to.equal('LEDGER_TOO_NEW');
  });

  it('whose data lack what readers need are damage, in every kind', () => {
    for (const draft of EXAMPLES)
      for (const data of [null, [], 'x', {}]) {
        const { code, message } = refusalOf({ ...asStored(draft, 3), data });
        expect({ code, message }).to.deep.include({ code: 'LEDGER_CORRUPT' });
        expect(message).to.match(new RegExp(`^Log entry 3 \\(${draft.kind}\\) is malformed: data`));
      }
    expect(refusalOf({ ...aborted, data: { ...aborted.data, by: {} } }).message).to.include('data.by');
  });

  it('that are none are damage', () => {
    for (const v of [0, -1, 1.5, '1', null, undefined])
      expect(refusalOf({ ...aborted, v }).code).to.equal('LEDGER_CORRUPT');
  });

  /** A log with one entry that was raised to version 2 in place; `hashed` as if a newer lukhas had written it. */
  const raised = (hashed: boolean, use: (path: string) => Promise<void>) =>
    withFolder(async (folder) => {
      const path = `${folder}/log.db`;
      const ledger = await openLedger(path);
      const { seq: _, v: __, ...draft } = requested;
      await ledger.commit({ events: [draft as never] });
      await ledger.close();
      const file = new Unguarded(path);
      file.replace(0, '"v":1', '"v":2');
      if (hashed) file.rehash(0);
      file.close();
      await use(path);
    });

  it('that are unknown stop whoever reads them in a log, and the verification names them', () =>
    raised(true, async (path) => {
      const ledger = await openLedger(path, { readOnly: true });
      for (const read of [
        () => ledger.events({ subject: 'c1' }),
        () => ledger.intactEvents('c1'),
        () => ledger.provenEvents({ subject: 'c1' }),
      ])
        expect((await refusal(read())).code).to.equal('LEDGER_TOO_NEW');
      await ledger.close();
      const { ok, problems } = await verifyDatabase(path);
      expect(ok).to.equal(false);
      expect(problems.join('\n')).to.match(
        /entry 0: a newer lukhas wrote it \(canary\.requested version 2, .*knows version 1\)/,
      );
    }));

  it('that was altered in place is damage, not the future', () =>
    raised(false, async (path) => {
      const ledger = await openLedger(path, { readOnly: true });
      expect((await refusal(ledger.events())).code).to.equal('LEDGER_CORRUPT');
      await ledger.close();
    }));
});
