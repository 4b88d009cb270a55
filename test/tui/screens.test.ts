import { expect } from 'chai';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { inAscii } from '../../src/tui/draw/ascii.js';
import { lineText } from '../../src/tui/draw/line.js';
import { inlineLines } from '../../src/tui/screens/inline.js';
import { listWindow } from '../../src/tui/screens/list.js';
import { type Size, screenLines } from '../../src/tui/screens/screen.js';
import { Session } from '../../src/tui/watch/session.js';
import { type Place, place, START } from '../lib/canary/harness.js';
import { until } from '../until.js';
import { canaryIn, FakeWatching, found, stillClock } from './fake-watching.js';
import { expectScreen } from './snapshot.js';

const SIZES: Size[] = [
  { columns: 200, rows: 60 },
  { columns: 80, rows: 24 },
  { columns: 40, rows: 12 },
];
const EVIL = [
  '<script>alert(1)</script>',
  '\u001b[2J\u001b[31mred\u001b]8;;http://evil.example\u0007',
  '\u202eright to left\u2066\u200b',
  '👩‍👩‍👧‍👦 family 🇫🇷 👍🏽 1️⃣',
  '漢字'.repeat(64),
  'm'.repeat(128),
  'a\u0301\u0302\u0303\u0304\u0305\u0306\u0307zalgo',
  'line\nbreak\ttab',
];

