import { expect } from 'chai';
import { LukhasError } from '../../../src/lib/errors.js';
import type { EventDraft } from '../../../src/lib/ledger/events.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { type LogEntry, readProvenLog } from '../../../src/lib/ledger/proven-log.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { GrowingTree } from '../../../src/lib/ledger/tree/growing-tree.js';
import { finished, TS, withFolder } from './examples.js';
import { Unguarded } from './sqlite/unguarded.js';

/** More than a page, so that there is damage before and after the first. */
const SIZE = 300;
/** Plain, escaped in JSON, and such as look like the end of an entry. */
const SUBJECTS = ['c1', 'größe "🚀"\\', '","ts":"x","v":1}', `c-${'long'.repeat(100)}`];

/** Every fourth is of another kind, with a text in it that looks like an entry. */
function draft(seq: number): EventDraft {
  const subject = SUBJECTS[seq % SUBJECTS.length] as string;
  if (seq % 4 !== 0) return finished(subject, seq);
  const message = '"kind":"gate.changed","seq":7,"subject":"gate:production","ts":"2026","v":1}';
  return { kind: 'canary.failed', subject, ts: TS, data: { code: 'X', message } };
}

describe('a log that is read whole', () => {
  let ledger: Ledger;
  let db: Unguarded;
  let release: () => void;
  let done: Promise<void>;
  beforeEach(async () => {
    await new Promise<void>((ready, failed) => {
      done = withFolder(async (path) => {
        ledger = await openLedger(path);
        await ledger.commit({ events: Array.from({ length: SIZE }, (_, seq) => draft(seq)) });
        db = new Unguarded(path);
        await new Promise<void>((resolve) => {
          release = resolve;
          ready();
        });
        db.close();
        await ledger.close();
      });
      done.catch(failed);
    });
  });
  afterEach(async () => {
    release();
    await done;
  });

  const read = async (begun = new GrowingTree()) => {
    const entries: LogEntry[] = [];
    const tree = await readProvenLog(ledger, begun, (entry) => entries.push(entry));
    return { tree, entries };
  };
  const refusal = async (begun?: GrowingTree): Promise<string> => {
    try {
      await read(begun);
    } catch (error) {
      if (error instanceof LukhasError && error.code === 'LEDGER_CORRUPT') return error.message;
      throw error;
    }
    return 'accepted';
  };

  it('gives each entry as its bytes tell it, and the root of the log', async () => {
    const { tree, entries } = await read();
    const events = await ledger.events();
    expect(entries.map(({ event }) => event())).to.deep.equal(events);
    expect(entries.map(({ seq, kind, subject }) => ({ seq, kind, subject }))).to.deep.equal(
      events.map(({ seq, kind, subject }) => ({ seq, kind, subject })),
    );
    expect(tree.root()).to.deep.equal((await ledger.root()).root);
  });

  it('is gone on with where it was left, also when nothing is new', async () => {
    const first = await read();
    expect((await read(first.tree)).entries).to.deep.equal([]);
    for (const more of [1, 2, 5])
      await ledger.commit({ events: Array.from({ length: more }, (_, i) => finished('c2', i)) });
    const next = await read(first.tree);
    expect(next.entries.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: 8 }, (_, i) => SIZE + i));
    expect(next.tree.root()).to.deep.equal((await ledger.root()).root);
    expect(first.tree.size).to.equal(SIZE);
  });

  it('does not mind what stands beside the bytes of an entry', async () => {
    const before = (await read()).entries.map(({ event }) => event());
    db.db.exec(
      "UPDATE events SET subject = 'hidden', kind = 'job.failed', ts = '2020-01-01T00:00:00Z' WHERE seq % 3 = 1",
    );
    expect((await read()).entries.map(({ event }) => event())).to.deep.equal(before);
  });

  const EDITS: Record<string, (seq: number) => void> = {
    'a body': (seq) => db.replace(seq, '"data"', '"dato"'),
    'a body and its hash': (seq) => {
      const nodes = db.db.prepare('SELECT nodes FROM events WHERE seq = ?').pluck().get(seq);
      db.replace(seq, '"data"', '"dato"');
      db.rehash(seq);
      db.db.prepare('UPDATE events SET nodes = ? WHERE seq = ?').run(nodes, seq);
    },
    'a body that is two lines': (seq) => db.replace(seq, '"data"', '\n"data"'),
    'a body that is no JSON': (seq) => db.write(seq, Buffer.from('no entry')),
    'a body that is no UTF-8': (seq) => db.write(seq, Buffer.from([0x7b, 0xff, 0x7d])),
    'an empty body': (seq) => db.write(seq, Buffer.from('')),
    'a body in the place of another': (seq) => db.write(seq, db.body(seq - 2)),
  };
  for (const [what, edit] of Object.entries(EDITS))
    for (const seq of [16, 255, SIZE - 2])
      it(`is refused with ${what}, entry ${seq}`, async () => {
        edit(seq);
        expect(await refusal()).to.match(new RegExp(`^Entry (${seq}|${seq + 1}) of the log`));
      });

  it('holds with the last entry in a newer version, which only who asks for it cannot read', async () => {
    const seq = db.replace(SIZE - 1, '"v":1', '"v":9');
    db.rehash(seq);
    const last = (await read()).entries.at(-1);
    expect(last).to.include({ seq, kind: 'hook.finished' });
    expect(() => last?.event()).to.throw(LukhasError, /newer lukhas/);
  });

  it('is refused with an entry that is gone', async () => {
    db.db.prepare('DELETE FROM events WHERE seq = 100').run();
    expect(await refusal()).to.match(/between 0 and 256/);
  });

  it('is refused when it was cut, or is another one from some entry on, since it was last read', async () => {
    const { tree } = await read();
    db.replace(SIZE - 1, '"data"', '"dato"');
    db.rehash(SIZE - 1);
    // By itself it is a log like any other.
    expect(await refusal()).to.equal('accepted');
    expect(await refusal(tree)).to.match(/no longer starts with the 300 entries/);
    db.db.prepare('DELETE FROM events WHERE seq = ?').run(SIZE - 1);
    expect(await refusal(tree)).to.match(/no longer starts with the 300 entries/);
  });
});
