import { createHash } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { signCheckpoint } from '../../../../src/lib/evidence/formats/checkpoint.js';
import { noteSigner } from '../../../../src/lib/evidence/formats/note.js';
import { SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import { planPack } from '../../../../src/lib/evidence/pack/plan.js';
import { writePack } from '../../../../src/lib/evidence/pack/write.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { verifyLogSince } from '../../../../src/lib/evidence/verify/since.js';
import { ZippedPack } from '../../../../src/lib/evidence/verify/zip.js';
import type { EventDraft } from '../../../../src/lib/ledger/events.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { verifyDatabase } from '../../../../src/lib/ledger/verify/database.js';
import { cases } from '../../../cases.js';
import { ALICE, numbers } from '../signers.js';
import { canon, KEYS, ORIGIN } from '../verify/tiny-pack.js';

const SIZE = 40;
const TRIALS = cases(200);
const KEY = { name: ORIGIN, type: SIGNATURE_TYPE.note, publicKey: ALICE.publicKey };

type Random = (below: number) => number;
/** The entries as the attacker wants them, and the first that is not what it was. */
type Edit = (bodies: readonly string[], random: Random) => { bodies: string[]; at: number };

/** Whoever may write to the file numbers and hashes everything anew. */
const EDITS: Readonly<Record<string, Edit>> = {
  'an entry altered': (bodies, random) => {
    const at = random(bodies.length - 1);
    return {
      bodies: bodies.with(at, bodies[at]!.replace(/"modelId":"[^"]*"/, `"modelId":"evil-${random(1000)}"`)),
      at,
    };
  },
  'an entry removed': (bodies, random) => {
    const at = random(bodies.length - 1);
    return { bodies: bodies.toSpliced(at, 1), at };
  },
  'an entry put in': (bodies, random) => {
    const at = random(bodies.length - 1);
    return { bodies: bodies.toSpliced(at, 0, bodies[at]!.replace(/"modelId":"[^"]*"/, '"modelId":"evil"')), at };
  },
  'two entries swapped': (bodies, random) => {
    const at = random(bodies.length - 2);
    return { bodies: bodies.with(at, bodies[at + 1]!).with(at + 1, bodies[at]!), at };
  },
  'the end cut off': (bodies, random) => {
    const at = 1 + random(bodies.length - 2);
    return { bodies: bodies.slice(0, at), at };
  },
  'the end replaced': (bodies, random) => {
    const at = 1 + random(bodies.length - 2);
    const others = bodies.slice(at).map((body) => body.replace(/"modelId":"[^"]*"/, '"modelId":"evil"'));
    return { bodies: [...bodies.slice(0, at), ...others], at };
  },
};

const sha = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** Writes another history, with every hash that belongs to it. */
function rewrite(path: string, bodies: readonly string[]): void {
  const db = new Database(path);
  const triggers = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as {
    name: string;
    sql: string;
  }[];
  db.exec('BEGIN');
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
  db.exec('DELETE FROM events');
  const insert = db.prepare(
    'INSERT INTO events (seq, ts, kind, subject, hash, nodes, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const stack: { size: number; hash: Buffer }[] = [];
  for (const [seq, old] of bodies.entries()) {
    const event = { ...JSON.parse(old), seq };
    const body = canon(event);
    const hash = sha(Buffer.from([0]), Buffer.from(body));
    const nodes: Buffer[] = [];
    let top = { size: 1, hash };
    while (stack.at(-1)?.size === top.size) {
      top = { size: top.size * 2, hash: sha(Buffer.from([1]), stack.pop()!.hash, top.hash) };
      nodes.push(top.hash);
    }
    stack.push(top);
    insert.run(seq, event.ts, event.kind, event.subject, hash, nodes.length === 0 ? null : Buffer.concat(nodes), body);
  }
  for (const { sql } of triggers) db.exec(sql);
  db.exec('COMMIT');
  db.close();
}

describe('a database whose history was rewritten, with every hash made anew', function () {
  // Hundreds of databases.
  this.timeout(120_000);
  let folder: string;
  let original: string;
  let bodies: string[];
  const checkpoints = new Map<number, Buffer>();

  before(async () => {
    folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'lukhas-rewrite-'));
    original = join(folder, 'original.db');
    const ledger = await openLedger(original);
    for (let n = 0; n < SIZE; n++) {
      await ledger.commit({ events: [changed(n)] });
      // One that was kept elsewhere after each entry.
      const { size, root } = await ledger.root();
      checkpoints.set(
        size,
        Buffer.from(signCheckpoint({ origin: ORIGIN, size, root }, [noteSigner(ORIGIN, KEYS.log)])),
      );
    }
    await ledger.close();
    const db = new Database(original);
    bodies = db.prepare('SELECT body FROM events ORDER BY seq').pluck().all() as string[];
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
  });
  after(() => rm(folder, { recursive: true }));

  /** Says whether the database holds by itself, and whether it goes on from a checkpoint of `since` entries. */
  async function judge(path: string, since: number): Promise<{ inPlace: boolean; goesOn: boolean }> {
    let rootThen: Buffer | null = null;
    const watch = {
      sizes: new Set([since]),
      take: (_: number, root: Buffer) => {
        rootThen = root;
      },
    };
    const report = await verifyDatabase(path, { watch });
    const log = { size: report.size, rootThen };
    const { ok } = await verifyLogSince(checkpoints.get(since)!, { log, key: KEY, trust: null });
    return { inPlace: report.ok, goesOn: ok };
  }

  it('goes on from every checkpoint when nothing was rewritten', async () => {
    for (const since of checkpoints.keys()) {
      expect(await judge(original, since), `${since}`).to.deep.equal({ inPlace: true, goesOn: true });
    }
  });

  for (const [kind, edit] of Object.entries(EDITS)) {
    it(`is caught by any checkpoint that covers it: ${kind}`, async () => {
      const random = numbers(kind.length);
      const path = join(folder, 'copy.db');
      for (let trial = 0; trial < TRIALS; trial++) {
        const { bodies: forged, at } = edit(bodies, random);
        await copyFile(original, path);
        rewrite(path, forged);
        const covering = at + 1 + random(SIZE - at);
        // Without a checkpoint nothing would show.
        expect(await judge(path, covering), `trial ${trial}`).to.deep.equal({ inPlace: true, goesOn: false });
      }
      await rm(path);
    });

    it(`is caught in a pack that the operator's own keys sign: ${kind}`, async () => {
      const random = numbers(kind.length + 1);
      const path = join(folder, 'copy.db');
      for (let trial = 0; trial < 3; trial++) {
        const { bodies: forged, at } = edit(bodies, random);
        await copyFile(original, path);
        rewrite(path, forged);
        const zip = await packOf(path, join(folder, 'pack.zip'));
        const covering = at + 1 + random(Math.max(1, Math.min(SIZE, forged.length) - at));
        const pack = await ZippedPack.open(zip);
        const without = await verifyPack(pack, { trust: null });
        const since = checkpoints.get(covering)!;
        const report = await verifyPack(pack, { trust: null, since });
        pack.close();
        expect(without.problems).to.deep.equal([]);
        expect(report.ok, `trial ${trial}`).to.equal(false);
        // A pack that ends before the checkpoint cannot tell: the log itself does, above.
        if (kind === 'the end cut off') expect(report.notShown.join()).to.include('the pack ends at');
        else expect(report.problems.join()).to.include('the log was rewritten');
      }
    });
  }
});

async function packOf(path: string, zip: string): Promise<string> {
  const ledger = await openLedger(path, { readOnly: true });
  try {
    const plan = await planPack(ledger, { from: null, to: null, selection: {} }, async () => ({}));
    await writePack({ ledger, plan, origin: ORIGIN, keys: KEYS, version: '0', out: createWriteStream(zip) });
  } finally {
    await ledger.close();
  }
  return zip;
}

function changed(n: number): EventDraft {
  const data = {
    gate: 'production',
    modelId: `m-${n}`,
    previous: null,
    canaryId: null,
    by: { who: 'ana', how: 'os-user' as const },
  };
  return {
    kind: 'gate.changed',
    subject: 'gate:production',
    ts: new Date(1_767_225_600_000 + n * 1000).toISOString(),
    data,
  };
}
