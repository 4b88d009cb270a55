import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { LukhasError } from '../../src/lib/errors.js';
import { showWatch } from '../../src/tui/index.js';
import { type Place, place, START } from '../lib/canary/harness.js';
import { until } from '../until.js';
import { canaryIn, FakeWatching, found, stillClock } from './fake-watching.js';

/** What a terminal is to Ink. */
class Terminal extends EventEmitter {
  readonly isTTY = true;
  columns = 80;
  rows = 24;
  written = '';
  writes = 0;
  readonly writable = true;

  write(text: string, done?: () => void): boolean {
    if (text !== '') {
      this.written += text;
      this.writes++;
    }
    if (done !== undefined) setImmediate(done);
    return true;
  }
}

class Keyboard extends EventEmitter {
  readonly isTTY = true;
  raw = false;
  #typed: string[] = [];

  setRawMode(raw: boolean): this {
    this.raw = raw;
    return this;
  }
  setEncoding(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  read(): string | null {
    return this.#typed.shift() ?? null;
  }
  type(text: string): void {
    this.#typed.push(text);
    this.emit('readable');
  }
}

const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?1049l';
const SHOW_CURSOR = '\u001b[?25h';
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours, bold, inverse
const COLORS = /\u001b\[[\d;]*m/;

describe('the live view in a terminal', () => {
  let at: Place;
  let watching: FakeWatching;
  let stdout: Terminal;
  let stdin: Keyboard;

  before(async () => {
    at = await place();
    await canaryIn(at.ledger, { checks: 12, script: (n) => found(n % 3, 500) });
  });
  after(() => at.close());
  beforeEach(async () => {
    watching = new FakeWatching();
    await watching.readFrom(at.ledger);
    stdout = new Terminal();
    stdin = new Keyboard();
  });

  const show = (more: { color?: boolean; id?: string } = {}) =>
    showWatch({
      watching,
      clock: stillClock(START + 125_000),
      id: null,
      exportTo: '/tmp',
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: stdout as unknown as NodeJS.WriteStream,
      color: false,
      unicode: true,
      ...more,
    });

  it('takes the other screen and gives the terminal back as it was', async () => {
    const listeners = process.listenerCount('SIGTSTP');
    const shown = show();
    await until(() => stdout.written.includes('fraud-v2') && stdin.raw);
    expect(stdout.written.startsWith(ENTER)).to.equal(true);
    stdin.type('q');
    expect(await shown).to.equal(0);
    expect(stdin.raw).to.equal(false);
    expect(stdout.written.lastIndexOf(LEAVE)).to.be.above(stdout.written.lastIndexOf(ENTER));
    expect(stdout.written.lastIndexOf(SHOW_CURSOR)).to.be.above(stdout.written.lastIndexOf('\u001b[?25l'));
    expect(process.listenerCount('SIGTSTP')).to.equal(listeners);
  });

  for (const [what, act] of [
    ['what it follows ends for good', () => watching.break(new LukhasError('USAGE', 'the key was refused'))],
    [
      'a view has a bug',
      () => {
        Object.defineProperty(watching, 'overview', {
          get: () => {
            throw new Error('the key was refused');
          },
        });
        watching.tell();
      },
    ],
  ] as const)
    it(`gives the terminal back when ${what}, and throws`, async () => {
      const shown = show();
      await until(() => stdin.raw);
      act();
      let thrown: unknown = null;
      await shown.catch((error: unknown) => {
        thrown = error;
      });
      expect((thrown as Error).message).to.equal('the key was refused');
      expect(stdin.raw).to.equal(false);
      expect(stdout.written.lastIndexOf(LEAVE)).to.be.above(stdout.written.lastIndexOf(ENTER));
    });

  it('writes little where little changes, and nothing for what is the same', async () => {
    const shown = show();
    await until(() => stdin.raw && stdout.written.includes('q quit'));
    const before = stdout.written.length;
    for (let i = 0; i < 50; i++) watching.tell();
    const [row] = watching.overview.canaries.values();
    watching.overview.canaries.set(row!.id, { ...row!, modelId: 'fraud-v3' });
    watching.tell();
    await until(() => stdout.written.includes('3', before));
    expect(stdout.written.length - before).to.be.below(400);
    stdin.type('q');
    await shown;
  });

  it('is without colours where they are not wanted', async () => {
    const shown = show({ color: false });
    await until(() => stdout.written.includes('fraud-v2'));
    stdin.type('q');
    await shown;
    expect(stdout.written).not.to.match(COLORS);
  });
});
