import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  gateHistory,
  holderOf,
  listGates,
  listModels,
  NAME_PATTERN,
  parseName,
  setGate,
} from '../../../src/lib/gates/registry.js';
import type { Actor } from '../../../src/lib/ledger/events.js';
import type { Ledger, SubjectSummary } from '../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { gateSummary } from '../../../src/lib/readings/gate.js';

const by: Actor = { who: 'ana', how: 'os-user' };

describe('registry of gates', () => {
  let dir: string;
  let ledger: Ledger;
  let minute = 0;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-gates-'));
    ledger = await openLedger(join(dir, 'log.db'));
    minute = 0;
  });
  afterEach(async () => {
    await ledger.close();
    await rm(dir, { recursive: true, force: true });
  });

  const set = (gate: string, modelId: string, canaryId: string | null = null, into = ledger) => {
    const ts = new Date(Date.UTC(2026, 2, 1, 12, minute++)).toISOString();
    return setGate(into, { gate, modelId, canaryId, by, ts });
  };

  it('knows who holds a gate, and who held it', async () => {
    expect(await holderOf(ledger, 'production')).to.equal(null);
    expect(await set('production', 'v1')).to.deep.equal({ changed: true });
    expect(await set('production', 'v2', 'can_01')).to.deep.equal({ changed: true });
    expect(await holderOf(ledger, 'production')).to.equal('v2');
    expect(await gateHistory(ledger, 'production')).to.deep.equal([
      { seq: 0, ts: '2026-03-01T12:00:00.000Z', modelId: 'v1', previous: null, canaryId: null, by },
      { seq: 1, ts: '2026-03-01T12:01:00.000Z', modelId: 'v2', previous: 'v1', canaryId: 'can_01', by },
    ]);
  });

  it('writes nothing when the model holds the gate already', async () => {
    await set('production', 'v1');
    expect(await set('production', 'v1', 'can_01')).to.deep.equal({ changed: false });
    expect(await ledger.size()).to.equal(1);
  });

  it('does not undo a later change when a canary repeats its own', async () => {
    await set('production', 'v1', 'can_01');
    await set('production', 'v2', 'can_02');
    expect(await set('production', 'v1', 'can_01')).to.deep.equal({ changed: false });
    expect(await holderOf(ledger, 'production')).to.equal('v2');
  });

  it('lists gates and models, and tells apart names of which one begins the other', async () => {
    await set('prod', 'v1');
    await set('production', 'v10', 'can_01');
    await set('canary', 'v1');
    expect(await holderOf(ledger, 'prod')).to.equal('v1');
    expect(await listGates(ledger)).to.deep.equal([
      { gate: 'canary', modelId: 'v1', canaryId: null, since: '2026-03-01T12:02:00.000Z', seq: 2 },
      { gate: 'prod', modelId: 'v1', canaryId: null, since: '2026-03-01T12:00:00.000Z', seq: 0 },
      { gate: 'production', modelId: 'v10', canaryId: 'can_01', since: '2026-03-01T12:01:00.000Z', seq: 1 },
    ]);
    expect(await listModels(ledger)).to.deep.equal([
      { modelId: 'v1', gates: ['canary', 'prod'], canaries: 0, updatedAt: '2026-03-01T12:02:00.000Z' },
      { modelId: 'v10', gates: ['production'], canaries: 0, updatedAt: '2026-03-01T12:01:00.000Z' },
    ]);
  });

  it('lists a model that has had a canary and holds no gate', async () => {
    const data = { startedAt: 1 };
    await ledger.commit({
      events: [{ kind: 'canary.started', subject: 'can_01', ts: '2026-03-01T12:00:00.000Z', data }],
      summaries: [{ subject: 'can_01', type: 'canary', state: 'RUNNING', modelId: 'v3', open: true, data: {} }],
    });
    // Neither a job, which is of no model, nor a promotion is one.
    for (const [subject, type, modelId] of [
      ['j-1', 'job', ''],
      ['p-1', 'promotion', 'v3'],
    ] as const)
      await ledger.commit({
        events: [{ kind: 'canary.started', subject, ts: '2026-03-01T11:00:00.000Z', data }],
        summaries: [{ subject, type, state: 'x', modelId, open: false, data: {} }],
      });
    expect(await listModels(ledger)).to.deep.equal([
      { modelId: 'v3', gates: [], canaries: 1, updatedAt: '2026-03-01T12:00:00.000Z' },
    ]);
    expect(await listGates(ledger)).to.deep.equal([]);
  });

  it('chains the holders without a gap when several writers race', async () => {
    const other = await openLedger(join(dir, 'log.db'));
    await Promise.all([1, 2, 3, 4].map((n) => set('production', `v${n}`, `can_0${n}`, n % 2 ? ledger : other)));
    await other.close();
    const history = await gateHistory(ledger, 'production');
    expect(history).to.have.length(4);
    expect(history.map(({ previous }) => previous)).to.deep.equal([
      null,
      ...history.slice(0, -1).map(({ modelId }) => modelId),
    ]);
    expect(await holderOf(ledger, 'production')).to.equal(history.at(-1)?.modelId);
  });

  it('changes nothing for a driver that has lost the lease', async () => {
    await ledger.acquireLease('can_01', 'another', Date.now(), 60_000);
    const request = { gate: 'production', modelId: 'v1', canaryId: 'can_01', by, ts: '2026-03-01T12:00:00.000Z' };
    const outcome = await setGate(ledger, { ...request, holder: 'me' }).catch((error: unknown) => error);
    expect(outcome).to.have.property('code', 'LEDGER_CONFLICT');
    expect(await holderOf(ledger, 'production')).to.equal(null);
  });

  it('builds its rows from the log again', async () => {
    await set('production', 'v1');
    await set('production', 'v2', 'can_01');
    const before = await ledger.summaries();
    await ledger.rebuildSummaries(async function* (events) {
      let row: SubjectSummary | undefined;
      for await (const event of events) {
        if (event.kind !== 'gate.changed') continue;
        const { seq, ts } = event;
        row = {
          ...gateSummary(event.data),
          firstSeq: row?.firstSeq ?? seq,
          createdAt: row?.createdAt ?? ts,
          lastSeq: seq,
          updatedAt: ts,
        };
      }
      if (row) yield row;
    });
    expect(before).to.have.length(1);
    expect(await ledger.summaries()).to.deep.equal(before);
  });

  it('refuses bad names before it writes', async () => {
    const outcome = await set('prod"\n', 'v1').catch((error: unknown) => error);
    expect(outcome).to.have.property('code', 'USAGE');
    expect(await ledger.size()).to.equal(0);
  });
});

describe('names of models and gates', () => {
  for (const name of ['fraud', 'fraud@v7', 'team/fraud:2026-03-01', 'registry.example/m_1', 'x'.repeat(128)]) {
    it(`accepts ${name.slice(0, 30)}`, () => expect(parseName('model', name)).to.equal(name));
  }
  for (const name of [
    '',
    ' ',
    'a b',
    'a"b',
    "a'b",
    'a\nb',
    'a\n',
    'a\u0000',
    '-rf',
    'a{b}',
    'a$b',
    'é',
    'x'.repeat(129),
  ]) {
    it(`refuses ${JSON.stringify(name).slice(0, 30)} in one line`, () => {
      expect(NAME_PATTERN.test(name)).to.equal(false);
      expect(() => parseName('gate', name))
        .to.throw(/^gate name ".* is not valid: use 1 to 128 letters, digits and \. _ - \/ : @, not starting with -$/)
        .with.property('code', 'USAGE');
    });
  }
  it('shows invisible characters as escapes', () => {
    expect(() => parseName('model', 'a\u202eb\u001b[2J')).to.throw(String.raw`"a\u202eb\u001b[2J"`);
  });
});