describe('screens of the live view', () => {
  let at: Place;
  let watching: FakeWatching;

  before(async () => {
    at = await place();
    const { ledger } = at;
    watching = new FakeWatching();
    const running = await canaryIn(ledger, { checks: 12, script: (n) => found(n % 3, 500, (n % 4) * 3) });
    const bad = await canaryIn(ledger, { modelId: 'rank-v7', at: START - 3e6, script: (n) => found(n * 8, 500, n) });
    const good = await canaryIn(ledger, { modelId: 'rank-v8', at: START - 6e6, script: () => found(0, 900, 3) });
    await watching.readFrom(ledger);
    for (const [id, name] of [
      [running, 'c-running'],
      [bad, 'c-bad'],
      [good, 'c-good'],
    ] as const)
      watching.rename(id, name);
    watching.overview.jobs.set('j-1', {
      id: 'j-1',
      taskId: 'smoke',
      configId: null,
      dryRun: false,
      state: 'failed',
      by: 'ana',
      createdAt: START - 60_000,
      updatedAt: START - 50_000,
      durationMs: 10_000,
      message: 'accuracy 0.71 is below 0.9',
      seq: 9,
    });
  });
  after(() => at.close());

  /** A session whose canary was read, after these keys. */
  async function shown(id: string | null, keys = '', on: FakeWatching = watching): Promise<Session> {
    const session = new Session({ watching: on, clock: stillClock(START + 125_000), id, exportTo: '/tmp' });
    for (const character of keys) session.key(character === '\r' ? 'enter' : { character });
    const { page } = session;
    if (page.kind === 'canary')
      await until(() => session.records.drawn !== null || session.records.problem !== null, 20);
    session.records.close();
    return session;
  }

  for (const size of SIZES) {
    const name = `${size.columns}x${size.rows}`;
    it(`list, ${name}`, async () => expectScreen(`list-${name}`, screenLines(await shown(null), size)));
    it(`one that runs, ${name}`, async () =>
      expectScreen(`running-${name}`, screenLines(await shown('c-running'), size)));
    it(`one that was rolled back, ${name}`, async () =>
      expectScreen(`rolled-back-${name}`, screenLines(await shown('c-bad'), size)));
    it(`asking for a reason, ${name}`, async () =>
      expectScreen(`abort-${name}`, screenLines(await shown('c-running', 'abad latency at peak'), size)));
    it(`help, ${name}`, async () => expectScreen(`help-${name}`, screenLines(await shown(null, '?'), size)));
    it(`why, ${name}`, async () => expectScreen(`why-${name}`, screenLines(await shown('c-bad', 'w'), size)));
    it(`maths, ${name}`, async () => expectScreen(`math-${name}`, screenLines(await shown('c-bad', 'm'), size)));
  }

  it('a job, and a filter', async () => {
    const size = SIZES[1]!;
    expectScreen('job-80x24', screenLines(await shown(null, 'j\r'), size));
    expectScreen('filter-80x24', screenLines(await shown(null, '/rank'), size));
  });

  it('say plainly that they are stale, connecting or refused, and never "live" then', async () => {
    for (const state of ['stale', 'connecting', 'refused'] as const) {
      const on = new FakeWatching();
      on.overview = watching.overview;
      on.connection = { state, heardAt: -42_000, problem: 'the daemon does not answer' };
      const text = screenLines(await shown(null, '', on), SIZES[1]!).map(lineText);
      expect(text[0]).to.match(new RegExp(state, 'i')).and.contain('the daemon does not answer');
      if (state === 'stale') expect(text[0]).to.contain('42 s');
      expect(text.join('\n')).not.to.contain('live');
    }
  });

  it('are one row less than the terminal and no wider, whatever its size, and a line that says so where it is too small', async () => {
    const sessions = await Promise.all([
      shown(null),
      shown('c-running'),
      shown('c-bad', 'm'),
      shown('c-bad', 'aa reason that is long enough to be cut somewhere, on a terminal that is narrow'),
      shown(null, '?'),
      shown('c-none'),
    ]);
    fc.assert(
      fc.property(
        fc.constantFrom(...sessions),
        fc.integer({ min: 1, max: 220 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 200 }),
        (session, columns, rows, top) => {
          if (session.page.kind === 'canary') session.page = { ...session.page, top };
          const lines = screenLines(session, { columns, rows }).map(lineText);
          expect(lines.length).to.equal(columns < 40 || rows < 10 ? 1 : rows - 1);
          for (const one of lines) expect(stringWidth(one), one).to.be.at.most(columns);
        },
      ),
    );
    expect(screenLines(sessions[0]!, { columns: 39, rows: 24 }).map(lineText).join('')).to.contain('40 columns');
  });

  it('drawn inline take a part of the terminal: head and objectives first, charts where there is room', async () => {
    const { view, course, record } = (await shown('c-bad')).records.drawn!;
    const inline = (columns: number, rows: number): string[] => {
      const checks = record.observations.length;
      return inlineLines({ view, course, gate: record.gate, checks, now: START, rows, width: columns - 1 }, rows).map(
        lineText,
      );
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 220 }), fc.integer({ min: 1, max: 70 }), (columns, rows) => {
        const lines = inline(columns, rows);
        expect(lines.length).to.be.at.most(Math.max(1, rows - 2));
        for (const one of lines) expect(stringWidth(one), one).to.be.at.most(Math.max(1, columns - 1));
      }),
    );
    expect(inline(80, 50).join('\n')).to.contain('error_rate').and.contain('└0 s');
    expect(inline(80, 12).join('\n')).to.contain('error_rate').and.not.contain('└0 s');
    expect(inline(39, 24).length).to.equal(1);
  });

  it('show text from outside as text: nothing that a terminal obeys or hides, and columns stay in place', async () => {
    const on = new FakeWatching();
    const row = watching.overview.canaries.get('c-running')!;
    const record = watching.records.get('c-running')!;
    for (const [i, text] of EVIL.entries()) {
      const id = `c-${i}`;
      const glance = { ...row.glance!, objectives: row.glance!.objectives.map((o) => ({ ...o, name: text })) };
      on.overview.canaries.set(id, { ...row, id, modelId: text, fromGate: text, by: text, glance });
      const changed = JSON.stringify(record).replaceAll('"fraud-v2"', JSON.stringify(text)).replaceAll('c-running', id);
      on.records.set(id, JSON.parse(changed) as typeof record);
    }
    on.place = EVIL[1]!;
    on.connection = { state: 'stale', heardAt: 0, problem: EVIL[1]! };
    for (const size of SIZES)
      for (const session of [
        await shown(null, '', on),
        ...(await Promise.all(EVIL.map((_, i) => shown(`c-${i}`, '', on)))),
      ])
        for (let top = 0; top < 60; top += 10) {
          if (session.page.kind === 'canary') session.page = { ...session.page, top };
          session.message = { text: EVIL.join(' '), tone: 'bad' };
          for (const one of screenLines(session, size).map(lineText)) {
            expect(one).not.to.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
            expect(stringWidth(one), one).to.be.at.most(size.columns);
          }
        }
    const tall = screenLines(await shown(null, '', on), { columns: 100, rows: 60 }).map(lineText);
    const left = tall
      .filter((one) => one.includes('RUNNING'))
      .map((one) => stringWidth(one.slice(0, one.lastIndexOf('2 min 55 s left'))));
    expect(left.length).to.equal(EVIL.length);
    expect(new Set(left).size, 'the time left stands in one column').to.equal(1);
  });

  it('of a list are made of the rows that are shown alone', () => {
    const row = watching.overview.canaries.get('c-good')!;
    let read = 0;
    const rows = Array.from({ length: 500 }, (_, i) => ({
      kind: 'canary' as const,
      id: `c-${i}`,
      open: false,
      at: i,
      get row() {
        read++;
        return row;
      },
    }));
    for (const selected of [0, 250, 499]) {
      read = 0;
      const { lines, first, end } = listWindow(rows, { selected, first: 0, width: 80, height: 20, now: START });
      expect(lines.length).to.be.at.most(20);
      expect(first).to.be.at.most(selected);
      expect(end).to.be.above(selected);
      expect(read).to.be.below(60);
    }
  });

  it('are ASCII where the locale has no Unicode, of the same width', async () => {
    for (const session of [await shown(null), await shown('c-running')])
      for (const one of screenLines(session, SIZES[0]!)) {
        const ascii = lineText(inAscii(one));
        expect(ascii).to.match(/^[\x20-\x7e]*$/);
        expect(ascii.length).to.equal(stringWidth(lineText(one)));
      }
  });
});
