import { expect } from 'chai';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { Judging } from '../../../src/lib/stream/judging.js';
import { eventId } from '../../../src/lib/stream/position.js';
import { Teller } from '../../../src/lib/stream/teller.js';
import { lineOf, rowLine } from '../../../src/lib/view/line.js';
import { emptyOverview, take } from '../../../src/lib/view/overview.js';
import type { Told } from '../../../src/lib/view/told.js';
import {
  BAD,
  drive,
  driver,
  FakeClock,
  HEALTHY,
  type Place,
  place,
  SILENT,
  scripted,
  start,
} from '../canary/harness.js';
import { policy } from '../judge/looks.js';

const HOSTILE = 'why\n12:00:00Z  c-other  PROMOTED \u001b[2J\u202e<script>';

async function toldIn(ledger: Ledger): Promise<Told[]> {
  const items = await ledger.feed({ seq: 0, row: 1 }, 100_000);
  const teller = new Teller(ledger);
  const events = await teller.events(items, new Judging(ledger));
  const log = await teller.log();
  return events.flatMap((event, i) =>
    event === null ? [] : [{ id: eventId(items[i]!.position, log), name: event.name, data: event.data }],
  );
}

describe('a line of what happened', () => {
  let at: Place;
  beforeEach(async () => {
    at = await place();
  });
  afterEach(() => at.close());

  const run = async (found: typeof HEALTHY, more: Record<string, unknown> = {}) => {
    const clock = new FakeClock();
    const rules = policy({ targets: { max_error_rate: 0.02 }, ...more });
    const { id } = await start(at.ledger, clock, { policy: rules });
    await drive({ ...driver({ ledger: at.ledger, clock, source: scripted(clock, () => found) }), clock }, id);
    return id;
  };
  const lines = async (checks = false) => (await toldIn(at.ledger)).flatMap((told) => lineOf(told, { checks }) ?? []);

  it('tells a promotion from its request to its gate', async () => {
    const id = await run(HEALTHY);
    const head = `${id}  fraud-v2  stage → production`;
    expect(await lines()).to.deep.equal([
      `12:00:00Z  ${head}  PENDING  requested by ana; window 60 s`,
      `12:00:00Z  ${head}  RUNNING  the window begins`,
      `12:01:00Z  ${head}  PROMOTED  decided after 60 s: certified at the end of the window`,
      `12:01:00Z  gate production  now holds fraud-v2 (${id}) by lukhas`,
      `12:01:00Z  ${head}  PROMOTED  promote carried out; no hook called`,
    ]);
  });

  it('says what decided a rollback, with its number and limit', async () => {
    await run(BAD);
    expect((await lines()).join('\n')).to.match(
      /ROLLED BACK {2}decided after \d+ s: evidence against it, error_rate 16% \(limit 2%\)$/m,
    );
  });

  it('says since when there is no data', async () => {
    await run(SILENT);
    expect((await lines()).join('\n')).to.match(/no data since 12:00:\d\dZ; nothing is promoted while data is missing/);
  });

  it('tells checks of one that is watched alone', async () => {
    await run(HEALTHY);
    const checks = (await lines(true)).filter((line) => / check \d+/.test(line));
    expect(checks).to.have.length.above(3);
    expect(checks.at(-1)).to.match(
      /RUNNING {2}check \d+ {2}[✓?] error_rate 0\.2% \(limit 2%\) {2}evidence against it: none \(rolls back at 100:1\)$/,
    );
  });

  it('is one line that no terminal obeys, whatever a person wrote', () => {
    const base = { ts: '2026-03-01T12:00:00.000Z', modelId: 'm', fromGate: 'a', toGate: 'b', dryRun: false };
    for (const [name, more] of [
      ['aborted', { canaryId: 'c-1', status: 'ABORTED', by: HOSTILE, reason: HOSTILE }],
      ['promoted', { canaryId: 'c-1', status: 'PROMOTED', override: true, by: 'x', reason: HOSTILE }],
      ['rejected', { canaryId: 'c-1', status: 'BLOCKED', by: 'x', reason: HOSTILE }],
      ['approved', { canaryId: 'c-1', status: 'BLOCKED', by: HOSTILE, reason: HOSTILE, approvals: 1, required: 2 }],
      ['failed', { canaryId: 'c-1', status: 'FAILED', message: HOSTILE }],
      ['hook', { canaryId: 'c-1', status: 'PROMOTED', action: 'promote', hook: HOSTILE, ok: false, detail: HOSTILE }],
      ['acted', { canaryId: 'c-1', status: 'PROMOTED', action: 'promote', ok: false, failed: HOSTILE }],
      ['failed', { jobId: 'j-1', status: 'failed', taskId: HOSTILE, message: HOSTILE }],
      ['gate_changed', { gate: HOSTILE, modelId: HOSTILE, previous: HOSTILE, canaryId: null, by: HOSTILE }],
      ['promotion_finished', { promotionId: 'p-1', gate: HOSTILE, ok: false, failed: HOSTILE }],
    ] as const) {
      const shown = lineOf({ id: '1.1', name, data: { ...base, ...more } }, { checks: true })!;
      expect(shown, name).to.match(/^12:00:00Z {2}/);
      for (const character of ['\n', '\u001b', '\u202e']) expect(shown, name).to.not.include(character);
    }
  });

  it('tells how a canary stands in the same form', async () => {
    const id = await run(BAD);
    const overview = emptyOverview();
    for (const told of await toldIn(at.ledger)) take(overview, told);
    const shown = rowLine(overview.canaries.get(id)!, Date.parse('2026-03-01T13:00:00Z'));
    expect(shown).to.match(
      new RegExp(
        `^13:00:00Z {2}${id} {2}fraud-v2 {2}stage → production {2}ROLLED BACK {2}evidence against it {2}✗ error_rate`,
      ),
    );
  });
});
