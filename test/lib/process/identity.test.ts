import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import {
  formatProcess,
  lifeOf,
  type ProcessIdentity,
  parseProcess,
  processMark,
  thisProcess,
} from '../../../src/lib/process/identity.js';

const IDENTITY = new URL('../../../src/lib/process/identity.ts', import.meta.url).href;

/** What a process that has ended said of itself. */
function ofAnother(): ProcessIdentity {
  const code = `
    import { formatProcess, thisProcess } from ${JSON.stringify(IDENTITY)};
    console.log(formatProcess(thisProcess()));`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code];
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return parseProcess(stdout.trim()) ?? expect.fail(`not an identity: ${stdout}`);
}

describe('the identity of a process', () => {
  it('is read as it was written', () => {
    const known = thisProcess();
    const unknown = { ...known, startTicks: null, space: null };
    for (const one of [known, unknown, { ...known, host: '' }, { ...known, host: 'caf%C3%A9-1.example' }])
      expect(parseProcess(formatProcess(one))).to.deep.equal(one);
  });

  it('fits into a name of a file, and into a holder beside other things', () => {
    const longest = { ...thisProcess(), host: 'h'.repeat(64), pid: 4194304, startTicks: '9'.repeat(12) };
    expect(formatProcess(longest))
      .to.have.lengthOf.at.most(115)
      .and.to.match(/^[\w.+%-]+$/);
  });

  it('is not read from anything else', () => {
    const text = formatProcess(thisProcess());
    const [host, pid, start, space, nonce] = text.split('+');
    for (const other of [
      '',
      'web-1',
      'web-1:4711:0123abcd',
      'web-1-4711-0123abcd',
      `${text}:1`,
      ` ${text}`,
      `${text}\n`,
      [host, pid, start, space].join('+'),
      [host, '0', start, space, nonce].join('+'),
      [host, '-1', start, space, nonce].join('+'),
      [host, pid, '', space, nonce].join('+'),
      [host, pid, start, 'B9254D8A9E724E40', nonce].join('+'),
    ])
      expect(parseProcess(other), other).to.equal(null);
  });

  it('tells two processes apart that have everything else in common', () => {
    const other = ofAnother();
    expect(other.space)
      .to.equal(thisProcess().space)
      .and.to.match(/^[0-9a-f]{16}$/);
    expect(other.nonce).to.not.equal(thisProcess().nonce);
    expect(Number(other.startTicks)).to.be.at.least(Number(thisProcess().startTicks));
  });
});

describe('whether a process lives', () => {
  let sleeper: ChildProcess;
  before(async () => {
    sleeper = spawn('sleep', ['60']);
    await once(sleeper, 'spawn');
  });
  after(() => sleeper.kill('SIGKILL'));
  const of = (changes: Partial<ProcessIdentity>) => lifeOf({ ...thisProcess(), ...changes });
  /** As proc(5) has it, whatever the program's name. */
  const startOf = (pid: number) => processMark(pid)?.split('/')[1] ?? expect.fail(`${pid} has no mark`);

  it('is certain of one that does', () => {
    expect(of({})).to.equal('alive');
    expect(of({ pid: sleeper.pid!, startTicks: startOf(sleeper.pid!) })).to.equal('alive');
  });

  it('is certain of one that does not, at once', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const startTicks = startOf(child.pid!);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(of({ pid: child.pid!, startTicks })).to.equal('dead');
    expect(of({ pid: child.pid!, startTicks: null })).to.equal('dead');
  });

  it('is not believed of another one that got its pid', () => {
    const startTicks = String(Number(startOf(sleeper.pid!)) - 1);
    expect(of({ pid: sleeper.pid!, startTicks })).to.equal('dead');
  });

  it('is unknown where its pid means nothing, or too little is known of it', () => {
    const gone = spawnSync('/bin/true').pid;
    expect(lifeOf(null)).to.equal('unknown');
    for (const pid of [gone, process.pid])
      for (const space of [null, '0123456789abcdef']) expect(of({ pid, space })).to.equal('unknown');
    expect(of({ startTicks: null })).to.equal('unknown');
  });
});
