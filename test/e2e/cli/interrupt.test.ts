import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const PROCESS = fileURLToPath(new URL('interrupt-process.ts', import.meta.url));

describe('a command that gets signals', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function started(mode: string) {
    const child = spawn(process.execPath, ['--import', 'tsx', PROCESS, mode], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const says = async (word: string) => {
      while (!said.includes(word)) await once(child.stdout, 'data');
    };
    const exit = once(child, 'exit');
    await says('up');
    return { child, says, exit };
  }

  const cases: [string, NodeJS.Signals[], string, [number | null, string | null]][] = [
    ['ends in order at Ctrl-C', ['SIGINT'], 'listens', [130, null]],
    ['ends in order at SIGTERM', ['SIGTERM'], 'exits', [143, null]],
    ['ends at once at the second Ctrl-C', ['SIGINT', 'SIGINT'], 'listens', [null, 'SIGINT']],
    ['goes on ending in order at a signal of the other kind', ['SIGINT', 'SIGTERM'], 'listens', [130, null]],
    ['ends at once at the second of any kind where it is to', ['SIGINT', 'SIGTERM'], 'exits', [143, null]],
  ];
  for (const [what, signals, mode, expected] of cases)
    it(what, async () => {
      const { child, says, exit } = await started(mode);
      const [first, second] = signals as [NodeJS.Signals, NodeJS.Signals | undefined];
      child.kill(first);
      await says('stopping');
      if (second !== undefined) child.kill(second);
      // Where the second is to end it, nothing else does.
      const waits = second === undefined || (mode === 'listens' && first !== second);
      if (waits) child.stdin.end();
      expect(await exit).to.deep.equal(expected);
    });
});
