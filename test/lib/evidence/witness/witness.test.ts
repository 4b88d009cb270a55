import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { verifyCheckpoint } from '../../../../src/lib/evidence/formats/checkpoint.js';
import { cosignatureVerifier } from '../../../../src/lib/evidence/formats/cosignature.js';
import { noteVerifier } from '../../../../src/lib/evidence/formats/note.js';
import { SIGNATURE_TYPE, type VerifierKey } from '../../../../src/lib/evidence/formats/vkey.js';
import { generateSigningKey } from '../../../../src/lib/evidence/keys/keys.js';
import { formatAddCheckpoint } from '../../../../src/lib/evidence/witness/request.js';
import { type Cosigned, WitnessStore } from '../../../../src/lib/evidence/witness/store.js';
import { Witness, type WitnessAnswer } from '../../../../src/lib/evidence/witness/witness.js';
import { cases } from '../../../cases.js';
import { ALICE, BOB, numbers } from '../signers.js';
import { GrownLog } from '../tree/grown-log.js';

const ORIGIN = 'example.com/canaries';
const WITNESS: VerifierKey = {
  name: 'witness.example.com',
  type: SIGNATURE_TYPE.cosignature,
  publicKey: BOB.publicKey,
};
const NOW = 1_700_000_000_000;
const TRIALS = cases(200);

