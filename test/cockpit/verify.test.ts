import { expect } from 'chai';
import { checked, type LogAnswer, seenSize } from '../../src/cockpit/log/verify.js';
import { readLogPage } from '../../src/lib/app/watching/log-page.js';
import { setGate } from '../../src/lib/gates/registry.js';
import { type Place, place } from '../lib/canary/harness.js';

describe('what the page verifies of the log', () => {
  let at: Place;
  const by = { who: 'ana', how: 'os-user' } as const;
  const grow = async (count: number, gate = 'production') => {
    for (let i = 0; i < count; i++) {
      const modelId = `model-${await at.ledger.size()}`;
      await setGate(at.ledger, { gate, modelId, canaryId: null, by, ts: '2026-03-01T12:00:00Z' });
    }
  };
  const read = async (): Promise<LogAnswer> => {
    const since = seenSize();
    return readLogPage(at.ledger, { limit: 20, ...(since === null ? {} : { since }) });
  };
  before(async () => {
    at = await place();
    await grow(21);
  });
  after(() => at.close());

  it('holds for what is recorded, and for a log that continues the one that was seen', async () => {
    const first = checked(await read());
    expect(first.before).to.equal(null);
    expect(first.entries.map(({ holds }) => holds)).to.deep.equal(Array(20).fill(true));
    await grow(13);
    const second = checked(await read());
    expect(second.before).to.deep.equal({ size: 21, continued: true });
    expect(second.entries.every(({ holds }) => holds)).to.equal(true);
  });

  it('fails for an entry whose text, number or path was changed', async () => {
    const change = async (how: (entry: LogAnswer['entries'][number], answer: LogAnswer) => void) => {
      const answer = await read();
      how(answer.entries[0]!, answer);
      return checked(answer).entries.map(({ holds }) => holds);
    };
    const others = Array(19).fill(true);
    expect(
      await change((entry) => {
        entry.body = entry.body.replace('production', 'productiom');
      }),
    ).to.deep.equal([false, ...others]);
    expect(
      await change((entry) => {
        entry.seq -= 1;
      }),
    ).to.deep.equal([false, ...others]);
    expect(
      await change((entry) => {
        entry.path.reverse();
      }),
    ).to.deep.equal([false, ...others]);
    expect(
      await change((_, answer) => {
        answer.root = Buffer.alloc(32).toString('base64');
      }),
    ).to.deep.equal(Array(20).fill(false));
  });

  it('says so when the log is not the one that was seen before', async () => {
    const other = await place();
    const there = at;
    at = other;
    await grow(40, 'stage');
    const answer = await read();
    expect(checked(answer).before?.continued).to.equal(false);
    at = there;
    await other.close();
  });
});
