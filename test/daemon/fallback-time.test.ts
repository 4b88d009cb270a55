import { expect } from 'chai';
import { FallbackTime } from '../../src/daemon/fallback-time.js';
import { timestamp } from '../../src/lib/clock.js';
import type { StoredEvent } from '../../src/lib/ledger/events.js';
import type { FeedItem } from '../../src/lib/ledger/ledger.js';

const T = Date.parse('2026-03-01T12:00:00Z');
const s = (seconds: number) => T + seconds * 1000;

function told(kind: string, subject: string, at: number, data: object = {}): FeedItem[] {
  const event = { kind, subject, ts: timestamp(at), data, seq: 0, v: 1 } as unknown as StoredEvent;
  return [{ type: 'event', event, position: { seq: 1, row: 1 } }];
}
const engaged = (id: string, since: number) =>
  told('fallback.engaged', id, since + 1000, { since, tick: 1, total: true, states: {} });

describe('time without readings', () => {
  it('grows while a canary has none, and stays when they are back', () => {
    const time = new FallbackTime(T);
    expect(time.read(s(5))).to.deep.equal({ totalSeconds: 0, longestSeconds: 0 });
    time.take(engaged('c-1', s(10)));
    expect(time.read(s(30))).to.deep.equal({ totalSeconds: 20, longestSeconds: 20 });
    time.take(told('fallback.released', 'c-1', s(40), { tick: 8, seconds: 30 }));
    expect(time.read(s(60))).to.deep.equal({ totalSeconds: 30, longestSeconds: 0 });
  });

  it('adds up over canaries, and ends with each of them', () => {
    const time = new FallbackTime(T);
    for (const [id, kind] of [
      ['c-1', 'canary.decided'],
      ['c-2', 'canary.aborted'],
      ['c-3', 'canary.failed'],
    ] as const) {
      time.take(engaged(id, s(10)));
      time.take(told(kind, id, s(20)));
    }
    time.take(engaged('c-4', s(50)));
    time.take(told('canary.acted', 'c-1', s(55)));
    expect(time.read(s(60))).to.deep.equal({ totalSeconds: 40, longestSeconds: 10 });
  });

  it('counts from its own beginning, but knows how long it has lasted', () => {
    const time = new FallbackTime(T);
    time.engaged('c-1', s(-100));
    // What the log has told meanwhile is newer than what was read of it.
    time.take(engaged('c-2', s(5)));
    time.engaged('c-2', s(-50));
    expect(time.read(s(10))).to.deep.equal({ totalSeconds: 15, longestSeconds: 110 });
    time.take(told('fallback.released', 'c-1', s(20), { tick: 3, seconds: 120 }));
    expect(time.read(s(20)).totalSeconds).to.equal(35);
  });
});
