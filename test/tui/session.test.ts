import { expect } from 'chai';
import { LukhasError } from '../../src/lib/errors.js';
import { lineText } from '../../src/tui/draw/line.js';
import { screenLines } from '../../src/tui/screens/screen.js';
import { type InkKey, type KeyName, keysOf } from '../../src/tui/watch/keys.js';
import { Session, type SessionOptions } from '../../src/tui/watch/session.js';
import { type Place, place, START } from '../lib/canary/harness.js';
import { until } from '../until.js';
import { canaryIn, FakeWatching, found, stillClock } from './fake-watching.js';

const NO_KEY: InkKey = {
  upArrow: false,
  downArrow: false,
  pageUp: false,
  pageDown: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  backspace: false,
  delete: false,
  ctrl: false,
  meta: false,
  tab: false,
};

describe('keys of the live view', () => {
  let at: Place;
  let watching: FakeWatching;
  let session: Session;

  before(async () => {
    at = await place();
  });
  after(() => at.close());
  beforeEach(async () => {
    watching = new FakeWatching();
    await watching.readFrom(at.ledger);
    if (watching.overview.canaries.size === 0) {
      for (let i = 0; i < 5; i++)
        await canaryIn(at.ledger, { modelId: `m${i}`, at: START + i * 1000, checks: 3, script: () => found(1, 500) });
      await watching.readFrom(at.ledger);
    }
    session = begin();
  });
  afterEach(() => session.quit(0));

  function begin(more: Partial<SessionOptions> = {}): Session {
    return new Session({ watching, clock: stillClock(START), id: null, exportTo: '/tmp/packs', ...more });
  }

  function press(...keys: (KeyName | string)[]): void {
    for (const key of keys)
      if (typeof key === 'string' && /^(up|down|page|home|end|enter|escape|backspace|ctrl)/.test(key))
        session.key(key as KeyName);
      else for (const character of key as string) session.key({ character });
  }

  const screen = () => screenLines(session, { columns: 100, rows: 30 }).map(lineText).join('\n');
  const marked = () => /▸ \S+ \S+ +(\S+)/.exec(screen())?.[1];
  const idOf = (model: string) => [...watching.overview.canaries.values()].find(({ modelId }) => modelId === model)!.id;

  it('move through the list, newest first', () => {
    expect(marked()).to.equal('m4');
    press('jj');
    expect(marked()).to.equal('m2');
    press('up');
    expect(marked()).to.equal('m3');
    press('G');
    expect(marked()).to.equal('m0');
    press('j');
    expect(marked()).to.equal('m0');
    press('g');
    expect(marked()).to.equal('m4');
    press('pageDown');
    expect(marked()).to.equal('m0');
  });

  it('keep the row that is selected when others come and go', () => {
    press('j');
    expect(marked()).to.equal('m3');
    const { canaries } = watching.overview;
    const row = canaries.get(idOf('m3'))!;
    canaries.set('c-new', { ...row, id: 'c-new', modelId: 'new', createdAt: START + 9e6 });
    expect(marked()).to.equal('m3');
  });

  it('open one, its story, its numbers, and lead back', async () => {
    press('j', 'enter');
    await until(() => session.records.drawn !== null);
    expect(screen()).to.contain('Objectives').and.contain('m3');
    press('w');
    expect(screen()).to.contain('Timeline').and.not.contain('Objectives');
    press('m');
    expect(screen()).to.contain('Questions of the judge');
    press('escape');
    expect(screen()).to.contain('Objectives');
    press('escape');
    expect(marked()).to.equal('m3');
  });

  it('scroll one that is higher than the screen, to its end and no further', async () => {
    press('enter');
    await until(() => session.records.drawn !== null);
    expect(screen()).to.contain('more below');
    press('G');
    expect(screen()).to.contain('Next steps').and.not.contain('more below');
    const end = screen();
    press('jjj');
    expect(screen()).to.equal(end);
    press('k');
    expect(screen()).not.to.equal(end);
    press('g');
    expect(screen()).to.contain('Objectives');
  });

  it('filter as it is typed', () => {
    press('/', 'm1');
    expect(screen()).to.contain('1 shown');
    press('enter');
    expect(marked()).to.equal('m1');
    expect(screen()).not.to.contain('m2');
    press('/', 'backspace', 'backspace', 'nothing');
    expect(screen()).to.contain('Nothing fits the filter');
    press('escape');
    expect(screen()).to.contain('m2');
  });

  for (const [key, deed] of [
    ['a', 'abort'],
    ['p', 'promote'],
    ['y', 'approve'],
    ['n', 'reject'],
  ] as const)
    it(`${key}: ${deed}, once a reason is given`, async () => {
      const id = idOf('m4');
      press(key);
      expect(screen()).to.match(new RegExp(`${deed} ${id} \\(m4\\)\\?`, 'i'));
      press('enter');
      expect(screen()).to.contain('A reason is needed');
      expect(watching.done).to.deep.equal([]);
      press('because q', 'enter');
      await until(() => screen().includes(`${id}: ${deed} recorded`));
      expect(watching.done).to.deep.equal([`${deed} ${id}: because q`]);
    });

  it('ask for no reason where a canary has ended', async () => {
    const id = await canaryIn(at.ledger, { modelId: 'ended', at: START + 9000, script: () => found(100, 500) });
    await watching.readFrom(at.ledger);
    session.quit(0);
    session = begin({ id });
    for (const [key, deed] of [
      ['a', 'abort'],
      ['p', 'promote'],
      ['y', 'approve'],
      ['n', 'reject'],
    ] as const) {
      press(key);
      expect(screen()).to.contain(`${id} is ROLLED BACK: nothing is left to ${deed}.`).and.not.contain('Reason');
    }
    expect(watching.done).to.deep.equal([]);
  });

  it('change nothing when a dialog is left', () => {
    press('a', 'oh no', 'escape');
    expect(watching.done).to.deep.equal([]);
    expect(screen()).not.to.contain('Reason');
  });

  it('say in words why an act failed, and go on', async () => {
    watching.fails = new LukhasError('USAGE', 'c-1 has ended: it is PROMOTED', {
      suggestions: ['See it: lukhas why c-1'],
    });
    press('a', 'late', 'enter');
    await until(() => screen().includes('c-1 has ended: it is PROMOTED'));
    expect(screen()).to.contain('lukhas why c-1');
    press('j');
    expect(marked()).to.equal('m3');
    expect(screen()).not.to.contain('has ended');
  });

  it('say why an act failed with one full stop', async () => {
    watching.fails = new LukhasError('ILLEGAL_TRANSITION', 'Canary c-1 is PROMOTED: it cannot be aborted.', {
      suggestions: ['Check its state: lukhas canary status c-1'],
    });
    press('a', 'late', 'enter');
    await until(() => screen().includes('it cannot be aborted. Check its state'));
  });

  it('export a pack and say where it is', async () => {
    press('e');
    await until(() => screen().includes(`/tmp/packs/${idOf('m4')}.zip`));
  });

  it('help is shown until the next key; q and Ctrl-C quit', () => {
    press('?');
    expect(screen()).to.contain('quit; canaries go on');
    press('j');
    expect(screen()).not.to.contain('quit; canaries go on');
    press('q');
    expect(session.exit).to.equal(0);
    session = begin();
    press('a', 'ctrl-c');
    expect(session.exit).to.equal(130);
  });

  it('typed fast or pasted come one after another, and what ends a line ends the text', () => {
    expect(keysOf('abc\r', NO_KEY)).to.deep.equal([
      { character: 'a' },
      { character: 'b' },
      { character: 'c' },
      'enter',
    ]);
    expect(keysOf('', { ...NO_KEY, upArrow: true })).to.deep.equal(['up']);
    expect(keysOf('c', { ...NO_KEY, ctrl: true })).to.deep.equal(['ctrl-c']);
    expect(keysOf('x', { ...NO_KEY, meta: true })).to.deep.equal([]);
  });

  it('a canary that is told of is read anew; another is not', async () => {
    const id = idOf('m4');
    session.quit(0);
    session = begin({ id });
    let reads = 0;
    const { canary } = watching;
    watching.canary = (wanted) => {
      reads++;
      return canary.call(watching, wanted);
    };
    const following = session.follow();
    await until(() => session.records.drawn !== null);
    const before = reads;
    watching.tell({ id: '1.1.x', name: 'metric', data: { canaryId: idOf('m1') } });
    watching.tell({ id: '2.1.x', name: 'metric', data: { canaryId: id } });
    await until(() => reads > before);
    expect(reads).to.equal(before + 1);
    session.quit(0);
    await following;
  });

  it('end with the exit code that `until` says', async () => {
    session.quit(0);
    let over: number | null = null;
    session = begin({ until: () => over });
    const following = session.follow();
    watching.tell();
    expect(session.exit).to.equal(null);
    over = 3;
    watching.tell();
    expect(session.exit).to.equal(3);
    await following;
  });
});