describe('Witness', () => {
  let dir: string;
  let refusals: string[];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-witness-'));
    refusals = [];
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** Also a second one over the same folder, as after a restart. */
  const witness = (
    logs: GrownLog[],
    folder = dir,
    store: Pick<WitnessStore, 'last' | 'append'> = new WitnessStore(folder),
  ) =>
    new Witness({
      name: WITNESS.name,
      key: BOB,
      logs: logs.map(({ vkey }) => vkey),
      store,
      now: () => NOW,
      onRefused: (note) => refusals.push(note),
    });
  const newLog = (count: number) => new GrownLog(ORIGIN, ALICE).grow(count);
  const messageOf = (answer: WitnessAnswer) => ('message' in answer ? answer.message : '');

  it('cosigns a log that grows, and its cosignature verifies', async () => {
    const log = newLog(3);
    const it = witness([log]);
    for (const [old, size] of [
      [0, 3],
      [3, 3],
      [3, 10],
      [10, 11],
    ] as const) {
      log.grow(size - log.entries.length);
      const answer = await it.add(log.request(old));
      if (answer.status !== 200) throw new Error(messageOf(answer));
      const verified = verifyCheckpoint(log.note() + answer.cosignature, {
        origin: ORIGIN,
        log: [noteVerifier(log.vkey)],
        witnesses: [cosignatureVerifier(WITNESS)],
      });
      expect(verified.witnesses).to.have.length(1);
      expect(await it.last(ORIGIN)).to.equal(log.note() + answer.cosignature);
    }
    expect(refusals).to.deep.equal([]);
  });

  it('begins with an empty log, too, and ignores signatures of others', async () => {
    const log = newLog(0);
    const it = witness([log]);
    expect((await it.add(log.request(0))).status).to.equal(200);
    log.grow(5);
    const other = new GrownLog(ORIGIN, generateSigningKey(), log.entries);
    const both = log.note() + other.note().split('\n\n')[1]!;
    const body = formatAddCheckpoint({ oldSize: 0, proof: [], note: both });
    expect((await it.add(Buffer.from(body))).status).to.equal(200);
    expect(await it.last(ORIGIN)).to.not.include(other.note().split('\n\n')[1]!.trim());
  });

  it('keeps logs apart', async () => {
    const [one, two] = [newLog(4), new GrownLog('example.com/others', ALICE).grow(9, 'other')];
    const it = witness([one, two]);
    expect((await it.add(one.request(0))).status).to.equal(200);
    expect((await it.add(two.request(0))).status).to.equal(200);
    expect(await it.add(one.request(9))).to.include({ status: 400 });
  });

  it('answers as specified when it does not cosign', async () => {
    const log = newLog(8);
    const it = witness([log]);
    expect((await it.add(log.request(0))).status).to.equal(200);
    log.grow(5);
    const cases: [string, Buffer, number][] = [
      ['no request', Buffer.from('hello'), 400],
      ['no checkpoint', Buffer.from('old 0\n\nhello'), 400],
      ['an old size above the size', log.request(14), 400],
      ['another log', new GrownLog('example.com/x', ALICE).grow(1).request(0), 404],
      ['a key that is not the log\u2019s', new GrownLog(ORIGIN, BOB, log.entries).request(8), 403],
      [
        'a signature that is broken',
        Buffer.from(
          log
            .request(8)
            .toString()
            .replace(/\n13\n/, '\n14\n'),
        ),
        403,
      ],
      ['an old size that is not what is known', log.request(0), 409],
      ['an old size below what is known', log.request(7), 409],
      ['an old size above what is known', log.request(10), 409],
      ['no proof', Buffer.from(formatAddCheckpoint({ oldSize: 8, proof: [], note: log.note() })), 422],
      [
        'a proof of something else',
        Buffer.from(formatAddCheckpoint({ oldSize: 8, proof: await log.consistencyProof(7), note: log.note() })),
        422,
      ],
      ['another history', newLog(0).grow(13, 'forged').request(8), 422],
      ['another head of the same size', newLog(0).grow(8, 'forged').request(8), 409],
      [
        'a proof where none is due',
        Buffer.from(formatAddCheckpoint({ oldSize: 8, proof: [Buffer.alloc(32)], note: log.note(8) })),
        422,
      ],
    ];
    for (const [what, body, status] of cases) {
      const answer = await it.add(body);
      expect(answer.status, `${what}: ${messageOf(answer)}`).to.equal(status);
      if (answer.status === 409) expect(answer.size, what).to.equal(8);
    }
    // What has a good signature and does not fit is told: it may be proof.
    expect(refusals).to.have.length(5);
    expect((await it.add(log.request(8))).status).to.equal(200);
  });

  it('does not begin anew when its records cannot be read', async () => {
    const log = newLog(3);
    await witness([log]).add(log.request(0));
    const [folder] = await readdir(dir);
    await rm(join(dir, folder!, '1'));
    await mkdir(join(dir, folder!, '1'));
    let error: unknown;
    await witness([log])
      .add(log.request(0))
      .catch((thrown: unknown) => {
        error = thrown;
      });
    expect(error).to.have.property('code', 'CONFIG');
  });

  it('cosigns one of many heads that come at once, whoever takes them', async () => {
    const base = newLog(5);
    await witness([base]).add(base.request(0));
    // As in two processes: each has its own witness over the same folder.
    const forks = Array.from({ length: 12 }, (_, n) => base.fork().grow(3, `fork ${n}`));
    const answers = await Promise.all(forks.map((fork) => witness([base]).add(fork.request(5))));
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    expect(answers.filter(({ status }) => status === 409)).to.have.length(11);
  });

  it('looks again when another process was faster', async () => {
    const base = newLog(5);
    const store = new WitnessStore(dir);
    const faster = base.fork().grow(2, 'rival').request(0);
    let rival: (() => Promise<unknown>) | null = () => witness([base]).add(faster);
    const slow = {
      last: (origin: string) => store.last(origin),
      append: async (origin: string, head: Cosigned) => {
        const before = rival;
        rival = null;
        await before?.();
        return store.append(origin, head);
      },
    };
    const answer = await witness([base], dir, slow).add(base.grow(2).request(0));
    expect(answer).to.include({ status: 409, size: 7 });
  });

  it('never cosigns two heads of which one is not the beginning of the other', async () => {
    const step = fc.record({ fork: fc.nat(2), grow: fc.nat(4), old: fc.oneof(fc.constant(null), fc.nat(20)) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const folder = await mkdtemp(join(dir, 'p-'));
        const forks = [newLog(0), newLog(0), newLog(0)];
        const cosigned: { fork: GrownLog; size: number }[] = [];
        for (const { fork, grow, old } of steps) {
          const log = forks[fork]!.grow(grow, `fork ${fork}`);
          const it = witness([log], folder);
          let answer = await it.add(log.request(old ?? 0));
          if (old === null && answer.status === 409 && answer.size <= log.entries.length)
            answer = await it.add(log.request(answer.size));
          if (answer.status === 200) cosigned.push({ fork: log, size: log.entries.length });
        }
        const grown = cosigned.filter(({ size }) => size > 0);
        expect(new Set(grown.map(({ fork }) => fork)).size).to.be.at.most(1);
        expect(grown.map(({ size }) => size)).to.deep.equal(grown.map(({ size }) => size).sort((a, b) => a - b));
      }),
      { numRuns: 40 },
    );
  });

  describe('before one who holds the log’s key, rewrites entries that it has seen and computes everything anew', () => {
    type Edit = (seen: Buffer[], random: (below: number) => number) => void;
    const edits: Record<string, Edit> = {
      'alters an entry': (seen, random) => {
        const at = random(seen.length);
        seen[at] = Buffer.concat([seen[at]!, Buffer.from(`${random(1000)}`)]);
      },
      'deletes the last one': (seen) => {
        seen.pop();
      },
      'inserts an entry': (seen, random) => {
        seen.splice(random(seen.length), 0, Buffer.from(`inserted ${random(1000)}`));
      },
      'swaps two entries': (seen, random) => {
        const at = random(seen.length);
        const other = (at + 1 + random(seen.length - 1)) % seen.length;
        [seen[at], seen[other]] = [seen[other]!, seen[at]!];
      },
    };
    for (const [what, edit] of Object.entries(edits)) {
      it(`catches each of ${TRIALS} who ${what}`, async () => {
        const random = numbers(what.length);
        for (let trial = 0; trial < TRIALS; trial++) {
          const folder = join(dir, String(trial));
          const log = newLog(2 + random(20));
          const it = witness([log], folder);
          const first = 1 + random(log.entries.length - 1);
          await it.add(log.request(0, first));
          await it.add(log.request(first));
          const size = log.entries.length;
          const seen = [...log.entries];
          edit(seen, random);
          // More is appended, so that the head is smaller, equal or larger.
          const forged = new GrownLog(ORIGIN, ALICE, seen).grow(random(4), 'new');
          // It asks as it should, claims nothing, and tries proofs that it finds somewhere.
          const claims = [size, 0, first, forged.entries.length].filter((old) => old <= forged.entries.length);
          const bodies = claims.map((old) => forged.request(old));
          bodies.push(
            Buffer.from(
              formatAddCheckpoint({
                oldSize: Math.min(size, forged.entries.length),
                proof: await log.consistencyProof(first),
                note: forged.note(),
              }),
            ),
          );
          for (const body of bodies) {
            const answer = await it.add(body);
            expect(answer.status, `trial ${trial}`).to.be.oneOf([400, 409, 422]);
          }
          // The true log goes on.
          expect((await it.add(log.grow(1).request(size))).status).to.equal(200);
        }
      });
    }
  });
});
