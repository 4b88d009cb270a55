import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { happened, idsIn, withDaemon } from '../../daemon/sse/daemon.js';
import { withFolder } from '../../lib/ledger/examples.js';

const CHILD = fileURLToPath(new URL('../ledger/append-child.ts', import.meta.url));

describe('an event stream over a database that two processes write', () => {
  it('tells what another process commits', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path);
      await happened(ledger, 'c1', 'canary.requested');
      await withDaemon(ledger, async (daemon) => {
        const stream = await daemon.follow('canaries');
        const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path, 'c1', '50'], { stdio: 'ignore' });
        await once(child, 'exit');
        await happened(ledger, 'c1', 'canary.decided');
        await stream.until(() => stream.names.includes('blocked'));
        expect(stream.names).to.deep.equal(['open', ...new Array<string>(50).fill('hook'), 'blocked']);
        expect(stream.ids.slice(1)).to.deep.equal((await idsIn(ledger, ['canaries'])).slice(1));
      });
      await ledger.close();
    });
  });
});
